//! Signs and figures of a profile against slow programs that look at everything at once.
//!
//! - `sketch`: what may happen, drawn at random;
//! - `slow`: the signs of what rests at a profile;
//! - `figures`: what a reader is shown of it;
//! - `promise`: what both say of each promise, against each other.

mod figures;
mod promise;
mod sketch;
mod slow;

use std::collections::{BTreeMap, BTreeSet};

use event::{
    Company, DepartmentId, EventId, MatterId, Millis, ProfileId, Record, Time, Version,
    case_input::{CaseInput, Signal, SignalKind},
    rules::StandingPromise,
    timeline_input::{Digest, Move, TimelineInput},
};
use machine::Outcome;
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};

use self::{
    sketch::{Happened, Sketch, happen, sketches},
    slow::rest,
};
use crate::sample::{Unifier, name, profile, token};

fn hours(count: i64) -> Millis {
    Millis::from_hours(count)
}

/// Orders are delivered within two days; warnings come half a day and four hours before.
fn company() -> Company {
    let delivered = StandingPromise {
        said: "delivered within two days".to_owned(),
        starts_on: vec![name("order")],
        kept_by: vec![name("shipment.delivered")],
        within: hours(48),
        keeper: DepartmentId::new("delivery").unwrap(),
        warn_before: hours(12),
    };
    Company {
        version: 1,
        promises: BTreeMap::from([(name("two-days"), delivered)]),
        ..Company::default()
    }
}

/// What a case would be told, as people write it.
fn write(what: SignalKind, profile: ProfileId, matter: MatterId, time: Time) -> String {
    format!("{} {profile} {matter} {time}", what.as_str())
}

/// What is told in the end: of each sign the highest revision.
fn latest(told: &[Record]) -> BTreeMap<EventId, Signal> {
    let mut last: BTreeMap<EventId, Signal> = BTreeMap::new();
    for record in told {
        let Record::CaseInput(CaseInput::Signal(signal)) = record else {
            continue;
        };
        if !is_sign(signal.what) {
            continue;
        }
        let known = last.insert(signal.event, signal.clone());
        let next = known.map_or(0, |known| known.revision + 1);
        assert_eq!(signal.revision, next, "revisions grow by one");
    }
    last
}

/// The signs that stand.
fn standing(told: &[Record]) -> BTreeSet<String> {
    latest(told)
        .into_values()
        .filter(|signal| !signal.withdrawn)
        .map(|signal| write(signal.what, signal.profile, signal.matter, signal.time))
        .collect()
}

fn is_sign(what: SignalKind) -> bool {
    [
        SignalKind::ThirdContact,
        SignalKind::TwoChannels,
        SignalKind::AnotherComplaint,
        SignalKind::ScoreDrop,
        SignalKind::PromiseDue,
        SignalKind::PromiseBroken,
        SignalKind::Silence,
    ]
    .contains(&what)
}

const END: Time = Time::from_millis(40 * 86_400_000);

/// A machine to which things come in any order, while time passes and one of the two values goes to somebody else.
struct World {
    unify: Unifier,
    told: Vec<Record>,
}

impl World {
    fn new() -> Self {
        let mut unify = Unifier::alone();
        let (outcome, _) = unify.rules(&company());
        assert_eq!(outcome, Outcome::Applied);
        Self {
            unify,
            told: Vec::new(),
        }
    }

    fn take(&mut self, input: TimelineInput) {
        let (_, told) = self.unify.timeline(input);
        self.told.extend(told);
        self.told.extend(self.unify.drain());
    }

    fn give(&mut self, happened: &Happened) {
        self.take(match happened {
            Happened::Digest(digest) => TimelineInput::Digest(Digest::clone(digest)),
            Happened::Step(note) => TimelineInput::Step(note.clone()),
        });
    }

    fn pass(&mut self, now: Time) {
        self.told.extend(self.unify.tick_at(now));
    }

    fn part(&mut self, counter: u64, from: &str, to: &str) {
        self.take(TimelineInput::Move(Move {
            from: profile(from),
            to: profile(to),
            values: vec![token("phone:1")],
            version: Version { epoch: 0, counter },
        }));
    }
}

