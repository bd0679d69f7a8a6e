//! What the tests of all modules build on.

use std::collections::{BTreeMap, VecDeque};

use event::{
    CaseId, Channel, Company, DepartmentId, EventId, Kind, MatterId, Millis, Name, Perspective,
    ProfileId, SourceId, Time, Token, Version,
    case::{Case, ContactHow, State, Step},
    case_input::{CaseInput, Command, CommandKind, Signal, SignalKind},
    command_outcome::CommandOutcome,
    notice::Notice,
    rules::{Department, Rules},
};
use machine::{Effects, Input, Machine, Outcome, Overlay, Shard};

use crate::cases::{self, Cases, Key, Row};

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn department(text: &str) -> DepartmentId {
    DepartmentId::new(text).unwrap()
}

/// A company of departments that are always open; the first receives what no route takes.
pub(crate) fn company_of(departments: &[&str]) -> Company {
    let mut company = Company {
        version: 1,
        departments: departments
            .iter()
            .map(|id| (department(id), Department::default()))
            .collect(),
        ..Company::default()
    };
    company.routes.receiver = departments.first().map(|id| department(id));
    company
}

pub(crate) fn token(number: u64) -> Token {
    Token::hash("sample", &[&number.to_be_bytes()])
}

/// The numbers order the matters, so that a test can tell which case id is the smallest.
pub(crate) fn matter(number: u8) -> MatterId {
    MatterId::new(Token::new([number; 16]))
}

