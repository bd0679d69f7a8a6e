//! What happens in a run of the pipes, and what it has to lead to but for who is who.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    CaseId, Class, Company, DecisionId, Event, EventId, Kind, MatterId, Millis, Perspective,
    ProfileId, Record, Standing, Time, Token, Version,
    assignment::Assignment,
    event::Channel,
    link::{Decision, DecisionKind, Link},
    rules::{Normaliser, TypeRule},
    timeline_input::{Move, Out, TimelineInput},
};
use rand::{
    Rng,
    rngs::StdRng,
    seq::{IndexedRandom, SliceRandom},
};

use crate::sample::{company, event, name, rules, token, value};

#[derive(Clone, Default)]
pub(crate) struct Story {
    /// What the doors accept, in order, repeats and corrections included.
    pub(crate) said: Vec<Event>,
    /// Rules, in order.
    pub(crate) rules: Vec<Company>,
    /// Decisions of persons, in order, between the versions of the rules.
    pub(crate) decisions: Vec<Decision>,
}

/// An event as it has to be shown, after all corrections.
pub(crate) fn last_words(story: &Story) -> BTreeMap<EventId, Event> {
    let mut last = BTreeMap::new();
    for event in &story.said {
        let is_correction = event.standing == Standing::Correctable;
        if is_correction || !last.contains_key(&event.id) {
            last.insert(event.id, event.clone());
        }
    }
    last
}

pub(crate) fn has_page(event: &Event) -> bool {
    let is_shown = [Perspective::Customer, Perspective::Test].contains(&event.perspective);
    is_shown && !event.values.is_empty()
}

pub(crate) fn speaks(event: &Event) -> bool {
    event.kind != Kind::Service || event.name.head() == "call"
}

const WEEK: Millis = Millis::from_days(7);

/// What an event may be about: its references in order of strength, then its window. It is about the first that is not out.
pub(crate) fn matters(event: &Event) -> Vec<MatterId> {
    let references = event
        .values
        .iter()
        .filter(|value| value.class == Class::Reference);
    let window = MatterId::of_window(event.anchor, event.name.head(), event.time.floor_to(WEEK));
    let matters = references.map(|reference| MatterId::of_reference(reference.token));
    matters.chain([window]).collect()
}

/// Which case each window's matter is of: events sorted by time, a new case where two are a week apart or a cell lies between.
pub(crate) fn window_cases(events: &[Event]) -> BTreeMap<MatterId, CaseId> {
    let mut lines: BTreeMap<(Token, String), Vec<Time>> = BTreeMap::new();
    for event in events {
        let line = (event.anchor, event.name.head().to_owned());
        lines.entry(line).or_default().push(event.time);
    }
    let mut cases = BTreeMap::new();
    for ((anchor, subject), mut times) in lines {
        times.sort();
        let matter = |time: Time| MatterId::of_window(anchor, &subject, time.floor_to(WEEK));
        for run in times.chunk_by(|one, next| *next - *one < WEEK) {
            let smallest = run.iter().map(|time| matter(*time)).min().unwrap();
            for time in run {
                cases.insert(matter(*time), smallest.own_case());
            }
        }
    }
    cases
}

const IDENTIFIERS: [&str; 4] = ["customer_number", "loyalty_card", "email", "phone"];

fn any_values(random: &mut StdRng) -> String {
    let mut values = BTreeSet::new();
    for _ in 0..random.random_range(0..4) {
        let kind = IDENTIFIERS[random.random_range(0..4)];
        values.insert(format!("{kind}:{}", random.random_range(0..4)));
    }
    for _ in 0..[0, 0, 1, 2][random.random_range(0..4)] {
        let kind = ["order", "shipment"][random.random_range(0..2)];
        values.insert(format!("{kind}:{}", random.random_range(0..5)));
    }
    values.into_iter().collect::<Vec<_>>().join(" ")
}

fn any_event(id: &str, random: &mut StdRng) -> Event {
    let hours = random.random_range(0..24 * 60);
    let mut event = event(id, hours * 3_600_000, &any_values(random));
    event.received = Time::from_millis(60 * 24 * 3_600_000);
    event.channel = [Channel::Store, Channel::Web][random.random_range(0..2)];
    event.kind = [Kind::Service, Kind::Complaint, Kind::Feedback][random.random_range(0..3)];
    event.name = name(["delivery.late", "call", "praise.staff"][random.random_range(0..3)]);
    event.trusted = random.random_bool(0.7);
    event.perspective = [
        Perspective::Customer,
        Perspective::Customer,
        Perspective::Customer,
        Perspective::Customer,
        Perspective::Test,
        Perspective::MysteryShopper,
    ][random.random_range(0..6)];
    event.content = token(&format!("words {}", random.random::<u64>()));
    event
}

