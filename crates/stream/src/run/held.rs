use std::{collections::BTreeMap, time::Duration};

use event::{Partition, Time};
use machine::{Machine, State};

use super::{horizon::Horizon, journal::Journal};
use crate::log::{Offset, TopicPartition};

/// A partition that is this loop's, restored, and read.
pub(super) struct Held<M: Machine> {
    pub(super) journal: Journal,
    pub(super) state: State<M::Key, M::Row>,
    /// The committed next offset of every input.
    pub(super) next: BTreeMap<TopicPartition, Offset>,
    /// The moment of the last committed batch.
    pub(super) now: Time,
    pub(super) horizon: Horizon,
    /// When the state wants its next tick.
    pub(super) due: Option<Time>,
    /// When it last got on, by the monotonic clock.
    pub(super) progress: Duration,
}

impl<M: Machine> Held<M> {
    pub(super) fn partition(&self) -> Partition {
        self.journal.place.at.partition
    }

    /// Whether the next tick may be given.
    pub(super) fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= self.horizon.reached())
    }
}
