//! How records lie in a row of the table `records`.
//!
//! ```text
//! time of all its records   i64, little-endian milliseconds
//! offset of the first       u64, little-endian
//! then for each record:
//!   gap                     varint: how many offsets were left out before it; 0 for the first
//!   length of the key       varint
//!   length of the value     varint: 0 for no value, else the length plus one
//!   key, value
//! ```
//!
//! The same bytes are written to disk and kept in memory for those who follow the tail; reading gives slices of them.

use bytes::{Buf, Bytes};
use event::Time;

use crate::Offset;

/// A row is closed before it grows past this. A large value takes a run of pages of the store for itself whose number is
/// rounded up to a power of two, so this is a little less than one.
pub(super) const ROW_BYTES_MAX: usize = 60 * 1024;

const HEADER_BYTES: usize = 16;

/// A row that does not follow the format above.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the row that ends at offset {last} of place {place} is malformed")]
pub(super) struct Malformed {
    pub(super) place: u32,
    pub(super) last: Offset,
}

/// A closed batch.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) last: Offset,
    pub(super) records: usize,
    pub(super) bytes: Bytes,
}

/// A batch that is being written.
#[derive(Debug)]
pub(super) struct Batch {
    time: Time,
    bytes: Vec<u8>,
    last: Offset,
    records: usize,
}

impl Batch {
    pub(super) fn new(time: Time) -> Self {
        Self {
            time,
            bytes: Vec::new(),
            last: Offset::START,
            records: 0,
        }
    }

    /// Whether a record of this many bytes belongs to the next row.
    pub(super) fn is_full_for(&self, record_bytes: usize) -> bool {
        self.records > 0 && self.bytes.len() + record_bytes > ROW_BYTES_MAX
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Offsets must grow.
    pub(super) fn push(&mut self, offset: Offset, key: &[u8], value: Option<&[u8]>) {
        let gap = if self.records == 0 {
            self.bytes.extend(self.time.as_millis().to_le_bytes());
            self.bytes.extend(offset.0.to_le_bytes());
            0
        } else {
            assert!(offset > self.last, "offsets grow within a batch");
            offset.0.abs_diff(self.last.0) - 1
        };
        put_varint(&mut self.bytes, gap);
        put_varint(&mut self.bytes, length(key));
        put_varint(&mut self.bytes, value.map_or(0, |value| length(value) + 1));
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value.unwrap_or_default());
        self.last = offset;
        self.records += 1;
    }

    /// The row of what was pushed. The batch is empty again.
    pub(super) fn close(&mut self) -> Row {
        let row = Row {
            last: self.last,
            records: self.records,
            bytes: std::mem::take(&mut self.bytes).into(),
        };
        self.records = 0;
        row
    }
}

/// The time of a row's records, without reading them.
pub(super) fn time_of(row: &[u8]) -> Option<Time> {
    let (millis, _) = row.split_first_chunk()?;
    Some(Time::from_millis(i64::from_le_bytes(*millis)))
}

/// A record in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) offset: Offset,
    pub(super) time: Time,
    pub(super) key: Bytes,
    pub(super) value: Option<Bytes>,
}

/// The records of a row from an offset on; `None` in place of the first one that cannot be read, and then no more.
pub(super) struct Entries {
    rest: Bytes,
    time: Time,
    next: Offset,
    from: Offset,
}

impl Entries {
    /// `None` when the row is too short to hold anything.
    pub(super) fn of(row: &Bytes, from: Offset) -> Option<Self> {
        let mut rest = row.clone();
        if rest.len() <= HEADER_BYTES {
            return None;
        }
        let time = Time::from_millis(rest.get_i64_le());
        let next = Offset(rest.get_i64_le());
        Some(Self {
            rest,
            time,
            next,
            from,
        })
    }

    fn record(&mut self) -> Option<(Offset, usize, Option<usize>)> {
        let gap = i64::try_from(take_varint(&mut self.rest)?).ok()?;
        let key = usize::try_from(take_varint(&mut self.rest)?).ok()?;
        let value = match take_varint(&mut self.rest)? {
            0 => None,
            more => Some(usize::try_from(more - 1).ok()?),
        };
        let bytes = key.checked_add(value.unwrap_or(0))?;
        let offset = Offset(self.next.0.checked_add(gap)?);
        self.next = Offset(offset.0.checked_add(1)?);
        (bytes <= self.rest.len()).then_some((offset, key, value))
    }
}

impl Iterator for Entries {
    type Item = Option<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.rest.has_remaining() {
            let Some((offset, key, value)) = self.record() else {
                self.rest.clear();
                return Some(None);
            };
            if offset < self.from {
                self.rest.advance(key + value.unwrap_or(0));
                continue;
            }
            return Some(Some(Entry {
                offset,
                time: self.time,
                key: self.rest.split_to(key),
                value: value.map(|length| self.rest.split_to(length)),
            }));
        }
        None
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("a length fits 64 bits")
}

fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn take_varint(bytes: &mut Bytes) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        if !bytes.has_remaining() {
            return None;
        }
        let byte = bytes.get_u8();
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*};

    use super::*;

    type Written = (u64, Vec<u8>, Option<Vec<u8>>);

    fn written() -> impl Strategy<Value = Written> {
        let bytes = || vec(any::<u8>(), 0..200);
        (0_u64..300, bytes(), option::of(bytes()))
    }

    proptest! {
        #[test]
        fn a_batch_reads_back_from_any_offset(
            records in vec(written(), 1..40), first in 0_i64..1 << 40, millis: i64, skip in 0_usize..40,
        ) {
            let time = Time::from_millis(millis);
            let mut batch = Batch::new(time);
            let mut offset = Offset(first);
            let mut expected = Vec::new();
            for (gap, key, value) in records {
                offset = Offset(offset.next().0 + i64::try_from(gap).unwrap());
                batch.push(offset, &key, value.as_deref());
                expected.push(Entry { offset, time, key: key.into(), value: value.map(Bytes::from) });
            }
            let row = batch.close();
            prop_assert_eq!(row.last, offset);
            prop_assert_eq!(row.records, expected.len());
            let from = expected.get(skip).map_or_else(|| offset.next(), |entry| entry.offset);
            let read: Option<Vec<Entry>> = Entries::of(&row.bytes, from).unwrap().collect();
            prop_assert_eq!(read.as_deref(), expected.get(skip..).or(Some(&[])));
        }

        #[test]
        fn malformed_bytes_end_in_a_gap_and_never_in_a_panic(bytes in vec(any::<u8>(), 0..100)) {
            if let Some(entries) = Entries::of(&bytes.into(), Offset::START) {
                let read: Vec<Option<Entry>> = entries.collect();
                prop_assert!(read.iter().rev().skip(1).all(Option::is_some));
            }
        }
    }

    #[test]
    fn a_row_cut_anywhere_is_noticed_or_ends_at_a_record() {
        let mut batch = Batch::new(Time::from_millis(5));
        batch.push(Offset(3), b"key", Some(b"value"));
        batch.push(Offset(9), b"other", None);
        let row = batch.close();
        let whole: Vec<_> = Entries::of(&row.bytes, Offset::START).unwrap().collect();
        for cut in 0..row.bytes.len() {
            let Some(entries) = Entries::of(&row.bytes.slice(..cut), Offset::START) else {
                assert!(cut <= HEADER_BYTES);
                continue;
            };
            let read: Vec<_> = entries.collect();
            assert!(read.ends_with(&[None]) || read == whole[..1], "{cut}");
        }
    }
}
