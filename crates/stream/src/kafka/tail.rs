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
    watch: Watch,
}

/// Clients of Kafka are known to lose a wake-up, most of all when a leader moves, and then to be silent for ever.
struct Watch {
    next: Deadline,
    /// Where each partition was at the last look.
    positions: BTreeMap<TopicPartition, Offset>,
    /// Since then everything that the client had fetched was taken: what is not there was not fetched.
    drained: bool,
}

/// A partition that stands still for so long though records wait is read anew.
const WATCH_EVERY: Duration = Duration::from_secs(20);
/// For one question of a look; when a broker is away the next look asks again.
const LOOK_MAX: Duration = Duration::from_secs(1);

impl Watch {
    fn new() -> Self {
        Self {
            next: Deadline::after(WATCH_EVERY),
            positions: BTreeMap::new(),
            drained: false,
        }
    }

    /// The partitions that have not moved since the last look, if it is time for one and they could have.
    fn look(&mut self, now: &BTreeMap<TopicPartition, Offset>) -> BTreeMap<TopicPartition, Offset> {
        if !self.next.passed() {
            return BTreeMap::new();
        }
        let before = std::mem::replace(&mut self.positions, now.clone());
        self.next = Deadline::after(WATCH_EVERY);
        if !std::mem::take(&mut self.drained) {
            return BTreeMap::new();
        }
        now.iter()
            .filter(|(at, offset)| before.get(*at) == Some(*offset))
            .map(|(at, offset)| (at.clone(), *offset))
            .collect()
    }
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
            watch: Watch::new(),
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

    /// Reads a partition anew that stands still though records wait.
    fn watch(&mut self) -> Result<(), Error> {
        let mut silent = BTreeMap::new();
        for (at, offset) in self.watch.look(&self.positions) {
            let partition = i32::try_from(at.partition.0).expect("a partition number fits i32");
            let name = self.names.topic(&at.topic);
            match self.consumer.fetch_watermarks(&name, partition, LOOK_MAX) {
                Ok((_, end)) if end > offset.0 => {
                    tracing::warn!(
                        kafka.topic = name,
                        kafka.partition = partition,
                        kafka.offset = offset.0,
                        lag = end - offset.0,
                        "a partition stands still and is read anew"
                    );
                    silent.insert(at, offset);
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        if silent.is_empty() {
            return Ok(());
        }
        self.read_from(&silent)
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
                None => {
                    self.watch.drained = true;
                    break;
                }
            }
        }
        if reads.is_empty() && !self.is_empty() {
            self.pass_gaps()?;
            self.watch()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stood_still_while_the_client_had_nothing_left_is_looked_at() {
        let at = |number| TopicPartition::new(Topic::Event, Partition(number));
        let positions = |first: i64| BTreeMap::from([(at(0), Offset(first)), (at(1), Offset(7))]);
        let mut watch = Watch::new();
        let mut look = |is_due: bool, drained: bool, first: i64| {
            if is_due {
                watch.next = Deadline::after(Duration::ZERO);
            }
            watch.drained |= drained;
            let still = watch.look(&positions(first));
            still.into_keys().collect::<Vec<_>>()
        };
        assert_eq!(look(true, true, 1), []);
        assert_eq!(look(true, true, 1), [at(0), at(1)]);
        assert_eq!(look(true, true, 2), [at(1)]);
        assert_eq!(look(true, false, 2), [], "something may still wait here");
        assert_eq!(look(false, true, 2), [], "it was looked at lately");
        assert_eq!(look(true, false, 2), [at(0), at(1)]);
    }
}
