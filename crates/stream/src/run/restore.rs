use std::{collections::BTreeMap, time::Duration};

use event::{Partition, Time};
use machine::{Machine, State};

use super::{
    Binding, Error,
    held::Held,
    horizon::Horizon,
    row::{Codec, Mark},
};
use crate::log::{End, Log, Member, Offset, Reader, TopicPartition};

/// Rebuilds the state of a partition from `state.<machine>`, in slices, while the partition is paused.
pub(super) struct Restore<M: Machine> {
    pub(super) partition: Partition,
    codec: Codec,
    committed: BTreeMap<TopicPartition, Offset>,
    end: Offset,
    reader: Box<dyn Reader>,
    state: State<M::Key, M::Row>,
    mark: Option<Mark>,
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
        let codec = Codec::new(binding.machine, partition, binding.row_version);
        let end = log.end(&codec.at, End::Written)?;
        let start = log.start(&codec.at)?;
        let reader = log.read(BTreeMap::from([(codec.at.clone(), start)]))?;
        Ok(Self {
            partition,
            codec,
            committed,
            end,
            reader,
            state: State::new(),
            mark: None,
        })
    }

    /// Reads a slice. Whether that was the last.
    pub(super) fn go_on(&mut self, records_max: usize, wait: Duration) -> Result<bool, Error> {
        if self.reader.position(&self.codec.at)? < self.end {
            for read in self.reader.poll(records_max, wait)? {
                let applied = self.codec.apply(&read, &mut self.state, &mut self.mark);
                applied.map_err(|text| Error::Row {
                    at: format!("{}@{}", read.at, read.offset),
                    text,
                })?;
            }
        }
        Ok(self.reader.position(&self.codec.at)? >= self.end)
    }

    /// The restored partition. Reading goes on at the newer of the committed offset and the mark; where there is neither, at the
    /// first record that is kept.
    pub(super) fn finish(
        &mut self,
        log: &dyn Log,
        binding: &Binding<M>,
        monotonic: Duration,
    ) -> Result<Held<M>, Error> {
        let mut next = BTreeMap::new();
        for topic in &binding.inputs {
            let input = TopicPartition::new(topic.clone(), self.partition);
            let marked = self.mark.as_ref().and_then(|mark| mark.next(&input));
            let known = self.committed.get(&input).copied().max(marked);
            let from = match known {
                Some(next) => next,
                None => log.start(&input)?,
            };
            next.insert(input, from);
        }
        Ok(Held {
            codec: self.codec.clone(),
            state: std::mem::take(&mut self.state),
            now: self.mark.as_ref().map_or(Time::MIN, |mark| mark.now),
            horizon: Horizon::new(next.keys()),
            next,
            due: None,
            progress: monotonic,
        })
    }
}
