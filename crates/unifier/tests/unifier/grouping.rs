//! The machine against the batch program, after every step of any sequence.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    Company, DecisionId, Millis, ProfileId, Time, Token,
    link::{Decision, DecisionKind, Link, Tick},
    rules::TypeRule,
};
use machine::RECORDS_MAX;
use proptest::{prelude::*, sample::Index, strategy::ValueTree};
use unifier::identify::{self, Key, Row, Word};

use crate::{
    identify::Told,
    oracle::{History, World},
    sample::{ALONE, Identifier, company, name, rules, set, token},
};

/// What may happen next. What refers to something earlier finds it by an index.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Report {
        values: Vec<&'static str>,
        trusted: bool,
    },
    Again(Index),
    Withdraw(Index),
    Decide {
        what: DecisionKind,
        one: Vec<&'static str>,
        other: Vec<&'static str>,
    },
    Undo(Index),
    Learn(Box<Company>),
    Pass {
        days: i64,
    },
}

const IDENTIFIERS: [&str; 17] = [
    "customer_number:0",
    "customer_number:1",
    "customer_number:2",
    "loyalty_card:0",
    "loyalty_card:1",
    "email:0",
    "email:1",
    "email:2",
    "email:3",
    "phone:0",
    "phone:1",
    "phone:2",
    "phone:3",
    "device:0",
    "device:1",
    "badge:0",
    "badge:1",
];

const REFERENCES: [&str; 9] = [
    "order:0",
    "order:1",
    "order:2",
    "shipment:0",
    "shipment:1",
    "shipment:2",
    "ticket:0",
    "ticket:1",
    "thread:0",
];

fn some_of(all: &'static [&'static str], max: usize) -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(all, 0..=max)
}

/// Mostly identifiers, now and then only what an event is about.
fn values() -> impl Strategy<Value = Vec<&'static str>> {
    let mixed = (some_of(&IDENTIFIERS, 3), some_of(&REFERENCES, 2))
        .prop_map(|(identifiers, references)| [identifiers, references].concat())
        .prop_filter("something is named", |values| !values.is_empty());
    prop_oneof![
        4 => mixed,
        1 => prop::sample::subsequence(&REFERENCES[..], 2..=3),
    ]
}

fn decision() -> impl Strategy<Value = Act> {
    let what = prop_oneof![
        3 => Just(DecisionKind::Apart),
        3 => Just(DecisionKind::Together),
        1 => Just(DecisionKind::Block),
        1 => Just(DecisionKind::Allow),
        1 => Just(DecisionKind::Unknown),
    ];
    let side = || {
        (some_of(&IDENTIFIERS, 2), some_of(&REFERENCES, 1))
            .prop_map(|(identifiers, references)| [identifiers, references].concat())
    };
    (what, side(), side()).prop_map(|(what, one, other)| Act::Decide { what, one, other })
}

fn rule(strength: u32) -> impl Strategy<Value = TypeRule> {
    let limit = prop_oneof![1 => Just(None), 3 => (1..4_u32).prop_map(Some)];
    let window = prop_oneof![2 => Just(None), 1 => (1..40_i64).prop_map(Some)];
    (
        limit,
        window,
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.3),
    )
        .prop_map(move |(limit, window, exclusive, known)| TypeRule {
            strength,
            limit,
            window: window.map(Millis::from_days),
            exclusive,
            known,
            ..TypeRule::default()
        })
}

fn any_company() -> impl Strategy<Value = Company> {
    let blocked = [&IDENTIFIERS[..], &REFERENCES[..]].concat();
    let blocked = prop::sample::subsequence(blocked, 0..3);
    let identifiers = prop::collection::btree_map(
        prop::sample::select(vec!["loyalty_card", "email", "phone", "device", "badge"]),
        prop::sample::select(vec![5, 20, 30, 40, 50]).prop_flat_map(rule),
        0..4,
    );
    let references = prop::collection::btree_map(
        prop::sample::select(vec!["order", "shipment", "ticket"]),
        prop::sample::select(vec![10, 20, 30]).prop_flat_map(rule),
        0..3,
    );
    let ceilings = (2..9_u32, 0..3_u32);
    let parts = (blocked, identifiers, references, ceilings, any::<bool>());
    parts.prop_map(|(blocked, identifiers, references, ceilings, are_low)| {
        let mut company = company(0, &blocked);
        let named = |(kind, rule)| (name(kind), rule);
        company.identifiers = identifiers.into_iter().map(named).collect();
        company.references = references.into_iter().map(named).collect();
        if are_low {
            company.identity.identifiers_max = ceilings.0;
            company.identity.merges_max = ceilings.1;
        }
        company
    })
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => (values(), prop::bool::weighted(0.7))
            .prop_map(|(values, trusted)| Act::Report { values, trusted }),
        2 => any::<Index>().prop_map(Act::Again),
        2 => any::<Index>().prop_map(Act::Withdraw),
        3 => decision(),
        2 => any::<Index>().prop_map(Act::Undo),
        1 => any_company().prop_map(|company| Act::Learn(Box::new(company))),
        2 => prop_oneof![0..20_i64, 100..300_i64].prop_map(|days| Act::Pass { days }),
    ]
}

