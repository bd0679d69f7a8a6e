//! Reading on from a set of positions, from memory where the tail reaches, else from the store.

use std::collections::BTreeMap;

use bytes::Bytes;
use event::Partition;
use redb::ReadTransaction;

use super::{
    Shared,
    batch::{Entries, Malformed},
    hub::Ahead,
    storage::{Failure, Place, RECORDS},
};
use crate::{Error, Offset, Read, TopicPartition};

/// One poll stops after this many bytes, however many records were asked for.
const POLL_BYTES_MAX: usize = 16 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Cursor {
    positions: Vec<Position>,
    /// Whose turn it is to be read first, so that a long backlog in one partition starves no other.
    turn: usize,
}

struct Position {
    at: TopicPartition,
    place: Place,
    next: Offset,
}

impl Cursor {
    pub(super) fn new(
        shared: &Shared,
        from: &BTreeMap<TopicPartition, Offset>,
    ) -> Result<Self, Error> {
        let mut cursor = Self::default();
        for (at, next) in from {
            cursor.seek(shared, at, *next)?;
        }
        Ok(cursor)
    }

    pub(super) fn seek(
        &mut self,
        shared: &Shared,
        at: &TopicPartition,
        next: Offset,
    ) -> Result<(), Error> {
        if let Some(position) = self
            .positions
            .iter_mut()
            .find(|position| position.at == *at)
        {
            position.next = next;
            return Ok(());
        }
        let place = shared.hub.lock().place(&at.topic, at.partition)?;
        self.positions.push(Position {
            at: at.clone(),
            place,
            next,
        });
        Ok(())
    }

    /// Where reading goes on in a partition, if it is read.
    pub(super) fn position(&self, at: &TopicPartition) -> Option<Offset> {
        self.positions
            .iter()
            .find(|position| position.at == *at)
            .map(|position| position.next)
    }

    pub(super) fn forget(&mut self, partitions: &[Partition]) {
        self.positions
            .retain(|position| !partitions.contains(&position.at.partition));
    }

    /// The next records there are, without waiting.
    pub(super) fn take(&mut self, shared: &Shared, records_max: usize) -> Result<Vec<Read>, Error> {
        let mut taken = Taken::new(records_max);
        // Decoding and reading need no lock.
        for (position, ahead) in self.look(shared, records_max)? {
            let position = &mut self.positions[position];
            if taken.is_full() {
                break;
            }
            match ahead {
                Ahead::Nothing => {}
                Ahead::Tail(rows) => {
                    for row in &rows {
                        taken
                            .add(position, row.last, &row.bytes)
                            .map_err(|malformed| {
                                Failure::Malformed(malformed)
                                    .into_error("reading", shared.store.path())
                            })?;
                    }
                }
                Ahead::Stored(end) => shared
                    .store
                    .read("reading", |txn| take_stored(txn, position, end, &mut taken))?,
            }
        }
        if !self.positions.is_empty() {
            self.turn = (self.turn + 1) % self.positions.len();
        }
        Ok(taken.records)
    }

    /// Where the next records of each position lie.
    fn look(&self, shared: &Shared, records_max: usize) -> Result<Vec<(usize, Ahead)>, Error> {
        let count = self.positions.len();
        let visible = shared.hub.lock();
        (0..count)
            .map(|nth| {
                let position = (self.turn + nth) % count;
                let Position { at, place, next } = &self.positions[position];
                Ok((position, visible.ahead(*place, at, *next, records_max)?))
            })
            .collect()
    }
}

fn take_stored(
    txn: &ReadTransaction,
    position: &mut Position,
    end: Offset,
    taken: &mut Taken,
) -> Result<(), Failure> {
    let records = txn.open_table(RECORDS)?;
    let (first, end_row) = (position.place.row(position.next), position.place.row(end));
    for row in records.range::<&[u8; 12]>(&first..&end_row)? {
        if taken.is_full() {
            return Ok(());
        }
        let (key, bytes) = row?;
        let (_, last) = Place::of_row(*key.value());
        let bytes = Bytes::copy_from_slice(bytes.value());
        taken
            .add(position, last, &bytes)
            .map_err(Failure::Malformed)?;
    }
    if !taken.is_full() {
        // Nothing but gaps is left before the end.
        position.next = end;
    }
    Ok(())
}

/// The records of one poll.
struct Taken {
    records: Vec<Read>,
    records_max: usize,
    bytes: usize,
}

impl Taken {
    fn new(records_max: usize) -> Self {
        Self {
            records: Vec::new(),
            records_max,
            bytes: 0,
        }
    }

    fn is_full(&self) -> bool {
        self.records.len() >= self.records_max || self.bytes >= POLL_BYTES_MAX
    }

    /// Takes the records of a row from the position on, as far as there is room.
    fn add(&mut self, position: &mut Position, last: Offset, row: &Bytes) -> Result<(), Malformed> {
        let malformed = || Malformed {
            place: position.place.0,
            last,
        };
        let entries = Entries::of(row, position.next).ok_or_else(malformed)?;
        for entry in entries {
            if self.is_full() {
                return Ok(());
            }
            let entry = entry.ok_or_else(malformed)?;
            self.bytes += entry.key.len() + entry.value.as_ref().map_or(0, Bytes::len);
            self.records.push(Read {
                at: position.at.clone(),
                offset: entry.offset,
                time: entry.time,
                key: entry.key,
                value: entry.value,
            });
            position.next = entry.offset.next();
        }
        Ok(())
    }
}
