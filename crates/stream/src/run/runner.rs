use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use event::{Partition, Time, topic::MachineName};
use machine::Machine;

use super::{
    Binding, Clock, Error, Options, Stats,
    batch::{self, Batch, Broken, Culprits, Fault, Stepper},
    clock::Watch,
    held::Held,
    recovery::Trouble,
    restore::Restore,
};
use crate::{
    log::{Commit, Group, Member, Polled, Read, SharedLog, TopicPartition},
    metrics::{LoopMetrics, Metrics},
};

/// What a turn did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// There was nothing to do.
    Idle,
    /// Partitions came or went.
    Moved,
    /// A slice of state was restored.
    Restored,
    Committed {
        inputs: u64,
    },
    /// The batch was dropped and will be read again.
    Aborted,
    /// The member was dropped; all partitions will be restored anew.
    Lost,
    /// Nothing is tried before this moment of the monotonic clock.
    Waiting {
        until: Duration,
    },
}

/// One loop: a machine on the log.
pub struct Runner<M: Machine> {
    pub(super) machine: M,
    pub(super) binding: Binding<M>,
    pub(super) options: Options,
    pub(super) log: SharedLog,
    pub(super) metrics: LoopMetrics,
    pub(super) stats: Stats,
    drift: Watch,
    pub(super) member: Option<Box<dyn Member>>,
    /// Partitions that came and whose restore has not begun.
    pub(super) assigned: VecDeque<Partition>,
    pub(super) restoring: Option<Restore<M>>,
    pub(super) held: BTreeMap<Partition, Held<M>>,
    /// Polled and not stepped.
    pub(super) pending: VecDeque<Read>,
    /// Stepped and not committed, because the log asked to try again.
    pub(super) sealed: Option<Sealed>,
    pub(super) trouble: Trouble,
    pub(super) watched: Duration,
    /// Since when it holds nothing, if it does.
    pub(super) empty_since: Duration,
    /// How many bytes the largest batch had: no batch's bytes are copied because there are more of them than before.
    room: usize,
    ready: Arc<AtomicBool>,
    turns: Arc<AtomicU64>,
}

/// A batch as it is to be committed.
pub(super) struct Sealed {
    commit: Commit,
    batch: Batch,
    now: Time,
}

/// How many records at most are tried again with one among them that broke an assertion.
const RETRIED_MAX: usize = 500;

impl<M: Machine> Runner<M> {
    pub fn new(
        machine: M,
        binding: Binding<M>,
        log: SharedLog,
        options: Options,
        metrics: &Metrics,
    ) -> Self {
        Self {
            metrics: metrics.of(binding.machine),
            machine,
            binding,
            options,
            log,
            stats: Stats::default(),
            drift: Watch::default(),
            member: None,
            assigned: VecDeque::new(),
            restoring: None,
            held: BTreeMap::new(),
            pending: VecDeque::new(),
            sealed: None,
            trouble: Trouble::default(),
            watched: Duration::ZERO,
            empty_since: Duration::ZERO,
            room: 0,
            ready: Arc::new(AtomicBool::new(false)),
            turns: Arc::default(),
        }
    }