pub(crate) fn acts(max: usize) -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(act(), 1..max)
}

/// A sequence of records as the acts lead to it.
pub(crate) fn sequence(acts: &[Act]) -> Vec<Link> {
    let mut now = Time::from_millis(0);
    let (mut sets, mut decisions) = (Vec::new(), Vec::new());
    let mut version = 0;
    let mut links = Vec::new();
    for (number, act) in acts.iter().enumerate() {
        let fresh = token(&format!("act {number}"));
        let decision = |what, one: &[&str], other: &[&str], undoes| Decision {
            id: DecisionId::new(fresh),
            what,
            one: one.iter().map(|text| token(text)).collect(),
            other: other.iter().map(|text| token(text)).collect(),
            undoes,
            actor: name("aino"),
            reason: String::new(),
            time: now,
        };
        links.push(match act {
            Act::Report { values, trusted } => {
                let mut set = set(&values.join(" "), *trusted);
                set.event = event::EventId::new(fresh);
                set.time = now;
                sets.push(set.clone());
                Link::Set(set)
            }
            Act::Again(index) | Act::Withdraw(index) if !sets.is_empty() => {
                let mut set = index.get(&sets).clone();
                set.time = now;
                set.withdrawn = matches!(act, Act::Withdraw(_));
                Link::Set(set)
            }
            Act::Decide { what, one, other } => {
                let decision = decision(*what, one, other, None);
                decisions.push(decision.id);
                Link::Decision(decision)
            }
            Act::Undo(index) => {
                let undoes = (!decisions.is_empty()).then(|| *index.get(&decisions));
                let decision = decision(DecisionKind::Undo, &[], &[], undoes);
                decisions.push(decision.id);
                Link::Decision(decision)
            }
            Act::Learn(company) => {
                version += 1;
                let mut company = Company::clone(company);
                company.version = version;
                Link::Rules(rules(&company, ALONE.partition))
            }
            Act::Pass { days } => {
                now = now + Millis::from_days(*days);
                Link::Tick(Tick { time: now })
            }
            Act::Again(_) | Act::Withdraw(_) => Link::Tick(Tick { time: now }),
        });
    }
    links
}

/// The machine with what the rest of Polku knows of it, and the batch program.
pub(crate) struct Pair {
    pub(crate) identify: Identifier,
    pub(crate) told: Told,
    pub(crate) history: History,
}

impl Pair {
    pub(crate) fn new(partitions: u32, records_max: usize) -> Pair {
        let mut identify = Identifier::for_partitions(partitions);
        identify.records_max = records_max;
        Pair {
            identify,
            told: Told::new(partitions),
            history: History::new(),
        }
    }

    pub(crate) fn hear(&mut self, link: &Link) {
        let (_, mut records) = self.identify.link(link.clone());
        records.extend(self.identify.drain());
        self.told.hear(&records);
        self.history.hear(link);
    }

    /// U-1: what was told adds up to the grouping of the whole sequence, and so does what is kept for people.
    pub(crate) fn check(&self) -> World {
        let world = self.history.world();
        self.told.check(&world);
        assert_eq!(self.refused(), world.refused);
        self.check_rows(&world);
        world
    }

    fn refused(&self) -> BTreeSet<(Token, Token, Token, identify::Why)> {
        let mut refused = BTreeSet::new();
        for (key, row) in self.identify.state.iter() {
            let (Key::Refused(place), Row::Refused(refusals)) = (key, row) else {
                continue;
            };
            let Some(Row::Set(set)) = self.identify.state.get(&Key::Set(*place)) else {
                panic!("what was refused is known");
            };
            let by = match &set.word {
                Word::Source(report) => report.event.token(),
                Word::Person(decision) => decision.token(),
            };
            let links = refusals.iter().map(|no| (by, no.one, no.other, no.why));
            refused.extend(links);
        }
        refused
    }

