use std::collections::BTreeMap;

use event::{
    CaseId, Company, MatterId, ProfileId, Record, Token, Version,
    case_input::CaseInput,
    link::{Link, Set},
    rules::TypeRule,
    timeline_input::TimelineInput,
};
use machine::Outcome;
use proptest::{prelude::*, strategy::ValueTree};
use unifier::identify::{Key, Row, Why};

use crate::{
    oracle::{Person, World},
    sample::{ALONE, Identifier, company, name, profile, rules, set, token},
};

/// What the rest of Polku knows from what `identify` told.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) people: BTreeMap<Token, (Person, Version)>,
    pub(crate) cases: BTreeMap<MatterId, (CaseId, Version)>,
}

impl Told {
    /// U-2, U-3: versions grow, and a move takes a value from where it was to where its assignment says it is.
    pub(crate) fn hear(&mut self, records: &[Record]) {
        let mut moves: BTreeMap<(Token, Version), (ProfileId, ProfileId)> = BTreeMap::new();
        for record in records {
            if let Record::TimelineInput(TimelineInput::Move(moved)) = record {
                for value in &moved.values {
                    let told = moves.insert((*value, moved.version), (moved.from, moved.to));
                    assert_eq!(told, None, "one move a value and version");
                }
            }
        }
        for record in records {
            if let Record::Assignment(assignment) = record {
                let value = assignment.token();
                let person = Person {
                    profile: assignment.profile,
                    out: assignment.out,
                };
                let before = self.people.insert(value, (person, assignment.version));
                assert!(before.is_none_or(|(_, version)| version < assignment.version));
                let from = before.map_or(ProfileId::new(value), |(before, _)| before.profile);
                let moved = moves.remove(&(value, assignment.version));
                assert_eq!(
                    moved,
                    (from != person.profile).then_some((from, person.profile))
                );
            }
            if let Record::CaseInput(CaseInput::Regroup(regroup)) = record {
                let told = (regroup.to, regroup.version);
                let before = self.cases.insert(regroup.matter, told);
                let before = before.unwrap_or((regroup.matter.own_case(), Version::ZERO));
                assert_eq!(before.0, regroup.from);
                assert!(before.1 < regroup.version);
                assert_ne!(before.0, regroup.to);
            }
        }
        assert_eq!(moves, BTreeMap::new(), "every move has its assignment");
    }

    /// U-1: what was told adds up to the grouping of the whole sequence.
    fn check(&self, world: &World) {
        let told: BTreeMap<Token, Person> = self
            .people
            .iter()
            .map(|(value, (person, _))| (*value, *person))
            .collect();
        assert_eq!(told, world.people);
        for (matter, case) in &world.cases {
            let told = self.cases.get(matter);
            assert_eq!(told.map_or(matter.own_case(), |told| told.0), *case);
        }
        for (matter, (case, _)) in &self.cases {
            let truth = world.cases.get(matter).copied();
            assert_eq!(truth.unwrap_or(matter.own_case()), *case);
        }
    }
}

#[derive(Clone, Debug)]
enum Heard {
    Set(Set),
    Rules(Box<Company>),
}

fn run(sequence: Vec<Heard>) -> usize {
    let mut identify = Identifier::single();
    let mut told = Told::default();
    let mut sets = Vec::new();
    let mut company = Company::default();
    let mut refusals = 0;
    for heard in sequence {
        let (outcome, records) = match heard {
            Heard::Set(set) => {
                sets.push(set.clone());
                identify.link(Link::Set(set))
            }
            Heard::Rules(next) => {
                company = *next;
                identify.link(Link::Rules(rules(&company, ALONE.partition)))
            }
        };
        assert_eq!(outcome, Outcome::Applied);
        told.hear(&records);
        let world = World::of(&sets, &company);
        told.check(&world);
        refusals += world.refusals;
    }
    assert!(!identify.waits());
    refusals
}