/// Events of all kinds, a third of them from senders that correct themselves.
fn any_said(random: &mut StdRng) -> Vec<Event> {
    let mut said = Vec::new();
    for number in 0..random.random_range(1..40) {
        let id = format!("e{number}");
        let first = any_event(&id, random);
        if random.random_bool(0.65) {
            said.push(first);
            continue;
        }
        let mut contents = vec![first];
        for _ in 0..random.random_range(0..5) {
            let last = &contents[contents.len() - 1];
            let next = match random.random_range(0..4) {
                // The same content again, or that of before.
                0 => contents[random.random_range(0..contents.len())].clone(),
                // Other words about the same.
                1 => Event {
                    kind: Kind::Complaint,
                    content: token(&format!("words {}", random.random::<u64>())),
                    ..last.clone()
                },
                _ => any_event(&id, random),
            };
            contents.push(next);
        }
        for mut event in contents {
            event.standing = Standing::Correctable;
            let place = random.random_range(0..=said.len());
            // In order: what was said of it before comes before.
            let after = said.iter().rposition(|other: &Event| other.id == event.id);
            said.insert(place.max(after.map_or(0, |after| after + 1)), event);
        }
    }
    repeat_some(&mut said, random);
    said
}

/// Events, rules that block values and share others, and persons who decide and think better of it.
pub(crate) fn any_story(random: &mut StdRng) -> Story {
    let all = IDENTIFIERS
        .iter()
        .flat_map(|kind| (0..4).map(move |number| format!("{kind}:{number}")));
    let all: Vec<String> = all.collect();
    let rules = 1..=[0, 0, 1, 3][random.random_range(0..4)];
    let rules = rules.map(|version| {
        let blocked: Vec<&str> = all
            .iter()
            .map(String::as_str)
            .filter(|_| random.random_bool(0.15))
            .collect();
        let mut company = company(version, &blocked);
        for (kind, strength) in [("email", 30), ("phone", 40)] {
            let rule = TypeRule {
                strength,
                normaliser: Normaliser::Verbatim,
                limit: Some(random.random_range(1..4)),
                ..TypeRule::default()
            };
            company.identifiers.insert(name(kind), rule);
        }
        company
    });
    let rules = rules.collect();
    let mut decisions: Vec<Decision> = Vec::new();
    for number in 0..[0, 0, 3, 8][random.random_range(0..4)] {
        let some = |random: &mut StdRng| {
            let count = random.random_range(1..3);
            all.choose_multiple(random, count)
                .map(|text| token(text))
                .collect::<Vec<_>>()
        };
        let what = [
            DecisionKind::Apart,
            DecisionKind::Together,
            DecisionKind::Block,
            DecisionKind::Allow,
            DecisionKind::Undo,
        ][random.random_range(0..5)];
        let undoes = decisions.choose(random).map(|decision| decision.id);
        decisions.push(Decision {
            id: DecisionId::new(token(&format!("decision {number}"))),
            what,
            one: some(random),
            other: if what == DecisionKind::Apart {
                some(random)
            } else {
                Vec::new()
            },
            undoes: undoes.filter(|_| what == DecisionKind::Undo),
            actor: name("aino"),
            reason: "they said so".to_owned(),
            time: Time::from_millis(number),
        });
    }
    Story {
        said: any_said(random),
        rules,
        decisions,
    }
}

impl Story {
    /// What the company and its people send, each list in its own order.
    pub(crate) fn commands(&self, partitions: u32, random: &mut StdRng) -> Vec<Record> {
        let mut commands = Vec::new();
        let mut decisions = self.decisions.iter();
        for company in &self.rules {
            let some = random.random_range(0..=decisions.len());
            commands.extend(decisions.by_ref().take(some).cloned().map(decided));
            let one = rules(company, event::Partition(0));
            commands.push(Record::Link(Link::Rules(one)));
            for partition in event::Partition::all(partitions) {
                let one = rules(company, partition);
                commands.push(Record::TimelineInput(TimelineInput::Rules(one)));
            }
        }
        commands.extend(decisions.cloned().map(decided));
        commands
    }
}

fn decided(decision: Decision) -> Record {
    Record::Link(Link::Decision(decision))
}

