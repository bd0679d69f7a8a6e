//! What Polku asks of a log.
//!
//! The log promises (each sentence is a test of the conformance suite):
//! total order in a partition; offsets that grow but may have gaps; a commit takes records, state and offsets all or nothing
//! and is refused to any but the newest owner of each partition it names; partitions of one commit may become visible at
//! different times and in any order; an append that was acknowledged survives kill -9 and may be repeated by its sender;
//! compaction keeps the last record of a key; trimming happens only by request, below the committed offset; a record is at
//! most 1 MB.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use event::{
    Partition, Time, Topic,
    topic::{Kept, MachineName},
};
use futures::future::BoxFuture;

use crate::Error;

/// The largest key and value together, in bytes.
pub const RECORD_BYTES_MAX: usize = 1_000_000;

/// A position in a partition. Positions grow; there may be gaps between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub i64);

impl Offset {
    pub const START: Offset = Offset(0);

    /// Where reading goes on after the record at this offset.
    #[must_use]
    pub fn next(self) -> Offset {
        Offset(self.0 + 1)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    pub topic: Topic,
    pub partition: Partition,
}

impl TopicPartition {
    pub fn new(topic: Topic, partition: Partition) -> Self {
        Self { topic, partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

/// A record to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    pub at: TopicPartition,
    pub key: Bytes,
    /// `None` removes the key from a compacted topic; only `state.*` uses it.
    pub value: Option<Bytes>,
}

impl Append {
    /// A record for the partition of its key, in a deployment of `partitions` partitions.
    pub fn keyed(topic: Topic, key: Vec<u8>, value: Option<Vec<u8>>, partitions: u32) -> Self {
        let partition = Partition::of(&key, topic.partitions().count(partitions));
        Self {
            at: TopicPartition { topic, partition },
            key: key.into(),
            value: value.map(Bytes::from),
        }
    }
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    pub at: TopicPartition,
    pub offset: Offset,
    /// When the log took it.
    pub time: Time,
    pub key: Bytes,
    pub value: Option<Bytes>,
}

/// How a topic is made, and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    pub topic: Topic,
    pub partitions: u32,
    pub kept: Kept,
}

/// Which end of a partition is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// One past the last record that committed readers can see.
    Committed,
    /// One past the last record at all, open transactions included: what a restore must reach.
    Written,
}

/// A log of topics with partitions. Cheap to share; all methods but `append` may block.
pub trait Log: Send + Sync + 'static {
    /// The topics that exist.
    ///
    /// # Errors
    /// When the log cannot be reached.
    fn topics(&self) -> Result<Vec<TopicSpec>, Error>;

    /// Makes the topics that do not exist yet and checks the others.
    ///
    /// # Errors
    /// `Error::Topic` when one exists with another partition count: topic, counts found, remedy.
    fn create_topics(&self, specs: &[TopicSpec]) -> Result<(), Error>;

    /// Appends records, each partition's in order. Resolves once all of them survive a crash of the process.
    /// After an error any of them may be in the log; the sender repeats.
    fn append(&self, records: Vec<Append>) -> BoxFuture<'static, Result<(), Error>>;

    /// Reads committed records from the given offsets, for whoever follows the log without owning any of it.
    ///
    /// # Errors
    /// When a topic does not exist.
    fn read(&self, from: BTreeMap<TopicPartition, Offset>) -> Result<Box<dyn Reader>, Error>;

    /// The first offset that is still kept.
    ///
    /// # Errors
    /// When the log cannot be reached or the partition does not exist.
    fn start(&self, at: &TopicPartition) -> Result<Offset, Error>;

    /// # Errors
    /// When the log cannot be reached or the partition does not exist.
    fn end(&self, at: &TopicPartition, end: End) -> Result<Offset, Error>;

    /// The same of many partitions, asked for at once: a loop must not wait for one after the other.
    ///
    /// # Errors
    /// When the log cannot be reached or one of them does not exist.
    fn ends(
        &self,
        partitions: &[TopicPartition],
        end: End,
    ) -> Result<BTreeMap<TopicPartition, Offset>, Error> {
        let each = partitions.iter();
        each.map(|at| Ok((at.clone(), self.end(at, end)?)))
            .collect()
    }