fn any_set() -> impl Strategy<Value = Set> {
    let identifier = prop_oneof![
        (0..3).prop_map(|n| format!("customer_number:{n}")),
        (0..3).prop_map(|n| format!("loyalty_card:{n}")),
        (0..5).prop_map(|n| format!("email:{n}")),
        (0..5).prop_map(|n| format!("phone:{n}")),
        (0..2).prop_map(|n| format!("badge:{n}")),
    ];
    let reference = prop_oneof![
        (0..5).prop_map(|n| format!("order:{n}")),
        (0..5).prop_map(|n| format!("shipment:{n}")),
        (0..3).prop_map(|n| format!("ticket:{n}")),
    ];
    let identifiers = prop::collection::vec(identifier, 0..4);
    let references = prop::collection::vec(reference, 0..3);
    (identifiers, references, prop::bool::weighted(0.7))
        .prop_filter("a set names something", |(identifiers, references, _)| {
            !identifiers.is_empty() || !references.is_empty()
        })
        .prop_map(|(mut all, references, trusted)| {
            all.extend(references);
            all.sort();
            all.dedup();
            set(&all.join(" "), trusted)
        })
}

fn any_company() -> impl Strategy<Value = Company> {
    let blocked = prop::sample::subsequence(
        vec![
            "customer_number:0",
            "loyalty_card:1",
            "email:0",
            "email:1",
            "phone:0",
            "badge:0",
            "order:0",
            "shipment:1",
        ],
        0..4,
    );
    (blocked, any::<bool>(), any::<bool>()).prop_map(|(blocked, exclusive, badge)| {
        let mut company = company(0, &blocked);
        if exclusive {
            let email = TypeRule {
                strength: 30,
                exclusive: true,
                known: true,
                ..TypeRule::default()
            };
            company.identifiers.insert(name("email"), email);
        }
        if badge {
            let badge = TypeRule {
                strength: 25,
                ..TypeRule::default()
            };
            company.identifiers.insert(name("badge"), badge);
        }
        company
    })
}

