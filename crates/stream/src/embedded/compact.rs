//! Compaction: a pass over a partition of a compacted topic lets go of the records whose key was written again.
//!
//! Records are appended here as anywhere else, which is what makes a commit cheap. Once more has come to a partition since its
//! last pass than was left by that, the next one begins: it first notes the last offset of each key among what has come, then
//! goes over everything in the order of the offsets and rewrites the rows that hold something superseded. It goes in small
//! steps, each merged into a transaction of the writer, and may be broken off anywhere: every step leaves a partition that
//! says the same.
//!
//! A null is kept for some time after all before it is gone, so that whoever has read that and not yet the null finds it.

use std::collections::HashMap;

use bytes::Bytes;
use event::{Millis, Time};

use super::{
    batch::{Batch, Entries, Entry, Malformed, Row},
    draft::Draft,
    storage::{Extent, Failure, Image, Place, RECORDS, Store},
};
use crate::{Error, Offset};

/// How long a null stays for those who are reading the partition.
pub(super) const NULLS_KEPT: Millis = Millis::from_hours(1);

/// A pass notes the keys of so much at most, for it keeps them in memory; the rest is left to the next one.
const NOTED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How much is compacted, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Less than this is not worth a pass.
    pub(super) bytes_min: u64,
    /// What one step reads, unless the transaction it is part of writes much more.
    pub(super) step_bytes: u64,
}

/// What a pass has made of a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compacted {
    /// Below this each key has one record at most.
    pub(super) below: Offset,
    pub(super) clean_bytes: u64,
    pub(super) noted_bytes: u64,
}

/// A pass under way.
pub(super) struct Pass {
    place: Place,
    /// The next row begins here or above.
    next: Offset,
    /// Rows that end at this or above are left to the next pass.
    until: Offset,
    noting: bool,
    latest: HashMap<Bytes, Offset>,
    noted_bytes: u64,
    clean_bytes: u64,
    /// What there was when the pass began.
    extent: Extent,
}

impl Pass {
    /// A pass over the place that needs it most, if any does.
    pub(super) fn wanted(image: &Image, limits: Limits) -> Option<Self> {
        let places = (0..).map(Place).zip(&image.extents);
        let dirty = places.filter(|(_, extent)| {
            extent.compacted
                && extent.dirty_bytes > 0
                && extent.dirty_bytes >= extent.clean_bytes.max(limits.bytes_min)
        });
        let (place, extent) = dirty.max_by_key(|(_, extent)| extent.dirty_bytes)?;
        Some(Self::new(place, *extent))
    }

    fn new(place: Place, extent: Extent) -> Self {
        Self {
            place,
            next: extent.clean_below,
            until: extent.end,
            noting: true,
            latest: HashMap::new(),
            noted_bytes: 0,
            clean_bytes: 0,
            extent,
        }
    }

    /// Goes on for about so many bytes, and says whether the pass is over.
    pub(super) fn step(
        &mut self,
        store: &Store,
        draft: &mut Draft,
        now: Time,
        bytes_max: u64,
    ) -> Result<bool, Error> {
        let rows = self.rows(store, bytes_max)?;
        let malformed =
            |malformed| Failure::Malformed(malformed).into_error("compacting", store.path());
        for (last, row) in &rows {
            if self.noting {
                self.note(*last, row).map_err(malformed)?;
            } else {
                self.rewrite(*last, row, draft, now).map_err(malformed)?;
            }
            self.next = last.next();
        }
        if self.noting && (rows.is_empty() || self.noted_bytes >= NOTED_BYTES_MAX) {
            self.noting = false;
            self.until = self.until.min(self.next);
            self.next = Offset::START;
            return Ok(false);
        }
        if !self.noting && rows.is_empty() {
            draft.compacted(self.place, self.compacted());
            return Ok(true);
        }
        Ok(false)
    }

    fn compacted(&self) -> Compacted {
        // Rows that a pass rewrote before it was broken off are smaller than they were counted.
        let all = self.until == self.extent.end;
        Compacted {
            below: self.until,
            clean_bytes: self.clean_bytes,
            noted_bytes: if all {
                self.extent.dirty_bytes
            } else {
                self.noted_bytes.min(self.extent.dirty_bytes)
            },
        }
    }

    /// The next rows, each with its last offset; none when the end is reached.
    fn rows(&self, store: &Store, bytes_max: u64) -> Result<Vec<(Offset, Bytes)>, Error> {
        store.read("compacting", |txn| {
            let records = txn.open_table(RECORDS)?;
            let (first, end) = (self.place.row(self.next), self.place.row(self.until));
            let mut rows = Vec::new();
            let mut bytes = 0;
            for row in records.range::<&[u8; 12]>(&first..&end)? {
                let (key, row) = row?;
                let (_, last) = Place::of_row(*key.value());
                bytes += size(row.value());
                rows.push((last, Bytes::copy_from_slice(row.value())));
                if bytes >= bytes_max {
                    break;
                }
            }
            Ok(rows)
        })
    }

    fn note(&mut self, last: Offset, row: &Bytes) -> Result<(), Malformed> {
        for entry in entries(self.place, last, row)? {
            self.latest.insert(entry.key, entry.offset);
        }
        self.noted_bytes += size(row);
        Ok(())
    }

    fn rewrite(
        &mut self,
        last: Offset,
        row: &Bytes,
        draft: &mut Draft,
        now: Time,
    ) -> Result<(), Malformed> {
        let all = entries(self.place, last, row)?;
        let kept: Vec<&Entry> = all.iter().filter(|entry| self.keeps(entry, now)).collect();
        if kept.len() == all.len() {
            self.clean_bytes += size(row);
            return Ok(());
        }
        let rewritten = kept.first().map(|first| {
            let mut batch = Batch::new(first.time);
            for entry in &kept {
                batch.push(entry.offset, &entry.key, entry.value.as_deref());
            }
            batch.close()
        });
        self.clean_bytes += rewritten.as_ref().map_or(0, |row: &Row| size(&row.bytes));
        draft.rewrite(self.place.row(last), self.place, rewritten);
        Ok(())
    }

    fn keeps(&self, entry: &Entry, now: Time) -> bool {
        let superseded = self
            .latest
            .get(&entry.key)
            .is_some_and(|latest| *latest > entry.offset);
        // What a null removes lies before it and is gone by the time it is its turn.
        !superseded && (entry.value.is_some() || entry.time + NULLS_KEPT > now)
    }
}

fn entries(place: Place, last: Offset, row: &Bytes) -> Result<Vec<Entry>, Malformed> {
    Entries::of(row, Offset::START)
        .and_then(Iterator::collect)
        .ok_or(Malformed {
            place: place.0,
            last,
        })
}

fn size(row: &[u8]) -> u64 {
    u64::try_from(row.len()).expect("a length fits 64 bits")
}
