use event::{
    Company, Event, Kind, MatterId, Millis, Name, Perspective, Record, Score, Standing, Time,
    Version,
    assignment::Assignment,
    case_input::{CaseInput, Regroup, Signal, SignalKind},
    link::Link,
    rules::{Journey, TypeRule},
    timeline::{Entry, Timeline},
};
use machine::Outcome;
use proptest::prelude::*;
use unifier::unify::Key;

use crate::sample::{Unifier, applied, company, event, name, profile, token, value};

fn entries(records: &[Record]) -> Vec<&Entry> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::Timeline(Timeline::Entry(entry)) => Some(entry),
            _ => None,
        })
        .collect()
}

fn signals(records: &[Record]) -> Vec<&Signal> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::CaseInput(CaseInput::Signal(signal)) => Some(signal),
            _ => None,
        })
        .collect()
}

fn regroups(records: &[Record]) -> Vec<&Regroup> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::CaseInput(CaseInput::Regroup(regroup)) => Some(regroup),
            _ => None,
        })
        .collect()
}

fn entry_of(event: Event) -> Entry {
    let (outcome, records) = Unifier::alone().event(event);
    assert_eq!(outcome, Outcome::Applied);
    (*entries(&records).first().unwrap()).clone()
}

#[test]
fn an_event_is_taken_once() {
    let mut unify = Unifier::alone();
    let first = event("e1", 0, "email:1");
    assert_eq!(unify.event(first.clone()).0, Outcome::Applied);
    assert_eq!(unify.event(first.clone()), (Outcome::Duplicate, vec![]));
    let mut other = first;
    other.content = token("other words");
    assert_eq!(unify.event(other), (Outcome::Duplicate, vec![]));
}

#[test]
fn who_is_no_customer_gets_no_page() {
    for perspective in [
        Perspective::MysteryShopper,
        Perspective::Simulation,
        Perspective::Competitor,
        Perspective::Employee,
        Perspective::Unknown,
    ] {
        let mut unify = Unifier::alone();
        let mut seen = event("e1", 0, "email:1");
        seen.perspective = perspective;
        assert_eq!(unify.event(seen.clone()), (Outcome::Anonymous, vec![]));
        assert_eq!(unify.event(seen), (Outcome::Duplicate, vec![]));
    }
    let nobody = event("e1", 0, "");
    assert_eq!(Unifier::alone().event(nobody), (Outcome::Anonymous, vec![]));
    let mut test = event("e1", 0, "email:1");
    test.perspective = Perspective::Test;
    assert_eq!(entry_of(test).perspective, Perspective::Test);
}

#[test]
fn a_set_is_reported_once_for_each_trust() {
    let mut unify = Unifier::alone();
    let mut links = |id: &str, values: &str, trusted: bool| {
        let mut event = event(id, 0, values);
        event.trusted = trusted;
        let (_, records) = unify.event(event);
        let reported = records.iter().filter_map(|record| match record {
            Record::Link(Link::Set(set)) => Some(set.trusted),
            _ => None,
        });
        reported.collect::<Vec<_>>()
    };
    assert_eq!(links("e1", "email:1 phone:1", true), [true]);
    assert_eq!(links("e2", "email:1 phone:1", true), []);
    assert_eq!(links("e3", "email:1 phone:1", false), [false]);
    assert_eq!(links("e4", "email:1", true), [true]);
}

#[test]
fn an_event_follows_its_strongest_value_that_is_not_out() {
    for (values, out, route) in [
        ("email:1 phone:1", &[][..], "email:1"),
        ("email:1 phone:1", &["email:1"], "phone:1"),
        ("email:1 order:1", &["email:1"], "order:1"),
        ("email:1 phone:1", &["email:1", "phone:1"], "email:1"),
    ] {
        let mut unify = Unifier::alone();
        applied(unify.out(1, out, &[]));
        let (_, records) = unify.event(event("e1", 0, values));
        let [entry] = entries(&records)[..] else {
            panic!("one entry: {records:?}");
        };
        assert_eq!(entry.route, token(route));
        assert_eq!(entry.profile, profile(route));
        assert_eq!(entry.version, Version::ZERO);
        assert_eq!(entry.anchor, token("email:1"));
    }
}

#[test]
fn an_event_goes_to_the_profile_that_its_anchor_is_assigned_to() {
    let mut unify = Unifier::alone();
    let mut assign = |to: &str, counter| {
        let version = Version { epoch: 0, counter };
        let assignment = Assignment {
            value: value("email:1"),
            profile: profile(to),
            version,
            out: false,
        };
        let record = unifier::unify::Record::Assignment(assignment);
        unify.take(record).0
    };
    assert_eq!(assign("customer_number:2", 7), Outcome::Applied);
    assert_eq!(assign("customer_number:1", 5), Outcome::Stale);
    let (_, records) = unify.event(event("e1", 0, "email:1"));
    assert_eq!(entries(&records)[0].profile, profile("customer_number:2"));
    assert_eq!(entries(&records)[0].version.counter, 7);
}

