use std::collections::{BTreeMap, BTreeSet};

use event::{
    EventId, Kind, Partition, ProfileId, Record, Token, Version,
    link::Link,
    rules::TypeRule,
    timeline::Timeline,
    timeline_input::{Move, TimelineInput},
};
use machine::{RECORDS_MAX, Shard};

use crate::{
    identify::Told,
    sample::{
        ALONE, Identifier, Runner, Unifier, applied, company, event, profile, rules, set, token,
    },
};

fn with_events(mut unify: Unifier, count: usize) -> Unifier {
    for number in 0..count {
        let mut event = event(&format!("e{number}"), 0, "phone:1 order:1");
        event.kind = Kind::Complaint;
        applied(unify.event(event));
    }
    unify
}

fn away(to: ProfileId, counter: u64) -> TimelineInput {
    TimelineInput::Move(Move {
        from: profile("phone:1"),
        to,
        values: vec![token("phone:1")],
        version: Version { epoch: 0, counter },
    })
}

/// Where each event rests after these records.
fn fold(pages: &mut BTreeMap<EventId, ProfileId>, records: &[Record]) {
    for record in records {
        if let Record::Timeline(Timeline::Entry(entry)) = record {
            pages.insert(entry.event, entry.profile);
        }
    }
}

/// U-8.
#[test]
fn twenty_thousand_digests_move_within_the_bounds_of_a_step() {
    let mut unify = with_events(Unifier::alone(), 20_000);
    let mut pages = BTreeMap::new();
    let (_, records) = unify.timeline(away(profile("email:1"), 1));
    assert!(records.len() > RECORDS_MAX - 10 && records.len() <= RECORDS_MAX);
    fold(&mut pages, &records);
    // While most of them wait, one comes late, and the value comes back and goes to another profile.
    fold(
        &mut pages,
        &unify.event(event("late", 0, "phone:1 order:1")).1,
    );
    assert_eq!(pages[&EventId::new(token("late"))], profile("email:1"));
    for (from, to, counter) in [
        ("email:1", "phone:1", 2),
        ("phone:1", "customer_number:1", 3),
    ] {
        let moved = TimelineInput::Move(Move {
            from: profile(from),
            to: profile(to),
            values: vec![token("phone:1")],
            version: Version { epoch: 0, counter },
        });
        fold(&mut pages, &unify.timeline(moved).1);
    }
    fold(&mut pages, &unify.drain());
    assert_eq!(pages.len(), 20_001);
    assert!(
        pages
            .values()
            .all(|page| *page == profile("customer_number:1"))
    );
}

/// U-8.
#[test]
fn a_value_of_twenty_thousand_events_goes_out_within_the_bounds_of_a_step() {
    let mut unify = Unifier::alone();
    for number in 0..20_000 {
        let values = format!("phone:1 device:{number}");
        applied(unify.event(event(&format!("e{number}"), 0, &values)));
    }
    let mut pages = BTreeMap::new();
    let (_, records) = unify.out(1, &["phone:1"], &[]);
    assert!(records.len() > RECORDS_MAX - 10 && records.len() <= RECORDS_MAX);
    fold(&mut pages, &records);
    // While most of them wait, some that left come back, and leave again.
    for (number, out, back) in [(2, &[][..], &["phone:1"][..]), (3, &["phone:1"], &[])] {
        fold(&mut pages, &unify.out(number, out, back).1);
        fold(&mut pages, &unify.tick());
    }
    fold(&mut pages, &unify.drain());
    for number in 0..20_000 {
        let page = pages[&EventId::new(token(&format!("e{number}")))];
        assert_eq!(page, profile(&format!("device:{number}")));
    }
    fold(&mut pages, &unify.out(4, &[], &["phone:1"]).1);
    fold(&mut pages, &unify.drain());
    assert_eq!(pages.len(), 20_000);
    assert!(pages.values().all(|page| *page == profile("phone:1")));
}

