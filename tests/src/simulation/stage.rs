//! Plays a story: loops that take turns at random over a simulated log, by a virtual clock.

use std::{
    cell::Cell,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use alerter::cases::Cases;
use event::{Millis, Partition, Record, Time, Topic, case_input::CaseInput, topic::MachineName};
use futures::FutureExt as _;
use machine::Machine;
use polku::binding;
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use stream::{
    Append, Binding, Error, Log as _, Metrics, Offset, Options, Runner, SharedLog, TopicPartition,
    log::TopicSpec,
    run::{self, Clock, Stats, Turn},
    simulated::{Faults, Simulated},
};
use unifier::{identify::Identify, unify::Unify};

use super::{
    check,
    company::{DEPARTMENTS, department},
    played::{Played, Totals},
    seen::Seen,
    spoil::{Careless, Forgetful, Spoil, forgetful, identify_misses},
    story::{Mark, Phase, START, Send, Story, UNTIL_COMMANDS},
};

/// Two loops of each machine, so that partitions change hands.
const LOOPS: [MachineName; 6] = [
    MachineName::Unify,
    MachineName::Identify,
    MachineName::Cases,
    MachineName::Unify,
    MachineName::Identify,
    MachineName::Cases,
];

/// How many turns a record may stay invisible.
const HIDDEN_TURNS_MAX: u64 = 4;
/// All is quiet when every loop had nothing to do so often in a row: longer than anything stays invisible, and than anybody goes on
/// without hearing that it was expelled.
const QUIET_ROUNDS: u32 = 6;
const ROUNDS_MAX: u32 = 4_000;
const TURN: Millis = Millis::new(1);
/// What no record looks like.
pub(super) const POISON: &[u8] = b"\x00poison";

/// How a story is played.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    pub(super) faults: bool,
    pub(super) spoil: Spoil,
}

/// A loop, whatever its machine.
trait Loop {
    fn turn(&mut self, clock: Clock) -> Result<Turn, run::Error>;
    fn stats(&self) -> Stats;
    /// The events that unify has taken in the partitions it holds.
    fn events_taken(&self) -> usize;
}

struct Of<M: Machine> {
    runner: Runner<Forgetful<M>>,
    is_taken: fn(&M::Key) -> bool,
}

impl<M: Machine> Loop for Of<M> {
    fn turn(&mut self, clock: Clock) -> Result<Turn, run::Error> {
        self.runner.turn(clock)
    }

    fn stats(&self) -> Stats {
        self.runner.stats()
    }

    fn events_taken(&self) -> usize {
        let states = self.runner.states();
        states
            .map(|(_, state)| state.iter().filter(|(key, _)| (self.is_taken)(key)).count())
            .sum()
    }
}

struct Stage<'s> {
    story: &'s Story,
    setup: Setup,
    rng: SmallRng,
    log: Simulated,
    shared: SharedLog,
    metrics: Metrics,
    loops: Vec<Box<dyn Loop>>,
    monotonic: Duration,
    played: Played,
}

/// # Errors
/// When something is not as it should be, at any moment that is looked at.
pub(super) fn play(story: &Story, setup: Setup) -> Result<Played, String> {
    let mut stage = Stage::new(story, setup)?;
    for phase in &story.phases {
        let at = phase.at;
        stage
            .phase(phase)
            .map_err(|text| format!("in the phase of {at}: {text}"))?;
    }
    stage.finish()
}

impl<'s> Stage<'s> {
    fn new(story: &'s Story, setup: Setup) -> Result<Self, String> {
        let log = Simulated::new(story.seed);
        log.set_time(START);
        let specs: Vec<TopicSpec> = Topic::FIXED
            .into_iter()
            .chain(DEPARTMENTS.iter().map(|id| Topic::Notice(department(id))))
            .map(|topic| TopicSpec {
                partitions: topic.partitions().count(story.partitions),
                kept: topic.kept(),
                topic,
            })
            .collect();
        log.create_topics(&specs)
            .map_err(|error| error.to_string())?;
        let seen = Seen::of(&log, story.partitions)?;
        let shared: SharedLog = if setup.spoil == Spoil::Nothing {
            Arc::new(log.clone())
        } else {
            Arc::new(Careless {
                log: Arc::new(log.clone()),
                spoil: setup.spoil,
                commits: Arc::new(AtomicU64::new(0)),
            })
        };
        let metrics =
            Metrics::new(&prometheus::Registry::new()).map_err(|error| error.to_string())?;
        let mut stage = Self {
            story,
            setup,
            rng: SmallRng::seed_from_u64(story.seed.rotate_left(17) ^ u64::from(setup.faults)),
            log,
            shared,
            metrics,
            loops: Vec::new(),
            monotonic: Duration::ZERO,
            played: Played::new(seen),
        };
        stage.loops = LOOPS
            .into_iter()
            .map(|machine| stage.start(machine))
            .collect();
        Ok(stage)
    }

