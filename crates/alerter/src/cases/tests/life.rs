//! Random lives of one case.

use event::{
    CaseId, DepartmentId,
    case::{Phase, Step, StepKind},
};
use proptest::prelude::*;

use super::{status::says, *};

#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a story has few acts")]
enum Act {
    Hear(Signal),
    Obey(Command),
    Pass(i64),
}

fn heard() -> impl Strategy<Value = Signal> {
    (1_u64..8, 0_u8..8, 0_u32..2, any::<bool>(), 0_u64..3).prop_map(
        |(number, kind, revision, is_invoice, route)| {
            let mut heard = match kind {
                0 | 1 => complaint(number),
                2 => contact(number),
                3 => feedback(number, 2.0),
                4 => says(number, SignalKind::Solved, "help-desk"),
                5 => says(number, SignalKind::Reopened, "help-desk"),
                6 => Signal {
                    what: SignalKind::Progress,
                    party: Some(name("courier")),
                    ..signal(number, Kind::Service, "shipment.scanned")
                },
                _ => feedback(number, 7.0),
            };
            if is_invoice {
                heard.name = name("invoice");
            }
            heard.revision = revision;
            heard.withdrawn = revision == 1 && number > 5;
            heard.history = number == 1;
            heard.route = token(1_000 + route);
            heard
        },
    )
}

fn asked() -> impl Strategy<Value = Command> {
    use CommandKind::{
        Accept, Acknowledge, Claim, Contact, Decline, HandOff, Note, Release, Reopen, Resolve,
        Resume, Wait,
    };
    let kinds = vec![
        Acknowledge,
        Contact,
        HandOff,
        HandOff,
        Accept,
        Accept,
        Decline,
        Resolve,
        Reopen,
        Claim,
        Release,
        Note,
        Wait,
        Wait,
        Resume,
    ];
    let departments = vec!["care", "delivery", "finance", "nowhere"];
    (
        1_u64..30,
        prop::sample::select(kinds),
        prop::sample::select(departments.clone()),
        prop::sample::select(departments),
        0_u8..4,
    )
        .prop_map(|(number, what, theirs, to, luck)| Command {
            departments: vec![department(theirs)],
            any_department: luck > 0,
            to: Some(department(to)),
            actor: name(if luck == 3 { "veikko" } else { "aino" }),
            on: Some(name("courier")),
            expected_version: (luck == 1).then_some(3),
            told: (luck == 2).then_some(event::case::ContactHow::Phone),
            // Commands of one id are repeats, whatever they ask.
            ..command(number, case(), what)
        })
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        heard().prop_map(Act::Hear),
        asked().prop_map(Act::Obey),
        (1_i64..40).prop_map(Act::Pass),
    ]
}

/// The phase and the owner, by reading the history from its start.
fn fold(steps: &[Step]) -> Option<(Phase, DepartmentId)> {
    let mut phase = Phase::Closed;
    for step in steps {
        phase = match step.what {
            StepKind::Opened if phase != Phase::Acknowledged => Phase::Open,
            StepKind::Reopened => Phase::Open,
            StepKind::Acknowledged | StepKind::Accepted => Phase::Acknowledged,
            StepKind::Contacted if phase.is_open() => Phase::Acknowledged,
            StepKind::Offered | StepKind::Claimed | StepKind::Waiting => Phase::Acknowledged,
            StepKind::Resolved => Phase::Resolved,
            StepKind::OpenedInError => Phase::Closed,
            StepKind::Opened
            | StepKind::Heard
            | StepKind::Contacted
            | StepKind::Declined
            | StepKind::Returned
            | StepKind::Escalated
            | StepKind::Missed
            | StepKind::Joined
            | StepKind::Absorbed
            | StepKind::Parted
            | StepKind::Released
            | StepKind::Noted
            | StepKind::Proposed
            | StepKind::Resumed
            | StepKind::Noticed
            | StepKind::Warned
            | StepKind::Broken
            | StepKind::Unknown => phase,
        };
    }
    Some((phase, steps.last()?.owner.clone()))
}

fn is_legal(before: Phase, after: Phase) -> bool {
    use Phase::{Acknowledged, Closed, Open, Resolved};
    matches!(
        (before, after),
        (Closed | Resolved, Open)
            | (Open, Acknowledged | Resolved | Closed)
            | (Acknowledged, Resolved)
    ) || before == after
}

fn phase_of(world: &World, id: CaseId) -> Phase {
    world
        .cases()
        .get(&id)
        .map_or(Phase::Closed, |state| state.phase)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_a_case_has_one_owner_a_deadline_ahead_and_a_history_that_tells_it(
        acts in prop::collection::vec(act(), 1..40),
    ) {
        let mut world = world();
        let mut verdicts = std::collections::BTreeMap::new();
        for act in acts {
            let before = phase_of(&world, case());
            match act {
                Act::Hear(heard) => world.hear(heard),
                Act::Obey(asked) => {
                    let id = asked.id;
                    let cases = world.cases();
                    let verdict = world.obey(asked);
                    let first = *verdicts.entry(id).or_insert(verdict);
                    prop_assert_eq!(first, verdict, "A-3: a repeat is answered the same");
                    if verdict != Verdict::Applied {
                        prop_assert_eq!(&cases, &world.cases(), "A-3: a refusal changes nothing");
                    }
                }
                Act::Pass(hours) => {
                    world.pass(Millis::from_hours(hours));
                    prop_assert_eq!(before, phase_of(&world, case()), "A-2: time closes nothing");
                    for state in world.cases().values() {
                        prop_assert!(state.deadline.is_none_or(|due| due > world.now), "A-1");
                    }
                }
            }
            let after = phase_of(&world, case());
            prop_assert!(is_legal(before, after), "{:?} -> {:?}", before, after);
            let steps = world.steps(case());
            let told = world.cases().get(&case()).map(|state| (state.phase, state.owner.clone()));
            prop_assert_eq!(fold(&steps), told, "A-5: the history tells the state");
        }
        let mut ids: Vec<_> = world.notices().iter().map(|notice| notice.id).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), all, "a notice has an id of its own");
    }

    #[test]
    fn however_late_the_tick_it_says_the_same(
        signals in prop::collection::vec(heard(), 1..6),
        hours in prop::collection::vec(1_i64..30, 1..12),
    ) {
        let run = |often: bool| {
            let mut world = world();
            for signal in signals.clone() {
                world.hear(signal);
            }
            for hours in &hours {
                let length = Millis::from_hours(*hours);
                if often { world.pass(length) } else { world.now = world.now + length }
            }
            world.tick();
            world.records
        };
        prop_assert_eq!(run(true), run(false), "A-7");
    }

    #[test]
    fn history_alone_tells_nobody(acts in prop::collection::vec(heard(), 1..20), hours in 1_i64..1_000) {
        let mut world = world();
        for heard in acts {
            world.hear(Signal { history: true, ..heard });
        }
        world.pass(Millis::from_hours(hours));
        prop_assert_eq!(world.notices(), vec![], "A-6");
        for state in world.cases().values() {
            prop_assert!(state.deadline.is_none());
        }
    }
}