#[test]
fn what_goes_out_and_comes_back_leads_events_to_other_values_and_back() {
    let mut unify = Unifier::alone();
    applied(unify.event(event("e1", 0, "email:1 phone:1")));
    applied(unify.event(event("e2", 0, "email:2")));
    for (number, out, back, owner) in [
        (1, &["email:1"][..], &[][..], Some("phone:1")),
        (2, &[], &["email:1"], Some("email:1")),
        (3, &["email:1", "phone:1"], &[], None),
        (4, &[], &["phone:1"], Some("phone:1")),
        (5, &["phone:1"], &[], Some("email:1")),
        (6, &[], &["email:1"], None),
    ] {
        let (outcome, records) = unify.out(number, out, back);
        assert_eq!(outcome, Outcome::Applied);
        let Some(owner) = owner else {
            assert_eq!(records, [], "it follows its anchor as it did");
            continue;
        };
        let [
            Record::Timeline(Timeline::Moved(moved)),
            Record::Timeline(Timeline::Entry(entry)),
        ] = &records[..]
        else {
            panic!("one event moves: {records:?}");
        };
        assert_eq!(moved.to, Some(profile(owner)));
        assert_eq!(entry.profile, profile(owner));
    }
    assert_eq!(unify.out(6, &["email:1"], &[]), (Outcome::Stale, vec![]));
}

#[test]
fn the_matter_is_the_strongest_reference_else_the_window() {
    const WEEK: i64 = 7 * 24 * 3_600_000;
    let start = |weeks| Time::from_millis(weeks * WEEK);
    for (values, time, matter) in [
        (
            "email:1 order:1 shipment:1",
            0,
            MatterId::of_reference(token("order:1")),
        ),
        ("shipment:1", 0, MatterId::of_reference(token("shipment:1"))),
        (
            "email:1",
            5,
            MatterId::of_window(token("email:1"), "delivery", start(0)),
        ),
        (
            "email:1 phone:1",
            -1,
            MatterId::of_window(token("email:1"), "delivery", start(-1)),
        ),
        (
            "email:1",
            WEEK,
            MatterId::of_window(token("email:1"), "delivery", start(1)),
        ),
    ] {
        assert_eq!(
            entry_of(event("e1", time, values)).matter,
            matter,
            "{values} at {time}"
        );
    }
    let mut unify = Unifier::alone();
    applied(unify.out(1, &["order:1"], &[]));
    let mut mapped = company(1, &[]);
    mapped
        .matters
        .subjects
        .insert(name("delivery.late"), name("parcels"));
    mapped.matters.window = Millis::from_hours(1);
    applied(unify.rules(&mapped));
    let (_, records) = unify.event(event("e1", 3_600_001, "email:1 order:1"));
    let hour = Time::from_millis(3_600_000);
    let matter = MatterId::of_window(token("email:1"), "parcels", hour);
    assert_eq!(entries(&records)[0].matter, matter);
}

/// Days on which one customer calls -> the groups of days that are one case.
fn check_windows(days: &[i64], cases: &[&[i64]]) {
    let mut unify = Unifier::alone();
    let mut case_of = std::collections::BTreeMap::new();
    let matter = |day: i64| {
        let time = Time::from_millis(day * 24 * 3_600_000);
        MatterId::of_window(
            token("email:1"),
            "delivery",
            time.floor_to(Millis::from_days(7)),
        )
    };
    for day in days {
        let (_, records) = unify.event(event(&format!("e{day}"), day * 24 * 3_600_000, "email:1"));
        for regroup in regroups(&records) {
            let before = case_of.insert(regroup.matter, regroup.to);
            assert_eq!(regroup.from, before.unwrap_or(regroup.matter.own_case()));
        }
    }
    for group in cases {
        let smallest = group
            .iter()
            .map(|day| matter(*day))
            .min()
            .unwrap()
            .own_case();
        for day in *group {
            let case = case_of.get(&matter(*day)).copied();
            assert_eq!(
                case.unwrap_or(matter(*day).own_case()),
                smallest,
                "{days:?}"
            );
        }
    }
}

#[test]
fn neighbouring_windows_with_events_close_to_each_other_are_one_case() {
    check_windows(&[0, 6], &[&[0, 6]]);
    check_windows(&[0, 7], &[&[0], &[7]]);
    check_windows(&[1, 7], &[&[1, 7]]);
    check_windows(&[0, 13], &[&[0], &[13]]);
    check_windows(&[0, 13, 6], &[&[0, 6], &[13]]);
    check_windows(&[6, 12, 18, 24, 30], &[&[6, 12, 18, 24, 30]]);
    check_windows(&[6, 30, 12, 24, 18], &[&[6, 12, 18, 24, 30]]);
    check_windows(&[6, 12, 24, 30], &[&[6, 12], &[24, 30]]);
}

