use std::{collections::BTreeMap, time::Duration};

use event::{Partition, Time};
use machine::Machine;

use super::{
    Binding, Error,
    held::{Held, Opening},
    horizon::Horizon,
    journal::{Place, Reading},
};
use crate::log::{End, Log, Member, Offset, Reader, TopicPartition};

/// Rebuilds the state of a partition from `state.<machine>`, in slices, while the partition is paused.
pub(super) struct Restore<M: Machine> {
    pub(super) partition: Partition,
    at: TopicPartition,
    committed: BTreeMap<TopicPartition, Offset>,
    end: Offset,
    reader: Box<dyn Reader>,
    reading: Reading<M::Key, M::Row>,
}

impl<M: Machine> Restore<M> {
    /// The committed offsets are asked for first: once they are stable no commit of an earlier owner is on its way, and what it
    /// wrote lies below the written end. The end that committed readers see may still be below it.
    pub(super) fn begin(
        log: &dyn Log,
        member: &mut dyn Member,
        binding: &Binding<M>,
        partition: Partition,
    ) -> Result<Self, Error> {
        let committed = member.committed(partition)?;
        let place = Place::new(binding.machine, partition, binding.row_version);
        let at = place.at.clone();
        let end = log.end(&at, End::Written)?;
        let start = log.start(&at)?;
        let reader = log.read(BTreeMap::from([(at.clone(), start)]))?;
        Ok(Self {
            partition,
            at,
            committed,
            end,
            reader,
            reading: Reading::new(place),
        })
    }

    /// Reads a slice. Whether that was the last.
    pub(super) fn go_on(&mut self, records_max: usize, wait: Duration) -> Result<bool, Error> {
        if self.reader.position(&self.at)? < self.end {
            for read in self.reader.poll(records_max, wait)? {
                self.reading.take(&read).map_err(|text| Error::Row {
                    at: format!("{}@{}", read.at, read.offset),
                    text,
                })?;
            }
        }
        Ok(self.reader.position(&self.at)? >= self.end)
    }

    /// Where reading goes on: at the newer of the committed offset and the mark; where there is neither, at the first record that
    /// is kept.
    pub(super) fn next(
        &self,
        log: &dyn Log,
        binding: &Binding<M>,
    ) -> Result<BTreeMap<TopicPartition, Offset>, Error> {
        let mut next = BTreeMap::new();
        for topic in &binding.inputs {
            let input = TopicPartition::new(topic.clone(), self.partition);
            let mark = self.reading.mark.as_ref();
            let marked = mark.and_then(|mark| mark.next(&input));
            let known = self.committed.get(&input).copied().max(marked);
            let from = match known {
                Some(next) => next,
                None => log.start(&input)?,
            };
            next.insert(input, from);
        }
        Ok(next)
    }

    /// What is to be read before all else.
    pub(super) fn opening(
        &self,
        log: &dyn Log,
        binding: &Binding<M>,
    ) -> Result<Option<Opening>, Error> {
        let Some(topic) = binding.opening.clone() else {
            return Ok(None);
        };
        let input = TopicPartition::new(topic, self.partition);
        let end = log.end(&input, End::Committed)?;
        Ok(Some(Opening { input, end }))
    }

    /// The restored partition.
    pub(super) fn finish(
        self,
        next: BTreeMap<TopicPartition, Offset>,
        opening: Option<Opening>,
        monotonic: Duration,
    ) -> Held<M> {
        let now = self
            .reading
            .mark
            .as_ref()
            .map_or(Time::MIN, |mark| mark.now);
        let (state, journal) = self.reading.finish();
        Held {
            journal,
            state,
            now,
            horizon: Horizon::new(next.keys()),
            next,
            opening,
            due: None,
            progress: monotonic,
        }
    }
}
