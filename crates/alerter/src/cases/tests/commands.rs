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
    use CommandKind::{Accept, Acknowledge, Contact, Decline, HandOff, Reopen, Resolve, Unknown};
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