proptest! {
    #[test]
    fn runs_of_windows_do_not_depend_on_the_order_of_events(
        days in prop::collection::vec(0_i64..100, 1..30)
    ) {
        let mut sorted = days.clone();
        sorted.sort_unstable();
        let runs: Vec<&[i64]> = sorted.chunk_by(|one, next| next - one < 7).collect();
        check_windows(&days, &runs);
    }
}

#[test]
fn a_digest_at_rest_tells_its_case_what_it_is() {
    let score = |value| Score {
        metric: name("nps"),
        value,
        min: 0.0,
        max: 10.0,
    };
    let rules = {
        let mut rules = company(1, &[]);
        rules.cases.opens = vec![name("delivery.lost")];
        rules
    };
    for (kind, text, scored, expected) in [
        (Kind::Complaint, "praise", None, Some(SignalKind::Complaint)),
        (Kind::Feedback, "delivery", None, Some(SignalKind::Feedback)),
        (
            Kind::Feedback,
            "praise.staff",
            None,
            Some(SignalKind::Praise),
        ),
        (
            Kind::Feedback,
            "survey",
            Some(9.0),
            Some(SignalKind::Praise),
        ),
        (
            Kind::Feedback,
            "survey",
            Some(8.9),
            Some(SignalKind::Feedback),
        ),
        (
            Kind::Service,
            "call.inbound",
            None,
            Some(SignalKind::Contact),
        ),
        (
            Kind::Service,
            "delivery.lost",
            None,
            Some(SignalKind::Progress),
        ),
        (Kind::Service, "delivery.done", Some(10.0), None),
        (
            Kind::Service,
            "ticket.solved",
            None,
            Some(SignalKind::Solved),
        ),
        (
            Kind::Service,
            "ticket.reopened",
            None,
            Some(SignalKind::Reopened),
        ),
        (
            Kind::Complaint,
            "ticket.solved",
            None,
            Some(SignalKind::Complaint),
        ),
        (Kind::Unknown, "call", None, None),
    ] {
        let mut unify = Unifier::alone();
        applied(unify.rules(&rules));
        let mut event = event("e1", 0, "email:1 order:1");
        event.kind = kind;
        event.name = Name::new(text).unwrap();
        event.score = scored.map(score);
        let (_, records) = unify.event(event);
        let heard: Vec<SignalKind> = signals(&records).iter().map(|signal| signal.what).collect();
        assert_eq!(heard, Vec::from_iter(expected), "{kind:?} {text}");
        for signal in signals(&records) {
            assert_eq!(signal.case, signal.matter.own_case());
            assert_eq!(signal.matter, MatterId::of_reference(token("order:1")));
            assert_eq!(signal.matter_version, Version::ZERO);
            assert_eq!(signal.route, token("email:1"));
        }
    }
}

const DAY: i64 = 24 * 3_600_000;

/// When the set of these events, of one customer, is reported, and whether as withdrawn.
fn reports(unify: &mut Unifier, event: Event) -> Vec<bool> {
    let (outcome, records) = unify.event(event);
    assert_eq!(outcome, Outcome::Applied);
    let sets = records.iter().filter_map(|record| match record {
        Record::Link(Link::Set(set)) => Some(set.withdrawn),
        _ => None,
    });
    sets.collect()
}

#[test]
fn a_set_is_renewed_when_a_quarter_of_its_shortest_window_has_passed() {
    let mut unify = Unifier::alone();
    let mut rules = company(1, &[]);
    for (kind, days) in [("phone", 40), ("email", 80)] {
        let rule = TypeRule {
            window: Some(Millis::from_days(days)),
            ..TypeRule::default()
        };
        rules.identifiers.insert(name(kind), rule);
    }
    applied(unify.rules(&rules));
    for (values, days, reported) in [
        ("email:1 phone:1", 0, true),
        ("email:1 phone:1", 9, false),
        ("email:1 phone:1", 10, true),
        ("email:1 phone:1", 5, false),
        ("email:1 phone:1", 19, false),
        ("email:1 phone:1", 20, true),
        ("email:1 device:1", 0, true),
        ("email:1 device:1", 19, false),
        ("email:1 device:1", 21, true),
        ("customer_number:1 device:1", 0, true),
        ("customer_number:1 device:1", 10_000, false),
        ("customer_number:1 order:1", 0, true),
        ("customer_number:1 order:1", 99, false),
        ("customer_number:1 order:1", 100, true),
    ] {
        let event = event(&format!("{values} {days}"), days * DAY, values);
        let expected: &[bool] = if reported { &[false] } else { &[] };
        assert_eq!(
            reports(&mut unify, event),
            expected,
            "{values} on day {days}"
        );
    }
}