    /// Joins the group of a machine. Partitions come and go in `Member::poll`.
    ///
    /// # Errors
    /// When the log cannot be reached or an input does not exist.
    fn join(&self, group: Group) -> Result<Box<dyn Member>, Error>;

    /// Lets go of the records below an offset of a topic that is kept until read.
    ///
    /// # Errors
    /// When the topic is kept otherwise or the offset is above the committed one of its machine.
    fn trim(&self, at: &TopicPartition, below: Offset) -> Result<(), Error>;
}

/// Which machine joins, and what it reads.
#[derive(Clone, Debug)]
pub struct Group {
    pub machine: MachineName,
    /// Co-partitioned: who owns number n of the first owns number n of all.
    pub inputs: Vec<Topic>,
    pub session: Duration,
}

/// Reads without owning.
pub trait Reader: Send {
    /// Committed records, each partition's in order; waits up to `wait` for the first.
    ///
    /// # Errors
    /// When the log cannot be reached, or an offset is no longer kept.
    fn poll(&mut self, records_max: usize, wait: Duration) -> Result<Vec<Read>, Error>;

    /// Where reading goes on: one past the last record polled, and past the gaps that follow it. Once everything visible was
    /// polled it comes to `Log::end(at, End::Committed)`, at the latest after one more empty poll: a restore could not know
    /// otherwise that nothing is left before an end that only gaps or transaction markers lead to.
    ///
    /// # Errors
    /// When this reader does not read the partition.
    fn position(&mut self, at: &TopicPartition) -> Result<Offset, Error>;
}

/// What a member hears from the log.
#[derive(Debug, PartialEq, Eq)]
pub enum Polled {
    /// These numbers of all inputs are this member's now; each is paused until `resume` says where to read on.
    Assigned(Vec<Partition>),
    /// These are no longer; commits that name them are refused.
    Revoked(Vec<Partition>),
    /// Committed records of resumed partitions, each partition's in order. Empty when the wait ran out.
    Records(Vec<Read>),
}

/// Everything that leaves a batch: in one transaction or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// Shared, since whoever commits keeps them until it is done.
    pub appends: Arc<Vec<Append>>,
    /// The next offset of every input of every partition whose state the batch reads or changes, also of those that did not
    /// advance: an empty list would not be fenced. Never empty.
    pub next: BTreeMap<TopicPartition, Offset>,
}

/// One instance of a machine within its group.
pub trait Member: Send {
    /// # Errors
    /// `Severity::Lost` when this member was fenced or forgotten, also when it reads below the first offset that is kept: a
    /// newer owner has trimmed what it still wants to read.
    fn poll(&mut self, records_max: usize, wait: Duration) -> Result<Polled, Error>;

    /// The committed next offsets of a held partition's inputs, stable ones: no commit of an earlier owner is still on its
    /// way. An input that was never committed is absent.
    ///
    /// # Errors
    /// When the log cannot be reached.
    fn committed(
        &mut self,
        partition: Partition,
    ) -> Result<BTreeMap<TopicPartition, Offset>, Error>;

    /// Reads the inputs of a held partition from here on: after a restore, and after an abort.
    ///
    /// # Errors
    /// When the partition is not held.
    fn resume(&mut self, next: &BTreeMap<TopicPartition, Offset>) -> Result<(), Error>;

    /// Where reading of a held, resumed partition goes on; see `Reader::position`.
    ///
    /// # Errors
    /// When the partition is not held or was not resumed.
    fn position(&mut self, at: &TopicPartition) -> Result<Offset, Error>;

    /// Commits all or nothing. After `Severity::Abort` nothing happened; after `Severity::Lost` it is unknown and the member
    /// must be dropped.
    ///
    /// # Errors
    /// `Error::Fenced` when a partition named has a newer owner.
    fn commit(&mut self, commit: Commit) -> Result<(), Error>;
}

/// A log shared by the roles of one process.
pub type SharedLog = Arc<dyn Log>;
