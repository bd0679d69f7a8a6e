//! Events that their senders may correct.

use event::{
    CaseId, Event, EventId, MatterId, Perspective, ProfileId, Record, Standing, Time,
    case_input::CaseInput, timeline::Timeline,
};
use machine::Outcome;

use crate::sample::{Unifier, event, profile, token};

const DAY: i64 = 24 * 3_600_000;

/// A complaint that a source claims, in these words.
fn said(values: &str, words: &str) -> Event {
    let mut event = event("e1", 0, values);
    event.kind = event::Kind::Complaint;
    event.content = token(words);
    event.personal = words.as_bytes().to_vec();
    event.standing = Standing::Correctable;
    event
}

/// What goes on to `event`, as a person would write it: `1 withdrawn email:1`.
fn passed_on(records: &[Record]) -> Vec<String> {
    let lines = records.iter().map(|record| {
        let Record::Event(event) = record else {
            panic!("only events go on: {record:?}");
        };
        let standing = match event.standing {
            Standing::Correctable => "",
            Standing::Withdrawn => {
                assert!(event.personal.is_empty());
                "withdrawn "
            }
            Standing::Final | Standing::Unknown => panic!("a claim is never final"),
        };
        let names = ["email:1", "email:2", "phone:1"];
        let values: Vec<_> = event
            .values
            .iter()
            .map(|value| {
                *names
                    .iter()
                    .find(|name| token(name) == value.token)
                    .unwrap()
            })
            .collect();
        assert_eq!(event.anchor, event.values[0].token);
        format!("{} {standing}{}", event.revision, values.join(" "))
    });
    lines.collect()
}

/// `(what is said, in which words, what goes on)`, one after the other.
fn check(steps: &[(&str, &str, &[&str])]) {
    let mut unify = Unifier::alone();
    for (values, words, expected) in steps {
        let (outcome, records) = unify.claim(said(values, words));
        assert_eq!(passed_on(&records), *expected, "{words}");
        let is_repeat = expected.is_empty();
        assert_eq!(outcome == Outcome::Duplicate, is_repeat, "{words}");
    }
}

#[test]
fn each_new_content_goes_on_with_the_next_revision_and_a_repeat_does_not() {
    check(&[
        ("email:1", "late", &["0 email:1"]),
        ("email:1", "late", &[]),
        ("email:1", "very late", &["1 email:1"]),
        ("email:1", "late", &["2 email:1"]),
        ("email:1", "late", &[]),
    ]);
}

#[test]
fn a_correction_that_names_others_withdraws_what_was_said_where_it_was_said() {
    check(&[
        ("email:1 phone:1", "late", &["0 email:1 phone:1"]),
        (
            "email:2",
            "hers",
            &["1 withdrawn email:1 phone:1", "2 email:2"],
        ),
        ("email:2", "his", &["3 email:2"]),
        (
            "email:1 phone:1",
            "late",
            &["4 withdrawn email:2", "5 email:1 phone:1"],
        ),
        (
            "email:1",
            "no phone",
            &["6 withdrawn email:1 phone:1", "7 email:1"],
        ),
        ("email:2", "no phone", &[]),
    ]);
}

#[test]
fn what_was_on_no_page_needs_no_withdrawal_and_who_leaves_all_pages_gets_one() {
    let mut unify = Unifier::alone();
    let employee = |words| Event {
        perspective: Perspective::Employee,
        ..said("email:1", words)
    };
    let (_, records) = unify.claim(employee("one"));
    assert_eq!(passed_on(&records), ["0 email:1"]);
    let (_, records) = unify.claim(said("email:1", "two"));
    assert_eq!(passed_on(&records), ["1 email:1"]);
    let (_, records) = unify.claim(employee("three"));
    assert_eq!(passed_on(&records), ["2 withdrawn email:1", "3 email:1"]);
}

