//! What people ask of a case, and what happens when they do nothing.

use super::*;

#[test]
fn every_refusal_has_its_verdict_and_changes_nothing() {
    let give = |what: CommandKind| command(7, case(), what);
    let theirs = |id: &str, command: Command| Command {
        any_department: false,
        departments: vec![department(id)],
        ..command
    };
    let to = |id: &str| Command {
        to: Some(department(id)),
        ..give(CommandKind::HandOff)
    };
    use CommandKind::{
        Accept, Acknowledge, Claim, Contact, Decline, HandOff, Note, Release, Reopen, Resolve,
        Resume, Unknown, Wait,
    };
    use Verdict::*;
    let untold = Command {
        told: None,
        reason: Some("  ".to_owned()),
        ..give(Resolve)
    };
    let unreached = Command {
        reached: None,
        ..give(Contact)
    };
    let offer = to("finance");
    let by_another = |what| Command {
        actor: name("veikko"),
        ..give(what)
    };
    let unsaid = |what| Command {
        reason: None,
        ..give(what)
    };
    let on_posti = |what| Command {
        on: Some(name("posti")),
        ..give(what)
    };
    for (before, asked, verdict) in [
        (
            vec![],
            Command {
                case: matter(9).own_case(),
                ..give(Acknowledge)
            },
            NoSuchCase,
        ),
        (vec![], theirs("finance", give(Acknowledge)), NotYours),
        (vec![], theirs("delivery", give(Acknowledge)), Applied),
        (
            vec![],
            Command {
                expected_version: Some(2),
                ..give(Acknowledge)
            },
            VersionMismatch,
        ),
        (
            vec![],
            Command {
                expected_version: Some(1),
                ..give(Acknowledge)
            },
            Applied,
        ),
        (vec![give(Acknowledge)], give(Acknowledge), WrongPhase),
        (vec![give(Resolve)], give(HandOff), WrongPhase),
        (vec![give(Resolve)], give(Contact), Applied),
        (vec![], unreached, Incomplete),
        (vec![], give(HandOff), Incomplete),
        (vec![], to("delivery"), BadDepartment),
        (vec![], to("nobody"), BadDepartment),
        (vec![offer.clone()], to("care"), WrongPhase),
        (vec![], give(Accept), NoOffer),
        (vec![], give(Decline), NoOffer),
        (
            vec![offer.clone()],
            theirs("delivery", give(Accept)),
            NotYours,
        ),
        (
            vec![offer.clone()],
            theirs("finance", give(Accept)),
            Applied,
        ),
        (
            vec![offer.clone()],
            Command {
                reason: None,
                ..give(Decline)
            },
            Incomplete,
        ),
        (
            vec![offer.clone()],
            theirs("finance", give(Decline)),
            Applied,
        ),
        (vec![offer], theirs("finance", give(Resolve)), NotYours),
        (vec![], untold.clone(), CustomerNotTold),
        (
            vec![],
            Command {
                reason: Some("moved away".to_owned()),
                ..untold
            },
            Applied,
        ),
        (vec![], give(Reopen), WrongPhase),
        (vec![give(Resolve)], give(Reopen), Applied),
        (vec![], give(Claim), Applied),
        (vec![], theirs("finance", give(Claim)), NotYours),
        (vec![give(Claim)], give(Claim), WrongPhase),
        (vec![give(Claim)], by_another(Claim), Applied),
        (vec![give(Resolve)], give(Claim), WrongPhase),
        (vec![], give(Release), WrongPhase),
        (vec![give(Claim)], by_another(Release), Applied),
        (vec![], give(Note), Applied),
        (vec![], unsaid(Note), Incomplete),
        (vec![], theirs("finance", give(Note)), NotYours),
        (vec![to("finance")], theirs("finance", give(Note)), Applied),
        (vec![give(Resolve)], give(Note), Applied),
        (vec![], give(Wait), Incomplete),
        (vec![], on_posti(Wait), Applied),
        (vec![on_posti(Wait)], on_posti(Wait), Applied),
        (vec![give(Resolve)], on_posti(Wait), WrongPhase),
        (vec![], give(Resume), WrongPhase),
        (vec![on_posti(Wait)], give(Resume), Applied),
        (vec![], give(Unknown), Verdict::Unknown),
    ] {
        let mut world = world();
        world.hear(complaint(1));
        for (number, before) in (1..).zip(before) {
            let id = command(number, case(), before.what).id;
            assert_eq!(world.obey(Command { id, ..before }), Applied);
        }
        let before = world.cases();
        assert_eq!(world.obey(asked.clone()), verdict, "{asked:?}");
        assert_eq!(world.cases() == before, verdict != Applied, "{asked:?}");
        let after = world.cases();
        assert_eq!(world.obey(asked.clone()), verdict, "A-3: again {asked:?}");
        assert_eq!(world.cases(), after, "A-3: again {asked:?}");
    }
}

