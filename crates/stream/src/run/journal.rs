//! The rows of a partition on the log: topic `state.<machine>`.
//!
//! A commit leaves the rows it changed as one record, a *page*, whatever their number: a record of its own for each would cost more
//! than all that is in it. Pages are numbered. The state is what all pages say, in their order.
//!
//! So that the pages do not grow for ever, all rows are written anew from time to time: beside each commit a slice of those that
//! it did not change, before those it did. When that has gone round, the pages from before it are removed.

use std::collections::{BTreeMap, VecDeque};

use event::{Partition, Time, topic::MachineName};
use machine::{Key, State, bytes};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Written, outbox::Outbox};
use crate::log::{Offset, Read, TopicPartition};

/// Where pages are closed, so that one always fits into a record.
const PAGE_BYTES: usize = 256 << 10;

/// The most pages that a commit removes.
const REMOVED_MAX: u64 = 500;

/// How many superseded rows are borne before all rows are written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spare {
    pub rows: usize,
    /// So many times the rows that there are.
    pub times: usize,
}

/// What a commit leaves beside the rows: the moment of its batch and where reading goes on, so that a machine whose group
/// offsets expired neither doubles nor skips anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) now: Time,
    next: Vec<(String, i64)>,
}

impl Mark {
    pub(super) fn new<'a>(
        now: Time,
        next: impl IntoIterator<Item = (&'a TopicPartition, &'a Offset)>,
    ) -> Self {
        let next = next.into_iter();
        Self {
            now,
            next: next.map(|(at, next)| (at.topic.name(), next.0)).collect(),
        }
    }

    /// Where reading this input goes on.
    pub(super) fn next(&self, input: &TopicPartition) -> Option<Offset> {
        let name = input.topic.name();
        let found = self.next.iter().find(|(topic, _)| *topic == name);
        found.map(|(_, next)| Offset(*next))
    }
}

/// Where the pages are.
///
/// A page's key is the partition's eight bytes and its number, its value the version byte and then key after row, each in
/// postcard. The partition's eight bytes alone are the key of the mark.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) at: TopicPartition,
    version: u8,
}

impl Place {
    pub(super) fn new(machine: MachineName, partition: Partition, version: u8) -> Self {
        Self {
            at: TopicPartition::new(event::Topic::State(machine), partition),
            version,
        }
    }

    pub(super) fn mark(&self, mark: &Mark, outbox: &mut Outbox) {
        outbox.put(|to| {
            to.extend_from_slice(&self.at.partition.key());
            let key_bytes = self.at.partition.key().len();
            to.push(self.version);
            bytes::write(mark, to);
            Written {
                at: self.at.clone(),
                key_bytes,
            }
        });
    }

    fn key(&self, page: u64) -> [u8; 16] {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&self.at.partition.key());
        key[8..].copy_from_slice(&page.to_be_bytes());
        key
    }

    fn content<'v>(&self, value: &'v [u8]) -> Result<&'v [u8], String> {
        match value.split_first() {
            Some((version, rest)) if *version == self.version => Ok(rest),
            Some((version, _)) => Err(format!(
                "it has version {version} and this program reads version {}",
                self.version
            )),
            None => Err("it is empty".to_owned()),
        }
    }
}

fn write_row<K: Serialize, R: Serialize>(key: &K, change: Option<&R>, to: &mut Vec<u8>) {
    bytes::write(key, to);
    bytes::write(&change, to);
}

/// The pages that there are.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) place: Place,
    /// How many rows each has, from the first that is kept to the last.
    pages: VecDeque<usize>,
    /// One past the last.
    next: u64,
    /// In all pages.
    rows: usize,
    round: Round,
}

/// How far writing all rows anew has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// There is no need.
    Rests,
    /// Rows up to this place were written since that page.
    Goes { since: u64, place: u32, end: u32 },
    /// What is older than that page is not needed any more.
    Over { since: u64 },
}

/// What a commit does to the pages, once it is committed.
#[derive(Debug)]
pub(super) struct Turned {
    pages: Vec<usize>,
    removed: u64,
    round: Round,
}

impl Journal {
    fn first(&self) -> u64 {
        self.next - self.pages.len() as u64
    }

    /// Writes what a batch changed, and does its share of writing all anew.
    pub(super) fn write<K: Key, R: Serialize>(
        &self,
        state: &State<K, R>,
        spare: Spare,
        outbox: &mut Outbox,
    ) -> Turned {
        let mut writer = Writer {
            place: &self.place,
            number: self.next,
            start: 0,
            rows: 0,
            pages: Vec::new(),
            outbox,
        };
        let round = match self.round {
            Round::Rests if self.rows > state.len() + spare.of(state.len()) => Round::Goes {
                since: self.next,
                place: 0,
                end: state.places(),
            },
            Round::Rests | Round::Goes { .. } | Round::Over { .. } => self.round,
        };
        let mut removed = 0;
        let round = match round {
            Round::Rests => round,
            Round::Goes { since, place, end } => {
                // It ends also where little changes.
                let slice = (2 * state.changed()).max(spare.rows / 16).max(1);
                let slice = u32::try_from(slice).unwrap_or(u32::MAX);
                let until = place.saturating_add(slice).min(end);
                let others = (place..until).filter(|place| !state.is_changed(*place));
                for (key, row) in others.filter_map(|place| state.at(place)) {
                    writer.row(key, Some(row));
                }
                if until == end {
                    Round::Over { since }
                } else {
                    let place = until;
                    Round::Goes { since, place, end }
                }
            }
            Round::Over { since } => {
                removed = REMOVED_MAX.min(since - self.first());
                for number in (self.first()..).take(removed as usize) {
                    let key = self.place.key(number);
                    writer.outbox.remove(self.place.at.clone(), &key);
                }
                if self.first() + removed == since {
                    Round::Rests
                } else {
                    round
                }
            }
        };
        for (key, change) in state.changes() {
            writer.row(key, change);
        }
        Turned {
            pages: writer.finish(),
            removed,
            round,
        }
    }

