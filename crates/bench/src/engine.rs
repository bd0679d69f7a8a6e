//! The three machines in one thread, over their states, with nothing between them but queues in memory.

use std::{collections::VecDeque, time::Duration};

use alerter::cases::{self, Cases};
use anyhow::ensure;
use event::{Event, Partition, Record, Time};
use machine::{AHEAD, Effects, Input, Machine, Outcome, Shard, State};
use unifier::{
    identify::{self, Identify},
    unify::{self, Unify},
};

use crate::{
    known::Taker,
    meter::{Meter, thread_cpu},
    sample::{Figure, Sample},
    workload::Workload,
};

/// How many are taken at once: a tenth of what a loop that is behind takes.
pub(crate) const BATCH: usize = 2_000;

const SHARD: Shard = Shard {
    partition: Partition(0),
    partitions: 1,
};

/// One machine with its state and what waits for it.
pub(crate) struct Stage<M: Machine> {
    machine: M,
    state: State<M::Key, M::Row>,
    pub(crate) waiting: VecDeque<M::Record>,
    /// Processor time.
    pub(crate) stepped: Duration,
    pub(crate) applied: Duration,
    inputs: u64,
    duplicates: u64,
    /// Records for no other machine: timelines, cases, notices.
    left: u64,
    /// How many the last batch had for others: as much room as a loop keeps.
    room: usize,
}

impl<M: Machine> Stage<M> {
    pub(crate) fn new(machine: M) -> Self {
        Self {
            machine,
            state: State::new(),
            waiting: VecDeque::new(),
            stepped: Duration::ZERO,
            applied: Duration::ZERO,
            inputs: 0,
            duplicates: 0,
            left: 0,
            room: 0,
        }
    }

    pub(crate) fn forget_what_it_took(&mut self) {
        self.stepped = Duration::ZERO;
        self.applied = Duration::ZERO;
        self.inputs = 0;
        self.duplicates = 0;
        self.left = 0;
    }

    /// Steps what waits, as one batch, and lets the state take the changes. What other machines wait for is given back; what leaves is
    /// looked at where it is, as a loop does that writes it.
    pub(crate) fn batch(&mut self, now: Time) -> Vec<Record> {
        if self.waiting.is_empty() {
            return Vec::new();
        }
        let began = thread_cpu();
        let mut records = Vec::with_capacity(self.room);
        let mut effects = Effects::new();
        while !self.waiting.is_empty() {
            let some = self.waiting.len().min(AHEAD);
            machine::look_ahead(&self.machine, self.waiting.iter().take(some), &self.state);
            for record in self.waiting.drain(..some) {
                let input = Input::Record(record);
                let outcome =
                    self.machine
                        .step(now, SHARD, input, &mut self.state.overlay(), &mut effects);
                self.inputs += 1;
                self.duplicates += u64::from(outcome == Outcome::Duplicate);
                self.left += pass_on(&mut effects, &mut records);
            }
        }
        while self
            .machine
            .next_due(&self.state.overlay())
            .is_some_and(|due| due <= now)
        {
            let tick = Input::Tick { due: now };
            let _ticked =
                self.machine
                    .step(now, SHARD, tick, &mut self.state.overlay(), &mut effects);
            self.left += pass_on(&mut effects, &mut records);
        }
        self.room = records.len();
        let stepped = thread_cpu();
        self.state.commit();
        self.stepped += stepped.saturating_sub(began);
        self.applied += thread_cpu().saturating_sub(stepped);
        records
    }
}

/// Moves what machines wait for, and counts the rest.
fn pass_on(effects: &mut Effects, to: &mut Vec<Record>) -> u64 {
    let all = effects.records().len();
    let leaves = |record: &Record| {
        matches!(
            record,
            Record::Timeline(_)
                | Record::Case(_)
                | Record::CommandOutcome(_)
                | Record::Notice(_)
                | Record::Reject(_)
                | Record::Config(_)
                | Record::Sent(_)
                | Record::Access(_)
        )
    };
    if effects.records().iter().all(leaves) {
        effects.clear();
        return all as u64;
    }
    let before = to.len();
    to.extend(effects.drain().filter(|record| !leaves(record)));
    (all - (to.len() - before)) as u64
}

pub(crate) struct Engine {
    unify: Stage<Unify>,
    identify: Stage<Identify>,
    cases: Stage<Cases>,
    now: Time,
}

