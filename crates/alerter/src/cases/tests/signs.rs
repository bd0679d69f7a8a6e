//! Signs from a customer's timeline: what is written down, who is told, what opens, and what is taken back.

use event::{
    EventId,
    event::{Promise, PromiseState},
    notice::Notice,
};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};

use super::*;

/// A sign about matter 1, as a profile tells it the first time.
fn sign(number: u64, what: SignalKind) -> Signal {
    Signal {
        what,
        event: EventId::new(token(5_000 + number)),
        ..signal(number, Kind::Service, "call.in")
    }
}

fn promise(number: u64, what: SignalKind, keeper: &str) -> Signal {
    let mut sign = sign(number, what);
    sign.name = name("promise.refund");
    sign.department = Some(department(keeper));
    sign.due = Some(sign.time + Millis::from_hours(4));
    sign.promise = Some(Promise {
        id: token(1),
        what: name("refund"),
        due: sign.due,
        by: None,
        keeper: sign.department.clone(),
        state: PromiseState::Made,
    });
    sign
}

fn taken_back(signal: &Signal) -> Signal {
    Signal {
        revision: signal.revision + 1,
        withdrawn: true,
        ..signal.clone()
    }
}

fn complaint(number: u64) -> Signal {
    signal(number, Kind::Complaint, "delivery.late")
}

fn case() -> CaseId {
    matter(1).own_case()
}

fn hear(world: &mut World, signal: &Signal) {
    let outcome = world.give(CaseInput::Signal(signal.clone()));
    assert_eq!(outcome, Outcome::Applied);
    world.check();
}

/// `delivery: opened`, one a notice, oldest first.
fn told(world: &World) -> Vec<String> {
    let write = |notice: &Notice| format!("{}: {}", notice.department, notice.why.as_str());
    world.notices().iter().map(write).collect()
}

/// `broken promise_broken (refund) with finance`, one a step.
fn steps(world: &World) -> Vec<String> {
    world
        .steps(case())
        .iter()
        .filter(|step| step.what != StepKind::Heard)
        .map(|step| {
            let mut text = step.what.as_str().to_owned();
            if let Some(sign) = &step.sign {
                text.push_str(&format!(" {sign}"));
            }
            if let Some(reason) = &step.reason {
                text.push_str(&format!(" ({reason})"));
            }
            if let Some(other) = &step.other {
                text.push_str(&format!(" with {other}"));
            }
            text
        })
        .collect()
}

#[test]
fn a_sign_in_an_open_case_is_written_down_and_its_owner_is_told() {
    for what in [
        SignalKind::ThirdContact,
        SignalKind::TwoChannels,
        SignalKind::ScoreDrop,
    ] {
        let mut world = world();
        hear(&mut world, &complaint(1));
        let sign = sign(2, what);
        hear(&mut world, &sign);
        hear(&mut world, &taken_back(&sign));
        let what = what.as_str();
        assert_eq!(
            steps(&world),
            [
                "opened".to_owned(),
                format!("noticed {what}"),
                format!("noticed {what} (taken back)")
            ]
        );
        assert_eq!(
            told(&world),
            [
                "delivery: opened",
                "delivery: noticed",
                "delivery: taken_back"
            ]
        );
        let state = &world.cases()[&case()];
        assert_eq!(
            (state.contacts, state.phase),
            (1, Phase::Open),
            "it is no contact"
        );
    }
}

#[test]
fn a_third_contact_without_a_case_opens_one_and_others_do_not() {
    let mut world = world();
    for (number, what) in [
        (1, SignalKind::TwoChannels),
        (2, SignalKind::ScoreDrop),
        (3, SignalKind::PromiseDue),
    ] {
        hear(&mut world, &sign(number, what));
        assert!(world.cases().is_empty(), "{what:?}");
    }
    hear(&mut world, &sign(4, SignalKind::ThirdContact));
    assert_eq!(
        steps(&world),
        [
            "opened third_contact",
            "noticed two_channels",
            "noticed score_drop",
            "warned promise_due",
            "noticed third_contact"
        ]
    );
    assert_eq!(told(&world), ["care: opened"]);
}

#[test]
fn the_rules_say_which_signs_open() {
    let mut company = company();
    company.signs.opens = vec![SignalKind::ScoreDrop];
    let mut world = World::new(1, company);
    hear(&mut world, &sign(1, SignalKind::ThirdContact));
    assert!(world.cases().is_empty());
    hear(&mut world, &sign(2, SignalKind::ScoreDrop));
    assert!(world.cases()[&case()].phase.is_open());
}