    /// The rows say what the batch program says, and none is left over.
    fn check_rows(&self, world: &World) {
        let mut torn = BTreeSet::new();
        let mut members: BTreeMap<ProfileId, BTreeSet<Token>> = BTreeMap::new();
        for (key, row) in self.identify.state.iter() {
            match (key, row) {
                (Key::Torn(reference), _) => {
                    torn.insert(*reference);
                }
                (Key::Member(profile, value), _) => {
                    members.entry(*profile).or_default().insert(*value);
                }
                (Key::Claim(reference), Row::Claim(claim)) => {
                    let best = world.claims.get(reference);
                    assert_eq!(best.map(|(_, by)| *by), Some(claim.by));
                }
                (Key::Named(_, place) | Key::Tie(_, place) | Key::Due(_, place), _) => {
                    assert!(self.identify.state.contains_key(&Key::Set(*place)));
                }
                _ => {}
            }
        }
        assert_eq!(torn, world.torn);
        let mut truth: BTreeMap<ProfileId, BTreeSet<Token>> = BTreeMap::new();
        for (value, person) in &world.people {
            if person.profile != ProfileId::new(*value) {
                truth.entry(person.profile).or_default().insert(*value);
            }
        }
        assert_eq!(members, truth);
    }
}

fn undo(decided: &Link) -> Link {
    let Link::Decision(decision) = decided else {
        panic!("nothing else is undone");
    };
    Link::Decision(Decision {
        id: DecisionId::new(token("undo")),
        what: DecisionKind::Undo,
        one: Vec::new(),
        other: Vec::new(),
        undoes: Some(decision.id),
        ..decision.clone()
    })
}

proptest! {
    #[test]
    fn what_is_told_is_the_grouping_of_the_sequence_at_every_step(
        acts in acts(40),
        records_max in prop_oneof![Just(RECORDS_MAX), 1..6_usize],
    ) {
        let mut pair = Pair::new(3, records_max);
        for link in sequence(&acts) {
            pair.hear(&link);
            pair.check();
        }
        pair.identify.check_rows();
    }

    #[test]
    fn what_is_undone_was_never_decided(acts in acts(25), decision in decision()) {
        let mut pair = Pair::new(1, RECORDS_MAX);
        for link in sequence(&acts) {
            pair.hear(&link);
        }
        // What new windows end, ends with the next record.
        pair.hear(&Link::Tick(Tick { time: Time::MIN }));
        let before = pair.check().people;
        let decided = sequence(&[acts, vec![decision]].concat()).pop().unwrap();
        pair.hear(&decided);
        pair.hear(&undo(&decided));
        assert_eq!(pair.check().people, before);
    }

    #[test]
    fn a_replay_decides_the_same_with_the_same_versions(acts in acts(40), records_max in 1..6_usize) {
        let links = sequence(&acts);
        let run = |records_max| {
            let mut identify = Identifier::single();
            identify.records_max = records_max;
            let mut records = Vec::new();
            for link in &links {
                records.extend(identify.link(link.clone()).1);
            }
            records.extend(identify.drain());
            records
        };
        assert_eq!(run(records_max), run(RECORDS_MAX));
    }
}

/// The runs are worth it: they have in them what they are about.
#[test]
fn random_sequences_have_everything_in_them() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = acts(60);
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..200 {
        let acts = strategy.new_tree(&mut runner).unwrap().current();
        let mut pair = Pair::new(1, RECORDS_MAX);
        for link in sequence(&acts) {
            pair.hear(&link);
        }
        let world = pair.check();
        for (.., why) in &world.refused {
            let why = match why {
                identify::Why::Apart => "apart",
                identify::Why::Exclusive => "exclusive",
                identify::Why::Identifiers => "identifiers",
                identify::Why::Merges => "merges",
                identify::Why::Untrusted => "untrusted",
            };
            *found.entry(why).or_default() += 1;
        }
        for (what, number) in [
            ("out", world.out.len()),
            ("torn", world.torn.len()),
            ("kept", world.kept.len()),
            ("made", world.made.len()),
        ] {
            *found.entry(what).or_default() += number;
        }
        let shared = |(key, _): &(&Key, &Row)| matches!(key, Key::Shared(_));
        let shared = pair.identify.state.iter().filter(shared).count();
        *found.entry("shared").or_default() += shared;
    }
    let few: Vec<_> = found.iter().filter(|(_, number)| **number < 5).collect();
    assert!(few.is_empty() && found.len() == 10, "{found:?}");
}
