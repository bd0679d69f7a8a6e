//! The machine `cases`: signals and commands in; cases, notices, outcomes and steps out.

use std::sync::Arc;

use calendar::Calendars;
use event::{
    CaseId, CommandId, Company, EventId, MatterId, ProfileId, Time, Token, Version,
    case::StepKind,
    case_input::{CaseInput, Signal, SignalKind},
    command_outcome::CommandResult,
    rules,
};
use machine::{Effects, Input, Machine, Outcome, Overlay, Rank, Shard, Shelf};
use serde::{Deserialize, Serialize};

use crate::{case::Case, queue::Work, turn::Turn};

/// The machine. All it knows is in its rows.
#[derive(Debug, Default)]
pub struct Cases;

impl Cases {
    pub fn new() -> Self {
        Self
    }
}

/// What the machine reads: topic `case.input`.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    Input(CaseInput),
}

/// Rows of one kind lie together, and within a kind those of one case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Key {
    Rules,
    /// The number of the next piece of work to be queued.
    QueueEnd,
    Queue(u64),
    Timer(Time, CaseId),
    Case(CaseId),
    /// A customer the case tells of its steps, by the route value of a signal.
    Anchor(CaseId, Token),
    /// What a command came to at this case.
    Command(CaseId, CommandId),
    /// Where signals of a matter go that come here.
    Forward(CaseId, MatterId),
    /// The first case has absorbed the second, as it was at this version.
    Joined(CaseId, CaseId, u32),
    Signal(CaseId, MatterId, EventId, SignalKind),
    Step(CaseId, u32),
}

impl machine::Key for Key {
    fn shelf(&self) -> Shelf {
        match self {
            Key::Rules | Key::QueueEnd | Key::Case(_) | Key::Forward(..) => Shelf::Alone,
            Key::Queue(_) => Shelf::of_kind(0),
            Key::Timer(..) => Shelf::of_kind(1),
            Key::Anchor(case, _) => Shelf::of(2, case.token()),
            Key::Command(case, _) => Shelf::of(3, case.token()),
            Key::Joined(case, ..) => Shelf::of(4, case.token()),
            Key::Signal(case, ..) => Shelf::of(5, case.token()),
            Key::Step(case, _) => Shelf::of(6, case.token()),
        }
    }

    fn rank(&self) -> Rank {
        match self {
            Key::Rules | Key::QueueEnd | Key::Case(_) | Key::Forward(..) => (0, 0, 0),
            Key::Queue(number) => (u128::from(*number), 0, 0),
            Key::Timer(time, case) => (time.rank(), case.number(), 0),
            Key::Anchor(_, value) => (value.number(), 0, 0),
            Key::Command(_, command) => (command.number(), 0, 0),
            Key::Joined(_, case, version) => (case.number(), u128::from(*version), 0),
            Key::Signal(_, matter, event, _) => (matter.number(), event.number(), 0),
            Key::Step(_, step) => (u128::from(*step), 0, 0),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Row {
    Rules(Rules),
    QueueEnd(u64),
    Queue(Box<Work>),
    Timer,
    Case(Box<Case>),
    Anchor(Known),
    Command(CommandResult),
    Forward(Forward),
    Joined,
    Signal(Box<Signal>),
    Step(Noted),
}

/// A version of the rules. They are cloned at every step, and the hours of departments are read once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Company", into = "Company")]
pub struct Rules {
    pub(crate) company: Arc<Company>,
    pub(crate) calendars: Arc<Calendars>,
}

impl From<Company> for Rules {
    fn from(company: Company) -> Self {
        Self {
            calendars: Arc::new(Calendars::of(&company.departments)),
            company: Arc::new(company),
        }
    }
}

impl From<Rules> for Company {
    fn from(rules: Rules) -> Self {
        Arc::unwrap_or_clone(rules.company)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Company::default().into()
    }
}

/// How the case knows a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    pub(crate) profile: ProfileId,
    pub(crate) version: Version,
}

/// From this version on a matter's signals belong to `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    pub(crate) to: CaseId,
    pub(crate) version: Version,
}

/// What a timeline is told of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    pub(crate) time: Time,
    pub(crate) what: StepKind,
    pub(crate) owner: event::DepartmentId,
    pub(crate) matter: MatterId,
}

impl Machine for Cases {
    type Record = Record;
    type Key = Key;
    type Row = Row;

    fn step(
        &self,
        now: Time,
        shard: Shard,
        input: Input<Record>,
        state: &mut Overlay<'_, Key, Row>,
        effects: &mut Effects,
    ) -> Outcome {
        let mut turn = Turn::new(now, shard, state, effects);
        let outcome = match input {
            Input::Record(Record::Input(input)) => match input {
                CaseInput::Signal(signal) => turn.hear(signal),
                CaseInput::Command(command) => turn.obey(command),
                CaseInput::Regroup(regroup) => turn.regroup(&regroup),
                CaseInput::Absorb(absorb) => turn.absorb(absorb),
                CaseInput::Rules(rules) => turn.learn(rules),
            },
            Input::Tick { due } => turn.tick(due),
        };
        turn.work_off();
        outcome
    }

    fn next_due(&self, state: &Overlay<'_, Key, Row>) -> Option<Time> {
        let mut queue = state.range(Key::Queue(0)..=Key::Queue(u64::MAX));
        if queue.next().is_some() {
            return Some(Time::MIN);
        }
        first_timer(state).map(|(due, _)| due)
    }
}

pub(crate) fn first_timer(state: &Overlay<'_, Key, Row>) -> Option<(Time, CaseId)> {
    let all = Key::Timer(Time::MIN, FIRST_CASE)..=Key::Timer(Time::MAX, LAST_CASE);
    state.range(all).next().map(|(key, _)| match key {
        Key::Timer(due, case) => (*due, *case),
        Key::Rules
        | Key::QueueEnd
        | Key::Queue(_)
        | Key::Case(_)
        | Key::Anchor(..)
        | Key::Command(..)
        | Key::Forward(..)
        | Key::Joined(..)
        | Key::Signal(..)
        | Key::Step(..) => unreachable!("a range of timers holds {key:?}"),
    })
}

pub(crate) const FIRST: Token = Token::new([0; Token::LEN]);
pub(crate) const LAST: Token = Token::new([0xff; Token::LEN]);
const FIRST_CASE: CaseId = CaseId::new(FIRST);
const LAST_CASE: CaseId = CaseId::new(LAST);

impl Turn<'_, '_> {
    /// Takes a version of the rules, unless a newer one is known.
    fn learn(&mut self, rules: rules::Rules) -> Outcome {
        if let Some(Row::Rules(known)) = self.state.get(&Key::Rules) {
            if known.company.version > rules.company.version {
                return Outcome::Stale;
            }
            if *known.company == *rules.company {
                return Outcome::Duplicate;
            }
        }
        let rules = Rules::from(*rules.company);
        self.company = Arc::clone(&rules.company);
        self.calendars = Arc::clone(&rules.calendars);
        self.state.put(Key::Rules, Row::Rules(rules));
        Outcome::Applied
    }
}

#[cfg(test)]
mod tests;