#[test]
fn what_a_sign_alone_opened_closes_as_opened_in_error_when_it_is_taken_back() {
    let mut world = world();
    let sign = sign(1, SignalKind::ThirdContact);
    hear(&mut world, &sign);
    hear(&mut world, &taken_back(&sign));
    assert_eq!(
        steps(&world),
        [
            "opened third_contact",
            "noticed third_contact",
            "opened_in_error"
        ]
    );
    assert_eq!(told(&world), ["care: opened", "care: gone"]);
    assert_eq!(world.cases()[&case()].phase, Phase::Closed);

    // Somebody acted on it: it stays, and the owner knows.
    let mut world = self::world();
    hear(&mut world, &sign);
    let given = command(1, case(), CommandKind::Acknowledge);
    assert_eq!(world.obey(given), Verdict::Applied);
    hear(&mut world, &taken_back(&sign));
    assert_eq!(world.cases()[&case()].phase, Phase::Acknowledged);
    assert_eq!(told(&world), ["care: opened", "care: taken_back"]);
}

#[test]
fn the_keeper_of_a_promise_is_warned_with_and_without_a_case() {
    let due = promise(2, SignalKind::PromiseDue, "finance");
    let mut world = world();
    hear(&mut world, &due);
    assert_eq!(told(&world), ["finance: promise_due"]);
    let notice = &world.notices()[0];
    assert_eq!(
        (notice.what.as_str(), notice.answer_by),
        ("promise.refund", due.due)
    );
    assert_eq!(notice.customer, Some(due.profile), "there is no case");
    assert!(world.cases().is_empty());
    hear(&mut world, &taken_back(&due));
    assert_eq!(
        told(&world),
        ["finance: promise_due", "finance: taken_back"]
    );

    let mut world = self::world();
    hear(&mut world, &complaint(1));
    hear(&mut world, &due);
    assert_eq!(
        told(&world),
        [
            "delivery: opened",
            "delivery: promise_due",
            "finance: promise_due"
        ],
        "the owner is told too"
    );
    assert!(
        world
            .notices()
            .iter()
            .all(|notice| notice.customer.is_none())
    );
    assert_eq!(
        steps(&world),
        ["opened", "warned promise_due (refund) with finance"]
    );
}

#[test]
fn a_keeper_that_no_department_is_makes_no_notice() {
    let mut world = world();
    hear(&mut world, &promise(1, SignalKind::PromiseDue, "nobody"));
    assert!(told(&world).is_empty());
    hear(&mut world, &promise(2, SignalKind::PromiseBroken, "nobody"));
    assert_eq!(told(&world), ["care: opened"], "the routes decide");
}

#[test]
fn a_broken_promise_opens_a_case_of_its_keeper_unless_a_route_takes_it() {
    let broken = promise(1, SignalKind::PromiseBroken, "finance");
    let mut world = world();
    hear(&mut world, &broken);
    assert_eq!(world.cases()[&case()].owner, department("finance"));
    assert_eq!(told(&world), ["finance: opened"]);
    assert_eq!(
        steps(&world),
        [
            "opened promise_broken",
            "broken promise_broken (refund) with finance"
        ]
    );
    let step = &world.steps(case())[1];
    assert_eq!(
        step.time, broken.time,
        "of the time it was due, not of the look at it"
    );

    let mut company = company();
    company.routes.routes.push(Route {
        receiver: Some(department("quality")),
        matchers: Matcher {
            name: Some("promise.*".to_owned()),
            ..Matcher::default()
        },
        ..Route::default()
    });
    let mut world = World::new(1, company);
    hear(&mut world, &broken);
    assert_eq!(told(&world), ["quality: opened", "finance: promise_broken"]);
}

#[test]
fn a_promise_that_is_broken_later_reopens_what_was_resolved() {
    let mut world = world();
    hear(&mut world, &complaint(1));
    let mut given = command(1, case(), CommandKind::Resolve);
    given.told = Some(event::case::ContactHow::Phone);
    assert_eq!(world.obey(given), Verdict::Applied);
    world.now = world.now + Millis::from_hours(5);
    let mut broken = promise(2, SignalKind::PromiseBroken, "finance");
    broken.time = world.now;
    broken.received = world.now;
    hear(&mut world, &broken);
    let state = &world.cases()[&case()];
    assert_eq!(state.phase, Phase::Open);
    assert_eq!(
        steps(&world)[2..],
        [
            "reopened (a promise was broken)",
            "broken promise_broken (refund) with finance"
        ]
    );
    assert!(told(&world).contains(&"finance: promise_broken".to_owned()));
}

#[test]
fn silence_is_told_unless_somebody_acted_meanwhile() {
    for (acted, expected) in [(false, true), (true, false)] {
        let mut world = world();
        hear(&mut world, &complaint(1));
        if acted {
            let given = command(1, case(), CommandKind::Acknowledge);
            assert_eq!(world.obey(given), Verdict::Applied);
        }
        world.now = world.now + Millis::from_days(8);
        let mut silence = sign(1, SignalKind::Silence);
        silence.time = silence.time + Millis::from_days(7);
        hear(&mut world, &silence);
        let is_told = told(&world).contains(&"delivery: noticed".to_owned());
        assert_eq!(is_told, expected);
    }
}