    fn start(&self, machine: MachineName) -> Box<dyn Loop> {
        match machine {
            MachineName::Unify => {
                let is_taken = |key: &_| matches!(key, unifier::unify::Key::Seen(_));
                self.start_as(Unify::new(), binding::unify(), is_taken, |_, _| false)
            }
            MachineName::Identify => {
                let identify = Identify::new(self.story.partitions);
                self.start_as(identify, binding::identify(), |_| false, identify_misses)
            }
            MachineName::Cases => {
                self.start_as(Cases::new(), binding::cases(), |_| false, |_, _| false)
            }
        }
    }

    fn start_as<M: Machine>(
        &self,
        machine: M,
        binding: Binding<M>,
        is_taken: fn(&M::Key) -> bool,
        misses: fn(Spoil, &M::Record) -> bool,
    ) -> Box<dyn Loop> {
        let machine = Forgetful {
            machine,
            spoil: self.setup.spoil,
            misses,
            counted: Cell::new(0),
        };
        let mut options = Options::for_simulation(self.story.partitions);
        options.batch_records_max = self.story.batch_records_max;
        options.panics_fail = !self.story.asserts;
        if !self.setup.faults {
            // So that all that came in can be counted.
            options.trim_every_commits = u64::MAX;
        }
        let runner = Runner::new(
            machine,
            forgetful(binding),
            Arc::clone(&self.shared),
            options,
            &self.metrics,
        );
        Box::new(Of { runner, is_taken })
    }

    /// Events, and once all is quiet commands. Timers that are due before the phase have fired before its first event.
    fn phase(&mut self, phase: &Phase) -> Result<(), String> {
        self.go_to(phase.at)?;
        self.storm(10)?;
        self.rest()?;
        self.disturb(true);
        for send in &phase.sends {
            self.send(send)?;
            self.storm(2)?;
        }
        self.storm(40)?;
        self.rest()?;
        if phase.commands.is_empty() {
            return self.mark(phase.mark);
        }
        self.go_to(phase.at + UNTIL_COMMANDS)?;
        self.storm(10)?;
        self.rest()?;
        self.disturb(true);
        for command in &phase.commands {
            let record = Record::CaseInput(CaseInput::Command(command.clone()));
            self.send(&Send::Record(Box::new(record)))?;
            self.storm(2)?;
        }
        self.storm(20)?;
        self.rest()
    }

    /// What was parted again is as it was.
    fn mark(&mut self, mark: Mark) -> Result<(), String> {
        let timelines = self.played.seen.timelines();
        match mark {
            Mark::Nothing => {}
            Mark::Remember => self.played.remembered = timelines,
            Mark::AsBefore if timelines == self.played.remembered => self.played.restored += 1,
            Mark::AsBefore => {
                return Err(format!(
                    "after a decision and its undoing timelines are {timelines:?} and were {:?}",
                    self.played.remembered
                ));
            }
        }
        Ok(())
    }

    fn go_to(&mut self, moment: Time) -> Result<(), String> {
        let ahead = moment - self.now();
        let ahead =
            u64::try_from(ahead.as_millis()).map_err(|_| "the phase before took too long")?;
        self.monotonic += Duration::from_millis(ahead);
        self.log.set_time(self.now());
        self.disturb(true);
        Ok(())
    }

    fn now(&self) -> Time {
        let millis = i64::try_from(self.monotonic.as_millis()).unwrap_or(i64::MAX);
        START + Millis::new(millis)
    }

    fn disturb(&self, disturb: bool) {
        if self.setup.faults {
            self.log.set_faults(if disturb {
                Faults {
                    crash_before_commit: 0.04,
                    crash_during_commit: 0.05,
                    crash_after_commit: 0.04,
                    hidden_turns_max: HIDDEN_TURNS_MAX,
                    ..Faults::all()
                }
            } else {
                Faults {
                    hidden_turns_max: HIDDEN_TURNS_MAX,
                    ..Faults::default()
                }
            });
        }
    }

    /// The sender repeats until it is told that the log has it, and only then goes on to the next.
    fn send(&mut self, send: &Send) -> Result<(), String> {
        let (append, poisons) = match send {
            Send::Record(record) => (self.append(record), None),
            Send::Impossible(record) => (self.append(record), Some(false)),
            Send::Poison(at) => (poison(at), Some(at.topic == Topic::Event)),
        };
        loop {
            let unknown = self.log.counts().appends_unknown;
            let answer = self.log.append(vec![append.clone()]).now_or_never();
            let answer = answer.ok_or("the simulated log answers at once")?;
            let taken = answer.is_ok() || self.log.counts().appends_unknown > unknown;
            if let (true, Some(is_event)) = (taken, poisons) {
                self.played.poisoned += 1;
                self.played.poisoned_events += u64::from(is_event);
            }
            match answer {
                Ok(()) => return Ok(()),
                Err(Error::Log { .. }) => self.round()?,
                Err(error) => return Err(error.to_string()),
            };
        }
    }

