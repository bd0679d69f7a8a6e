//! What happens to one case, told as tables.

use event::{
    CaseId, Channel, Company, Kind, Millis, Perspective, Score,
    case::{Phase, StepKind},
    case_input::{CaseInput, Command, CommandKind, Regroup, Signal, SignalKind},
    command_outcome::Verdict,
    notice::Why,
    rules::{Matcher, Route},
    timeline_input::{StepNote, TimelineInput},
};
use machine::Outcome;

use crate::samples::{World, command, company_of, department, matter, name, noon, signal, token};

mod clocks;
mod commands;
mod grouping;
mod life;
mod praise;
mod reminders;
mod signs;
mod status;
mod waiting;

fn company() -> Company {
    let mut company = company_of(&["care", "delivery", "finance", "posti", "quality"]);
    company.routes.routes = vec![Route {
        name: Some(name("deliveries")),
        receiver: Some(department("delivery")),
        matchers: Matcher {
            name: Some("delivery.*".to_owned()),
            ..Matcher::default()
        },
        ..Route::default()
    }];
    let delivery = company.departments.get_mut(&department("delivery"));
    delivery.unwrap().sources = vec![event::SourceId::new("help-desk").unwrap()];
    company
}

fn world() -> World {
    World::new(1, company())
}

const COMPLAINT: Kind = Kind::Complaint;

fn case() -> CaseId {
    matter(1).own_case()
}

fn complaint(number: u64) -> Signal {
    signal(number, COMPLAINT, "delivery.late")
}

fn contact(number: u64) -> Signal {
    signal(number, Kind::Service, "call.in")
}

fn feedback(number: u64, value: f64) -> Signal {
    let score = Score {
        metric: name("nps"),
        value,
        min: 0.0,
        max: 10.0,
    };
    Signal {
        score: Some(score),
        ..signal(number, Kind::Feedback, "survey")
    }
}

impl World {
    fn hear(&mut self, signal: Signal) {
        let outcome = self.outcome_of(signal);
        assert_ne!(outcome, Outcome::Rejected);
    }

    fn outcome_of(&mut self, signal: Signal) -> Outcome {
        let outcome = self.give(CaseInput::Signal(signal));
        self.check();
        outcome
    }

    /// Gives a command and says what it came to.
    fn obey(&mut self, command: Command) -> Verdict {
        let before = self.outcomes().len();
        let _counted = self.give(CaseInput::Command(command));
        self.rest();
        self.check();
        let outcomes = self.outcomes();
        assert_eq!(outcomes.len(), before + 1, "A-3: one outcome a command");
        outcomes[before].result.verdict
    }

    fn pass(&mut self, length: Millis) {
        self.now = self.now + length;
        self.tick();
        self.check();
    }

    fn kinds(&self) -> Vec<StepKind> {
        self.steps(case()).iter().map(|step| step.what).collect()
    }

    fn told(&self) -> Vec<(String, Why)> {
        let notices = self.notices();
        notices
            .iter()
            .map(|notice| (notice.department.to_string(), notice.why))
            .collect()
    }

    fn notes(&self) -> Vec<StepNote> {
        let mut notes = Vec::new();
        for record in &self.records {
            if let event::Record::TimelineInput(TimelineInput::Step(note)) = record {
                notes.push(note.clone());
            }
        }
        notes
    }

    fn phase(&self) -> Phase {
        self.cases()[&case()].phase
    }
}

fn told(expected: &[(&str, Why)]) -> Vec<(String, Why)> {
    expected
        .iter()
        .map(|(department, why)| ((*department).to_owned(), *why))
        .collect()
}