#[test]
fn a_correction_is_one_however_late_it_comes() {
    let mut unify = Unifier::alone();
    let at = |day: i64, values, words| Event {
        received: Time::from_millis(day * DAY),
        ..said(values, words)
    };
    assert_eq!(
        passed_on(&unify.claim(at(0, "email:1", "his")).1),
        ["0 email:1"]
    );
    unify.tick_at(Time::from_millis(100 * DAY));
    let (_, late) = unify.claim(at(400, "email:2", "hers"));
    assert_eq!(passed_on(&late), ["1 withdrawn email:1", "2 email:2"]);
    assert_eq!(
        unify.claim(at(900, "email:2", "hers")).0,
        Outcome::Duplicate
    );
}

/// What readers are shown of the event, and what its cases know: from the records of one partition that keeps all.
#[derive(Default)]
struct Shown {
    pages: Vec<ProfileId>,
    heard: std::collections::BTreeMap<MatterId, (u32, bool)>,
}

impl Shown {
    fn read(&mut self, records: &[Record]) {
        for record in records {
            match record {
                Record::Timeline(Timeline::Entry(entry)) => {
                    self.pages.retain(|page| *page != entry.profile);
                    self.pages.push(entry.profile);
                }
                Record::Timeline(Timeline::Moved(moved)) => {
                    assert_eq!(EventId::new(moved.entry), EventId::new(token("e1")));
                    self.pages.retain(|page| *page != moved.profile);
                }
                Record::CaseInput(CaseInput::Signal(signal)) => {
                    let said = (signal.revision, signal.withdrawn);
                    let known = self.heard.entry(signal.matter).or_insert(said);
                    *known = said.max(*known);
                }
                Record::Link(_) | Record::Event(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn cases(&self) -> Vec<CaseId> {
        let live = self.heard.iter().filter(|(_, said)| !said.1);
        live.map(|(matter, _)| matter.own_case()).collect()
    }
}

/// Whatever of it comes first, the same is shown in the end: every order of the digests of one event at one partition.
#[test]
fn revisions_that_meet_leave_the_last_word_in_any_order() {
    let contents = [
        ("email:1 order:1", 0, false),
        ("email:1 order:1", 1, true),
        ("email:2 order:2", 2, false),
        ("email:2 order:2", 3, true),
        ("email:1 order:3", 4, false),
    ];
    let digests: Vec<_> = contents
        .iter()
        .map(|(values, revision, withdrawn)| {
            let mut event = said(values, &format!("words {revision}"));
            event.revision = *revision;
            if *withdrawn {
                event.standing = Standing::Withdrawn;
            }
            let shard = machine::Shard {
                partition: event::Partition(9),
                partitions: 10,
            };
            let mut elsewhere = Unifier::alone();
            elsewhere.shard = shard;
            let (_, records) = elsewhere.event(event);
            let digest = records.into_iter().find_map(|record| match record {
                Record::TimelineInput(input) => Some(input),
                _ => None,
            });
            digest.expect("nothing of it stays in partition 9 of 10")
        })
        .collect();
    // Both customers are one, or not.
    for is_one in [false, true] {
        for order in orders(digests.len()) {
            let mut unify = Unifier::alone();
            let mut shown = Shown::default();
            if is_one {
                let moved = event::timeline_input::Move {
                    from: profile("email:2"),
                    to: profile("email:1"),
                    values: vec![token("email:2")],
                    version: event::Version::ZERO.next(),
                };
                let input = event::timeline_input::TimelineInput::Move(moved);
                shown.read(&unify.timeline(input).1);
            }
            for index in &order {
                shown.read(&unify.timeline(digests[*index].clone()).1);
            }
            assert_eq!(shown.pages, [profile("email:1")], "{order:?}");
            let last = MatterId::of_reference(token("order:3"));
            assert_eq!(shown.cases(), [last.own_case()], "{order:?}");
        }
    }
}

fn orders(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else {
        return vec![Vec::new()];
    };
    let mut all = Vec::new();
    for order in orders(last) {
        for at in 0..=last {
            let mut order = order.clone();
            order.insert(at, last);
            all.push(order);
        }
    }
    all
}
