use std::{collections::BTreeMap, time::Duration};

use super::Fault;
use crate::{
    error::Error,
    log::{Offset, Read, Reader, TopicPartition},
};

pub(super) struct BrokenReader {
    pub(super) inner: Box<dyn Reader>,
    pub(super) fault: Option<Fault>,
    /// One past the last record polled, gaps left alone.
    pub(super) after_records: BTreeMap<TopicPartition, Offset>,
    pub(super) opened_at: BTreeMap<TopicPartition, Offset>,
}

impl Reader for BrokenReader {
    fn poll(&mut self, mut records_max: usize, wait: Duration) -> Result<Vec<Read>, Error> {
        if self.fault == Some(Fault::GivesMoreThanAsked) {
            records_max = 1_000;
        }
        let mut reads = self.inner.poll(records_max, wait)?;
        for read in &mut reads {
            self.after_records
                .insert(read.at.clone(), read.offset.next());
            let opened_at = self.opened_at.get(&read.at);
            if self.fault == Some(Fault::CountsAnewAtRestart)
                && opened_at.is_some_and(|end| read.offset >= *end)
            {
                read.offset = Offset::START;
            }
        }
        Ok(reads)
    }

    fn position(&mut self, at: &TopicPartition) -> Result<Offset, Error> {
        if self.fault == Some(Fault::StaysBeforeGaps)
            && let Some(offset) = self.after_records.get(at)
        {
            return Ok(*offset);
        }
        self.inner.position(at)
    }
}
