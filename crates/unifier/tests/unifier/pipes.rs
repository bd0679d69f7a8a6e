//! All machines together over simulated pipes: any number of partitions, any interleaving, repeats, corrections, queues that fill
//! early.

mod check;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use event::{
    Event, EventId, MatterId, Partition, ProfileId, Record, Standing, Token, Version,
    case::StepKind,
    case_input::{CaseInput, Regroup, Signal},
    timeline::{Entry, StepEntry, Timeline},
    timeline_input::{Out, StepNote, TimelineInput},
};
use machine::{Outcome, RECORDS_MAX, Shard};
use rand::{Rng, SeedableRng, rngs::StdRng};
use unifier::unify;

use self::check::check_indices;
use crate::{
    sample::{Identifier, Runner, Unifier},
    story::{Story, any_decisions, any_story, honest_story},
};

/// Who sends. A channel leads from one sender to one partition of one topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum From {
    Doors,
    Company,
    Unify(u32),
    Identify,
    Cases,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum To {
    Event(u32),
    Claim(u32),
    Assignment(u32),
    Timeline(u32),
    Link,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Each channel keeps its order; channels overtake each other.
    Channels,
    /// What comes to a timeline comes in any order at all, but for the changes of the list of values that are out.
    None,
}

struct Pipes {
    partitions: u32,
    order: Order,
    random: StdRng,
    unify: Vec<Unifier>,
    /// None where somebody else decides and nobody listens to him.
    identify: Option<Identifier>,
    channels: BTreeMap<(From, To), VecDeque<Record>>,
    outcomes: BTreeMap<Outcome, usize>,
    /// The last word of `identify` on each value, and what it said is out.
    owners: BTreeMap<Token, (Version, ProfileId, bool)>,
    out: BTreeMap<u32, BTreeSet<Token>>,
    ever_out: BTreeSet<Token>,
    /// What each partition of `event` took of an event last, and all that ever happened.
    taken: BTreeMap<EventId, u32>,
    happened: Vec<Event>,
    entries: BTreeMap<(ProfileId, EventId), Entry>,
    steps: BTreeMap<(ProfileId, Token), StepEntry>,
    signals: Vec<Signal>,
    regroups: Vec<Regroup>,
    /// How the cases know their customers, and what they told them.
    anchors: BTreeMap<MatterId, BTreeMap<Token, (ProfileId, Version)>>,
    notes: BTreeSet<(Token, Token, MatterId)>,
    turns: usize,
    ticks: usize,
}

impl Pipes {
    fn new(partitions: u32, order: Order, mut random: StdRng) -> Self {
        let (records_max, decisions_max) = if random.random_bool(0.5) {
            (random.random_range(9..14), random.random_range(1..5))
        } else {
            (RECORDS_MAX, RECORDS_MAX)
        };
        let runner = |partition| {
            let mut runner = Runner::new(
                unify::Unify::new(),
                Shard {
                    partition,
                    partitions,
                },
            );
            runner.records_max = records_max;
            runner
        };
        let mut identify = Identifier::for_partitions(partitions);
        identify.records_max = decisions_max;
        Self {
            partitions,
            order,
            random,
            unify: Partition::all(partitions).map(runner).collect(),
            identify: Some(identify),
            channels: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            owners: BTreeMap::new(),
            out: BTreeMap::new(),
            ever_out: BTreeSet::new(),
            taken: BTreeMap::new(),
            happened: Vec::new(),
            entries: BTreeMap::new(),
            steps: BTreeMap::new(),
            signals: Vec::new(),
            regroups: Vec::new(),
            anchors: BTreeMap::new(),
            notes: BTreeSet::new(),
            turns: 0,
            ticks: 0,
        }
    }

    /// Somebody else decides, whatever is reported.
    fn decided_by(mut self, decisions: Vec<Record>) -> Self {
        self.identify = None;
        self.identified(decisions);
        self
    }

