//! What a loop would do that does not promise exactly once: for comparison alone, no role runs so.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use event::Partition;
use futures::{executor::block_on, future::BoxFuture};
use stream::{
    Append, Error, Log, SharedLog,
    log::{Commit, End, Group, Member, Offset, Polled, Reader, TopicPartition, TopicSpec},
};

/// A log whose commits append what there is and wait for the acknowledgement: no transaction. The rows of state hold the next offsets,
/// so that a restart goes on from there, and steps anew what was appended and not acknowledged.
pub(crate) struct Transactionless(pub(crate) SharedLog);

impl Log for Transactionless {
    fn topics(&self) -> Result<Vec<TopicSpec>, Error> {
        self.0.topics()
    }

    fn create_topics(&self, specs: &[TopicSpec]) -> Result<(), Error> {
        self.0.create_topics(specs)
    }

    fn append(&self, records: Vec<Append>) -> BoxFuture<'static, Result<(), Error>> {
        self.0.append(records)
    }

    fn read(&self, from: BTreeMap<TopicPartition, Offset>) -> Result<Box<dyn Reader>, Error> {
        self.0.read(from)
    }

    fn start(&self, at: &TopicPartition) -> Result<Offset, Error> {
        self.0.start(at)
    }

    fn end(&self, at: &TopicPartition, end: End) -> Result<Offset, Error> {
        self.0.end(at, end)
    }

    fn ends(
        &self,
        partitions: &[TopicPartition],
        end: End,
    ) -> Result<BTreeMap<TopicPartition, Offset>, Error> {
        self.0.ends(partitions, end)
    }

    fn join(&self, group: Group) -> Result<Box<dyn Member>, Error> {
        Ok(Box::new(Appending {
            member: self.0.join(group)?,
            log: SharedLog::clone(&self.0),
        }))
    }

    /// Nothing is committed to the group, so that nothing may be let go of.
    fn trim(&self, _at: &TopicPartition, _below: Offset) -> Result<(), Error> {
        Ok(())
    }
}

struct Appending {
    member: Box<dyn Member>,
    log: SharedLog,
}

impl Member for Appending {
    fn poll(&mut self, records_max: usize, wait: Duration) -> Result<Polled, Error> {
        self.member.poll(records_max, wait)
    }

    fn committed(
        &mut self,
        partition: Partition,
    ) -> Result<BTreeMap<TopicPartition, Offset>, Error> {
        self.member.committed(partition)
    }

    fn resume(&mut self, next: &BTreeMap<TopicPartition, Offset>) -> Result<(), Error> {
        self.member.resume(next)
    }

    fn position(&mut self, at: &TopicPartition) -> Result<Offset, Error> {
        self.member.position(at)
    }

    fn commit(&mut self, commit: Commit) -> Result<(), Error> {
        block_on(self.log.append(Arc::unwrap_or_clone(commit.appends)))
    }
}
