//! What happens: phases of events, each followed by commands once all is quiet, an hour apart.

use std::collections::BTreeMap;

use event::{
    Event, EventId, MatterId, Millis, Name, Partition, Record, Score, SourceId, Standing, Time,
    Token, Topic,
    case::ContactHow,
    case_input::{CaseInput, Command, CommandKind},
    link::{Decision, Link},
    rules::Rules,
    timeline_input::{Out, TimelineInput},
};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use stream::TopicPartition;

use super::{
    calm::Guard,
    cast::Cast,
    company::{DEPARTMENTS, Strictness, company, department, name},
    draft::{self, Draft, Pen},
    oracle,
};

/// In the middle of a cell of the grid of a week.
pub(super) const START: Time = Time::from_millis((2_900 * 7 + 3) * 86_400_000 + 10 * 3_600_000);
pub(super) const PHASE: Millis = Millis::from_hours(1);
/// From the beginning of a phase until its commands.
pub(super) const UNTIL_COMMANDS: Millis = Millis::from_secs(600);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Calm,
    Wild,
    Tangled,
}

/// What is sent to Polku, in order.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) seed: u64,
    pub(super) mood: Mood,
    pub(super) partitions: u32,
    pub(super) phases: Vec<Phase>,
    /// Each event once, as it was said last.
    pub(super) events: BTreeMap<EventId, Event>,
    /// Some records break an assertion, which is then no fault of the machine.
    pub(super) asserts: bool,
    /// How many records a loop takes at once.
    pub(super) batch_records_max: usize,
}

#[derive(Debug)]
pub(super) struct Phase {
    pub(super) at: Time,
    pub(super) sends: Vec<Send>,
    pub(super) commands: Vec<Command>,
    pub(super) mark: Mark,
}

/// What is asked of the timelines at the end of a phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mark {
    #[default]
    Nothing,
    Remember,
    /// They are what they were when they were remembered.
    AsBefore,
}

#[derive(Clone, Debug)]
pub(super) enum Send {
    Record(Box<Record>),
    /// Bytes that are no record.
    Poison(TopicPartition),
    /// A record on which a machine asserts that nobody writes it.
    Impossible(Box<Record>),
}

impl Send {
    /// As the door writes it.
    pub(super) fn of(event: Event) -> Send {
        Send::Record(Box::new(match event.standing {
            Standing::Correctable => Record::Claim(event),
            Standing::Final | Standing::Withdrawn | Standing::Unknown => Record::Event(event),
        }))
    }
}

impl Story {
    /// The same for whatever number of partitions.
    pub(super) fn of(seed: u64, partitions: u32) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed ^ 0x706f_6c6b_7500);
        let mood = match seed % 5 {
            0 | 2 => Mood::Calm,
            4 => Mood::Wild,
            _ => Mood::Tangled,
        };
        let batch_records_max = [1, 4, 16][rng.random_range(0..3)];
        let cast = Cast::new(seed, &mut rng);
        let writer = Writer {
            rng,
            guard: Guard::new(),
            cast,
            story: Story {
                seed,
                mood,
                partitions,
                phases: Vec::new(),
                events: BTreeMap::new(),
                asserts: seed.is_multiple_of(5),
                batch_records_max,
            },
            strict: Strictness::default(),
            commands: 0,
            decisions: Vec::new(),
            decided: 0,
            claims: Vec::new(),
        };
        match mood {
            Mood::Calm | Mood::Wild => writer.write(),
            Mood::Tangled => writer.tangle(),
        }
    }
}

pub(super) struct Writer {
    pub(super) rng: SmallRng,
    guard: Guard,
    pub(super) cast: Cast,
    pub(super) story: Story,
    pub(super) strict: Strictness,
    commands: usize,
    /// Those that may be undone.
    pub(super) decisions: Vec<Decision>,
    pub(super) decided: usize,
    /// What was said by who may correct it.
    pub(super) claims: Vec<EventId>,
}

impl Writer {
    fn write(mut self) -> Story {
        let rules = self.rules(1);
        self.phase(START, rules);
        let phases = self.rng.random_range(3..6);
        let blocks = self.rng.random_range(1..2 * phases);
        for number in 1..=phases {
            let at = START + Millis::new(PHASE.as_millis() * i64::from(number));
            let mut sends = Vec::new();
            if number == blocks {
                self.strict.blocked = vec![self.cast.kiosk.token];
                sends = self.rules(2);
            }
            // In a calm story nothing else happens while the rules change.
            if number != blocks || self.story.mood == Mood::Wild {
                self.events(at, &mut sends);
            }
            let commands = self.commands(at + UNTIL_COMMANDS);
            self.guard.turn_over();
            self.story.phases.push(Phase {
                at,
                sends,
                commands,
                mark: Mark::Nothing,
            });
        }
        // Deadlines pass, and nothing else.
        for number in [phases + 1, phases + 4] {
            let at = START + Millis::new(PHASE.as_millis() * i64::from(number));
            self.phase(at, Vec::new());
        }
        self.story
    }

