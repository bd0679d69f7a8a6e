//! A department waits for an outside party: its own clocks stand still, and nobody else's.

use event::{
    Time,
    rules::Weekday::{Fri, Mon, Thu, Tue, Wed},
};
use proptest::prelude::*;

use super::*;
use calendar::clock::clocks;

fn wait_for(number: u64, party: &str) -> Command {
    Command {
        on: Some(name(party)),
        ..command(number, case(), CommandKind::Wait)
    }
}

fn scan(number: u64, party: &str) -> Signal {
    Signal {
        what: SignalKind::Progress,
        party: Some(name(party)),
        ..signal(number, Kind::Service, "shipment.scanned")
    }
}

fn hours(hours: i64) -> Millis {
    Millis::from_hours(hours)
}

#[test]
fn what_ends_a_wait_and_who_is_told() {
    let give = |what| command(9, case(), what);
    let customer = Signal {
        party: Some(name("courier")),
        ..complaint(120)
    };
    let their_system = Signal {
        what: SignalKind::Solved,
        ..scan(120, "courier")
    };
    let from_before = Signal {
        received: noon(),
        ..scan(120, "courier")
    };
    let from_the_archive = Signal {
        history: true,
        ..scan(120, "courier")
    };
    for (heard, asked, ends, told, why) in [
        (Some(scan(120, "courier")), None, true, true, "their news"),
        (
            Some(their_system),
            None,
            true,
            true,
            "what their system says",
        ),
        (
            Some(scan(120, "installer")),
            None,
            false,
            false,
            "news of another party",
        ),
        (
            Some(customer),
            None,
            false,
            false,
            "a complaint of the party",
        ),
        (
            Some(from_before),
            None,
            false,
            false,
            "what was known before",
        ),
        (Some(from_the_archive), None, false, false, "history"),
        (
            None,
            Some(give(CommandKind::Resume)),
            true,
            false,
            "the owner",
        ),
        (
            None,
            Some(give(CommandKind::Resolve)),
            true,
            false,
            "a solution",
        ),
        (None, Some(give(CommandKind::Contact)), false, false, "else"),
        (None, Some(give(CommandKind::Note)), false, false, "a note"),
    ] {
        let mut world = world();
        world.hear(complaint(1));
        assert_eq!(world.obey(wait_for(1, "courier")), Verdict::Applied);
        let state = world.cases()[&case()].clone();
        assert_eq!(state.phase, Phase::Acknowledged, "who waits knows of it");
        assert_eq!(state.waiting_since, Some(world.now));
        assert_eq!(state.deadline, Some(world.now + Millis::from_days(2)));
        world.pass(hours(1));
        if let Some(heard) = heard {
            world.hear(heard);
        }
        if let Some(asked) = asked {
            assert_eq!(world.obey(asked), Verdict::Applied, "{why}");
        }
        let state = world.cases()[&case()].clone();
        assert_eq!(state.waiting_on.is_none(), ends, "{why}");
        assert_eq!(state.waiting_until.is_none(), ends, "{why}");
        let resumed = ("delivery".to_owned(), Why::Resumed);
        assert_eq!(world.told().contains(&resumed), told, "{why}");
    }
}

#[test]
fn news_that_nobody_waits_for_is_not_kept() {
    let mut world = world();
    assert_eq!(world.outcome_of(scan(1, "courier")), Outcome::Unasked);
    world.hear(complaint(2));
    assert_eq!(world.outcome_of(scan(3, "courier")), Outcome::Unasked);
    let kept = world
        .rows()
        .filter(|(key, _)| matches!(key, crate::cases::Key::Signal(..)));
    assert_eq!(kept.count(), 1);
    assert_eq!(world.kinds(), [StepKind::Opened]);
}

#[test]
fn what_opens_a_case_is_kept_even_if_it_is_withdrawn_first() {
    let mut company = company();
    company.cases.opens = vec![name("shipment.scanned")];
    let mut world = World::new(1, company);
    let withdrawn = Signal {
        revision: 1,
        withdrawn: true,
        ..scan(1, "courier")
    };
    assert_eq!(world.outcome_of(withdrawn), Outcome::Applied);
    assert_eq!(world.outcome_of(scan(1, "courier")), Outcome::Duplicate);
    assert_eq!(world.cases().len(), 0);
}

