use bytes::Bytes;

use super::Written;
use crate::log::{Append, RECORD_BYTES_MAX, TopicPartition};

/// The records of a batch, one behind the other in the same bytes, so that none of them is a piece of memory of its own.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    records: Vec<Record>,
}

#[derive(Debug)]
struct Record {
    at: TopicPartition,
    /// Where its value begins, and ends; the key begins where the record before it ends.
    value: usize,
    end: usize,
    removes: bool,
}

impl Outbox {
    /// Room for a batch like the last one.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            records: Vec::new(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Puts a record in: its key, then its value.
    pub(super) fn put(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Written) {
        let start = self.bytes.len();
        let written = write(&mut self.bytes);
        self.close(start, written);
    }

    /// Where a record is written piece by piece, until it is closed.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Makes a record of all that was written from `start` on.
    pub(super) fn close(&mut self, start: usize, Written { at, key_bytes }: Written) {
        self.end(at, start, start + key_bytes, false);
    }

    /// Puts in that a key has no record any more.
    pub(super) fn remove(&mut self, at: TopicPartition, key: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        self.end(at, start, self.bytes.len(), true);
    }

    fn end(&mut self, at: TopicPartition, start: usize, value: usize, removes: bool) {
        let end = self.bytes.len();
        assert_fits(&at, end - start);
        self.records.push(Record {
            at,
            value,
            end,
            removes,
        });
    }

    pub(super) fn into_appends(self) -> Vec<Append> {
        let bytes = Bytes::from(self.bytes);
        let mut start = 0;
        let records = self.records.into_iter();
        let appends = records.map(|record| {
            let key = bytes.slice(start..record.value);
            let value = bytes.slice(record.value..record.end);
            start = record.end;
            Append {
                at: record.at,
                key,
                value: (!record.removes).then_some(value),
            }
        });
        appends.collect()
    }
}

fn assert_fits(at: &TopicPartition, bytes: usize) {
    assert!(
        bytes <= RECORD_BYTES_MAX,
        "a record for {} has {bytes} bytes, more than the {RECORD_BYTES_MAX} a record may have",
        at.topic
    );
}