pub(crate) fn noon() -> Time {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// A live signal about matter 1, straight from a timeline, a minute later for each number.
pub(crate) fn signal(number: u64, kind: Kind, what: &str) -> Signal {
    let minutes = i64::try_from(number).unwrap();
    let time = noon() + Millis::from_secs(60 * minutes);
    Signal {
        case: matter(1).own_case(),
        matter: matter(1),
        matter_version: Version::ZERO,
        what: match kind {
            Kind::Complaint => SignalKind::Complaint,
            Kind::Feedback => SignalKind::Feedback,
            Kind::Service | Kind::Unknown => SignalKind::Contact,
        },
        event: EventId::new(token(number)),
        revision: 0,
        withdrawn: false,
        profile: ProfileId::new(token(1_000)),
        anchor: token(1_000),
        route: token(1_000),
        route_version: Version::ZERO,
        time,
        received: time,
        source: SourceId::new("web-shop").unwrap(),
        channel: Channel::Web,
        kind,
        name: name(what),
        perspective: Perspective::Customer,
        history: false,
        score: None,
        place: None,
        product: None,
        stage: None,
        touchpoint: None,
        party: None,
        promise: None,
        due: None,
        department: None,
    }
}

/// Several partitions of the machine with pipes between them, one from each partition to each, and one from outside.
pub(crate) struct World {
    pub(crate) partitions: u32,
    pub(crate) now: Time,
    states: Vec<machine::State<Key, Row>>,
    pipes: BTreeMap<(Option<u32>, u32), VecDeque<CaseInput>>,
    /// All that was put out but for what goes through the pipes.
    pub(crate) records: Vec<event::Record>,
    pub(crate) inputs: usize,
}

impl World {
    pub(crate) fn new(partitions: u32, company: Company) -> Self {
        let mut world = Self {
            partitions,
            now: noon() + Millis::from_hours(1),
            states: (0..partitions).map(|_| machine::State::new()).collect(),
            pipes: BTreeMap::new(),
            records: Vec::new(),
            inputs: 0,
        };
        for partition in event::Partition::all(partitions) {
            let rules = Rules {
                partition,
                company: Box::new(company.clone()),
            };
            assert_eq!(world.give(CaseInput::Rules(rules)), Outcome::Applied);
        }
        world
    }

    /// Hands the input to its partition at once.
    pub(crate) fn give(&mut self, input: CaseInput) -> Outcome {
        let partition = self.partition(&input);
        self.step(partition, Input::Record(cases::Record::Input(input)))
    }

    /// Puts the input into the pipe from outside.
    pub(crate) fn send(&mut self, input: CaseInput) {
        let to = self.partition(&input);
        self.pipes.entry((None, to)).or_default().push_back(input);
    }

    fn partition(&self, input: &CaseInput) -> u32 {
        let key = event::Record::CaseInput(input.clone()).key();
        event::Partition::of(&key, self.partitions).0
    }

    fn step(&mut self, partition: u32, input: Input<cases::Record>) -> Outcome {
        let shard = Shard {
            partition: event::Partition(partition),
            partitions: self.partitions,
        };
        let state = &mut self.states[partition as usize];
        let mut effects = Effects::new();
        let mut overlay = state.overlay();
        let outcome = Cases::new().step(self.now, shard, input, &mut overlay, &mut effects);
        for (key, change) in state.changes() {
            if let Some(row) = change {
                survives_its_codec(key, row);
            }
        }
        state.commit();
        for record in effects.into_records() {
            if let event::Record::CaseInput(input) = record {
                let to = self.partition(&input);
                assert_ne!(
                    to, partition,
                    "what stays in its partition takes no way through the log"
                );
                self.pipes
                    .entry((Some(partition), to))
                    .or_default()
                    .push_back(input);
            } else {
                self.records.push(record);
            }
        }
        self.inputs += 1;
        outcome
    }

    pub(crate) fn next_due(&self, partition: u32) -> Option<Time> {
        let state = &self.states[partition as usize];
        Cases::new().next_due(&Overlay::trial(state))
    }

    /// Lets time pass up to now: fires what is due everywhere.
    pub(crate) fn tick(&mut self) {
        for partition in 0..self.partitions {
            while self.next_due(partition).is_some_and(|due| due <= self.now) {
                let due = self.now;
                assert_eq!(self.step(partition, Input::Tick { due }), Outcome::Ticked);
            }
        }
    }

    /// Moves one input, of the pipe that `choice` picks, or does waiting work; `false` when nothing is left to do.
    pub(crate) fn advance(&mut self, choice: usize) -> bool {
        let busy: Vec<u32> = (0..self.partitions)
            .filter(|partition| self.next_due(*partition) == Some(Time::MIN))
            .collect();
        let full: Vec<(Option<u32>, u32)> = self
            .pipes
            .iter()
            .filter(|(_, pipe)| !pipe.is_empty())
            .map(|(pipe, _)| *pipe)
            .collect();
        if busy.is_empty() && full.is_empty() {
            return false;
        }
        let choice = choice % (busy.len() + full.len());
        if let Some(partition) = busy.get(choice) {
            let due = self.now;
            assert_eq!(self.step(*partition, Input::Tick { due }), Outcome::Ticked);
        } else {
            let pipe = full[choice - busy.len()];
            let input = self.pipes.get_mut(&pipe).unwrap().pop_front().unwrap();
            let outcome = self.step(pipe.1, Input::Record(cases::Record::Input(input)));
            assert_ne!(outcome, Outcome::Rejected);
        }
        true
    }

    /// What is under way between partitions, and what waits within them.
    pub(crate) fn waiting(&self) -> (Vec<&CaseInput>, Vec<&Row>) {
        let queued = self.rows().filter(|(key, _)| matches!(key, Key::Queue(_)));
        let under_way = self.pipes.values().flatten();
        (under_way.collect(), queued.map(|(_, row)| row).collect())
    }

    pub(crate) fn rest(&mut self) {
        while self.advance(0) {}
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = (&Key, &Row)> {
        self.states.iter().flat_map(machine::State::iter)
    }

    /// The published cases, as a compacted topic leaves them.
    pub(crate) fn cases(&self) -> BTreeMap<CaseId, State> {
        let mut cases = BTreeMap::new();
        for record in &self.records {
            if let event::Record::Case(Case::State(state)) = record {
                cases.insert(state.case, state.clone());
            }
        }
        cases
    }

    pub(crate) fn steps(&self, case: CaseId) -> Vec<Step> {
        let mut steps = Vec::new();
        for record in &self.records {
            if let event::Record::Case(Case::Step(step)) = record
                && step.case == case
            {
                steps.push(step.clone());
            }
        }
        steps
    }

    pub(crate) fn notices(&self) -> Vec<Notice> {
        let mut notices = Vec::new();
        for record in &self.records {
            if let event::Record::Notice(notice) = record {
                notices.push(notice.clone());
            }
        }
        notices
    }

    pub(crate) fn outcomes(&self) -> Vec<CommandOutcome> {
        let mut outcomes = Vec::new();
        for record in &self.records {
            if let event::Record::CommandOutcome(outcome) = record {
                outcomes.push(outcome.clone());
            }
        }
        outcomes
    }

    /// What holds after every step: and that published states and steps are those kept.
    pub(crate) fn check(&self) {
        let published = self.cases();
        let mut timers = BTreeMap::new();
        for (key, row) in self.rows() {
            match (key, row) {
                (Key::Timer(due, case), Row::Timer) => {
                    assert_eq!(
                        timers.insert(*case, *due),
                        None,
                        "A-1: two timers of {case}"
                    );
                }
                (Key::Case(id), Row::Case(case)) => {
                    assert_eq!(
                        published.get(id),
                        Some(&case.state),
                        "A-5: {id} differs from its row"
                    );
                }
                _ => {}
            }
        }
        for (id, state) in &published {
            assert_eq!(
                timers.get(id).copied(),
                state.deadline,
                "A-1: the timer of {id}"
            );
            let must_have = state.phase.is_open() && !state.dormant;
            assert_eq!(
                state.deadline.is_some(),
                must_have,
                "A-1: the deadline of {id}"
            );
            let numbers: Vec<u32> = self.steps(*id).iter().map(|step| step.step).collect();
            assert_eq!(
                numbers,
                (1..=state.version).collect::<Vec<_>>(),
                "A-5: the steps of {id}"
            );
            let last = self.steps(*id).pop().unwrap();
            assert_eq!(last.owner, state.owner, "A-1: the owner of {id}");
        }
    }
}

fn survives_its_codec(key: &Key, row: &Row) {
    let bytes = postcard::to_stdvec(&(key, row)).unwrap();
    let (read_key, read_row): (Key, Row) = postcard::from_bytes(&bytes).unwrap();
    assert_eq!((&read_key, &read_row), (key, row));
}

pub(crate) fn command(number: u64, case: CaseId, what: CommandKind) -> Command {
    Command {
        case,
        id: event::CommandId::new(token(number)),
        actor: name("aino"),
        departments: Vec::new(),
        any_department: true,
        what,
        reason: Some("because".to_owned()),
        expected_version: None,
        time: Time::MAX,
        to: None,
        how: Some(ContactHow::Phone),
        reached: Some(true),
        told: Some(ContactHow::Email),
        on: None,
        until: None,
        asked: None,
    }
}