#[test]
fn another_department_does_not_inherit_a_wait() {
    let mut world = world();
    world.hear(complaint(1));
    assert_eq!(world.obey(wait_for(1, "courier")), Verdict::Applied);
    let offer = Command {
        to: Some(department("finance")),
        ..command(2, case(), CommandKind::HandOff)
    };
    assert_eq!(world.obey(offer), Verdict::Applied);
    let state = world.cases()[&case()].clone();
    assert_eq!(
        state.deadline, state.offer_due,
        "who is offered it does not wait"
    );
    assert!(state.waiting_on.is_some());
    let accept = command(3, case(), CommandKind::Accept);
    assert_eq!(world.obey(accept), Verdict::Applied);
    assert_eq!(world.cases()[&case()].waiting_on, None);
}

#[test]
fn a_wait_has_an_end_within_the_rules_and_the_final_deadline_stays() {
    let mut world = world();
    world.hear(complaint(1));
    let opened = world.now;
    for (until, expected, why) in [
        (None, hours(48), "the rules' limit"),
        (Some(hours(5)), hours(5), "as asked"),
        (Some(hours(500)), hours(48), "no longer than the limit"),
        (
            Some(hours(-5)),
            Millis::from_secs(1),
            "a deadline lies ahead",
        ),
    ] {
        let number = u64::from(world.cases()[&case()].version) + 10;
        let asked = Command {
            until: until.map(|length| opened + length),
            ..wait_for(number, "courier")
        };
        assert_eq!(world.obey(asked), Verdict::Applied);
        let state = world.cases()[&case()].clone();
        assert_eq!(state.waiting_until, Some(opened + expected), "{why}");
        assert_eq!(state.waiting_since, Some(opened), "it goes on");
    }
    world.pass(Millis::from_secs(1));
    let last = world.steps(case()).pop().unwrap();
    assert_eq!((last.what, last.actor), (StepKind::Resumed, None));
    assert_eq!(last.time, opened + Millis::from_secs(1));
    let state = world.cases()[&case()].clone();
    assert_eq!(
        state.deadline,
        Some(opened + hours(16) + Millis::from_secs(1))
    );
    let days = Millis::from_days(14);
    assert_eq!(state.final_deadline, Some(opened + days));

    let number = 99;
    world.now = opened + days - hours(1);
    world.tick();
    assert_eq!(world.obey(wait_for(number, "courier")), Verdict::Applied);
    world.pass(hours(1));
    let missed = world.steps(case());
    let missed = missed.iter().rfind(|step| step.what == StepKind::Missed);
    assert_eq!(missed.unwrap().reason.as_deref(), Some("final"));
    let state = &world.cases()[&case()];
    assert!(state.waiting_on.is_some(), "and the wait goes on");
}

#[test]
fn a_wait_that_outlasts_every_other_deadline_leaves_the_case_with_one() {
    let mut world = world();
    world.hear(complaint(1));
    world.now = world.now + Millis::from_days(14) - hours(1);
    world.tick();
    assert_eq!(world.obey(wait_for(2, "courier")), Verdict::Applied);
    let answered = command(3, case(), CommandKind::Contact);
    assert_eq!(world.obey(answered), Verdict::Applied);
    world.pass(hours(1));
    world.pass(hours(48));
    let state = world.cases()[&case()].clone();
    assert_eq!(state.waiting_on, None);
    assert!(state.deadline > Some(world.now), "{:?}", state.deadline);
}

