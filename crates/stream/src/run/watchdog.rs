use event::topic::Kept;
use machine::Machine;

use super::{Clock, Error, Runner};
use crate::log::{End, Member};

impl<M: Machine> Runner<M> {
    /// Measures the lag of each partition now and then, and reads one anew that stands still though records wait: clients of
    /// Kafka are known to lose a wake-up and then to be silent for ever.
    pub(super) fn watch(&mut self, member: &mut dyn Member, clock: Clock) -> Result<(), Error> {
        if clock.monotonic < self.watched + self.options.watch_every {
            return Ok(());
        }
        self.watched = clock.monotonic;
        let inputs = self.held.values().flat_map(|held| held.next.keys());
        let inputs: Vec<_> = inputs.cloned().collect();
        let ends = self.log.ends(&inputs, End::Committed)?;
        for (partition, held) in &mut self.held {
            let mut waiting = 0;
            for (input, next) in &held.next {
                let end = ends[input];
                let read = if held.reads(input) {
                    member.position(input)?.max(*next)
                } else {
                    *next
                };
                waiting += (end.0 - read.0).max(0);
            }
            let unstepped = self
                .pending
                .iter()
                .filter(|read| read.at.partition == *partition)
                .count();
            let unstepped = i64::try_from(unstepped).unwrap_or(i64::MAX);
            self.metrics.lag(*partition, waiting + unstepped);
            if waiting == 0 {
                held.progress = clock.monotonic;
            } else if clock.monotonic > held.progress + self.options.stall {
                tracing::error!(
                    machine = self.binding.machine.as_str(),
                    kafka.partition = partition.0,
                    lag = waiting,
                    "a partition stands still and is read anew"
                );
                self.stats.stalls += 1;
                self.metrics.stalls.inc();
                self.pending.retain(|read| read.at.partition != *partition);
                held.progress = clock.monotonic;
                held.resume(member)?;
            }
        }
        Ok(())
    }

    /// Lets go of what was read of the inputs that are kept until then. Only space depends on it, and it takes its time: of several
    /// partitions one is taken at a time.
    pub(super) fn trim(&mut self) {
        let held = self.held.len() as u64;
        let every = self.options.trim_every_commits / held.max(1);
        let turn = self.stats.commits / every.max(1);
        if held == 0 || !self.stats.commits.is_multiple_of(every.max(1)) {
            return;
        }
        let inputs = self.held.values().nth((turn % held) as usize);
        for (input, next) in inputs.into_iter().flat_map(|held| &held.next) {
            if input.topic.kept() != Kept::UntilRead {
                continue;
            }
            match self.log.trim(input, *next) {
                Ok(()) => self.stats.trims += 1,
                Err(error) => tracing::warn!(
                    machine = self.binding.machine.as_str(),
                    kafka.topic = %input.topic,
                    kafka.partition = input.partition.0,
                    error = %error,
                    "what was read is not trimmed"
                ),
            }
        }
    }
}