#[test]
fn a_complaint_is_routed_missed_escalated_acknowledged_handed_off_and_resolved() {
    let mut world = world();
    let outcome = world.outcome_of(complaint(1));
    assert_eq!(outcome, Outcome::Applied);
    let state = world.cases()[&case()].clone();
    assert_eq!(state.owner, department("delivery"));
    assert_eq!(state.route, [name("deliveries")]);
    assert_eq!(state.happened, noon() + Millis::from_secs(60));
    assert_eq!(state.deadline, Some(world.now + Millis::from_hours(4)));

    world.pass(Millis::from_hours(5));
    assert_eq!(
        world.obey(command(1, case(), CommandKind::Acknowledge)),
        Verdict::Applied
    );
    assert_eq!(
        world.obey(command(2, case(), CommandKind::Contact)),
        Verdict::Applied
    );
    let offer = Command {
        to: Some(department("finance")),
        ..command(3, case(), CommandKind::HandOff)
    };
    assert_eq!(world.obey(offer), Verdict::Applied);
    assert_eq!(
        world.cases()[&case()].owner,
        department("delivery"),
        "the giver owns it"
    );
    assert_eq!(
        world.obey(command(4, case(), CommandKind::Accept)),
        Verdict::Applied
    );
    assert_eq!(
        world.obey(command(5, case(), CommandKind::Resolve)),
        Verdict::Applied
    );

    use StepKind::{
        Accepted, Acknowledged, Contacted, Escalated, Missed, Offered, Opened, Resolved,
    };
    let kinds = [
        Opened,
        Missed,
        Escalated,
        Acknowledged,
        Contacted,
        Offered,
        Accepted,
        Resolved,
    ];
    assert_eq!(world.kinds(), kinds);
    let state = world.cases()[&case()].clone();
    assert_eq!(state.owner, department("finance"));
    assert_eq!(state.trail, [department("delivery"), department("finance")]);
    assert_eq!(state.deadline, None);
    assert_eq!(state.contacted, Some(world.now));
    let missed = &world.steps(case())[1];
    assert_eq!(
        missed.time,
        noon() + Millis::from_hours(5),
        "the time it was due"
    );
    assert_eq!(missed.reason.as_deref(), Some("acknowledge"));
    let expected = [
        ("delivery", Why::Opened),
        ("delivery", Why::Missed),
        ("care", Why::Escalated),
        ("finance", Why::Offered),
        ("delivery", Why::Accepted),
        ("delivery", Why::Resolved),
        ("finance", Why::Resolved),
    ];
    assert_eq!(world.told(), told(&expected));
    assert_eq!(
        world.notes().len(),
        kinds.len(),
        "each step once to the one customer"
    );
    world.pass(Millis::from_days(30));
    assert_eq!(world.kinds(), kinds, "nothing is due of a resolved case");
}

#[test]
fn five_calls_about_one_delivery_are_one_case_once_it_opens() {
    let mut world = world();
    for number in 1..=3 {
        world.hear(contact(number));
    }
    assert_eq!(world.cases().len(), 0, "a call opens no case");
    let mut second_channel = contact(4);
    second_channel.channel = Channel::CallCentre;
    second_channel.what = SignalKind::Complaint;
    second_channel.kind = COMPLAINT;
    world.hear(second_channel.clone());
    world.hear(contact(5));
    assert_eq!(world.outcome_of(second_channel), Outcome::Duplicate);
    let state = world.cases()[&case()].clone();
    assert_eq!(state.contacts, 5);
    assert_eq!(state.channels, [Channel::CallCentre, Channel::Web]);
    assert_eq!(
        world.told(),
        told(&[("care", Why::Opened), ("care", Why::Heard)])
    );
}

#[test]
fn what_opens_a_case_and_what_opens_it_again() {
    let mut company = company();
    company.cases.opens = vec![name("parcel.lost")];
    let lost = |number| Signal {
        what: SignalKind::Progress,
        ..signal(number, Kind::Service, "parcel.lost")
    };
    let found = |number| Signal {
        what: SignalKind::Progress,
        ..signal(number, Kind::Service, "parcel.found")
    };
    for (heard, opens, reopens, why) in [
        (complaint(200), true, true, "a complaint"),
        (feedback(200, 3.0), true, true, "low feedback"),
        (feedback(200, 3.1), false, false, "feedback that is not low"),
        (
            signal(200, Kind::Feedback, "survey"),
            false,
            false,
            "feedback without a score",
        ),
        (lost(200), true, true, "a service event that the rules name"),
        (found(200), false, false, "any other service event"),
        (contact(200), false, true, "a contact"),
        (
            contact(10),
            false,
            false,
            "a contact from before it was resolved",
        ),
    ] {
        let mut world = World::new(1, company.clone());
        world.hear(heard.clone());
        assert_eq!(!world.cases().is_empty(), opens, "{why}");

        let mut world = World::new(1, company.clone());
        world.hear(complaint(1));
        assert_eq!(
            world.obey(command(1, case(), CommandKind::Resolve)),
            Verdict::Applied
        );
        world.now = world.now + Millis::from_hours(5);
        world.hear(heard);
        let phase = if reopens {
            Phase::Open
        } else {
            Phase::Resolved
        };
        assert_eq!(world.phase(), phase, "{why}");
        let told = world
            .told()
            .contains(&("delivery".to_owned(), Why::Reopened));
        assert_eq!(told, reopens, "{why}");
    }
}