#[test]
fn a_joined_case_waits_as_the_one_acted_on_last_and_the_earlier_deadline_of_each_kind_holds() {
    for (waits_last, why) in [(true, "theirs waits"), (false, "ours waits")] {
        let mut world = World::new(2, company());
        world.hear(complaint(1));
        let theirs = matter(2).own_case();
        world.pass(hours(1));
        let other = Signal {
            matter: matter(2),
            case: theirs,
            ..complaint(2)
        };
        world.hear(other);
        let opened = noon() + hours(1);
        let wait = |number, id| Command {
            case: id,
            ..wait_for(number, "courier")
        };
        let first = if waits_last { case() } else { theirs };
        let last = if waits_last { theirs } else { case() };
        let acknowledge = command(1, first, CommandKind::Acknowledge);
        assert_eq!(world.obey(acknowledge), Verdict::Applied);
        world.pass(hours(1));
        assert_eq!(world.obey(wait(2, last)), Verdict::Applied);
        world.pass(hours(3));
        let regroup = Regroup {
            from: theirs,
            matter: matter(2),
            to: case(),
            version: event::Version::ZERO.next(),
        };
        assert_eq!(world.give(CaseInput::Regroup(regroup)), Outcome::Applied);
        world.rest();
        world.check();
        let state = world.cases()[&case()].clone();
        assert_eq!(state.waiting_on, Some(name("courier")), "{why}");
        assert_eq!(state.waiting_since, Some(opened + hours(2)), "{why}");
        assert_eq!(
            world.obey(command(3, case(), CommandKind::Resume)),
            Verdict::Applied
        );
        // The one that did not wait has 16 - 5 hours left if it is ours and 16 - 4 if it is theirs; the one that waited has
        // 16 - 1 or 16 - 2.
        let left = if waits_last { hours(11) } else { hours(12) };
        let due = world.cases()[&case()].deadline;
        assert_eq!(due, Some(world.now + left), "{why}");
    }
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Wait,
    Resume,
    Nothing,
}

/// Hour by hour: how long the department had the case without waiting, how long it waited, and when the contact with the
/// customer is due first.
fn hour_by_hour(acts: &[(i64, Act)], limit: i64) -> (i64, i64, Option<Time>) {
    let (mut worked, mut waited, mut due) = (0, 0, None);
    let mut until = None;
    let mut hour = 0;
    for (length, act) in acts {
        match act {
            Act::Wait => until = Some(hour + limit),
            Act::Resume => until = None,
            Act::Nothing => {}
        }
        for _ in 0..*length {
            until = until.filter(|until| hour < *until);
            // Monday noon in London is 14 in Helsinki, and the case opens an hour later.
            let (day, of_day) = ((hour + 15) / 24 % 7, (hour + 15) % 24);
            let is_open = day < 5 && (8..16).contains(&of_day);
            if until.is_some() {
                waited += 1;
            } else if is_open {
                worked += 1;
                if worked == 16 {
                    due = Some(noon() + hours(hour + 2));
                }
            }
            hour += 1;
        }
    }
    (worked, waited, due)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn waiting_takes_no_business_time_from_the_department(
        acts in prop::collection::vec(
            (1_i64..40, prop::sample::select(vec![Act::Wait, Act::Resume, Act::Nothing])),
            1..12,
        ),
        limit in 1_i64..60,
    ) {
        let mut company = company();
        let office = [Mon, Tue, Wed, Thu, Fri].map(|day| (day, vec!["08:00-16:00".to_owned()]));
        company.departments.get_mut(&department("delivery")).unwrap().hours = office.into();
        company.deadlines.acknowledge = Millis::from_days(300);
        company.deadlines.final_after = Millis::from_days(300);
        company.deadlines.wait = hours(limit);
        let mut world = World::new(1, company.clone());
        world.hear(complaint(60));
        let opened = world.now;
        for (number, (length, act)) in (1..).zip(&acts) {
            match act {
                Act::Wait => drop(world.obey(wait_for(number, "courier"))),
                Act::Resume => drop(world.obey(command(number, case(), CommandKind::Resume))),
                Act::Nothing => {}
            }
            world.pass(hours(*length));
        }
        let (worked, waited, due) = hour_by_hour(&acts, limit);
        let steps = world.steps(case());
        let missed = steps.iter().find(|step| step.reason.as_deref() == Some("contact"));
        prop_assert_eq!(missed.map(|step| step.time), due, "A-11");
        let state = world.cases()[&case()].clone();
        let clocks = clocks(&state, &steps, &company, world.now);
        prop_assert_eq!((clocks.owner, clocks.party), (hours(worked), hours(waited)));
        prop_assert_eq!(clocks.customer_wait, world.now - opened, "the customer waits all the time");
    }
}
