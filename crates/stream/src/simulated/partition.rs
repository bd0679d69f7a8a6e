use bytes::Bytes;
use event::Time;

use crate::log::Offset;

/// A transaction of which nobody knows yet whether it will have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Open(pub(super) u64);

#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) offset: Offset,
    pub(super) time: Time,
    pub(super) key: Bytes,
    pub(super) value: Option<Bytes>,
    /// The turn from which it can be seen.
    pub(super) visible_at: u64,
    pub(super) open: Option<Open>,
}

/// The records of one partition in order.
#[derive(Debug, Default)]
pub(super) struct Partition {
    start: Offset,
    /// One past the last offset that was given out.
    end: Offset,
    /// One past the last offset that can be seen: nothing behind a record that cannot be seen can be seen.
    stable: Offset,
    records: Vec<Stored>,
}

impl Partition {
    pub(super) fn start(&self) -> Offset {
        self.start
    }

    pub(super) fn end(&self) -> Offset {
        self.end
    }

    pub(super) fn stable(&self) -> Offset {
        self.stable
    }

    /// Leaves that many offsets unused.
    pub(super) fn skip(&mut self, offsets: i64) {
        self.end.0 += offsets;
    }

    /// `record.offset` is given by the partition.
    pub(super) fn push(&mut self, mut record: Stored) {
        record.offset = self.end;
        self.end = self.end.next();
        self.records.push(record);
    }

    /// Moves the visible end on.
    pub(super) fn refresh(&mut self, turn: u64) {
        let from = self.index(self.stable);
        let hidden = self.records[from..]
            .iter()
            .find(|record| record.open.is_some() || record.visible_at > turn);
        self.stable = hidden.map_or(self.end, |record| record.offset);
    }

    /// What can be seen from an offset on, and where reading goes on after it.
    pub(super) fn read(&self, from: Offset, records_max: usize) -> (&[Stored], Offset) {
        let first = self.index(from);
        let visible = self.index(self.stable).max(first);
        let last = visible.min(first + records_max);
        let next = if last == visible {
            self.stable.max(from)
        } else {
            self.records[last - 1].offset.next()
        };
        (&self.records[first..last], next)
    }

    /// A transaction happened, or it did not.
    pub(super) fn resolve(&mut self, open: Open, happened: bool) {
        self.records
            .retain(|record| record.open != Some(open) || happened);
        for record in &mut self.records {
            if record.open == Some(open) {
                record.open = None;
            }
        }
    }

    pub(super) fn trim(&mut self, below: Offset) {
        self.start = self.start.max(below);
        let first = self.index(below);
        self.records.drain(..first);
    }

    /// Keeps the last visible record of each key, and whatever is not visible yet.
    pub(super) fn compact(&mut self) {
        let stable = self.stable;
        let mut last = std::collections::BTreeMap::new();
        for record in self.records.iter().filter(|record| record.offset < stable) {
            last.insert(record.key.clone(), record.offset);
        }
        self.records
            .retain(|record| record.offset >= stable || last[&record.key] == record.offset);
    }

    fn index(&self, offset: Offset) -> usize {
        self.records
            .partition_point(|record| record.offset < offset)
    }
}
