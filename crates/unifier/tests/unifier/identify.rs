use std::collections::{BTreeMap, BTreeSet};

use event::{
    CaseId, Company, MatterId, Partition, ProfileId, Record, Token, Version, case_input::CaseInput,
    link::Link, timeline_input::TimelineInput,
};
use machine::Outcome;
use unifier::identify::{Refusal, Row, Why};

use crate::{
    oracle::{Person, World},
    sample::{ALONE, Identifier, applied, company, profile, rules, set, token},
};

/// What the rest of Polku knows from what `identify` told.
#[derive(Clone, Default)]
pub(crate) struct Told {
    pub(crate) people: BTreeMap<Token, (Person, Version)>,
    pub(crate) cases: BTreeMap<MatterId, (CaseId, Version)>,
    /// The list of values that are out, as each partition has it.
    pub(crate) out: BTreeMap<Partition, (u64, BTreeSet<Token>)>,
}

impl Told {
    pub(crate) fn new(partitions: u32) -> Self {
        let nothing = |partition| (partition, (0, BTreeSet::new()));
        Self {
            out: Partition::all(partitions).map(nothing).collect(),
            ..Self::default()
        }
    }

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
        for record in records {
            if let Record::TimelineInput(TimelineInput::Out(out)) = record {
                let (number, list) = self.out.entry(out.partition).or_default();
                assert_eq!(*number + 1, out.number, "the list is numbered without gaps");
                *number = out.number;
                assert!(out.out.iter().all(|value| list.insert(*value)));
                assert!(out.back.iter().all(|value| list.remove(value)));
            }
        }
    }

    /// U-1: what was told adds up to the grouping of the whole sequence.
    pub(crate) fn check(&self, world: &World) {
        let told: BTreeMap<Token, Person> = self
            .people
            .iter()
            .map(|(value, (person, _))| (*value, *person))
            .collect();
        assert_eq!(told, world.people);
        for (_, list) in self.out.values() {
            assert_eq!(*list, world.out);
        }
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
    assert_eq!(
        refused(&identify),
        [("customer_number:2", "phone:1", Why::Exclusive)].map(refusal)
    );
}

fn refusal((one, other, why): (&str, &str, Why)) -> Refusal {
    Refusal {
        one: token(one),
        other: token(other),
        why,
    }
}

fn refused(identify: &Identifier) -> Vec<Refusal> {
    let rows = identify.state.iter().filter_map(|(_, row)| match row {
        Row::Refused(refusals) => Some(refusals.clone()),
        _ => None,
    });
    rows.flatten().collect()
}

#[test]
fn an_untrusted_source_does_not_join_two_known_customers() {
    let links = [
        "customer_number:1 phone:1",
        "loyalty_card:2 email:2",
        "?loyalty_card:2 phone:1",
    ];
    let identify = check(&[], &links, &[("loyalty_card:2", "loyalty_card:2")]);
    assert_eq!(
        refused(&identify),
        [("loyalty_card:2", "phone:1", Why::Untrusted)].map(refusal)
    );
    let links = ["customer_number:1 phone:1", "?email:2 phone:1"];
    check(&[], &links, &[("email:2", "customer_number:1")]);
    let links = ["customer_number:1 phone:1", "loyalty_card:2 phone:1"];
    check(&[], &links, &[("loyalty_card:2", "customer_number:1")]);
}

#[test]
fn merges_are_counted_for_a_profile_however_many_sets_made_them() {
    let mut company = company(1, &[]);
    company.identity.merges_max = 1;
    let mut identify = Identifier::single();
    let say = |identify: &mut Identifier, link| applied(identify.link(link));
    say(&mut identify, Link::Rules(rules(&company, ALONE.partition)));
    let (one, two, three) = ("email:1 phone:1", "email:2 phone:2", "email:3 phone:3");
    for text in [one, two, three, "email:1 phone:2"] {
        say(&mut identify, Link::Set(set(text, true)));
    }
    assert_eq!(refused(&identify), [], "two groups are one by one merge");
    say(&mut identify, Link::Set(set("email:2 phone:3", true)));
    let refusal = refusal(("email:2", "phone:3", Why::Merges));
    assert_eq!(refused(&identify), [refusal]);
    // Who comes alone merges nothing.
    say(&mut identify, Link::Set(set("email:1 device:4", true)));
    assert_eq!(refused(&identify), [refusal]);
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
        (Outcome::Duplicate, vec![])
    );
}