    fn run(mut self, story: &Story) -> Self {
        for event in &story.said {
            let record = match event.standing {
                Standing::Correctable => Record::Claim(event.clone()),
                _ => Record::Event(event.clone()),
            };
            self.send(From::Doors, record);
        }
        for record in story.commands(self.partitions, &mut self.random) {
            self.send(From::Company, record);
        }
        while self.turn() {
            self.turns += 1;
            if self.turns.is_multiple_of(5) {
                self.check_places();
            }
        }
        self.check_places();
        for unify in &self.unify {
            unify.check_rows();
            check_indices(unify);
        }
        self
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    fn send(&mut self, from: From, record: Record) {
        let partition = Partition::of(&record.key(), self.partitions).0;
        let to = match &record {
            Record::Event(_) => To::Event(partition),
            Record::Claim(_) => To::Claim(partition),
            Record::Assignment(_) => To::Assignment(partition),
            Record::TimelineInput(_) => To::Timeline(partition),
            Record::Link(_) => To::Link,
            other => panic!("nobody here reads {other:?}"),
        };
        self.channels
            .entry((from, to))
            .or_default()
            .push_back(record);
    }

    /// One machine takes one input; false when all is at rest.
    fn turn(&mut self) -> bool {
        let channels: Vec<(From, To)> = self.channels.keys().copied().collect();
        let waiting: Vec<u32> = (0..self.partitions)
            .filter(|partition| self.unify[*partition as usize].waits())
            .collect();
        let identify_waits = self.identify.as_ref().is_some_and(Identifier::waits);
        let choices = channels.len() + waiting.len() + usize::from(identify_waits);
        if choices == 0 {
            return false;
        }
        let choice = self.random.random_range(0..choices);
        if let Some((from, to)) = channels.get(choice) {
            let record = self.receive(*from, *to);
            self.deliver(*to, record);
        } else if let Some(partition) = waiting.get(choice - channels.len()) {
            self.ticks += 1;
            let records = self.unify[*partition as usize].tick();
            self.unified(*partition, records);
        } else if let Some(identify) = &mut self.identify {
            self.ticks += 1;
            let records = identify.tick();
            self.identified(records);
        }
        true
    }

    fn receive(&mut self, from: From, to: To) -> Record {
        let channel = self.channels.get_mut(&(from, to)).unwrap();
        let any_order = match (self.order, to) {
            (Order::None, To::Timeline(_) | To::Assignment(_)) => true,
            (Order::Channels | Order::None, _) => false,
        };
        let mut index = if any_order {
            self.random.random_range(0..channel.len())
        } else {
            0
        };
        let is_change =
            |record: &Record| matches!(record, Record::TimelineInput(TimelineInput::Out(_)));
        if is_change(&channel[index]) {
            index = channel.iter().position(is_change).unwrap();
        }
        let record = channel.remove(index).unwrap();
        if channel.is_empty() {
            self.channels.remove(&(from, to));
        }
        record
    }

    fn deliver(&mut self, to: To, record: Record) {
        let (outcome, records) = match (to, record) {
            (To::Link, Record::Link(link)) => match &mut self.identify {
                Some(identify) => identify.link(link),
                None => return,
            },
            (To::Event(at), Record::Event(event)) => {
                let (outcome, records) = self.unify[at as usize].event(event.clone());
                if outcome == Outcome::Applied {
                    let taken = self.taken.entry(event.id).or_default();
                    *taken = event.revision.max(*taken);
                    self.happened.push(event);
                }
                (outcome, records)
            }
            (To::Claim(at), Record::Claim(event)) => self.unify[at as usize].claim(event),
            (To::Timeline(at), Record::TimelineInput(input)) => {
                self.unify[at as usize].timeline(input)
            }
            (To::Assignment(at), Record::Assignment(assignment)) => {
                self.unify[at as usize].take(unify::Record::Assignment(assignment))
            }
            (to, record) => panic!("{record:?} at {to:?}"),
        };
        *self.outcomes.entry(outcome).or_default() += 1;
        match to {
            To::Link => self.identified(records),
            To::Event(at) | To::Claim(at) | To::Assignment(at) | To::Timeline(at) => {
                self.unified(at, records);
            }
        }
    }

    fn identified(&mut self, records: Vec<Record>) {
        for record in records {
            match &record {
                Record::CaseInput(CaseInput::Regroup(regroup)) => {
                    self.regroups.push(regroup.clone());
                    continue;
                }
                Record::Assignment(told) => {
                    let owner = (told.version, told.profile, told.out);
                    let known = self.owners.insert(told.token(), owner);
                    assert!(known.is_none_or(|known| known.0 < told.version));
                }
                Record::TimelineInput(TimelineInput::Out(change)) => self.list(change),
                _ => {}
            }
            self.send(From::Identify, record);
        }
    }

    fn list(&mut self, change: &Out) {
        let list = self.out.entry(change.partition.0).or_default();
        list.extend(&change.out);
        list.retain(|value| !change.back.contains(value));
        self.ever_out.extend(&change.out);
    }

    fn unified(&mut self, at: u32, records: Vec<Record>) {
        for record in records {
            match record {
                Record::Timeline(row) => self.show(row),
                Record::CaseInput(CaseInput::Signal(signal)) => self.signal(signal),
                Record::CaseInput(CaseInput::Regroup(regroup)) => self.regroups.push(regroup),
                record => {
                    if let Record::TimelineInput(_) = record {
                        let to = Partition::of(&record.key(), self.partitions);
                        assert_ne!(to, Partition(at), "U-11: what stays costs no message");
                    }
                    self.send(From::Unify(at), record);
                }
            }
        }
    }

    /// Folds topic `timeline`, and holds it to telling the truth at every moment: what moves away was there.
    fn show(&mut self, row: Timeline) {
        match row {
            Timeline::Entry(entry) => {
                self.entries.insert((entry.profile, entry.event), entry);
            }
            Timeline::Step(step) => {
                let known = self.steps.insert((step.profile, step.id), step);
                assert_eq!(known, None, "a step is shown once");
            }
            Timeline::Moved(moved) => {
                let event = EventId::new(moved.entry);
                let entry = self.entries.remove(&(moved.profile, event)).is_some();
                let step = self.steps.remove(&(moved.profile, moved.entry)).is_some();
                let is_corrected = self.taken.get(&event).is_some_and(|revision| *revision > 0);
                assert!(is_corrected || (entry ^ step), "{moved:?}");
            }
        }
    }

    /// A case that answers the first signal of an event with a step to each customer it knows by then.
    fn signal(&mut self, signal: Signal) {
        // What the unifier concludes from several events is for other tests.
        if !self.taken.contains_key(&signal.event) && !self.is_said(signal.event) {
            return;
        }
        let anchors = self.anchors.entry(signal.matter).or_default();
        let anchor = anchors
            .entry(signal.route)
            .or_insert((signal.profile, signal.route_version));
        if anchor.1 < signal.route_version {
            *anchor = (signal.profile, signal.route_version);
        }
        let first = self.signals.iter().all(|known| known.event != signal.event);
        if first {
            let id = Token::hash("step", &[signal.event.as_bytes()]);
            for (route, (profile, version)) in anchors.clone() {
                self.notes.insert((id, route, signal.matter));
                let note = StepNote {
                    profile,
                    route,
                    version,
                    case: signal.case,
                    matter: signal.matter,
                    id,
                    step: 1,
                    time: signal.received,
                    what: StepKind::Heard,
                    department: None,
                };
                let input = TimelineInput::Step(note);
                self.send(From::Cases, Record::TimelineInput(input));
            }
        }
        self.signals.push(signal);
    }

    fn is_said(&self, event: EventId) -> bool {
        self.happened.iter().any(|known| known.id == event)
    }
}

/// U-4 to U-7, U-9 to U-11, whoever decides: the list of values that are out and the moves come in any order to each other.
#[test]
fn every_event_comes_to_rest_where_the_last_decisions_say() {
    let mut forwarded = 0;
    for seed in 0..250 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut story = any_story(&mut random);
        story.rules.clear();
        story.decisions.clear();
        let partitions = [1, 2, 8][random.random_range(0..3)];
        let order = [Order::Channels, Order::None][random.random_range(0..2)];
        eprintln!("seed {seed}: P = {partitions}, order {order:?}");
        let decisions = any_decisions(partitions, &mut random);
        let pipes = Pipes::new(partitions, order, random)
            .decided_by(decisions)
            .run(&story);
        pipes.check(&story);
        forwarded += pipes.count(Outcome::Forwarded);
    }
    assert!(forwarded > 1_000, "{forwarded}");
}