#[test]
fn a_complaint_of_the_case_itself_is_no_other_complaint() {
    let mut world = world();
    hear(&mut world, &complaint(1));
    let mut same = sign(1, SignalKind::AnotherComplaint);
    same.kind = Kind::Complaint;
    hear(&mut world, &same);
    assert_eq!(told(&world), ["delivery: opened"]);
    hear(&mut world, &sign(2, SignalKind::AnotherComplaint));
    assert_eq!(told(&world), ["delivery: opened", "delivery: noticed"]);
}

#[test]
fn the_same_sign_from_another_profile_is_not_told_again() {
    let mut world = world();
    hear(&mut world, &complaint(1));
    let here = sign(2, SignalKind::ThirdContact);
    hear(&mut world, &here);
    // Its contacts came to rest at another profile, which tells of it before this one takes it back.
    let there = Signal {
        event: EventId::new(token(7_000)),
        ..here.clone()
    };
    hear(&mut world, &there);
    hear(&mut world, &taken_back(&here));
    assert_eq!(told(&world), ["delivery: opened", "delivery: noticed"]);
}

#[test]
fn history_and_tests_tell_nobody_of_signs() {
    let mut world = world();
    let mut broken = promise(1, SignalKind::PromiseBroken, "finance");
    broken.history = true;
    hear(&mut world, &broken);
    let mut due = promise(2, SignalKind::PromiseDue, "finance");
    due.history = true;
    hear(&mut world, &due);
    assert!(told(&world).is_empty());
    assert!(world.cases()[&case()].dormant);

    let mut world = self::world();
    let mut due = promise(1, SignalKind::PromiseDue, "finance");
    due.perspective = Perspective::Test;
    hear(&mut world, &due);
    assert_eq!(told(&world), ["canary: promise_due"], "A-12");
}

/// Kind of signal, and whether it is taken back in the end.
fn sketches() -> impl Strategy<Value = Vec<(u8, bool)>> {
    prop::collection::vec((0_u8..8, any::<bool>()), 1..12)
}

fn heard(sketches: &[(u8, bool)]) -> Vec<(Signal, bool)> {
    let numbered = (1_u64..).zip(sketches);
    numbered
        .map(|(number, (what, is_taken_back))| {
            let signal = match what {
                0 => complaint(number),
                1 => signal(number, Kind::Service, "call.in"),
                2 => sign(number, SignalKind::ThirdContact),
                3 => sign(number, SignalKind::TwoChannels),
                4 => promise(number, SignalKind::PromiseDue, "finance"),
                5 => promise(number, SignalKind::PromiseBroken, "finance"),
                6 => sign(number, SignalKind::Silence),
                _ => sign(number, SignalKind::ScoreDrop),
            };
            (signal, *is_taken_back)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// A-9, with signs and with what proves not to have been.
    #[test]
    fn in_whatever_order_signs_come_and_go_the_case_is_what_stands(sketches in sketches(), seed in any::<u64>()) {
        let all = heard(&sketches);
        let mut inputs: Vec<Signal> = all.iter().map(|(signal, _)| signal.clone()).collect();
        inputs.extend(all.iter().filter(|(_, gone)| *gone).map(|(signal, _)| taken_back(signal)));
        inputs.shuffle(&mut StdRng::seed_from_u64(seed));
        let mut world = world();
        for input in inputs {
            let outcome = world.give(CaseInput::Signal(input));
            prop_assert!([Outcome::Applied, Outcome::Duplicate].contains(&outcome));
            world.check();
        }
        let opener = all.iter().find(|(signal, gone)| {
            let opens = [SignalKind::Complaint, SignalKind::ThirdContact, SignalKind::PromiseBroken];
            !gone && opens.contains(&signal.what)
        });
        let state = world.cases().remove(&case());
        let is_open = state.as_ref().is_some_and(|state| state.phase == Phase::Open);
        prop_assert_eq!(is_open, opener.is_some());
        if let Some((opener, _)) = opener {
            let owners = [(SignalKind::Complaint, "delivery"), (SignalKind::PromiseBroken, "finance")];
            let owner = owners.iter().find(|(what, _)| *what == opener.what).map_or("care", |(_, owner)| owner);
            prop_assert_eq!(state.unwrap().owner, department(owner));
        }
        // Of each sign that stands and was told, the last word is not that it was taken back.
        let taken: Vec<&Signal> = all.iter().filter(|(_, gone)| *gone).map(|(signal, _)| signal).collect();
        if is_open && taken.is_empty() {
            let back = told(&world).iter().any(|told| told.ends_with("taken_back"));
            prop_assert!(!back);
        }
    }
}
