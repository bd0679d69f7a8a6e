//! What happens in a run of the pipes, and what it should lead to but for who is who.

use std::collections::{BTreeMap, BTreeSet};

use event::{CaseId, Class, Company, Event, Kind, MatterId, Millis, Perspective, Time, Token};
use rand::{Rng, rngs::StdRng, seq::SliceRandom};

use crate::sample::{company, event, name};

/// What happens in one run.
#[derive(Clone)]
pub(crate) struct Plan {
    /// As the doors accept them, repeats included.
    pub(crate) events: Vec<Event>,
    /// Versions of the rules, in order.
    pub(crate) rules: Vec<Company>,
}

/// The events that customers and tests are shown, each once.
pub(crate) fn accepted(plan: &Plan) -> Vec<Event> {
    let mut seen = BTreeSet::new();
    plan.events
        .iter()
        .filter(|event| seen.insert(event.id))
        .filter(|event| {
            let shown = [Perspective::Customer, Perspective::Test].contains(&event.perspective);
            shown && !event.values.is_empty()
        })
        .cloned()
        .collect()
}

pub(crate) fn route(event: &Event, company: &Company) -> Token {
    event
        .values
        .iter()
        .map(|value| value.token)
        .find(|token| !company.blocked.contains(token))
        .unwrap_or(event.anchor)
}

const WEEK: Millis = Millis::from_days(7);

pub(crate) fn matter(event: &Event) -> MatterId {
    let reference = event
        .values
        .iter()
        .find(|value| value.class == Class::Reference);
    match reference {
        Some(reference) => MatterId::of_reference(reference.token),
        None => MatterId::of_window(event.anchor, event.name.head(), event.time.floor_to(WEEK)),
    }
}

/// Which case each window's matter is of: events sorted by time, a new case where two are a week apart or a cell lies between.
pub(crate) fn window_cases(accepted: &[Event]) -> BTreeMap<MatterId, CaseId> {
    let mut lines: BTreeMap<(Token, String), Vec<Time>> = BTreeMap::new();
    for event in accepted {
        if event
            .values
            .iter()
            .all(|value| value.class == Class::Identifier)
        {
            let line = (event.anchor, event.name.head().to_owned());
            lines.entry(line).or_default().push(event.time);
        }
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

pub(crate) fn any_plan(random: &mut StdRng) -> Plan {
    let mut events = Vec::new();
    for id in 0..random.random_range(1..60) {
        let mut values = BTreeSet::new();
        for _ in 0..random.random_range(0..4) {
            let kind =
                ["customer_number", "loyalty_card", "email", "phone"][random.random_range(0..4)];
            values.insert(format!("{kind}:{}", random.random_range(0..4)));
        }
        for _ in 0..[0, 0, 1, 2][random.random_range(0..4)] {
            let kind = ["order", "shipment"][random.random_range(0..2)];
            values.insert(format!("{kind}:{}", random.random_range(0..5)));
        }
        let values: Vec<String> = values.into_iter().collect();
        let hours = random.random_range(0..24 * 60);
        let mut event = event(&format!("e{id}"), hours * 3_600_000, &values.join(" "));
        event.kind = [Kind::Service, Kind::Complaint, Kind::Feedback][random.random_range(0..3)];
        event.name = name(["delivery.late", "call", "praise.staff"][random.random_range(0..3)]);
        event.trusted = random.random_bool(0.7);
        event.perspective = [
            Perspective::Customer,
            Perspective::Customer,
            Perspective::Customer,
            Perspective::Test,
            Perspective::MysteryShopper,
        ][random.random_range(0..5)];
        events.push(event);
    }
    repeat_some(&mut events, random);
    let mut rules = Vec::new();
    for version in 1..=[0, 0, 1, 3][random.random_range(0..4)] {
        let all = [
            "customer_number:0",
            "email:0",
            "email:1",
            "phone:0",
            "loyalty_card:0",
        ];
        let blocked: Vec<&str> = all
            .into_iter()
            .filter(|_| random.random_bool(0.4))
            .collect();
        rules.push(company(version, &blocked));
    }
    Plan { events, rules }
}

/// A sender that got no answer sends again.
pub(crate) fn repeat_some(events: &mut Vec<Event>, random: &mut StdRng) {
    for index in 0..events.len() {
        if random.random_bool(0.2) {
            let repeated = events[index].clone();
            let later = random.random_range(index + 1..=events.len());
            events.insert(later, repeated);
        }
    }
}

/// Customers who have several values and name all of them once; references of one customer each; everybody trusted. So no link
/// is ever refused.
pub(crate) fn honest_plan(random: &mut StdRng) -> Plan {
    let mut events = Vec::new();
    for customer in 0..random.random_range(1..5) {
        let own: Vec<String> = ["customer_number", "email", "phone", "device"]
            .iter()
            .map(|kind| format!("{kind}:{customer}"))
            .collect();
        let references = [format!("order:{customer}"), format!("shipment:{customer}")];
        for id in 0..random.random_range(1..10) {
            let mut values: Vec<String> = match id {
                0 => own.iter().chain(&references).cloned().collect(),
                _ => own
                    .iter()
                    .filter(|_| random.random_bool(0.4))
                    .cloned()
                    .collect(),
            };
            if values.is_empty() || random.random_bool(0.2) {
                values.push(references[random.random_range(0..2)].clone());
            }
            values.sort();
            values.dedup();
            let hours = random.random_range(0..24 * 60);
            let id = format!("e{customer}-{id}");
            let mut event = event(&id, hours * 3_600_000, &values.join(" "));
            event.kind = [Kind::Service, Kind::Complaint][random.random_range(0..2)];
            events.push(event);
        }
    }
    events.shuffle(random);
    Plan {
        events,
        rules: Vec::new(),
    }
}