#[test]
fn imported_history_tells_nobody_until_something_live_happens() {
    let history = |signal: Signal| Signal {
        history: true,
        ..signal
    };
    for (wakes, expected, why) in [
        (None, &[][..], "nothing live"),
        (
            Some(contact(3)),
            &[("delivery", Why::Opened)][..],
            "a live call",
        ),
    ] {
        let mut world = world();
        world.hear(history(complaint(1)));
        world.hear(history(contact(2)));
        world.pass(Millis::from_days(20));
        let state = world.cases()[&case()].clone();
        assert!(state.dormant && state.deadline.is_none());
        assert_eq!(
            state.opened,
            noon() + Millis::from_secs(60),
            "in event time"
        );
        if let Some(live) = wakes {
            world.hear(live);
            assert!(!world.cases()[&case()].dormant);
        }
        assert_eq!(world.told(), told(expected), "{why}");
    }
    let mut world = world();
    world.hear(history(complaint(1)));
    assert_eq!(
        world.obey(command(1, case(), CommandKind::Acknowledge)),
        Verdict::Applied
    );
    let state = world.cases()[&case()].clone();
    assert!(
        !state.dormant && state.deadline.is_some(),
        "a command wakes it too"
    );
    let mut thanks = history(complaint(2));
    thanks.what = SignalKind::Praise;
    world.hear(thanks);
    assert_eq!(world.told(), [], "and nobody is thanked for history");
}

#[test]
fn a_withdrawn_event_closes_what_it_alone_opened_and_says_so() {
    let withdrawn = |number| Signal {
        revision: 1,
        withdrawn: true,
        ..complaint(number)
    };
    let mut world = world();
    world.hear(complaint(1));
    world.hear(contact(2));
    world.hear(withdrawn(1));
    assert_eq!(world.phase(), Phase::Closed);
    assert_eq!(world.kinds().pop(), Some(StepKind::OpenedInError));
    assert_eq!(world.told().pop(), Some(("delivery".to_owned(), Why::Gone)));
    assert_eq!(
        world.outcome_of(complaint(1)),
        Outcome::Duplicate,
        "the older revision"
    );
    world.hear(complaint(3));
    assert_eq!(world.phase(), Phase::Open, "the next complaint opens it");

    let mut acted_on = self::world();
    acted_on.hear(complaint(1));
    assert_eq!(
        acted_on.obey(command(1, case(), CommandKind::Acknowledge)),
        Verdict::Applied
    );
    acted_on.hear(withdrawn(1));
    assert_eq!(acted_on.phase(), Phase::Acknowledged, "a person decides");

    let mut other_reason = self::world();
    other_reason.hear(complaint(1));
    other_reason.hear(complaint(2));
    other_reason.hear(withdrawn(1));
    assert_eq!(
        other_reason.phase(),
        Phase::Open,
        "the other complaint stands"
    );
}

#[test]
fn whose_eyes_saw_it_decides_where_it_goes() {
    let seen_by = |perspective| Signal {
        perspective,
        ..complaint(1)
    };
    let mut world = world();
    assert_eq!(
        world.outcome_of(seen_by(Perspective::Simulation)),
        Outcome::Anonymous
    );
    world.hear(seen_by(Perspective::Test));
    let state = world.cases()[&case()].clone();
    assert!(state.test);
    let away = Command {
        to: Some(department("finance")),
        ..command(1, case(), CommandKind::HandOff)
    };
    assert_eq!(world.obey(away), Verdict::BadDepartment);
    world.pass(Millis::from_days(1));
    let departments: Vec<_> = world
        .told()
        .into_iter()
        .map(|(department, _)| department)
        .collect();
    assert!(
        departments.len() > 2,
        "it is missed and escalated like any other"
    );
    assert_eq!(departments, vec!["canary"; departments.len()]);
}

