use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use event::{Millis, Time};

use super::Clock;
use crate::{
    error::Error,
    log::{End, Log, Member, Offset, TopicPartition},
};

/// Up to which moment a partition's inputs are known: a timer due later would overtake a record that is already in the log.
/// Only what was committed counts as known, so that an abort takes nothing back.
#[derive(Debug)]
pub(super) struct Horizon {
    /// Per input: everything that the log took up to this moment was read.
    known: BTreeMap<TopicPartition, Time>,
    asked: Option<Asked>,
    asked_at: Option<Duration>,
}

/// The ends of the inputs as they were found.
#[derive(Debug)]
struct Asked {
    now: Time,
    ends: BTreeMap<TopicPartition, Offset>,
}

impl Horizon {
    pub(super) fn new<'a>(inputs: impl Iterator<Item = &'a TopicPartition>) -> Self {
        Self {
            known: inputs.map(|input| (input.clone(), Time::MIN)).collect(),
            asked: None,
            asked_at: None,
        }
    }

    /// The moment that all inputs are known up to.
    pub(super) fn reached(&self) -> Time {
        self.known.values().copied().min().unwrap_or(Time::MIN)
    }

    /// A record was committed as read that the log took then: others of the same millisecond may follow.
    pub(super) fn saw(&mut self, input: &TopicPartition, time: Time) {
        self.learn(input, time - Millis::new(1));
    }

    /// Asks for the ends of the inputs unless that was done lately, and takes note of those that were read to: all that was polled
    /// there is stepped, and the position is there.
    pub(super) fn look(
        &mut self,
        log: &dyn Log,
        member: &mut dyn Member,
        unstepped: &BTreeSet<TopicPartition>,
        clock: Clock,
        every: Duration,
    ) -> Result<(), Error> {
        let lately = self.asked_at.is_some_and(|at| clock.monotonic < at + every);
        if self.asked.is_none() && !lately {
            let inputs: Vec<_> = self.known.keys().cloned().collect();
            let ends = log.ends(&inputs, End::Written)?;
            self.asked_at = Some(clock.monotonic);
            self.asked = Some(Asked {
                now: clock.now,
                ends,
            });
        }
        let Some(mut asked) = self.asked.take() else {
            return Ok(());
        };
        for (input, end) in std::mem::take(&mut asked.ends) {
            if !unstepped.contains(&input) && member.position(&input)? >= end {
                self.learn(&input, asked.now);
            } else {
                asked.ends.insert(input, end);
            }
        }
        if !asked.ends.is_empty() {
            self.asked = Some(asked);
        }
        Ok(())
    }

    fn learn(&mut self, input: &TopicPartition, time: Time) {
        if let Some(known) = self.known.get_mut(input) {
            *known = time.max(*known);
        }
    }
}