/// What a decider says that knows no rules: values go from anybody to anybody, out and back.
pub(crate) fn any_decisions(partitions: u32, random: &mut StdRng) -> Vec<Record> {
    let values: Vec<String> = IDENTIFIERS
        .iter()
        .chain(&["order", "shipment"])
        .flat_map(|kind| (0..4).map(move |number| format!("{kind}:{number}")))
        .collect();
    let mut owners: BTreeMap<&str, &str> = values.iter().map(|text| (&**text, &**text)).collect();
    let mut out: BTreeSet<&str> = BTreeSet::new();
    let mut records = Vec::new();
    let (mut version, mut number) = (Version::ZERO, 0);
    for _ in 0..random.random_range(0..40) {
        version = version.next();
        let mut changes = (Vec::new(), Vec::new());
        let mut decided = Vec::new();
        let some = random.random_range(1..4);
        for value in values.choose_multiple(random, some) {
            let before = owners[&**value];
            let toggles = random.random_bool(0.6);
            let was_out = out.contains(&**value);
            let now = if (toggles && !was_out) || (was_out && !toggles) {
                // What is out belongs to itself.
                &**value
            } else {
                &**values.choose(random).unwrap()
            };
            if toggles {
                if was_out {
                    out.remove(&**value);
                    changes.1.push(token(value));
                } else {
                    out.insert(value);
                    changes.0.push(token(value));
                }
            }
            owners.insert(value, now);
            if before != now {
                let moved = Move {
                    from: ProfileId::new(token(before)),
                    to: ProfileId::new(token(now)),
                    values: vec![token(value)],
                    version,
                };
                decided.push(Record::TimelineInput(TimelineInput::Move(moved)));
            }
            decided.push(Record::Assignment(Assignment {
                value: self::value(value),
                profile: ProfileId::new(token(now)),
                version,
                out: out.contains(&**value),
            }));
        }
        if !(changes.0.is_empty() && changes.1.is_empty()) {
            number += 1;
            for partition in event::Partition::all(partitions) {
                decided.push(Record::TimelineInput(TimelineInput::Out(Out {
                    partition,
                    number,
                    out: changes.0.clone(),
                    back: changes.1.clone(),
                })));
            }
        }
        // Nothing depends on the order within a decision.
        decided.shuffle(random);
        records.extend(decided);
    }
    records
}

/// Customers who have several values and name all of them once; references of one customer each; everybody trusted. So no link
/// is ever refused.
pub(crate) fn honest_story(random: &mut StdRng) -> Story {
    let mut said = Vec::new();
    for customer in 0..random.random_range(1..5) {
        let own: Vec<String> = ["customer_number", "email", "phone", "device"]
            .iter()
            .map(|kind| format!("{kind}:{customer}"))
            .collect();
        let references = [format!("order:{customer}"), format!("shipment:{customer}")];
        let any_values = |random: &mut StdRng| {
            let mut values: Vec<String> = own
                .iter()
                .filter(|_| random.random_bool(0.4))
                .cloned()
                .collect();
            if values.is_empty() || random.random_bool(0.2) {
                values.push(references[random.random_range(0..2)].clone());
            }
            values.join(" ")
        };
        let all: Vec<String> = own.iter().chain(&references).cloned().collect();
        for number in 0..random.random_range(1..10) {
            let id = format!("e{customer}-{number}");
            let revisions = [1, 1, 1, 3][random.random_range(0..4)];
            for revision in 0..if number == 0 { 1 } else { revisions } {
                let hours = random.random_range(0..24 * 60);
                let values = if number == 0 {
                    all.join(" ")
                } else {
                    any_values(random)
                };
                let mut event = event(&id, hours * 3_600_000, &values);
                event.received = Time::from_millis(60 * 24 * 3_600_000);
                event.kind = [Kind::Service, Kind::Complaint][random.random_range(0..2)];
                event.content = token(&format!("{id} words {revision}"));
                if revisions > 1 && number > 0 {
                    event.standing = Standing::Correctable;
                }
                said.push(event);
            }
        }
    }
    Story {
        said,
        ..Story::default()
    }
}

impl Story {
    /// The same, said in another order, and some of it twice. A sender corrects himself in one order alone.
    pub(crate) fn shuffled(&self, random: &mut StdRng) -> Story {
        let mut said = self.said.clone();
        said.shuffle(random);
        let mut in_order: BTreeMap<EventId, Vec<Event>> = BTreeMap::new();
        for event in self.said.iter().rev() {
            in_order.entry(event.id).or_default().push(event.clone());
        }
        for event in &mut said {
            let next = in_order.get_mut(&event.id).and_then(Vec::pop);
            *event = next.expect("as many as before");
        }
        repeat_some(&mut said, random);
        Story {
            said,
            ..self.clone()
        }
    }
}

/// A sender that got no answer sends again.
fn repeat_some(said: &mut Vec<Event>, random: &mut StdRng) {
    for index in 0..said.len() {
        if said[index].standing == Standing::Final && random.random_bool(0.2) {
            let later = random.random_range(index + 1..=said.len());
            said.insert(later, said[index].clone());
        }
    }
}