#[test]
fn the_earliest_complaint_decides_the_route_until_a_person_acts() {
    for (acts, owner) in [(false, "delivery"), (true, "care")] {
        let mut world = world();
        world.hear(signal(5, COMPLAINT, "invoice"));
        if acts {
            assert_eq!(
                world.obey(command(1, case(), CommandKind::Acknowledge)),
                Verdict::Applied
            );
        }
        world.hear(complaint(1));
        assert_eq!(world.cases()[&case()].owner, department(owner));
        let moved = world.told().contains(&("care".to_owned(), Why::Gone));
        assert_eq!(moved, !acts);
    }
}

#[test]
fn a_customer_who_becomes_known_later_is_told_of_all_steps() {
    let mut world = world();
    world.hear(complaint(1));
    assert_eq!(
        world.obey(command(1, case(), CommandKind::Acknowledge)),
        Verdict::Applied
    );
    let first: Vec<_> = world.notes().iter().map(|note| note.id).collect();
    let mut other = contact(2);
    other.route = token(2_000);
    world.hear(other);
    let notes = world.notes();
    let to_other: Vec<_> = notes
        .iter()
        .filter(|note| note.route == token(2_000))
        .collect();
    assert_eq!(
        to_other.iter().map(|note| note.id).collect::<Vec<_>>(),
        first
    );
    assert_eq!(notes.len(), 4, "hearing is no step to show");
}

#[test]
fn who_parts_with_a_matter_is_told_no_more_of_the_case() {
    let mut world = World::new(2, company());
    world.hear(complaint(1));
    let mut other = complaint(2);
    other.matter = matter(2);
    other.route = token(2_000);
    world.hear(other);
    let part = Regroup {
        from: case(),
        matter: matter(2),
        to: matter(2).own_case(),
        version: event::Version::ZERO.next(),
    };
    assert_eq!(world.give(CaseInput::Regroup(part)), Outcome::Applied);
    world.rest();
    world.check();
    assert_eq!(
        world.kinds(),
        [StepKind::Opened, StepKind::Heard, StepKind::Parted]
    );
    assert_eq!(world.cases().len(), 2, "the matter is routed anew");
    let before = world.notes().len();
    assert_eq!(
        world.obey(command(1, case(), CommandKind::Acknowledge)),
        Verdict::Applied
    );
    let notes = world.notes();
    let routes: Vec<_> = notes[before..].iter().map(|note| note.route).collect();
    assert_eq!(routes, [token(1_000)]);
}

#[test]
fn more_than_one_step_may_put_out_waits_and_loses_nothing() {
    let mut world = World::new(2, company());
    let small = matter(2);
    let far = matter(3);
    assert_ne!(
        event::Partition::of(small.own_case().as_bytes(), 2),
        event::Partition::of(far.own_case().as_bytes(), 2)
    );
    let count: u64 = 6_000;
    for number in 0..count {
        let mut heard = contact(number);
        heard.matter = far;
        heard.case = far.own_case();
        assert_eq!(world.give(CaseInput::Signal(heard)), Outcome::Applied);
    }
    let before = world.inputs;
    world.send(CaseInput::Regroup(Regroup {
        from: far.own_case(),
        matter: far,
        to: small.own_case(),
        version: event::Version::ZERO.next(),
    }));
    world.rest();
    let held = world
        .rows()
        .filter(|(key, _)| matches!(key, super::Key::Signal(..)));
    let (mut here, mut order) = (0, Vec::new());
    for (key, _) in held {
        let super::Key::Signal(case, ..) = key else {
            continue;
        };
        order.push(*case);
        here += u64::from(*case == small.own_case());
    }
    assert_eq!((here, order.len() as u64), (count, count), "A-8");
    assert!(
        world.inputs as u64 > before as u64 + count,
        "it took several steps"
    );
    world.check();
}