#[test]
fn every_sign_has_its_reason() {
    let at = |what, matter, hour| Sketch {
        what,
        matter,
        hour,
        channel: 0,
        route: true,
        detail: 2,
    };
    let said = |detail, sketch: Sketch| Sketch { detail, ..sketch };
    let (complaint, call, survey, ordered, delivered) = (0, 2, 3, 5, 6);
    let (promise, opened, contacted, resolved) = (7, 8, 9, 10);
    let (made, kept, broken, withdrawn) = (0, 2, 3, 4);
    let elsewhere = Sketch {
        channel: 1,
        ..at(call, 0, 2)
    };
    let ties = said(0, at(call, 0, 30));
    let table: [(&str, &[Sketch], &[&str]); 23] = [
        ("twice", &[at(call, 0, 1), at(call, 0, 2)], &[]),
        (
            "three times",
            &[at(call, 0, 1), at(call, 0, 2), at(call, 0, 3)],
            &["third_contact"],
        ),
        (
            "about two matters",
            &[at(call, 0, 1), at(call, 0, 2), at(call, 2, 3)],
            &[],
        ),
        (
            "about an order and its parcel",
            &[at(call, 0, 1), at(call, 1, 2), said(0, at(call, 0, 30))],
            &["third_contact"],
        ),
        (
            "by phone and at the counter",
            &[at(call, 0, 1), elsewhere],
            &["two_channels"],
        ),
        (
            "8 and 4 of 10",
            &[said(4, at(survey, 0, 1)), said(2, at(survey, 0, 2))],
            &["score_drop"],
        ),
        (
            "4 and 8 of 10",
            &[said(2, at(survey, 0, 1)), said(4, at(survey, 0, 2))],
            &[],
        ),
        ("nobody answers", &[at(complaint, 0, 1)], &["silence"]),
        (
            "somebody answers",
            &[at(complaint, 0, 1), at(contacted, 0, 9)],
            &[],
        ),
        (
            "somebody answers too late",
            &[at(complaint, 0, 1), at(contacted, 0, 200)],
            &["silence"],
        ),
        (
            "something else",
            &[at(opened, 0, 1), at(complaint, 2, 2), at(contacted, 2, 3)],
            &["another_complaint"],
        ),
        (
            "something else after the end",
            &[
                at(opened, 0, 1),
                at(resolved, 0, 2),
                at(complaint, 2, 3),
                at(contacted, 2, 4),
            ],
            &[],
        ),
        (
            "never delivered",
            &[at(ordered, 0, 1)],
            &["promise_broken", "promise_due"],
        ),
        (
            "delivered late in time",
            &[at(ordered, 0, 1), at(delivered, 0, 40)],
            &["promise_due"],
        ),
        ("delivered", &[at(ordered, 0, 1), at(delivered, 0, 20)], &[]),
        (
            "something else delivered",
            &[at(ordered, 0, 1), at(delivered, 1, 20)],
            &["promise_broken", "promise_due"],
        ),
        (
            "its parcel delivered",
            &[at(ordered, 0, 1), at(delivered, 1, 20), ties],
            &[],
        ),
        (
            "not kept",
            &[said(made, at(promise, 0, 1))],
            &["promise_broken", "promise_due"],
        ),
        (
            "kept",
            &[said(made, at(promise, 0, 1)), said(kept, at(promise, 0, 9))],
            &[],
        ),
        (
            "withdrawn",
            &[
                said(made, at(promise, 0, 1)),
                said(withdrawn, at(promise, 0, 9)),
            ],
            &[],
        ),
        (
            "kept in another matter",
            &[said(made, at(promise, 0, 1)), said(kept, at(promise, 2, 9))],
            &[],
        ),
        (
            "another promise kept",
            &[
                said(made, at(promise, 0, 1)),
                Sketch {
                    channel: 1,
                    ..said(kept, at(promise, 0, 9))
                },
            ],
            &["promise_broken", "promise_due"],
        ),
        (
            "said to be broken",
            &[
                said(made, at(promise, 0, 1)),
                said(broken, at(promise, 0, 9)),
            ],
            &["promise_broken"],
        ),
    ];
    for (why, sketches, expected) in table {
        let mut world = World::new();
        for (number, sketch) in sketches.iter().enumerate() {
            world.give(&happen(number, *sketch));
        }
        world.pass(END);
        let told = standing(&world.told);
        let kinds: Vec<&str> = told
            .iter()
            .filter_map(|sign| sign.split(' ').next())
            .collect();
        assert_eq!(kinds, expected, "{why}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// U-13.
    #[test]
    fn signs_are_those_of_what_rests_at_a_profile_in_whatever_order_it_came(
        sketches in sketches(),
        parts in 0_u8..3,
        seed in any::<u64>(),
    ) {
        let happened: Vec<Happened> = sketches.iter().enumerate().map(|(number, sketch)| happen(number, *sketch)).collect();
        let mut world = World::new();
        let mut random = StdRng::seed_from_u64(seed);
        let mut order: Vec<usize> = (0..happened.len()).collect();
        // Some come twice.
        order.extend((0..happened.len()).step_by(3));
        order.shuffle(&mut random);
        let parted_at = random.random_range(0..=order.len());
        let back_at = random.random_range(parted_at..=order.len());
        let mut now = Time::from_millis(0);
        for (place, number) in order.iter().chain([&0]).enumerate() {
            if place == parted_at && parts > 0 {
                world.part(2, "customer_number:1", "customer_number:2");
            }
            if place == back_at && parts > 1 {
                world.part(3, "customer_number:2", "customer_number:1");
            }
            world.give(&happened[*number]);
            if random.random_bool(0.3) {
                now = now + hours(random.random_range(0..60));
                world.pass(now.min(END));
            }
        }
        world.pass(END);
        let (phone, is_parted) = (token("phone:1"), parts == 1);
        let mut expected = rest(&happened, "customer_number:1", |route| !is_parted || route != phone).expected();
        expected.extend(rest(&happened, "customer_number:2", |route| is_parted && route == phone).expected());
        prop_assert_eq!(standing(&world.told), expected);
        world.unify.check_rows();
    }
}