    pub(super) fn phase(&mut self, at: Time, sends: Vec<Send>) {
        self.story.phases.push(Phase {
            at,
            sends,
            commands: Vec::new(),
            mark: Mark::Nothing,
        });
    }

    /// Each partition of each input that rules travel in gets its copy.
    pub(super) fn rules(&self, version: u64) -> Vec<Send> {
        let company = company(version, &self.strict, self.story.mood);
        let rules = |partition| Rules {
            partition,
            company: Box::new(company.clone()),
        };
        let mut records = vec![Record::Link(Link::Rules(rules(Partition(0))))];
        for partition in Partition::all(self.story.partitions) {
            records.push(Record::TimelineInput(TimelineInput::Rules(rules(
                partition,
            ))));
            records.push(Record::CaseInput(CaseInput::Rules(rules(partition))));
        }
        records
            .into_iter()
            .map(|record| Send::Record(Box::new(record)))
            .collect()
    }

    pub(super) fn events(&mut self, at: Time, sends: &mut Vec<Send>) {
        for nth in 0..self.rng.random_range(6..15) {
            if self.rng.random_bool(0.06) {
                sends.push(self.poison());
            }
            if self.rng.random_bool(0.1) {
                self.repeat(sends);
            }
            let draft = Pen {
                rng: &mut self.rng,
                cast: &self.cast,
                mood: self.story.mood,
            }
            .draft();
            let received = at + Millis::new(nth);
            let event = self.event(&draft, received);
            if self.story.mood == Mood::Tangled && self.claim(&event, sends) {
                continue;
            }
            let calm = self.story.mood == Mood::Calm;
            let meaning = oracle::meaning(&event);
            if calm && !self.guard.allows(&draft, &event, meaning, &self.cast) {
                continue;
            }
            self.story.events.insert(event.id, event.clone());
            sends.push(Send::of(event));
        }
    }

    fn poison(&mut self) -> Send {
        if self.story.asserts && self.rng.random_bool(0.5) {
            // No change of the list comes that long before its time.
            let out = Out {
                partition: Partition(0),
                number: 1_000_000,
                out: Vec::new(),
                back: Vec::new(),
            };
            let record = Record::TimelineInput(TimelineInput::Out(out));
            return Send::Impossible(Box::new(record));
        }
        let topic = match self.rng.random_range(0..5) {
            0 => Topic::Event,
            1 => Topic::IdentityLink,
            2 => Topic::TimelineInput,
            3 => Topic::Claim,
            _ => Topic::CaseInput,
        };
        let partitions = topic.partitions().count(self.story.partitions);
        let partition = Partition(self.rng.random_range(0..1_000) % partitions);
        Send::Poison(TopicPartition::new(topic, partition))
    }

    /// The sender says again what it said.
    fn repeat(&mut self, sends: &mut Vec<Send>) {
        let count = self.story.events.len();
        if count > 0 {
            let nth = self.rng.random_range(0..count);
            let event = self.story.events.values().nth(nth).cloned();
            sends.extend(event.map(Send::of));
        }
    }

    fn event(&mut self, draft: &Draft, received: Time) -> Event {
        let id = EventId::new(self.cast.token("event", self.story.events.len()));
        let late = match (draft.history, self.story.mood) {
            (true, _) => Millis::from_days(self.rng.random_range(2..30)),
            (false, Mood::Calm) if self.rng.random_bool(0.3) => {
                Millis::from_secs(self.rng.random_range(0..7_200))
            }
            (false, Mood::Wild | Mood::Tangled) if self.rng.random_bool(0.5) => {
                Millis::from_secs(self.rng.random_range(0..18_000))
            }
            (false, Mood::Calm | Mood::Wild | Mood::Tangled) => Millis::ZERO,
        };
        Event {
            id,
            source: SourceId::new(draft.source.id).expect("the sources' names are ids"),
            channel: draft.source.channel,
            revision: 0,
            kind: draft.kind,
            name: name(draft.what),
            time: received - late,
            received,
            time_clamped: false,
            anchor: draft
                .values
                .first()
                .map_or_else(|| id.token(), |value| value.token),
            values: draft.values.clone(),
            trusted: draft.source.trusted,
            perspective: draft.perspective,
            history: draft.history,
            score: draft.score.map(|value| Score {
                metric: name("nps"),
                value: f64::from(value),
                min: 0.0,
                max: 10.0,
            }),
            language: None,
            place: None,
            product: None,
            stage: None,
            touchpoint: None,
            party: (draft.source.id == draft::CARRIER.id).then(|| name("carrier")),
            amount: None,
            promise: None,
            operational: BTreeMap::new(),
            recorded_by: None,
            standing: event::Standing::Final,
            rules_version: 1,
            content: Token::hash("content", &[id.as_bytes()]),
            personal: vec![0],
        }
    }

