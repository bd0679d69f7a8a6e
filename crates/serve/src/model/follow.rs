//! The one thread that follows the log and applies it to the model.

use std::{collections::BTreeMap, sync::Arc, thread, time::Duration};

use ::service::{
    clock,
    health::{Condition, Health},
    shutdown::Shutdown,
};
use event::{Partition, Topic};
use stream::{Error, Offset, Read, Reader, TopicPartition, log::End, log::SharedLog};

use super::{Decoded, Model, is_followed};
use crate::{metrics::Metrics, service::PART};

const BATCH_RECORDS_MAX: usize = 2_000;
const POLL_WAIT: Duration = Duration::from_millis(100);
/// How long after a fault of the log it is read again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Asking every partition for its end is a round trip each.
const MEASURE_EVERY: Duration = Duration::from_secs(15);

pub(crate) struct Follower {
    pub(crate) log: SharedLog,
    pub(crate) model: Arc<Model>,
    pub(crate) metrics: Metrics,
    pub(crate) health: Health,
    pub(crate) shutdown: Shutdown,
    next: BTreeMap<TopicPartition, Offset>,
    is_ready: bool,
}

/// Why reading begins anew.
enum Ended {
    Stopping,
    /// The company's rules changed, and with them perhaps the departments.
    Departments,
}

impl Follower {
    pub(crate) fn new(
        log: SharedLog,
        model: Arc<Model>,
        metrics: Metrics,
        health: Health,
        shutdown: Shutdown,
    ) -> Self {
        Self {
            log,
            model,
            metrics,
            health,
            shutdown,
            next: BTreeMap::new(),
            is_ready: false,
        }
    }

    /// Until the process stops. A panic while a record is applied fails the health of the process.
    pub(crate) fn run(mut self) {
        let guard = FailOnPanic(self.health.clone());
        while !self.shutdown.is_stopping() {
            match self.follow() {
                Ok(Ended::Stopping) => break,
                Ok(Ended::Departments) => {}
                Err(error) => {
                    tracing::warn!(error = %error, "following the log; trying again");
                    self.metrics.faults.inc();
                    thread::park_timeout(AGAIN_AFTER);
                }
            }
        }
        drop(guard);
    }

    fn follow(&mut self) -> Result<Ended, Error> {
        let ends = self.positions()?;
        let mut reader = self.log.read(self.next.clone())?;
        let mut measured = clock::instant();
        loop {
            if self.shutdown.is_stopping() {
                return Ok(Ended::Stopping);
            }
            let reads = reader.poll(BATCH_RECORDS_MAX, POLL_WAIT)?;
            let configured = reads.iter().any(|read| read.at.topic == Topic::Config);
            self.apply(reads);
            if !self.is_ready && self.has_reached(&mut *reader, &ends)? {
                self.is_ready = true;
                self.health.set(PART, Condition::Ready);
                tracing::info!("the read model has caught up");
            }
            if configured {
                return Ok(Ended::Departments);
            }
            if measured.elapsed() >= MEASURE_EVERY {
                self.measure(&mut *reader)?;
                measured = clock::instant();
            }
        }
    }

    /// Sets where to go on in each partition of each followed topic, and answers where each ends now.
    fn positions(&mut self) -> Result<BTreeMap<TopicPartition, Offset>, Error> {
        let mut ends = BTreeMap::new();
        let mut next = BTreeMap::new();
        for spec in self.log.topics()? {
            if !is_followed(&spec.topic) {
                continue;
            }
            for partition in Partition::all(spec.partitions) {
                let at = TopicPartition::new(spec.topic.clone(), partition);
                let start = self.log.start(&at)?;
                if let Topic::Notice(department) = &at.topic {
                    self.model.begin_notices(department, start);
                }
                let from = self.next.get(&at).copied().unwrap_or_default().max(start);
                ends.insert(at.clone(), self.log.end(&at, End::Committed)?);
                next.insert(at, from);
            }
        }
        self.next = next;
        Ok(ends)
    }

    fn apply(&mut self, reads: Vec<Read>) {
        if reads.is_empty() {
            return;
        }
        let mut records = Vec::with_capacity(reads.len());
        for read in reads {
            self.next.insert(read.at.clone(), read.offset.next());
            self.metrics.applied(&read);
            let Some(value) = &read.value else { continue };
            match wire::decode(&read.at.topic, value) {
                Ok(record) => records.push(Decoded { read, record }),
                Err(error) => {
                    // Machines reject such a record with its bytes; a page can only leave it out.
                    self.metrics.undecodable.inc();
                    tracing::error!(
                        kafka.topic = %read.at.topic,
                        kafka.partition = read.at.partition.0,
                        kafka.offset = read.offset.0,
                        error = %error,
                        "leaving out a record that does not decode"
                    );
                }
            }
        }
        self.model.apply(records);
    }

    fn has_reached(
        &self,
        reader: &mut dyn Reader,
        ends: &BTreeMap<TopicPartition, Offset>,
    ) -> Result<bool, Error> {
        for (at, end) in ends {
            if reader.position(at)? < *end {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn measure(&self, reader: &mut dyn Reader) -> Result<(), Error> {
        let mut behind = 0;
        for at in self.next.keys() {
            let end = self.log.end(at, End::Committed)?;
            behind += (end.0 - reader.position(at)?.0).max(0);
        }
        self.metrics.behind.set(behind);
        Ok(())
    }
}

struct FailOnPanic(Health);

impl Drop for FailOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            let why = "the read model broke an assertion".to_owned();
            self.0.set(PART, Condition::Failed { why });
        }
    }
}
