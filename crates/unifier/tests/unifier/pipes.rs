//! All machines together over simulated pipes: any number of partitions, any interleaving, repeats, queues that fill early.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use event::{
    CaseId, Event, EventId, Kind, MatterId, Partition, ProfileId, Record, Time, Token, Version,
    case::StepKind,
    case_input::{CaseInput, Regroup, Signal},
    link::{Link, Set},
    timeline::{Entry, StepEntry, Timeline},
    timeline_input::{StepNote, TimelineInput},
};
use machine::{Outcome, RECORDS_MAX, Shard};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use unifier::unify;

use crate::{
    oracle::World,
    plan::{Plan, accepted, any_plan, honest_plan, matter, repeat_some, route, window_cases},
    sample::{Identifier, Runner, Unifier, rules},
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
    Assignment(u32),
    Timeline(u32),
    Link,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Each channel keeps its order; channels overtake each other.
    Channels,
    /// What comes to a timeline comes in any order at all.
    None,
}

struct Pipes {
    partitions: u32,
    order: Order,
    random: StdRng,
    unify: Vec<Unifier>,
    identify: Identifier,
    channels: BTreeMap<(From, To), VecDeque<Record>>,
    /// In the order in which `identify` took them.
    sets: Vec<Set>,
    outcomes: BTreeMap<Outcome, usize>,
    entries: BTreeMap<(ProfileId, EventId), Entry>,
    steps: BTreeMap<(ProfileId, Token), StepEntry>,
    signals: Vec<Signal>,
    regroups: Vec<Regroup>,
    /// How the cases know their customers, and what they told them.
    anchors: BTreeMap<MatterId, BTreeMap<Token, (ProfileId, Version)>>,
    notes: BTreeSet<(Token, Token, MatterId)>,
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
        let mut identify = Identifier::single();
        identify.records_max = decisions_max;
        Self {
            partitions,
            order,
            random,
            unify: Partition::all(partitions).map(runner).collect(),
            identify,
            channels: BTreeMap::new(),
            sets: Vec::new(),
            outcomes: BTreeMap::new(),
            entries: BTreeMap::new(),
            steps: BTreeMap::new(),
            signals: Vec::new(),
            regroups: Vec::new(),
            anchors: BTreeMap::new(),
            notes: BTreeSet::new(),
            ticks: 0,
        }
    }

    fn run(mut self, plan: &Plan) -> Self {
        for event in &plan.events {
            self.send(From::Doors, Record::Event(event.clone()));
        }
        for company in &plan.rules {
            let one = rules(company, Partition(0));
            self.send(From::Company, Record::Link(Link::Rules(one)));
            for partition in Partition::all(self.partitions) {
                let one = rules(company, partition);
                let input = TimelineInput::Rules(one);
                self.send(From::Company, Record::TimelineInput(input));
            }
        }
        while self.turn() {}
        self.identify.check_rows();
        for unify in &self.unify {
            unify.check_rows();
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
        let identify_waits = usize::from(self.identify.waits());
        let choices = channels.len() + waiting.len() + identify_waits;
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
        } else {
            self.ticks += 1;
            let records = self.identify.tick();
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
        let index = if any_order {
            self.random.random_range(0..channel.len())
        } else {
            0
        };
        let record = channel.remove(index).unwrap();
        if channel.is_empty() {
            self.channels.remove(&(from, to));
        }
        record
    }

    fn deliver(&mut self, to: To, record: Record) {
        let (outcome, records) = match (to, record) {
            (To::Link, Record::Link(link)) => {
                if let Link::Set(set) = &link {
                    self.sets.push(set.clone());
                }
                self.identify.link(link)
            }
            (To::Event(at), Record::Event(event)) => self.unify[at as usize].event(event),
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
            To::Event(at) | To::Assignment(at) | To::Timeline(at) => self.unified(at, records),
        }
    }

    fn identified(&mut self, records: Vec<Record>) {
        for record in records {
            match record {
                Record::CaseInput(CaseInput::Regroup(regroup)) => self.regroups.push(regroup),
                record => self.send(From::Identify, record),
            }
        }
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
                let event = (moved.profile, EventId::new(moved.entry));
                let entry = self.entries.remove(&event).is_some();
                let step = self.steps.remove(&(moved.profile, moved.entry)).is_some();
                assert!(entry ^ step, "{moved:?}");
            }
        }
    }

    /// A case that answers each signal with a step to each customer it knows by then.
    fn signal(&mut self, signal: Signal) {
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

    /// Every customer's page against the grouping function applied to the run's own `identity.link`.
    fn check(&self, plan: &Plan) {
        let company = plan.rules.last().cloned().unwrap_or_default();
        let world = World::of(&self.sets, &company);
        let accepted = accepted(plan);
        let distinct: BTreeSet<EventId> = plan.events.iter().map(|event| event.id).collect();
        let repeats = plan.events.len() - distinct.len();
        assert_eq!(self.count(Outcome::Duplicate), repeats);
        assert_eq!(
            self.count(Outcome::Anonymous),
            distinct.len() - accepted.len()
        );
        let owner = |event: &Event| world.profile(route(event, &company));
        let mut pages: BTreeMap<ProfileId, BTreeSet<(Time, EventId, MatterId)>> = BTreeMap::new();
        for event in &accepted {
            let line = (event.time, event.id, matter(event));
            pages.entry(owner(event)).or_default().insert(line);
        }
        assert_eq!(self.pages(), pages);
        for event in &accepted {
            let heard: Vec<&Signal> = self
                .signals
                .iter()
                .filter(|s| s.event == event.id)
                .collect();
            let speaks = event.kind != Kind::Service || event.name.head() == "call";
            assert_eq!(!heard.is_empty(), speaks);
            let last = heard
                .iter()
                .filter(|signal| signal.route == route(event, &company))
                .max_by_key(|signal| signal.route_version);
            assert_eq!(
                last.map(|signal| signal.profile),
                speaks.then(|| owner(event))
            );
        }
        let steps: BTreeSet<(ProfileId, Token)> = self
            .notes
            .iter()
            .map(|(id, route, _)| (world.profile(*route), *id))
            .collect();
        assert_eq!(self.steps.keys().copied().collect::<BTreeSet<_>>(), steps);
        if plan.rules.is_empty() {
            let cases: BTreeSet<(ProfileId, MatterId)> = self
                .notes
                .iter()
                .map(|(_, route, matter)| (world.profile(*route), *matter))
                .collect();
            for entry in self.entries.values() {
                let known = cases.contains(&(entry.profile, entry.matter));
                assert_eq!(entry.case, known.then(|| entry.matter.own_case()));
            }
        }
        let mut cases = window_cases(&accepted);
        cases.extend(world.cases);
        for (matter, case) in &cases {
            assert_eq!(self.case_of(*matter), *case);
        }
    }

    fn pages(&self) -> BTreeMap<ProfileId, BTreeSet<(Time, EventId, MatterId)>> {
        let mut pages: BTreeMap<ProfileId, BTreeSet<_>> = BTreeMap::new();
        for ((profile, event), entry) in &self.entries {
            let line = (entry.time, *event, entry.matter);
            pages.entry(*profile).or_default().insert(line);
        }
        pages
    }

    fn case_of(&self, matter: MatterId) -> CaseId {
        self.regroups
            .iter()
            .filter(|regroup| regroup.matter == matter)
            .max_by_key(|regroup| regroup.version)
            .map_or(matter.own_case(), |regroup| regroup.to)
    }
}

