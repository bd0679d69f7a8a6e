use std::{collections::BTreeMap, time::Duration};

use event::{Partition, Time};
use machine::{Machine, State};

use super::{horizon::Horizon, journal::Journal};
use crate::{
    error::Error,
    log::{Member, Offset, TopicPartition},
};

/// A partition that is this loop's, restored, and read.
pub(super) struct Held<M: Machine> {
    pub(super) journal: Journal,
    pub(super) state: State<M::Key, M::Row>,
    /// The committed next offset of every input.
    pub(super) next: BTreeMap<TopicPartition, Offset>,
    /// Set as long as one input alone is read, before the others.
    pub(super) opening: Option<Opening>,
    /// The moment of the last committed batch.
    pub(super) now: Time,
    pub(super) horizon: Horizon,
    /// When the state wants its next tick.
    pub(super) due: Option<Time>,
    /// When it last got on, by the monotonic clock.
    pub(super) progress: Duration,
}

/// What is read before all else: an input, up to the end that it had.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) input: TopicPartition,
    pub(super) end: Offset,
}

impl<M: Machine> Held<M> {
    pub(super) fn partition(&self) -> Partition {
        self.journal.place.at.partition
    }

    /// Whether an input is read by now.
    pub(super) fn reads(&self, input: &TopicPartition) -> bool {
        let opening = self.opening.as_ref();
        opening.is_none_or(|opening| opening.input == *input)
    }

    /// Reads on from what is committed.
    pub(super) fn resume(&self, member: &mut dyn Member) -> Result<(), Error> {
        let next = self.next.iter().filter(|(input, _)| self.reads(input));
        let next = next.map(|(input, next)| (input.clone(), *next)).collect();
        member.resume(&next)
    }

    /// Reads the other inputs too, when all of the first is committed.
    pub(super) fn open(&mut self, member: &mut dyn Member) -> Result<(), Error> {
        let Some(opening) = &self.opening else {
            return Ok(());
        };
        if member.position(&opening.input)? < opening.end {
            return Ok(());
        }
        let first = opening.input.clone();
        let others = self.next.iter().filter(|(input, _)| **input != first);
        let others = others.map(|(input, next)| (input.clone(), *next)).collect();
        member.resume(&others)?;
        self.opening = None;
        Ok(())
    }

    /// Whether the next tick may be given.
    pub(super) fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= self.horizon.reached())
    }
}