#[test]
fn a_set_is_withdrawn_with_the_last_event_that_names_it() {
    let mut unify = Unifier::alone();
    let mut say = |id: &str, revision, standing| {
        let mut event = event(id, 0, "email:1 phone:1");
        event.revision = revision;
        event.standing = standing;
        reports(&mut unify, event)
    };
    assert_eq!(say("e1", 0, Standing::Correctable), [false]);
    assert_eq!(say("e2", 0, Standing::Correctable), []);
    assert_eq!(say("e1", 1, Standing::Correctable), [], "other words");
    assert_eq!(say("e1", 2, Standing::Withdrawn), []);
    assert_eq!(say("e2", 1, Standing::Withdrawn), [true]);
    assert_eq!(say("e1", 3, Standing::Correctable), [false], "named anew");
    assert_eq!(say("e3", 0, Standing::Final), []);
    assert_eq!(say("e1", 4, Standing::Withdrawn), [], "e3 still names it");
}

#[test]
fn a_touchpoint_has_its_place_on_the_path() {
    let mut rules = company(1, &[]);
    let journey = Journey {
        stages: vec![name("delivery")],
        touchpoints: [(name("pickup-point"), name("delivery"))].into(),
        ..Journey::default()
    };
    rules.journeys.insert(name("purchase"), journey);
    for (stage, touchpoint, expected) in [
        (None, Some("pickup-point"), Some("delivery")),
        (Some("care"), Some("pickup-point"), Some("care")),
        (None, Some("elsewhere"), None),
        (None, None, None),
    ] {
        let mut unify = Unifier::alone();
        applied(unify.rules(&rules));
        let mut event = event("e1", 0, "email:1");
        event.stage = stage.map(name);
        event.touchpoint = touchpoint.map(name);
        let (_, records) = unify.event(event);
        let [entry] = entries(&records)[..] else {
            panic!("one entry: {records:?}");
        };
        assert_eq!(entry.stage, expected.map(name));
        assert_eq!(entry.touchpoint, touchpoint.map(name));
    }
}

/// What a row was is known for 35 days; then the row goes, at a few places of the state a tick.
#[test]
fn ids_are_remembered_for_35_days_and_do_not_gather_for_ever() {
    let mut unify = Unifier::alone();
    applied(unify.rules(&Company::default()));
    for number in 0..5_000 {
        applied(unify.event(event(&format!("e{number}"), 0, "email:1 phone:1")));
    }
    let again = event("e7", 35 * DAY, "email:1 phone:1");
    assert_eq!(unify.event(again), (Outcome::Duplicate, vec![]));
    let much_later = event("e7", 36 * DAY, "email:1 phone:1");
    let (_, records) = unify.event(much_later);
    assert_eq!(records, [], "its digest still rests where it did");
    let seen = |unify: &Unifier| {
        let rows = unify.state.iter();
        rows.filter(|(key, _)| matches!(key, Key::Seen(_))).count()
    };
    let first = unify.next_due().unwrap();
    assert_eq!(first, Time::from_millis(5 * DAY));
    let sweep = |unify: &mut Unifier, due| {
        let mut ticks = 0;
        let mut left = vec![seen(unify)];
        while unify.next_due().is_some_and(|next| next <= due) {
            assert_eq!(unify.tick_at(due), []);
            ticks += 1;
            let now = seen(unify);
            assert!(left[left.len() - 1] - now <= 2_000, "a bounded number");
            left.push(now);
        }
        assert!(ticks > 2);
        seen(unify)
    };
    assert_eq!(sweep(&mut unify, first), 5_000);
    assert_eq!(
        sweep(&mut unify, Time::from_millis(36 * DAY)),
        1,
        "e7 was taken anew"
    );
    assert_eq!(unify.next_due(), Some(Time::from_millis(41 * DAY)));
}

/// A case may wait to hear of the party.
#[test]
fn what_a_party_did_is_told_to_the_case() {
    let mut unify = Unifier::alone();
    let mut event = event("e1", 0, "shipment:1");
    event.kind = Kind::Service;
    event.name = Name::new("shipment.scanned").unwrap();
    event.party = Some(Name::new("courier").unwrap());
    let (_, records) = unify.event(event);
    let heard: Vec<SignalKind> = signals(&records).iter().map(|signal| signal.what).collect();
    assert_eq!(heard, [SignalKind::Progress]);
}

#[test]
fn before_any_rules_the_default_company_holds() {
    let mut with = Unifier::alone();
    applied(with.rules(&Company::default()));
    let event = event("e1", 0, "email:1");
    assert_eq!(with.event(event.clone()), Unifier::alone().event(event));
}
