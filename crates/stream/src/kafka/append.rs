//! Appends outside of transactions: what the doors write.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use event::Topic;
use futures::{
    FutureExt,
    channel::oneshot,
    future::{self, BoxFuture},
};
use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    error::KafkaError,
    message::{DeliveryResult, Message},
    producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer},
};

use super::{
    admin::number,
    config::Config,
    fault::{self, Call},
    namespace::Namespace,
    voice::Voice,
};
use crate::{
    Error, Severity,
    log::{Append, RECORD_BYTES_MAX},
};

/// One idempotent producer that all doors of the process share.
pub(super) struct Appender {
    settings: ClientConfig,
    bootstrap: String,
    names: Namespace,
    producer: Mutex<Arc<ThreadedProducer<Deliveries>>>,
}

impl Appender {
    pub(super) fn new(config: &Config, names: &Namespace) -> Result<Self, Error> {
        let mut settings = config.producer()?;
        settings.set("message.timeout.ms", config.append_ms_max.to_string());
        let producer = Arc::new(producer(&settings)?);
        Ok(Self {
            settings,
            bootstrap: config.bootstrap.clone(),
            names: names.clone(),
            producer: Mutex::new(producer),
        })
    }

    pub(super) fn append(&self, records: Vec<Append>) -> BoxFuture<'static, Result<(), Error>> {
        match self.send(&records) {
            Ok(answer) => answer
                .map(|answer| {
                    answer.unwrap_or_else(|oneshot::Canceled| {
                        Err(refused("the producer was closed", Severity::Retry))
                    })
                })
                .boxed(),
            Err(error) => future::ready(Err(error)).boxed(),
        }
    }

    fn send(&self, records: &[Append]) -> Result<oneshot::Receiver<Result<(), Error>>, Error> {
        check_sizes(records)?;
        let (done, answer) = oneshot::channel();
        let batch = Arc::new(Batch {
            bootstrap: self.bootstrap.clone(),
            names: self.names.clone(),
            left: AtomicUsize::new(records.len()),
            done: Mutex::new(Some(done)),
        });
        if records.is_empty() {
            batch.finish(Ok(()));
            return Ok(answer);
        }
        let producer = self.producer()?;
        for append in records {
            let name = self.names.topic(&append.at.topic);
            let record = record(&name, append, Arc::clone(&batch));
            // A full queue is the brokers' pace: the sender hears at once that it may come again, and waits there, not here.
            if let Err((error, _)) = producer.send(record) {
                return Err(fault::error("append", &error, None, Call::Append));
            }
        }
        Ok(answer)
    }

    /// The shared producer, or a new one: after a fatal error librdkafka's is of no more use.
    fn producer(&self) -> Result<Arc<ThreadedProducer<Deliveries>>, Error> {
        let mut shared = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, reason)) = shared.client().fatal_error() {
            tracing::warn!("the producer is replaced: {reason}");
            let old = std::mem::replace(&mut *shared, Arc::new(producer(&self.settings)?));
            // It may take half a second to let go of what it holds.
            thread::spawn(move || drop(old));
        }
        Ok(Arc::clone(&shared))
    }
}

/// That no record is larger than every implementation of the log takes.
pub(super) fn check_sizes(records: &[Append]) -> Result<(), Error> {
    for record in records {
        let bytes = record.key.len() + record.value.as_ref().map_or(0, |value| value.len());
        if bytes > RECORD_BYTES_MAX {
            let text = format!(
                "a record for {} is {bytes} bytes large; at most {RECORD_BYTES_MAX} are taken",
                record.at
            );
            return Err(refused(&text, Severity::Fatal));
        }
    }
    Ok(())
}

/// librdkafka's form of a record. The partition is always set: its default partitioner is not that of other clients.
pub(super) fn record<'a, D: rdkafka::util::IntoOpaque>(
    name: &'a str,
    append: &'a Append,
    opaque: D,
) -> BaseRecord<'a, [u8], [u8], D> {
    let record = BaseRecord::with_opaque_to(name, opaque)
        .partition(number(&append.at))
        .key(&append.key[..]);
    match &append.value {
        Some(value) => record.payload(&value[..]),
        None => record,
    }
}

fn producer(settings: &ClientConfig) -> Result<ThreadedProducer<Deliveries>, Error> {
    settings
        .create_with_context(Deliveries(Voice::default()))
        .map_err(|error| fault::error("make a producer", &error, None, Call::Append))
}

fn refused(text: &str, severity: Severity) -> Error {
    Error::Log {
        doing: "append".to_owned(),
        text: text.to_owned(),
        severity,
    }
}

/// The records of one call. One counter for all of them: a future for each would cost twice the time.
struct Batch {
    bootstrap: String,
    names: Namespace,
    left: AtomicUsize,
    done: Mutex<Option<oneshot::Sender<Result<(), Error>>>>,
}

impl Batch {
    fn finish(&self, result: Result<(), Error>) {
        let done = self
            .done
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(done) = done {
            // Whoever waited may have gone; the records are in the log all the same.
            done.send(result).ok();
        }
    }

    fn failure(&self, error: &KafkaError, name: &str) -> Error {
        if fault::is_missing(error) {
            let topic = self.names.parse(name);
            return Error::Topic {
                topic: topic.as_ref().map_or_else(|| name.to_owned(), Topic::name),
                problem: format!("or its partition does not exist on {}", self.bootstrap),
                remedy: "make it with `polku topics apply`".to_owned(),
            };
        }
        fault::error(format!("append to {name}"), error, None, Call::Append)
    }
}

struct Deliveries(Voice);

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        Voice::say(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.hear(&error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Arc<Batch>;

    fn delivery(&self, result: &DeliveryResult<'_>, batch: Arc<Batch>) {
        match result {
            Ok(_) => {
                if batch.left.fetch_sub(1, Ordering::AcqRel) == 1 {
                    batch.finish(Ok(()));
                }
            }
            // The count never comes to zero now, so that no later delivery can answer.
            Err((error, message)) => batch.finish(Err(batch.failure(error, message.topic()))),
        }
    }
}