#[test]
fn an_unanswered_offer_returns_and_the_third_hand_off_escalates_with_the_trail() {
    let mut world = world();
    world.hear(complaint(1));
    let offer = |number, to: &str| Command {
        to: Some(department(to)),
        ..command(number, case(), CommandKind::HandOff)
    };
    assert_eq!(world.obey(offer(1, "finance")), Verdict::Applied);
    world.pass(Millis::from_hours(9));
    let state = world.cases()[&case()].clone();
    assert_eq!(
        (state.offered_to, state.owner),
        (None, department("delivery"))
    );
    let kinds = world.kinds();
    assert_eq!(
        kinds[kinds.len() - 2..],
        [StepKind::Returned, StepKind::Escalated]
    );

    assert_eq!(world.obey(offer(2, "finance")), Verdict::Applied);
    assert_eq!(
        world.obey(command(3, case(), CommandKind::Accept)),
        Verdict::Applied
    );
    assert_eq!(world.kinds().pop(), Some(StepKind::Accepted));
    assert_eq!(world.obey(offer(4, "delivery")), Verdict::Applied);
    let last = world.steps(case()).pop().unwrap();
    assert_eq!(last.what, StepKind::Escalated);
    assert_eq!(last.other, Some(department("care")));
    let trail = "handed on: delivery > finance > delivery";
    assert_eq!(last.reason.as_deref(), Some(trail));
}

#[test]
fn the_final_deadline_escalates_once_whatever_was_done() {
    let mut world = world();
    world.hear(complaint(1));
    let final_deadline = world.cases()[&case()].final_deadline;
    assert_eq!(final_deadline, Some(world.now + Millis::from_days(14)));
    for number in 1..=40 {
        world.pass(Millis::from_hours(10));
        assert_eq!(
            world.obey(command(number, case(), CommandKind::Contact)),
            Verdict::Applied
        );
    }
    assert_eq!(world.cases()[&case()].final_deadline, final_deadline);
    let missed: Vec<_> = world
        .steps(case())
        .into_iter()
        .filter(|step| step.what == StepKind::Missed)
        .map(|step| (step.reason.unwrap(), Some(step.time)))
        .collect();
    let first = Some(noon() + Millis::from_hours(5));
    let expected = [
        ("acknowledge".to_owned(), first),
        ("final".to_owned(), final_deadline),
    ];
    assert_eq!(
        missed,
        [
            &expected[..1],
            &[(
                "acknowledge".to_owned(),
                Some(noon() + Millis::from_hours(9))
            )],
            &expected[1..]
        ]
        .concat()
    );
}

#[test]
fn an_absorbed_case_answers_repeats_and_passes_on_the_rest() {
    let mut world = World::new(4, company());
    world.hear(complaint(1));
    let mut other = complaint(2);
    other.matter = matter(2);
    other.case = matter(2).own_case();
    world.hear(other);
    let old = matter(2).own_case();
    let given = command(1, old, CommandKind::Acknowledge);
    assert_eq!(world.obey(given.clone()), Verdict::Applied);
    let regroup = Regroup {
        from: old,
        matter: matter(2),
        to: case(),
        version: event::Version::ZERO.next(),
    };
    assert_eq!(
        world.give(CaseInput::Regroup(regroup.clone())),
        Outcome::Applied
    );
    world.rest();
    world.check();
    assert_eq!(world.give(CaseInput::Regroup(regroup)), Outcome::Duplicate);
    let cases = world.cases();
    assert_eq!(cases[&old].absorbed_by, Some(case()));
    assert_eq!(cases[&old].phase, Phase::Closed);
    assert_eq!(
        cases[&case()].phase,
        Phase::Acknowledged,
        "a person acted on the other one"
    );
    assert_eq!(cases[&case()].matters, [matter(1), matter(2)]);

    assert_eq!(
        world.obey(given.clone()),
        Verdict::Applied,
        "its own repeat"
    );
    let here = Command {
        case: case(),
        ..given
    };
    assert_eq!(
        world.obey(here),
        Verdict::Applied,
        "the repeat is known here too"
    );
    let seen_before = Command {
        expected_version: Some(cases[&case()].version),
        ..command(3, old, CommandKind::Resolve)
    };
    assert_eq!(
        world.obey(seen_before),
        Verdict::VersionMismatch,
        "whoever names a version saw the other case, not this one that happens to have as many steps"
    );
    assert_eq!(
        world.obey(command(2, old, CommandKind::Resolve)),
        Verdict::Applied
    );
    let outcome = world.outcomes().pop().unwrap();
    assert_eq!((outcome.asked, outcome.result.case), (old, case()));
    assert_eq!(world.phase(), Phase::Resolved);
    assert_eq!(
        world.obey(command(2, old, CommandKind::Resolve)),
        Verdict::Applied,
        "repeated"
    );
}