#[test]
fn what_leaves_the_partition_leaves_once() {
    let partition = Partition::of(token("phone:1").as_bytes(), 2);
    let shard = Shard {
        partition,
        partitions: 2,
    };
    let other = (1..)
        .map(|number| profile(&format!("email:{number}")))
        .find(|other| !shard.holds(other.as_bytes()))
        .unwrap();
    let unify = Runner::new(unifier::unify::Unify::new(), shard);
    let mut unify = with_events(unify, 20_000);
    let (_, mut records) = unify.timeline(away(other, 1));
    records.extend(unify.drain());
    let mut sent: Vec<EventId> = records
        .iter()
        .filter_map(|record| match record {
            Record::TimelineInput(TimelineInput::Digest(digest)) => {
                assert_eq!(digest.profile, other);
                Some(digest.event)
            }
            _ => None,
        })
        .collect();
    sent.sort_unstable();
    sent.dedup();
    assert_eq!(sent.len(), 20_000);
    // One says that it came for the third time, which is not so here any more.
    assert_eq!(records.len(), 40_001);
}

/// U-8.
#[test]
fn a_decision_about_many_values_is_told_in_order() {
    let mut identify = Identifier::single();
    let mut company = company(1, &[]);
    company.identity.identifiers_max = 10_000;
    company.identity.merges_max = 10_000;
    let rules = rules(&company, Partition(0));
    let mut records = applied(identify.link(Link::Rules(rules)));
    for number in 0..6_000 {
        let text = format!("phone:1 device:{number}");
        records.extend(identify.link(Link::Set(set(&text, true))).1);
    }
    let strong = set("customer_number:1 phone:1", true);
    let (_, some) = identify.link(Link::Set(strong));
    assert_eq!(some.len(), RECORDS_MAX);
    records.extend(some);
    // What is decided later does not overtake what waits.
    let (_, none) = identify.link(Link::Set(set("customer_number:1 email:7", true)));
    assert_eq!(none, []);
    records.extend(identify.drain());
    let mut told = Told::default();
    told.hear(&records);
    assert_eq!(told.people.len(), 6_003);
    let owner: Vec<Token> = told
        .people
        .values()
        .map(|told| told.0.profile.token())
        .collect();
    assert!(
        owner
            .iter()
            .all(|owner| *owner == token("customer_number:1"))
    );
    assert_eq!(identify.shard, ALONE);
}

/// U-8: new rules apply all sets anew in one step, whose records wait in order where they find no room.
#[test]
fn new_rules_over_twenty_thousand_sets_are_told_within_the_bounds_of_a_step() {
    let mut identify = Identifier::single();
    let mut company = company(1, &[]);
    let mut records = applied(identify.link(Link::Rules(rules(&company, Partition(0)))));
    // Each telephone is that of two customer numbers, of which a customer has one.
    for number in 0..20_000 {
        let text = format!("customer_number:{number} phone:{}", number / 2);
        records.extend(identify.link(Link::Set(set(&text, true))).1);
    }
    let profiles = |records: &[Record]| {
        let mut told = Told::default();
        told.hear(records);
        let owners = told.people.values().map(|told| told.0.profile);
        owners.collect::<BTreeSet<_>>().len()
    };
    assert_eq!(profiles(&records), 20_000);
    company.version = 2;
    let number = company.types()[0].clone();
    let rule = TypeRule {
        exclusive: false,
        ..number.rule.clone()
    };
    company.identifiers = [(number.name, rule)].into();
    let (_, told) = identify.link(Link::Rules(rules(&company, Partition(0))));
    assert_eq!(told.len(), RECORDS_MAX);
    records.extend(told);
    while identify.waits() {
        let told = identify.tick();
        assert!(!told.is_empty() && told.len() <= RECORDS_MAX);
        records.extend(told);
    }
    assert_eq!(profiles(&records), 10_000);
    // What is the same under both is not told again: each telephone moved once, and of each pair of numbers one came to the other.
    let is_move =
        |record: &&Record| matches!(record, Record::TimelineInput(TimelineInput::Move(_)));
    assert_eq!(records.iter().filter(is_move).count(), 10_000 + 10_000);
}