fn any_sequence() -> impl Strategy<Value = Vec<Heard>> {
    let heard = prop_oneof![
        9 => any_set().prop_map(Heard::Set),
        1 => any_company().prop_map(|company| Heard::Rules(Box::new(company))),
    ];
    prop::collection::vec(heard, 1..40).prop_map(|mut sequence| {
        let mut version = 0;
        for heard in &mut sequence {
            if let Heard::Rules(company) = heard {
                version += 1;
                company.version = version;
            }
        }
        sequence
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_told_is_the_grouping_of_the_sequence_at_every_step(sequence in any_sequence()) {
        run(sequence);
    }
}

#[test]
fn random_sequences_have_refusals_in_them() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = any_sequence();
    let refusals: usize = (0..20)
        .map(|_| run(strategy.new_tree(&mut runner).unwrap().current()))
        .sum();
    assert!(refusals > 50, "{refusals}");
}

/// Each row of a table is a set; an untrusted one begins with `?`. Then who belongs to whom.
fn check(blocked: &[&str], sets: &[&str], belongs: &[(&str, &str)]) -> Identifier {
    let mut identify = Identifier::single();
    let mut told = Told::default();
    let company = company(1, blocked);
    told.hear(
        &identify
            .link(Link::Rules(rules(&company, ALONE.partition)))
            .1,
    );
    for text in sets {
        let set = match text.strip_prefix('?') {
            Some(text) => set(text, false),
            None => set(text, true),
        };
        told.hear(&identify.link(Link::Set(set)).1);
    }
    for (value, owner) in belongs {
        let person = told.people[&token(value)].0;
        assert_eq!(person.profile, profile(owner), "{value} of {sets:?}");
        assert_eq!(person.out, blocked.contains(value));
    }
    identify
}

#[test]
fn identifiers_named_together_are_one_person_under_the_strongest() {
    check(
        &[],
        &[
            "email:1 phone:1",
            "phone:1 device:1",
            "customer_number:1 email:1",
        ],
        &[
            ("email:1", "customer_number:1"),
            ("phone:1", "customer_number:1"),
            ("device:1", "customer_number:1"),
            ("customer_number:1", "customer_number:1"),
        ],
    );
}

#[test]
fn a_shared_phone_does_not_bring_two_customer_numbers_together() {
    let identify = check(
        &[],
        &[
            "customer_number:1 phone:1",
            "customer_number:2 phone:1",
            "customer_number:2 email:2",
        ],
        &[
            ("phone:1", "customer_number:1"),
            ("customer_number:2", "customer_number:2"),
            ("email:2", "customer_number:2"),
        ],
    );
    let conflict = Key::Conflict(token("customer_number:2"), token("phone:1"));
    let Some(Row::Conflict(conflict)) = identify.state.get(&conflict) else {
        panic!("the refused link is kept for a person");
    };
    assert_eq!(conflict.why, Why::Exclusive);
}

#[test]
fn an_untrusted_source_does_not_join_two_known_customers() {
    let links = [
        "customer_number:1 phone:1",
        "loyalty_card:2 email:2",
        "?loyalty_card:2 phone:1",
    ];
    let identify = check(&[], &links, &[("loyalty_card:2", "loyalty_card:2")]);
    let conflict = Key::Conflict(token("loyalty_card:2"), token("phone:1"));
    let Some(Row::Conflict(conflict)) = identify.state.get(&conflict) else {
        panic!("the refused link is kept for a person");
    };
    assert_eq!(conflict.why, Why::Untrusted);
    let links = ["customer_number:1 phone:1", "?email:2 phone:1"];
    check(&[], &links, &[("email:2", "customer_number:1")]);
    let links = ["customer_number:1 phone:1", "loyalty_card:2 phone:1"];
    check(&[], &links, &[("loyalty_card:2", "customer_number:1")]);
}

#[test]
fn a_blocked_value_links_nobody_and_is_out() {
    check(
        &["phone:0"],
        &["email:1 phone:0", "email:2 phone:0"],
        &[
            ("email:1", "email:1"),
            ("email:2", "email:2"),
            ("phone:0", "phone:0"),
        ],
    );
}

#[test]
fn references_adopt_and_never_bridge() {
    for (sets, belongs) in [
        // A carrier names only the shipment; the shop named it with the order, and the order with its customer.
        (
            &["email:1 order:1", "order:1 shipment:1"][..],
            ("shipment:1", "email:1"),
        ),
        // A gift does not merge giver and receiver.
        (
            &["email:1 order:1", "email:2 order:1"],
            ("email:2", "email:2"),
        ),
        // Nobody takes an order over by typing its number into a form.
        (
            &["?customer_number:9 order:1", "email:1 order:1"],
            ("order:1", "email:1"),
        ),
        (
            &["email:1 order:1", "?customer_number:9 order:1"],
            ("order:1", "email:1"),
        ),
        // The stronger type, then the earlier set.
        (
            &["email:1 order:1", "customer_number:1 order:1"],
            ("order:1", "customer_number:1"),
        ),
        (
            &["email:1 order:1", "email:2 order:1"],
            ("order:1", "email:1"),
        ),
        // Who named it with two customers' orders does not say whose it is, until the two prove to be one.
        (
            &[
                "email:1 order:1",
                "email:2 order:2",
                "order:1 ticket:1",
                "order:2 ticket:1",
            ],
            ("ticket:1", "ticket:1"),
        ),
        (
            &[
                "email:1 order:1",
                "email:2 order:2",
                "order:1 ticket:1",
                "order:2 ticket:1",
                "customer_number:1 email:1",
                "customer_number:1 email:2",
            ],
            ("ticket:1", "customer_number:1"),
        ),
        (&["order:1 shipment:1"], ("shipment:1", "shipment:1")),
    ] {
        check(&[], sets, &[belongs]);
    }
}

#[test]
fn rules_decide_anew_and_tell_only_differences() {
    let mut identify = Identifier::single();
    let mut told = Told::default();
    for text in ["email:1 phone:0", "email:2 phone:0", "email:3 phone:3"] {
        told.hear(&identify.link(Link::Set(set(text, true))).1);
    }
    assert_eq!(
        told.people[&token("email:1")].0.profile,
        told.people[&token("email:2")].0.profile
    );
    let to_rules = |company: &Company| Link::Rules(rules(company, ALONE.partition));
    let blocking = company(1, &["phone:0"]);
    let (_, records) = identify.link(to_rules(&blocking));
    told.hear(&records);
    assert_ne!(
        told.people[&token("email:1")].0.profile,
        told.people[&token("email:2")].0.profile
    );
    assert!(told.people[&token("phone:0")].0.out);
    assert!(records.iter().all(|record| match record {
        Record::Assignment(of) => of.token() != token("email:3") && of.token() != token("phone:3"),
        _ => true,
    }));
    let mut renamed = company(2, &["phone:0"]);
    renamed.name = "Polku Oy".to_owned();
    assert_eq!(
        identify.link(to_rules(&renamed)),
        (Outcome::Applied, vec![])
    );
    assert_eq!(identify.link(to_rules(&blocking)), (Outcome::Stale, vec![]));
    assert_eq!(
        identify.link(Link::Set(set("email:3 phone:3", true))),
        (Outcome::Applied, vec![])
    );
}
