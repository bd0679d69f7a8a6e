//! What everybody sees: topics, what is kept of each place, the committed offsets, the owners, and the most recent rows.
//!
//! Only the writer changes what is visible, and only after it is durable. The lock is held for moments and never while the
//! store is read or written.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Condvar, Mutex, MutexGuard},
    time::Instant,
};

use event::{Partition, Topic, topic::MachineName};

use super::{
    batch::Row,
    clock,
    group::{Group, MemberId},
    storage::{Extent, Found, Image, Place},
};
use crate::{Error, Offset, TopicPartition};

pub(super) struct Hub {
    state: Mutex<Visible>,
    changed: Condvar,
}

pub(super) struct Visible {
    /// Grows with every change a waiting reader or member may want to know.
    version: u64,
    pub(super) topics: BTreeMap<Topic, Found>,
    places: Vec<Seen>,
    pub(super) committed: BTreeMap<(MachineName, Place), Offset>,
    pub(super) groups: BTreeMap<MachineName, Group>,
    members: u64,
    /// Which place each row in a tail belongs to, the oldest first.
    tail_order: VecDeque<Place>,
    tail_bytes: usize,
    tail_bytes_max: usize,
}

/// A place as readers see it.
struct Seen {
    start: Offset,
    end: Offset,
    /// The rows from `tail_from` on.
    tail: VecDeque<Row>,
    tail_from: Offset,
}

impl From<Extent> for Seen {
    fn from(extent: Extent) -> Self {
        Self {
            start: extent.start,
            end: extent.end,
            tail: VecDeque::new(),
            tail_from: extent.end,
        }
    }
}

/// What one transaction changed.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) topics: BTreeMap<Topic, Found>,
    pub(super) extents: Vec<(Place, Extent)>,
    pub(super) rows: Vec<(Place, Row)>,
    pub(super) committed: BTreeMap<(MachineName, Place), Offset>,
}

/// Where the records of a place from an offset on are found.
pub(super) enum Ahead {
    Nothing,
    /// Rows in memory.
    Tail(Vec<Row>),
    /// In the store, below this end.
    Stored(Offset),
}

impl Hub {
    pub(super) fn new(image: Image, tail_bytes_max: usize) -> Self {
        let mut visible = Visible {
            version: 0,
            topics: BTreeMap::new(),
            places: Vec::new(),
            committed: BTreeMap::new(),
            groups: BTreeMap::new(),
            members: 0,
            tail_order: VecDeque::new(),
            tail_bytes: 0,
            tail_bytes_max,
        };
        visible.adopt(image);
        Self {
            state: Mutex::new(visible),
            changed: Condvar::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Visible> {
        self.state
            .lock()
            .expect("what is visible was left half changed by a panic")
    }

    /// Changes what is visible and wakes whoever waits.
    pub(super) fn change<T>(&self, body: impl FnOnce(&mut Visible) -> T) -> T {
        let mut visible = self.lock();
        let done = body(&mut visible);
        visible.version += 1;
        drop(visible);
        self.changed.notify_all();
        done
    }

    /// Waits until something changed after `version`, or until the deadline, and says whether it did.
    pub(super) fn wait(&self, version: u64, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(clock::monotonic());
        let (visible, _) = self
            .changed
            .wait_timeout_while(self.lock(), left, |visible| visible.version == version)
            .expect("what is visible was left half changed by a panic");
        visible.version != version
    }
}

impl Visible {
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Forgets everything but the groups and takes what the store holds.
    pub(super) fn adopt(&mut self, image: Image) {
        self.topics = image.topics;
        self.places = image.extents.into_iter().map(Seen::from).collect();
        self.committed = image.committed;
        self.tail_order.clear();
        self.tail_bytes = 0;
    }

    pub(super) fn publish(&mut self, news: News) {
        self.topics.extend(news.topics);
        self.committed.extend(news.committed);
        for (place, extent) in news.extents {
            match self.places.get_mut(place.index()) {
                Some(seen) => (seen.start, seen.end) = (extent.start, extent.end),
                None => self.places.push(extent.into()),
            }
        }
        for (place, row) in news.rows {
            self.tail_bytes += row.bytes.len();
            self.tail_order.push_back(place);
            self.places[place.index()].tail.push_back(row);
        }
        while self.tail_bytes > self.tail_bytes_max
            && let Some(place) = self.tail_order.pop_front()
        {
            let seen = &mut self.places[place.index()];
            let row = seen
                .tail
                .pop_front()
                .expect("the order of the tails names each of their rows");
            seen.tail_from = row.last.next();
            self.tail_bytes -= row.bytes.len();
        }
    }

    pub(super) fn find(&self, topic: &Topic) -> Result<Found, Error> {
        self.topics.get(topic).copied().ok_or_else(|| Error::Topic {
            topic: topic.name(),
            problem: "does not exist".to_owned(),
            remedy: "create the topics first".to_owned(),
        })
    }

    pub(super) fn place(&self, topic: &Topic, partition: Partition) -> Result<Place, Error> {
        let found = self.find(topic)?;
        if partition.0 >= found.partitions {
            return Err(Error::Topic {
                topic: topic.name(),
                problem: format!(
                    "has {} partitions and no number {partition}",
                    found.partitions
                ),
                remedy: "start every role with the same count of partitions".to_owned(),
            });
        }
        Ok(Place(found.first.0 + partition.0))
    }

    pub(super) fn start(&self, place: Place) -> Offset {
        self.places[place.index()].start
    }

    pub(super) fn end(&self, place: Place) -> Offset {
        self.places[place.index()].end
    }

    /// What there is to read from an offset on: rows with at least so many records, unless there are fewer.
    pub(super) fn ahead(
        &self,
        place: Place,
        at: &TopicPartition,
        next: Offset,
        records: usize,
    ) -> Result<Ahead, Error> {
        let seen = &self.places[place.index()];
        if next < seen.start {
            return Err(Error::Topic {
                topic: at.topic.name(),
                problem: format!(
                    "no longer keeps offset {next} of partition {}: the first is {}",
                    at.partition, seen.start
                ),
                remedy: "read from there".to_owned(),
            });
        }
        if next >= seen.end {
            return Ok(Ahead::Nothing);
        }
        if next < seen.tail_from {
            return Ok(Ahead::Stored(seen.end));
        }
        let first = seen.tail.partition_point(|row| row.last < next);
        let mut rows = Vec::new();
        let mut found = 0;
        for row in seen.tail.range(first..) {
            // The first row may begin below `next`, so it does not count.
            if found > records {
                break;
            }
            found += if rows.is_empty() { 1 } else { row.records };
            rows.push(row.clone());
        }
        Ok(Ahead::Tail(rows))
    }

    pub(super) fn new_member(&mut self) -> MemberId {
        self.members += 1;
        MemberId(self.members)
    }

    pub(super) fn owns(&self, machine: MachineName, id: MemberId, partition: Partition) -> bool {
        self.groups
            .get(&machine)
            .is_some_and(|group| group.owns(id, partition))
    }
}