impl Engine {
    fn new(now: Time) -> Self {
        Self {
            unify: Stage::new(Unify::new()),
            identify: Stage::new(Identify::new(SHARD.partitions)),
            cases: Stage::new(Cases::new()),
            now,
        }
    }

    /// An engine that knows the company's rules, at a moment.
    pub(crate) fn told(rules: Vec<Record>, now: Time) -> Self {
        let mut engine = Self::new(now);
        for record in rules {
            engine.pass_on(record);
        }
        engine
    }

    /// Works until nothing waits.
    fn settle(&mut self) {
        loop {
            let records = [
                self.unify.batch(self.now),
                self.identify.batch(self.now),
                self.cases.batch(self.now),
            ];
            if records.iter().all(Vec::is_empty) {
                return;
            }
            for record in records.into_iter().flatten() {
                self.pass_on(record);
            }
        }
    }

    fn pass_on(&mut self, record: Record) {
        match record {
            Record::Event(event) => self.unify.waiting.push_back(unify::Record::Event(event)),
            Record::Assignment(assignment) => {
                let record = unify::Record::Assignment(assignment);
                self.unify.waiting.push_back(record);
            }
            Record::TimelineInput(input) => {
                let record = unify::Record::Timeline(input);
                self.unify.waiting.push_back(record);
            }
            Record::Link(link) => self
                .identify
                .waiting
                .push_back(identify::Record::Link(link)),
            Record::CaseInput(input) => self.cases.waiting.push_back(cases::Record::Input(input)),
            Record::Claim(event) => self.unify.waiting.push_back(unify::Record::Claim(event)),
            Record::Timeline(_)
            | Record::Case(_)
            | Record::CommandOutcome(_)
            | Record::Notice(_)
            | Record::Reject(_)
            | Record::Config(_)
            | Record::Sent(_)
            | Record::Access(_) => unreachable!("no machine waits for {record:?}"),
        }
    }

    /// Where the time went since it forgot.
    pub(crate) fn parts(&self) -> Vec<(&'static str, Duration)> {
        let (unify, identify, cases) = (&self.unify, &self.identify, &self.cases);
        vec![
            ("unify: steps", unify.stepped),
            ("unify: the state takes the changes", unify.applied),
            ("identify: steps", identify.stepped),
            ("identify: the state takes the changes", identify.applied),
            ("cases: steps", cases.stepped),
            ("cases: the state takes the changes", cases.applied),
        ]
    }

    pub(crate) fn note(&self, events: usize) -> String {
        format!(
            "{events} events were {} inputs of unify, {} of identify and {} of cases, and put out {} records.",
            self.unify.inputs,
            self.identify.inputs,
            self.cases.inputs,
            self.unify.left + self.identify.left + self.cases.left,
        )
    }
}

impl Taker for Engine {
    fn take(&mut self, events: Vec<Event>) {
        let mut events = events.into_iter().map(unify::Record::Event).peekable();
        while events.peek().is_some() {
            self.unify.waiting.extend(events.by_ref().take(BATCH));
            self.settle();
        }
    }

    fn forget_what_it_took(&mut self) {
        self.unify.forget_what_it_took();
        self.identify.forget_what_it_took();
        self.cases.forget_what_it_took();
    }
}

/// The second half of the events, over what the first half left.
pub(crate) fn measure(
    workload: &Workload,
    rules: Vec<Record>,
) -> anyhow::Result<Vec<(Figure, Sample)>> {
    let now = Time::from_millis(service::clock::now_ms());
    let mut engine = Engine::told(rules, now);
    let mut before = workload.events.clone();
    let measured = before.split_off(before.len() / 2);
    let count = measured.len();
    engine.take(before);
    let before = engine.unify.duplicates;
    engine.forget_what_it_took();

    let meter = Meter::start();
    engine.take(measured);
    let spent = meter.stop();

    let repeats = before + engine.unify.duplicates;
    ensure!(
        repeats >= workload.repeats,
        "{} of {} repeated events were taken twice",
        workload.repeats - repeats,
        workload.repeats
    );
    let sample = Sample {
        count: count as u64,
        spent,
        parts: engine.parts(),
        notes: vec![format!("The engine: {}", engine.note(count))],
        ..Sample::default()
    };
    Ok(vec![(Figure::Engine, sample)])
}