#[test]
fn whoever_takes_it_in_hand_says_from_whom_and_gives_it_up_with_the_case() {
    let mut world = world();
    world.hear(complaint(1));
    let by = |number, who: &str, what| Command {
        actor: name(who),
        ..command(number, case(), what)
    };
    let in_hand = |world: &World| world.cases()[&case()].claimed_by.clone();
    let whom = |world: &World| world.steps(case()).pop().unwrap().whom;
    assert_eq!(
        world.obey(by(1, "aino", CommandKind::Claim)),
        Verdict::Applied
    );
    assert_eq!(world.phase(), Phase::Acknowledged);
    assert_eq!((in_hand(&world), whom(&world)), (Some(name("aino")), None));
    assert_eq!(
        world.obey(by(2, "veikko", CommandKind::Claim)),
        Verdict::Applied
    );
    let expected = (Some(name("veikko")), Some(name("aino")));
    assert_eq!((in_hand(&world), whom(&world)), expected);
    assert_eq!(
        world.obey(by(3, "aino", CommandKind::Release)),
        Verdict::Applied
    );
    assert_eq!(
        (in_hand(&world), whom(&world)),
        (None, Some(name("veikko")))
    );

    assert_eq!(
        world.obey(by(4, "aino", CommandKind::Claim)),
        Verdict::Applied
    );
    let offer = Command {
        to: Some(department("finance")),
        ..by(5, "aino", CommandKind::HandOff)
    };
    assert_eq!(world.obey(offer), Verdict::Applied);
    assert_eq!(
        in_hand(&world),
        Some(name("aino")),
        "until somebody accepts"
    );
    assert_eq!(
        world.obey(by(6, "ritva", CommandKind::Accept)),
        Verdict::Applied
    );
    assert_eq!(in_hand(&world), None);
    assert_eq!(
        world.told().len(),
        3,
        "opened, offered, accepted: who has it in hand is no news"
    );
}

#[test]
fn a_note_stops_no_clock_and_wakes_what_is_dormant() {
    let mut world = world();
    world.hear(complaint(1));
    let before = world.cases()[&case()].clone();
    let note = command(1, case(), CommandKind::Note);
    assert_eq!(world.obey(note), Verdict::Applied);
    let after = world.cases()[&case()].clone();
    assert_eq!(
        (after.phase, after.deadline),
        (Phase::Open, before.deadline)
    );
    let noted = world.steps(case()).pop().unwrap();
    assert_eq!(
        (noted.what, noted.reason.as_deref()),
        (StepKind::Noted, Some("because"))
    );

    let mut dormant = self::world();
    dormant.hear(Signal {
        history: true,
        ..complaint(1)
    });
    assert_eq!(
        dormant.obey(command(1, case(), CommandKind::Note)),
        Verdict::Applied
    );
    assert!(!dormant.cases()[&case()].dormant);
}

#[test]
fn a_case_lies_in_the_unit_of_its_place_wherever_it_goes() {
    use event::rules::Unit;
    let unit = |places: &[&str]| Unit {
        name: String::new(),
        places: places.iter().map(|place| (*place).to_owned()).collect(),
    };
    let mut company = company();
    for (id, units) in [
        (
            "delivery",
            vec![
                ("kamppi", unit(&["store:kamppi"])),
                ("stores", unit(&["store:*"])),
            ],
        ),
        (
            "finance",
            vec![
                ("south", unit(&["store:k*", "store:*"])),
                ("all", unit(&["*"])),
            ],
        ),
    ] {
        let units = units.into_iter().map(|(id, unit)| (name(id), unit));
        company.departments.get_mut(&department(id)).unwrap().units = units.collect();
    }
    for (place, here, there) in [
        (Some("store:kamppi"), Some("kamppi"), Some("south")),
        (Some("store:tampere"), Some("stores"), Some("south")),
        (Some("web"), None, Some("all")),
        (None, None, None),
    ] {
        let mut world = World::new(1, company.clone());
        world.hear(Signal {
            place: place.map(name),
            ..complaint(1)
        });
        let unit_of = |world: &World| world.cases()[&case()].unit.clone();
        assert_eq!(unit_of(&world), here.map(name), "{place:?}");
        let offer = Command {
            to: Some(department("finance")),
            ..command(1, case(), CommandKind::HandOff)
        };
        assert_eq!(world.obey(offer), Verdict::Applied);
        assert_eq!(unit_of(&world), here.map(name), "{place:?}");
        let accept = command(2, case(), CommandKind::Accept);
        assert_eq!(world.obey(accept), Verdict::Applied);
        assert_eq!(unit_of(&world), there.map(name), "{place:?}");
        let units: Vec<_> = world
            .notices()
            .into_iter()
            .map(|notice| notice.unit)
            .collect();
        assert_eq!(
            units,
            [here, there, here].map(|unit| unit.map(name)),
            "each its own"
        );
    }
}