/// U-4 to U-7, U-9 to U-11.
#[test]
fn every_event_comes_to_rest_on_the_one_page_it_belongs_to() {
    let (mut ticks, mut forwarded, mut duplicates) = (0, 0, 0);
    for seed in 0..400 {
        let mut random = StdRng::seed_from_u64(seed);
        let plan = any_plan(&mut random);
        let partitions = [1, 2, 4, 8][random.random_range(0..4)];
        let order = [Order::Channels, Order::None][random.random_range(0..2)];
        eprintln!("seed {seed}: P = {partitions}, order {order:?}");
        let pipes = Pipes::new(partitions, order, random).run(&plan);
        pipes.check(&plan);
        ticks += pipes.ticks;
        forwarded += pipes.count(Outcome::Forwarded);
        duplicates += pipes.count(Outcome::Duplicate);
    }
    // The runs were worth it.
    assert!(ticks > 2_000, "{ticks}");
    assert!(forwarded > 500, "{forwarded}");
    assert!(duplicates > 500, "{duplicates}");
}

/// U-6.
#[test]
fn partition_counts_and_interleavings_make_no_difference() {
    for seed in 0..40 {
        let mut random = StdRng::seed_from_u64(seed);
        let plan = honest_plan(&mut random);
        let mut first = None;
        for partitions in [1, 2, 4, 8] {
            for order in [Order::Channels, Order::None] {
                let mut plan = plan.clone();
                plan.events.shuffle(&mut random);
                repeat_some(&mut plan.events, &mut random);
                let random = StdRng::seed_from_u64(random.random());
                let pipes = Pipes::new(partitions, order, random).run(&plan);
                pipes.check(&plan);
                let cases: BTreeMap<MatterId, CaseId> = accepted(&plan)
                    .iter()
                    .map(|event| (matter(event), pipes.case_of(matter(event))))
                    .collect();
                let outcome = (pipes.pages(), cases);
                let first = first.get_or_insert_with(|| outcome.clone());
                assert_eq!(
                    *first, outcome,
                    "seed {seed}, P = {partitions}, order {order:?}"
                );
            }
        }
    }
}