    /// In a wild story commands about one matter only, since two ids may come to one case by ways of different length.
    fn commands(&mut self, time: Time) -> Vec<Command> {
        let events = self.story.events.values();
        let mut matters: Vec<MatterId> = events
            .filter(|event| oracle::meaning(event).is_some_and(|meaning| meaning.opens))
            .map(|event| oracle::matter(event, self.story.mood))
            .collect();
        matters.sort_unstable();
        matters.dedup();
        let count = match self.story.mood {
            Mood::Calm => self.rng.random_range(0..5),
            Mood::Wild | Mood::Tangled => self.rng.random_range(0..2),
        };
        let mut commands = Vec::new();
        for _ in 0..count {
            if matters.is_empty() {
                break;
            }
            let matter = matters[self.rng.random_range(0..matters.len())];
            if self.story.mood == Mood::Calm && !self.guard.allows_commands(matter) {
                continue;
            }
            for what in self.intentions() {
                if what == CommandKind::Resolve {
                    self.guard.may_be_resolved(matter);
                }
                commands.push(self.command(matter, what, time));
            }
        }
        commands
    }

    /// In a calm story nothing is heard of the party, since which of its events comes first would be told.
    fn awaited(&self) -> Name {
        match self.story.mood {
            Mood::Calm => name("installer"),
            Mood::Wild | Mood::Tangled => name("carrier"),
        }
    }

    /// What people mean to do one after the other, sensible or not.
    fn intentions(&mut self) -> Vec<CommandKind> {
        use CommandKind::{
            Accept, Acknowledge, Claim, Contact, Decline, HandOff, Note, Release, Reopen, Resolve,
            Resume, Wait,
        };
        let any = [
            Acknowledge,
            Contact,
            HandOff,
            Accept,
            Decline,
            Resolve,
            Reopen,
            Claim,
            Release,
            Note,
            Wait,
            Resume,
        ];
        match self.rng.random_range(0..8) {
            0 => vec![HandOff, Accept],
            1 => vec![HandOff, Decline],
            2 => vec![Acknowledge, Contact, Resolve],
            3 => vec![Resolve, Reopen, HandOff],
            4 => vec![Claim, Note, Release],
            5 => vec![Wait, Contact, Resume, Release],
            _ => vec![any[self.rng.random_range(0..any.len())]],
        }
    }

    fn command(&mut self, matter: MatterId, what: CommandKind, time: Time) -> Command {
        self.commands += 1;
        let id = self.cast.token("command", self.commands);
        let rng = &mut self.rng;
        // In a wild story the order of arrival says which departments a case has been with, and how many steps it has.
        let is_wild = self.story.mood == Mood::Wild;
        let any_department = rng.random_bool(0.8) || is_wild;
        let to = department(DEPARTMENTS[rng.random_range(0..4)]);
        Command {
            case: matter.own_case(),
            id: event::CommandId::new(id),
            actor: name(if any_department { "auditor" } else { "clerk" }),
            departments: vec![to.clone()],
            any_department,
            what,
            reason: rng.random_bool(0.8).then(|| "because".to_owned()),
            expected_version: (rng.random_bool(0.05) && !is_wild).then_some(1),
            time,
            to: (what == CommandKind::HandOff).then(|| to.clone()),
            how: (what == CommandKind::Contact).then_some(ContactHow::Phone),
            reached: (what == CommandKind::Contact).then(|| rng.random_bool(0.7)),
            told: (what == CommandKind::Resolve && rng.random_bool(0.5))
                .then_some(ContactHow::Email),
            on: (what == CommandKind::Wait).then(|| self.awaited()),
            until: None,
            asked: None,
        }
    }
}