    fn append(&self, record: &Record) -> Append {
        binding::encode(record, self.story.partitions)
    }

    /// Some turns, in which loops may end and the log may restart.
    fn storm(&mut self, rounds_max: u32) -> Result<(), String> {
        for _ in 0..self.rng.random_range(0..=rounds_max) {
            if self.setup.faults {
                self.mishap();
            }
            self.round()?;
            if self.rng.random_bool(0.04) {
                self.look(false)?;
            }
        }
        Ok(())
    }

    fn mishap(&mut self) {
        match self.rng.random_range(0..1_000) {
            0..=14 => {
                let nth = self.rng.random_range(0..self.loops.len());
                let fresh = self.start(LOOPS[nth]);
                let ended = std::mem::replace(&mut self.loops[nth], fresh);
                self.played.totals.add(ended.stats());
                self.played.kills += 1;
            }
            15..=16 => {
                self.log.restart();
                self.played.restarts += 1;
            }
            17..=19 => {
                self.log.forget_offsets(LOOPS[self.rng.random_range(0..3)]);
                self.played.offsets_forgotten += 1;
            }
            _ => {}
        }
    }

    /// One turn of one loop.
    fn round(&mut self) -> Result<Turn, String> {
        let nth = self.rng.random_range(0..self.loops.len());
        self.turn(nth)
    }

    fn turn(&mut self, nth: usize) -> Result<Turn, String> {
        let clock = Clock {
            now: self.now(),
            monotonic: self.monotonic,
        };
        let turn = self.loops[nth]
            .turn(clock)
            .map_err(|error| error.to_string())?;
        self.monotonic += Duration::from_millis(TURN.as_millis().unsigned_abs());
        self.log.set_time(self.now());
        if self.rng.random_bool(0.5) {
            self.log.advance(1);
        }
        Ok(turn)
    }

    /// Until there is nothing left to do. Then everything has to be as it should be.
    fn rest(&mut self) -> Result<(), String> {
        self.disturb(false);
        let mut quiet = 0;
        for _ in 0..ROUNDS_MAX {
            let mut idle = true;
            for nth in 0..self.loops.len() {
                idle &= self.turn(nth)? == Turn::Idle;
            }
            self.log.advance(1);
            quiet = if idle { quiet + 1 } else { 0 };
            if quiet == QUIET_ROUNDS {
                return self.look(true);
            }
        }
        Err("it does not come to rest".to_owned())
    }

    /// Looks at what is committed.
    fn look(&mut self, at_rest: bool) -> Result<(), String> {
        self.played.samples += 1;
        let now = self.now();
        let seen = &mut self.played.seen;
        seen.catch_up()?;
        check::always(seen)?;
        if at_rest {
            check::at_rest(seen, now)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Played, String> {
        for ended in &self.loops {
            self.played.totals.add(ended.stats());
            self.played.events_taken += ended.events_taken();
        }
        if !self.setup.faults {
            self.count_inputs()?;
        }
        self.played.counts = self.log.counts();
        self.played.expired = check::at_the_end(self.story, &self.played)?;
        Ok(self.played)
    }
}

impl Stage<'_> {
    /// Where nothing is done twice, every record of every input was taken once.
    fn count_inputs(&self) -> Result<(), String> {
        let inputs = [
            Topic::Event,
            Topic::Claim,
            Topic::IdentityLink,
            Topic::IdentityAssignment,
            Topic::TimelineInput,
            Topic::CaseInput,
        ];
        let from = inputs.into_iter().flat_map(|topic| {
            let partitions = topic.partitions().count(self.story.partitions);
            Partition::all(partitions).map(move |partition| {
                (TopicPartition::new(topic.clone(), partition), Offset::START)
            })
        });
        let reader = self.log.read(from.collect());
        let mut reader = reader.map_err(|error| error.to_string())?;
        let mut records = 0;
        loop {
            let reads = reader
                .poll(1_000, Duration::ZERO)
                .map_err(|error| error.to_string())?;
            if reads.is_empty() {
                break;
            }
            records += reads.len() as u64;
        }
        let Totals {
            inputs,
            ticked,
            rejected,
            ..
        } = self.played.totals;
        if inputs - ticked != records || rejected != self.played.poisoned {
            return Err(format!(
                "{records} records came in: {:?}",
                self.played.totals
            ));
        }
        Ok(())
    }
}

fn poison(at: &TopicPartition) -> Append {
    Append {
        at: at.clone(),
        key: at.partition.key().to_vec().into(),
        value: Some(POISON.into()),
    }
}