    pub fn machine_name(&self) -> MachineName {
        self.binding.machine
    }

    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Whether all partitions held are restored and read. The flag goes on telling it while the loop runs elsewhere.
    pub fn ready(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.ready)
    }

    /// How many turns the loop has begun. A number that stands still tells a loop that hangs, whatever the log does: a log that
    /// does not answer ends a turn with an error.
    pub fn turns(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.turns)
    }

    /// The states of the partitions held: for tests that compare them.
    pub fn states(&self) -> impl Iterator<Item = (Partition, &machine::State<M::Key, M::Row>)> {
        self.held
            .iter()
            .map(|(partition, held)| (*partition, &held.state))
    }

    /// Leaves the group.
    pub fn leave(mut self) -> Stats {
        self.forget();
        self.stats
    }

    /// Does one thing.
    ///
    /// # Errors
    /// What trying again does not mend.
    pub fn turn(&mut self, clock: Clock) -> Result<Turn, Error> {
        self.turns.fetch_add(1, Ordering::Relaxed);
        self.drift.check(clock)?;
        if clock.monotonic < self.trouble.until {
            let until = self.trouble.until;
            return Ok(Turn::Waiting { until });
        }
        let turn = match self.attempt(clock) {
            Ok(turn) => turn,
            Err(Error::Log(error)) => self.recover(error, clock)?,
            Err(
                error @ (Error::Clock { .. }
                | Error::Tick { .. }
                | Error::Step { .. }
                | Error::Row { .. }
                | Error::Lost { .. }),
            ) => return Err(error),
        };
        self.tell(turn, clock);
        Ok(turn)
    }

    fn attempt(&mut self, clock: Clock) -> Result<Turn, Error> {
        let Some(mut member) = self.member.take() else {
            let group = Group {
                machine: self.binding.machine,
                inputs: self.binding.inputs.clone(),
                session: self.options.session,
            };
            self.member = Some(self.log.join(group)?);
            self.empty_since = clock.monotonic;
            return Ok(Turn::Moved);
        };
        let turn = self.attempt_as(member.as_mut(), clock);
        self.member = Some(member);
        turn
    }

    fn attempt_as(&mut self, member: &mut dyn Member, clock: Clock) -> Result<Turn, Error> {
        if self.sealed.is_some() {
            return self.commit(member, clock);
        }
        if self.pending.is_empty() {
            for held in self.held.values_mut() {
                held.open(member)?;
            }
            let wait = self.wait();
            match member.poll(self.options.batch_records_max, wait)? {
                Polled::Assigned(partitions) => {
                    self.assigned.extend(partitions);
                    return Ok(Turn::Moved);
                }
                Polled::Revoked(partitions) => {
                    self.revoke(&partitions, clock);
                    return Ok(Turn::Moved);
                }
                Polled::Records(reads) => self.pending = reads.into(),
            }
        }
        self.look(member, clock)?;
        self.watch(member, clock)?;
        // A partition that is restored gets on although others are busy.
        let turn = self.restore(member, clock)?;
        if let Some(sealed) = self.step(clock)? {
            self.sealed = Some(sealed);
            return self.commit(member, clock);
        }
        Ok(turn)
    }

    /// Nobody waits for records while there is something else to do.
    fn wait(&self) -> Duration {
        let busy = !self.assigned.is_empty()
            || self.restoring.is_some()
            || self.held.values().any(Held::is_due);
        if busy {
            Duration::ZERO
        } else {
            self.options.poll_wait
        }
    }

    fn revoke(&mut self, partitions: &[Partition], clock: Clock) {
        self.assigned.retain(|held| !partitions.contains(held));
        if let Some(restore) = &self.restoring
            && partitions.contains(&restore.partition)
        {
            self.restoring = None;
        }
        self.held.retain(|held, _| !partitions.contains(held));
        if self.held.is_empty() {
            self.empty_since = clock.monotonic;
        }
        self.pending
            .retain(|read| !partitions.contains(&read.at.partition));
        for partition in partitions {
            self.metrics.forget_lag(*partition);
        }
    }

    /// Goes on with one partition's restore, if there is one.
    fn restore(&mut self, member: &mut dyn Member, clock: Clock) -> Result<Turn, Error> {
        if self.restoring.is_none()
            && let Some(partition) = self.assigned.front()
        {
            let log = self.log.as_ref();
            let restore = Restore::begin(log, member, &self.binding, *partition)?;
            self.restoring = Some(restore);
            self.assigned.pop_front();
        }
        let Some(restore) = &mut self.restoring else {
            return Ok(Turn::Idle);
        };
        let wait = if self.pending.is_empty() {
            self.options.poll_wait
        } else {
            Duration::ZERO
        };
        if restore.go_on(self.options.restore_records_max, wait)? {
            let next = restore.next(self.log.as_ref(), &self.binding)?;
            let opening = restore.opening(self.log.as_ref(), &self.binding)?;
            let Some(restore) = self.restoring.take() else {
                return Ok(Turn::Restored);
            };
            let partition = restore.partition;
            let mut held = restore.finish(next, opening, clock.monotonic);
            held.resume(member)?;
            held.due = next_due(&self.machine, self.binding.machine, &mut held)?;
            self.held.insert(partition, held);
            self.stats.restores += 1;
            self.metrics.restores.inc();
        }
        Ok(Turn::Restored)
    }

    /// Finds out how far the inputs of partitions with a due timer are known.
    fn look(&mut self, member: &mut dyn Member, clock: Clock) -> Result<(), Error> {
        let unstepped: BTreeSet<TopicPartition> =
            self.pending.iter().map(|read| read.at.clone()).collect();
        let open = self.held.values_mut().filter(|held| held.opening.is_none());
        for held in open {
            let reached = held.horizon.reached();
            if held
                .due
                .is_some_and(|due| reached < due && due <= clock.now)
            {
                let every = self.options.end_every;
                held.horizon
                    .look(self.log.as_ref(), member, &unstepped, clock, every)?;
            }
        }
        Ok(())
    }

    /// Steps a batch of records and ticks. Nothing, when there are neither.
    fn step(&mut self, clock: Clock) -> Result<Option<Sealed>, Error> {
        let machine = self.binding.machine;
        let mut reads = self.take();
        let committed = self.held.values().map(|held| held.now).max();
        let taken = reads.iter().map(|read| read.time).max();
        let now = clock.moment(committed, taken, self.options.poll_wait);
        let own_partitions = self.own_partitions();
        let mut culprits = Culprits::new();
        let (batch, taken, commit) = loop {
            let mut stepper = Stepper {
                machine: &self.machine,
                binding: &self.binding,
                held: &mut self.held,
                partitions: self.options.partitions,
                own_partitions,
                now,
                due_max: clock.now,
                bytes_max: self.options.batch_bytes_max,
                spare: self.options.spare,
            };
            assert!(
                stepper.held.values().all(|held| held.state.changed() == 0),
                "a batch begins over what is committed"
            );
            let fault = match stepper.batch(Batch::new(self.room), &reads, &culprits) {
                Ok(stepped) => break stepped,
                Err(fault) => fault,
            };
            self.undo();
            match fault {
                Fault::Step { nth, text } => {
                    let found = !self.options.panics_fail
                        && self.blame(nth, &text, &mut reads, &mut culprits);
                    if !found {
                        return Err(Error::Step { machine, text });
                    }
                }
                Fault::Tick { partition, text } => {
                    return Err(Error::Tick {
                        machine,
                        partition,
                        text,
                    });
                }
            }
        };
        self.give_back(&mut reads, taken);
        self.room = self.room.max(batch.bytes);
        Ok(commit.map(|commit| Sealed { commit, batch, now }))
    }

    /// Finds out which record of a batch broke an assertion, and makes the batch such that another try gets further: without what
    /// comes behind it, or so much smaller that one record alone can be the cause. Whether there is any.
    fn blame(
        &mut self,
        nth: Option<usize>,
        text: &str,
        reads: &mut Vec<Read>,
        culprits: &mut Culprits,
    ) -> bool {
        let nth = match nth {
            Some(nth) if nth >= RETRIED_MAX => {
                self.give_back(reads, nth);
                return true;
            }
            Some(nth) => nth,
            None if reads.len() > 1 => {
                self.give_back(reads, reads.len() / 2);
                culprits.retain(|nth, _| *nth < reads.len());
                return true;
            }
            None => 0,
        };
        if nth >= reads.len() || culprits.contains_key(&nth) {
            return false;
        }
        self.give_back(reads, RETRIED_MAX);
        culprits.insert(nth, text.to_owned());
        tracing::error!(
            machine = self.binding.machine.as_str(),
            record = %reads[nth].at,
            offset = %reads[nth].offset,
            text,
            "a step broke an assertion"
        );
        self.metrics.assertions.inc();
        true
    }

    /// All but the first so many come with the next batch.
    fn give_back(&mut self, reads: &mut Vec<Read>, first: usize) {
        for read in reads.drain(first.min(reads.len())..).rev() {
            self.pending.push_front(read);
        }
    }

    /// Of the batch at hand nothing happened.
    pub(super) fn undo(&mut self) {
        for held in self.held.values_mut() {
            held.state.undo();
        }
    }

    /// The next records, as many as a batch may have.
    fn take(&mut self) -> Vec<Read> {
        let mut count = 0;
        let mut bytes = 0;
        for read in self.pending.iter().take(self.options.batch_records_max) {
            if bytes >= self.options.batch_bytes_max {
                break;
            }
            bytes += read.key.len() + read.value.as_ref().map_or(0, Bytes::len);
            count += 1;
        }
        if count == self.pending.len() {
            return std::mem::take(&mut self.pending).into();
        }
        self.pending.drain(..count).collect()
    }

    fn own_partitions(&self) -> u32 {
        let first = &self.binding.inputs[0];
        first.partitions().count(self.options.partitions)
    }

    /// Commits what is sealed; then, and only then, the states are such.
    fn commit(&mut self, member: &mut dyn Member, clock: Clock) -> Result<Turn, Error> {
        let Some(sealed) = self.sealed.take() else {
            return Ok(Turn::Idle);
        };
        assert!(
            !sealed.commit.next.is_empty(),
            "a commit that names no partition is not fenced"
        );
        let timer = self.metrics.commit_seconds.start_timer();
        let committed = member.commit(sealed.commit.clone());
        timer.observe_duration();
        if let Err(error) = committed {
            // Recovery drops it, unless the same commit is to be tried again.
            self.sealed = Some(sealed);
            return Err(error.into());
        }
        let tally = sealed.batch.tally;
        self.stats.tally.add(&tally);
        self.stats.commits += 1;
        self.metrics.add(&tally);
        self.metrics.commits.inc();
        self.trouble.is_over();
        self.apply(sealed, clock)?;
        self.trim();
        Ok(Turn::Committed {
            inputs: tally.inputs,
        })
    }

    fn apply(&mut self, sealed: Sealed, clock: Clock) -> Result<(), Error> {
        for (partition, work) in sealed.batch.works {
            let Some(held) = self.held.get_mut(&partition) else {
                continue;
            };
            if let Some(turned) = work.turned {
                self.stats.rounds += u64::from(held.journal.turn(turned));
            }
            held.state.commit();
            for (input, time) in &work.seen {
                held.horizon.saw(input, *time);
            }
            held.next = work.next;
            held.now = sealed.now;
            held.progress = clock.monotonic;
            held.due = next_due(&self.machine, self.binding.machine, held)?;
        }
        Ok(())
    }

    /// What others can see of the loop.
    fn tell(&mut self, turn: Turn, clock: Clock) {
        match turn {
            Turn::Idle | Turn::Committed { .. } => {
                self.trouble.calm();
                self.metrics.progress.set(clock.now.as_millis() / 1_000);
            }
            Turn::Moved | Turn::Restored | Turn::Aborted | Turn::Lost | Turn::Waiting { .. } => {}
        }
        // Whoever holds nothing may be about to get it, or to get it back; after a session without there is none to spare.
        let holds_all =
            !self.held.is_empty() || clock.monotonic > self.empty_since + self.options.session;
        let ready = self.member.is_some()
            && self.assigned.is_empty()
            && self.restoring.is_none()
            && holds_all;
        self.ready.store(ready, Ordering::Relaxed);
        self.metrics.ready.set(i64::from(ready));
    }
}

fn next_due<M: Machine>(
    machine: &M,
    name: MachineName,
    held: &mut Held<M>,
) -> Result<Option<Time>, Error> {
    let due = batch::next_due(machine, &mut held.state);
    due.map_err(|Broken(text)| Error::Tick {
        machine: name,
        partition: held.partition(),
        text,
    })
}
