//! One burst: begin, produce, send the offsets, commit.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    consumer::ConsumerGroupMetadata,
    error::KafkaError,
    message::DeliveryResult,
    producer::{BaseProducer, Producer, ProducerContext},
    topic_partition_list::TopicPartitionList,
};

use super::{
    append::record,
    config::Config,
    deadline::Deadline,
    fault::{self, Call},
    namespace::Namespace,
    voice::Voice,
};
use crate::{Error, Severity, log::Append};

/// How long nothing is asked while deliveries are waited for.
const PAUSE: Duration = Duration::from_micros(500);

/// The transactional producer of one member.
pub(super) struct Transactions {
    names: Namespace,
    producer: BaseProducer<Deliveries>,
    /// No call may be given less: a commit that is cut off is neither done nor undone.
    limit: Duration,
}

/// Why a transaction did not happen, or may have.
pub(super) struct Failure {
    doing: &'static str,
    error: KafkaError,
    severity: Severity,
}

impl Failure {
    pub(super) fn new(doing: &'static str, error: KafkaError) -> Self {
        let severity = fault::severity(&error, Call::Transaction);
        Self {
            doing,
            error,
            severity,
        }
    }

    /// Whether the broker refused the owner, not the transaction.
    pub(super) fn is_fenced(&self) -> bool {
        fault::is_fenced(&self.error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Error::Log {
            doing: failure.doing.to_owned(),
            text: fault::text(&failure.error, None),
            severity: failure.severity,
        }
    }
}

impl Transactions {
    /// `session` is that of the group: a transaction must be over before its member could be forgotten.
    pub(super) fn new(
        config: &Config,
        names: &Namespace,
        transactional_id: &str,
        session: Duration,
    ) -> Result<Self, Error> {
        let longest = Duration::from_millis(config.transaction_ms_max.into());
        let open = longest.min(session * 3 / 4).max(Duration::from_secs(1));
        let mut settings = config.producer()?;
        settings
            .set("transactional.id", transactional_id)
            .set("transaction.timeout.ms", open.as_millis().to_string())
            // Of what was delivered only the number counts; each report would be taken by itself.
            .set("delivery.report.only.error", "true");
        let failed = |error| fault::error("make a transactional producer", &error, None, Call::Ask);
        let producer: BaseProducer<Deliveries> = settings
            .create_with_context(Deliveries::default())
            .map_err(failed)?;
        // Three times over: the coordinator may be loading, and a transaction of before may have to run out.
        producer.init_transactions(open * 3).map_err(|error| {
            let reason = producer.context().voice.take_reason();
            fault::error("start transactions", &error, reason.as_deref(), Call::Ask)
        })?;
        Ok(Self {
            names: names.clone(),
            producer,
            limit: open * 2,
        })
    }

    /// How long a commit may take at most: three times as long as the coordinator lets a transaction be open.
    pub(super) fn longest(&self) -> Duration {
        self.limit * 3 / 2
    }

    pub(super) fn commit(
        &self,
        appends: &[Append],
        next: &TopicPartitionList,
        owner: &ConsumerGroupMetadata,
    ) -> Result<(), Failure> {
        self.producer
            .begin_transaction()
            .map_err(|error| Failure::new("begin the transaction", error))?;
        self.stage(appends, next, owner)
            .and_then(|()| {
                self.producer
                    .commit_transaction(self.limit)
                    .map_err(|error| Failure::new("commit the transaction", error))
            })
            .map_err(|failure| self.abort(failure))
    }

    fn stage(
        &self,
        appends: &[Append],
        next: &TopicPartitionList,
        owner: &ConsumerGroupMetadata,
    ) -> Result<(), Failure> {
        let sent = self.send(appends);
        // Also after an error: the abort waits for what is in flight.
        self.drain()?;
        sent.and_then(|()| self.producer.context().take_failure())
            .map_err(|error| Failure::new("write to the transaction", error))?;
        assert!(
            next.count() > 0,
            "a transaction without offsets is not fenced by the broker"
        );
        self.producer
            .send_offsets_to_transaction(next, owner, self.limit)
            .map_err(|error| Failure::new("send the offsets to the transaction", error))
    }

    fn send(&self, appends: &[Append]) -> Result<(), KafkaError> {
        let mut names = BTreeMap::new();
        for append in appends {
            let name = names
                .entry(&append.at.topic)
                .or_insert_with_key(|topic| self.names.topic(topic));
            let mut record = record(name, append, ());
            while let Err((error, back)) = self.producer.send(record) {
                if !fault::is_full(&error) {
                    return Err(error);
                }
                self.serve();
                record = back;
            }
        }
        Ok(())
    }

    /// Waits until every record is delivered or failed. `commit_transaction` would wait too, but in slices of 100 ms.
    fn drain(&self) -> Result<(), Failure> {
        let deadline = Deadline::after(self.limit);
        while self.producer.in_flight_count() > 0 {
            if deadline.passed() {
                let error = KafkaError::Flush(rdkafka::error::RDKafkaErrorCode::OperationTimedOut);
                return Err(Failure::new("wait for deliveries", error));
            }
            self.serve();
        }
        Ok(())
    }

    /// Takes what was delivered, or lets others run. The client's own wait is not used: of a millisecond or less it makes a loop
    /// that asks without a pause, which cost more than all machines together.
    fn serve(&self) {
        let before = self.producer.in_flight_count();
        self.producer.poll(Duration::ZERO);
        if self.producer.in_flight_count() == before {
            thread::park_timeout(PAUSE);
        }
    }

    /// After this the producer may begin anew, unless the failure says that it is lost. What is unknown or fenced is left alone: the
    /// broker aborts it when its time is over.
    fn abort(&self, failure: Failure) -> Failure {
        match failure.severity {
            Severity::Lost | Severity::Fatal => failure,
            Severity::Retry | Severity::Abort => {
                match self.producer.abort_transaction(self.limit) {
                    Ok(()) => Failure {
                        severity: Severity::Abort,
                        ..failure
                    },
                    Err(error) => Failure {
                        doing: "abort the transaction",
                        error,
                        severity: Severity::Lost,
                    },
                }
            }
        }
    }
}

/// Remembers the first record of a transaction that was not delivered.
#[derive(Default)]
struct Deliveries {
    voice: Voice,
    failure: Mutex<Option<KafkaError>>,
}

impl Deliveries {
    fn take_failure(&self) -> Result<(), KafkaError> {
        let failure = self
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        failure.map_or(Ok(()), Err)
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        Voice::say(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.voice.hear(&error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.failure
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert_with(|| error.clone());
        }
    }
}
