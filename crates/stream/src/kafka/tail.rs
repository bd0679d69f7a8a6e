//! Reading partitions from the offsets one is told.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use event::{Partition, Time, Topic};
use rdkafka::{
    Message, Timestamp,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::BorrowedMessage,
    topic_partition_list::Offset as Position,
};

use super::{
    admin::list,
    config::{Config, Isolation},
    deadline::Deadline,
    fault::{self, Call},
    namespace::Namespace,
    voice::Voice,
};
use crate::{
    Error, Severity,
    log::{Offset, Read, Reader, TopicPartition},
};

/// Committed records of the partitions it was told to read. It belongs to no group.
pub(super) struct Tail {
    names: Namespace,
    consumer: BaseConsumer<Voice>,
    topics: BTreeMap<String, Topic>,
    positions: BTreeMap<TopicPartition, Offset>,
    /// An error that came after records of the same poll.
    failed: VecDeque<Error>,
}

impl Tail {
    pub(super) fn new(config: &Config, names: &Namespace) -> Result<Self, Error> {
        let mut settings = config.consumer(Isolation::Committed)?;
        settings.set("group.id", names.reader());
        let consumer = settings
            .create_with_context(Voice::default())
            .map_err(|error| fault::error("make a reader", &error, None, Call::Ask))?;
        Ok(Self {
            names: names.clone(),
            consumer,
            topics: BTreeMap::new(),
            positions: BTreeMap::new(),
            failed: VecDeque::new(),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Reads these from here on, whether or not it read them before. A partition is assigned anew rather than sought in: what
    /// was fetched for its old place is dropped by librdkafka then.
    pub(super) fn read_from(
        &mut self,
        from: &BTreeMap<TopicPartition, Offset>,
    ) -> Result<(), Error> {
        self.forget(|at| from.contains_key(at))?;
        let offsets = from
            .iter()
            .map(|(at, offset)| (at, Position::Offset(offset.0)));
        list(&self.names, offsets)
            .and_then(|list| self.consumer.incremental_assign(&list))
            .map_err(|error| self.failed("start reading", &error))?;
        for (at, offset) in from {
            self.topics
                .insert(self.names.topic(&at.topic), at.topic.clone());
            self.positions.insert(at.clone(), *offset);
        }
        Ok(())
    }

    /// Reads no more of these.
    pub(super) fn forget(&mut self, which: impl Fn(&TopicPartition) -> bool) -> Result<(), Error> {
        let gone: Vec<_> = self
            .positions
            .keys()
            .filter(|at| which(at))
            .cloned()
            .collect();
        if gone.is_empty() {
            return Ok(());
        }
        list(&self.names, gone.iter().map(|at| (at, Position::Invalid)))
            .and_then(|list| self.consumer.incremental_unassign(&list))
            .map_err(|error| self.failed("stop reading", &error))?;
        for at in gone {
            self.positions.remove(&at);
        }
        Ok(())
    }

    /// The position counts the markers of transactions too: librdkafka passes over them without a record, but moves its own
    /// position, which is asked for when a poll came up empty.
    fn pass_gaps(&mut self) -> Result<(), Error> {
        let reached = self
            .consumer
            .position()
            .map_err(|error| self.failed("ask for the position", &error))?;
        for element in reached.elements() {
            let Some(at) = known(&self.topics, element.topic(), element.partition()) else {
                continue;
            };
            // Before the first record or marker there is none yet.
            if let (Position::Offset(offset), Some(position)) =
                (element.offset(), self.positions.get_mut(&at))
            {
                *position = (*position).max(Offset(offset));
            }
        }
        Ok(())
    }

    fn failed(&self, doing: &str, error: &KafkaError) -> Error {
        let reason = self.consumer.context().take_reason();
        fault::error(doing, error, reason.as_deref(), Call::Ask)
    }
}

impl Reader for Tail {
    fn poll(&mut self, records_max: usize, wait: Duration) -> Result<Vec<Read>, Error> {
        if let Some(error) = self.failed.pop_front() {
            return Err(error);
        }
        let deadline = Deadline::after(wait);
        let mut reads = Vec::new();
        while reads.len() < records_max {
            let wait = if reads.is_empty() {
                deadline.remaining()
            } else {
                Duration::ZERO
            };
            match self.consumer.poll(wait) {
                Some(Ok(message)) => {
                    reads.extend(read(&self.topics, &mut self.positions, &message));
                }
                Some(Err(error)) if fault::is_one_broker(&error) => {}
                Some(Err(error)) => {
                    let error = self.failed("read", &error);
                    if reads.is_empty() {
                        return Err(error);
                    }
                    self.failed.push_back(error);
                    break;
                }
                // Also what an event of the client looks like: not the end of anything.
                None if reads.is_empty() && !deadline.passed() => {}
                None => break,
            }
        }
        if reads.is_empty() && !self.is_empty() {
            self.pass_gaps()?;
        }
        Ok(reads)
    }

    fn position(&mut self, at: &TopicPartition) -> Result<Offset, Error> {
        self.positions.get(at).copied().ok_or_else(|| Error::Log {
            doing: "ask for the position".to_owned(),
            text: format!("{at} is not read here"),
            severity: Severity::Fatal,
        })
    }
}

/// A record in our form, if its partition is still read here.
fn read(
    topics: &BTreeMap<String, Topic>,
    positions: &mut BTreeMap<TopicPartition, Offset>,
    message: &BorrowedMessage<'_>,
) -> Option<Read> {
    let at = known(topics, message.topic(), message.partition())?;
    let offset = Offset(message.offset());
    // The one place where an offset read becomes the next to read.
    *positions.get_mut(&at)? = offset.next();
    let time = match message.timestamp() {
        Timestamp::LogAppendTime(millis) | Timestamp::CreateTime(millis) => millis,
        Timestamp::NotAvailable => 0,
    };
    Some(Read {
        at,
        offset,
        time: Time::from_millis(time),
        key: Bytes::copy_from_slice(message.key().unwrap_or_default()),
        value: message.payload().map(Bytes::copy_from_slice),
    })
}

fn known(topics: &BTreeMap<String, Topic>, name: &str, number: i32) -> Option<TopicPartition> {
    let topic = topics.get(name)?.clone();
    let partition = Partition(u32::try_from(number).ok()?);
    Some(TopicPartition { topic, partition })
}