    /// What was written is committed. Whether that ended a round.
    pub(super) fn turn(&mut self, turned: Turned) -> bool {
        for rows in turned.pages {
            self.rows += rows;
            self.next += 1;
            self.pages.push_back(rows);
        }
        for _ in 0..turned.removed {
            self.rows -= self.pages.pop_front().unwrap_or(0);
        }
        let was = std::mem::replace(&mut self.round, turned.round);
        was != self.round && self.round == Round::Rests
    }
}

impl Spare {
    fn of(self, rows: usize) -> usize {
        self.rows + self.times * rows
    }
}

/// Fills pages with rows.
struct Writer<'w> {
    place: &'w Place,
    number: u64,
    /// Where the page at hand begins in the outbox, if it has rows.
    start: usize,
    rows: usize,
    /// How many rows those have that are full.
    pages: Vec<usize>,
    outbox: &'w mut Outbox,
}

impl Writer<'_> {
    fn row<K: Serialize, R: Serialize>(&mut self, key: &K, change: Option<&R>) {
        if self.rows == 0 {
            self.open();
        }
        let before = self.outbox.bytes();
        write_row(key, change, self.outbox.buffer());
        if self.rows > 0 && self.outbox.bytes() - self.start > PAGE_BYTES {
            let last = self.outbox.buffer().split_off(before);
            self.close();
            self.open();
            self.outbox.buffer().extend_from_slice(&last);
        }
        self.rows += 1;
    }

    fn open(&mut self) {
        self.start = self.outbox.bytes();
        let to = self.outbox.buffer();
        to.extend_from_slice(&self.place.key(self.number));
        to.push(self.place.version);
    }

    fn close(&mut self) {
        let written = Written {
            at: self.place.at.clone(),
            key_bytes: self.place.key(self.number).len(),
        };
        self.outbox.close(self.start, written);
        self.number += 1;
        self.pages.push(self.rows);
        self.rows = 0;
    }

    fn finish(mut self) -> Vec<usize> {
        if self.rows > 0 {
            self.close();
        }
        self.pages
    }
}

/// A state that is read back, page by page.
pub(super) struct Reading<K, R> {
    place: Place,
    state: State<K, R>,
    /// By a row's place: the page that it was read from.
    from: Vec<u64>,
    /// How many rows each page has that was read and not removed.
    pages: BTreeMap<u64, usize>,
    next: u64,
    pub(super) mark: Option<Mark>,
}

impl<K: Key, R: DeserializeOwned> Reading<K, R> {
    pub(super) fn new(place: Place) -> Self {
        Self {
            place,
            state: State::new(),
            from: Vec::new(),
            pages: BTreeMap::new(),
            next: 0,
            mark: None,
        }
    }

    /// Takes a record of the partition of `state.<machine>`.
    pub(super) fn take(&mut self, read: &Read) -> Result<(), String> {
        let key = read.key.strip_prefix(&self.place.at.partition.key());
        let key = key.ok_or("its key is not of this partition")?;
        if key.is_empty() {
            self.mark = match &read.value {
                Some(value) => Some(bytes::read(self.place.content(value)?)?.0),
                None => None,
            };
            return Ok(());
        }
        let number = key
            .try_into()
            .map_err(|_| "its key is no number of a page")?;
        let number = u64::from_be_bytes(number);
        self.next = self.next.max(number + 1);
        match &read.value {
            Some(value) => self.page(number, value),
            None => {
                self.pages.remove(&number);
                Ok(())
            }
        }
    }

    fn page(&mut self, number: u64, value: &[u8]) -> Result<(), String> {
        let mut rest = self.place.content(value)?;
        let mut rows = 0;
        while !rest.is_empty() {
            let (key, after): (K, _) = bytes::read(rest)?;
            let (change, after): (Option<R>, _) = bytes::read(after)?;
            rest = after;
            rows += 1;
            match change {
                Some(row) => {
                    let place = self.state.insert(key, row) as usize;
                    if place >= self.from.len() {
                        self.from.resize(place + 1, 0);
                    }
                    self.from[place] = number;
                }
                None => {
                    self.state.remove(&key);
                }
            }
        }
        self.pages.insert(number, rows);
        Ok(())
    }

    /// The state, and its pages. A page that was removed may still have been read, and one that took its rows away not:
    /// compaction takes them in any order. So a row counts only if a page says it that is kept.
    pub(super) fn finish(mut self) -> (State<K, R>, Journal) {
        let first = self.pages.keys().next().copied().unwrap_or(self.next);
        for (place, number) in (0..).zip(&self.from) {
            if *number < first
                && let Some((key, _)) = self.state.at(place)
            {
                let key = key.clone();
                self.state.remove(&key);
            }
        }
        let pages: VecDeque<usize> = (first..self.next)
            .map(|number| self.pages.get(&number).copied().unwrap_or(0))
            .collect();
        let journal = Journal {
            place: self.place,
            rows: pages.iter().sum(),
            pages,
            next: self.next,
            round: Round::Rests,
        };
        (self.state, journal)
    }
}

#[cfg(test)]
mod tests;