/// The same with the machine that decides, its rules, its limits and persons who overrule it.
#[test]
fn every_event_comes_to_rest_on_the_one_page_it_belongs_to() {
    let (mut ticks, mut duplicates, mut out) = (0, 0, 0);
    for seed in 0..250 {
        let mut random = StdRng::seed_from_u64(seed);
        let story = any_story(&mut random);
        let partitions = [1, 2, 8][random.random_range(0..3)];
        let order = [Order::Channels, Order::None][random.random_range(0..2)];
        eprintln!("seed {seed}: P = {partitions}, order {order:?}");
        let pipes = Pipes::new(partitions, order, random).run(&story);
        pipes.check(&story);
        ticks += pipes.ticks;
        duplicates += pipes.count(Outcome::Duplicate);
        out += pipes.ever_out.len();
    }
    assert!(
        ticks > 1_000 && duplicates > 500 && out > 250,
        "{ticks} {duplicates} {out}"
    );
}

/// U-6.
#[test]
fn partition_counts_and_interleavings_make_no_difference() {
    for seed in 0..40 {
        let mut random = StdRng::seed_from_u64(seed);
        let story = honest_story(&mut random);
        let mut first = None;
        for partitions in [1, 2, 8] {
            for order in [Order::Channels, Order::None] {
                let story = story.shuffled(&mut random);
                let random = StdRng::seed_from_u64(random.random());
                let pipes = Pipes::new(partitions, order, random).run(&story);
                pipes.check(&story);
                let entries = pipes.entries.values();
                let pages: BTreeSet<_> = entries
                    .map(|entry| {
                        let case = pipes.case_of(entry.matter);
                        let line = (entry.profile, entry.time, entry.event);
                        (line, entry.content, entry.matter, case)
                    })
                    .collect();
                let first = first.get_or_insert_with(|| pages.clone());
                assert_eq!(
                    *first, pages,
                    "seed {seed}, P = {partitions}, order {order:?}"
                );
            }
        }
    }
}
