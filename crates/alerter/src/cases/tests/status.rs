//! A ticket is solved or reopened in a sender's own system.

use event::{EventId, SourceId, Time, rules::OnSolved};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};

use super::*;

pub(super) fn says(number: u64, what: SignalKind, source: &str) -> Signal {
    Signal {
        what,
        source: SourceId::new(source).unwrap(),
        ..signal(number, Kind::Service, "ticket.status")
    }
}

fn solved(number: u64) -> Signal {
    says(number, SignalKind::Solved, "help-desk")
}

fn reopened(number: u64) -> Signal {
    says(number, SignalKind::Reopened, "help-desk")
}

fn world_with(on_solved: OnSolved) -> World {
    let mut company = company();
    company.cases.on_solved = on_solved;
    World::new(1, company)
}

#[test]
fn what_a_systems_word_does_is_for_the_company_to_say() {
    use OnSolved::{Note, Propose, Resolve};
    use StepKind::{Noted, Opened, Proposed, Reopened, Resolved};
    let elsewhere = says(5, SignalKind::Solved, "carrier");
    for (mode, heard, steps, phase, proposed, why) in [
        (
            Propose,
            vec![solved(5)],
            vec![Opened, Proposed],
            Phase::Open,
            true,
            "is proposed",
        ),
        (
            Resolve,
            vec![solved(5)],
            vec![Opened, Resolved],
            Phase::Resolved,
            false,
            "resolves",
        ),
        (
            Note,
            vec![solved(5)],
            vec![Opened, Noted],
            Phase::Open,
            false,
            "is noted",
        ),
        (
            Resolve,
            vec![elsewhere],
            vec![Opened, Noted],
            Phase::Open,
            false,
            "no system of the owner's",
        ),
        (
            Propose,
            vec![solved(5), reopened(6)],
            vec![Opened, Proposed, Noted],
            Phase::Open,
            false,
            "is withdrawn",
        ),
        (
            Resolve,
            vec![solved(5), reopened(6)],
            vec![Opened, Resolved, Reopened],
            Phase::Open,
            false,
            "reopens",
        ),
        (
            Resolve,
            vec![solved(5), reopened(4)],
            vec![Opened, Resolved, Noted],
            Phase::Resolved,
            false,
            "the later one holds",
        ),
        (
            Propose,
            vec![reopened(5)],
            vec![Opened, Noted],
            Phase::Open,
            false,
            "was open anyway",
        ),
        (
            Propose,
            vec![solved(5), solved(6)],
            vec![Opened, Proposed, Noted],
            Phase::Open,
            true,
            "is proposed once",
        ),
        (
            Resolve,
            vec![contact(7), solved(5)],
            vec![Opened, StepKind::Heard, Noted],
            Phase::Open,
            false,
            "the customer asked since",
        ),
    ] {
        let mut world = world_with(mode);
        world.hear(complaint(1));
        let kept = heard.len();
        for signal in heard {
            world.hear(signal);
        }
        assert_eq!(world.kinds(), steps, "{why}");
        let state = world.cases()[&case()].clone();
        assert_eq!(
            (state.phase, state.proposed.is_some()),
            (phase, proposed),
            "{why}"
        );
        assert!(state.contacts < 3 && kept < 3, "no status is a contact");
        assert_eq!(
            world
                .told()
                .contains(&("delivery".to_owned(), Why::Proposed)),
            world.kinds().contains(&Proposed),
            "{why}"
        );
        let by_somebody = world.steps(case()).iter().any(|step| step.actor.is_some());
        assert!(!by_somebody, "{why}");
    }
}

#[test]
fn a_status_opens_nothing_and_counts_when_the_case_opens() {
    let mut world = world_with(OnSolved::Resolve);
    world.hear(solved(5));
    assert_eq!(world.cases().len(), 0);
    world.hear(complaint(1));
    assert_eq!(world.kinds(), [StepKind::Opened, StepKind::Resolved]);
    world.hear(complaint(8));
    assert_eq!(world.phase(), Phase::Open, "the customer asks again");
}

#[test]
fn what_was_solved_there_but_never_happened_closes_once() {
    let mut world = world_with(OnSolved::Resolve);
    world.hear(complaint(1));
    world.hear(solved(5));
    world.hear(Signal {
        revision: 1,
        withdrawn: true,
        ..complaint(1)
    });
    world.hear(contact(6));
    use StepKind::{Heard, Opened, OpenedInError, Resolved};
    assert_eq!(world.kinds(), [Opened, Resolved, Heard, OpenedInError]);
    assert_eq!(world.phase(), Phase::Closed);
}

#[test]
fn a_person_confirms_or_refuses_what_a_system_proposes() {
    let mut world = world();
    world.hear(complaint(1));
    world.hear(solved(5));
    let untold = Command {
        told: None,
        reason: None,
        ..command(1, case(), CommandKind::Resolve)
    };
    assert_eq!(world.obey(untold), Verdict::CustomerNotTold);
    let refuse = command(2, case(), CommandKind::Reopen);
    assert_eq!(world.obey(refuse), Verdict::Applied);
    assert_eq!(world.cases()[&case()].proposed, None);
    world.hear(contact(4));
    assert_eq!(world.cases()[&case()].proposed, None, "it stays refused");
    world.hear(solved(70));
    assert!(
        world.cases()[&case()].proposed.is_some(),
        "until it is said again"
    );
    let confirm = command(3, case(), CommandKind::Resolve);
    assert_eq!(world.obey(confirm), Verdict::Applied);
    let state = world.cases()[&case()].clone();
    assert_eq!((state.phase, state.proposed), (Phase::Resolved, None));
}

#[test]
fn the_word_of_a_former_owners_system_is_noted_only() {
    let mut world = world();
    world.hear(complaint(1));
    world.hear(solved(5));
    let offer = Command {
        to: Some(department("finance")),
        ..command(1, case(), CommandKind::HandOff)
    };
    assert_eq!(world.obey(offer), Verdict::Applied);
    let accept = command(2, case(), CommandKind::Accept);
    assert_eq!(world.obey(accept), Verdict::Applied);
    assert_eq!(world.cases()[&case()].proposed, None);
    world.hear(solved(90));
    assert_eq!(world.kinds().pop(), Some(StepKind::Noted));
    assert_eq!(world.cases()[&case()].proposed, None);
}

#[test]
fn imported_history_is_resolved_by_its_systems_and_tells_nobody() {
    let history = |signal: Signal| Signal {
        history: true,
        ..signal
    };
    let mut world = world_with(OnSolved::Resolve);
    world.hear(history(complaint(1)));
    world.hear(history(solved(5)));
    assert_eq!(world.phase(), Phase::Resolved);
    assert_eq!(world.steps(case())[1].time, noon() + Millis::from_secs(300));
    world.hear(history(complaint(7)));
    let state = world.cases()[&case()].clone();
    assert!(state.phase == Phase::Open && state.dormant);
    world.pass(Millis::from_days(30));
    assert_eq!(world.told(), [], "A-6");
    world.hear(contact(8));
    assert!(!world.cases()[&case()].dormant);
}

/// One thing that is said: its minute, and what.
#[derive(Clone, Copy, Debug)]
enum Word {
    Solved,
    Reopened,
    Elsewhere,
    Withdrawn,
    Called,
}

fn words() -> impl Strategy<Value = Vec<(u64, Word)>> {
    use Word::{Called, Elsewhere, Reopened, Solved, Withdrawn};
    let words = vec![
        Solved, Solved, Reopened, Reopened, Elsewhere, Withdrawn, Called,
    ];
    prop::collection::vec((2_u64..12, prop::sample::select(words)), 0..7)
}

/// As a status, all at minutes that may be the same, each an event of its own.
fn signals_of(words: &[(u64, Word)]) -> Vec<Signal> {
    let mut signals = Vec::new();
    for (number, (minute, word)) in (500_u64..).zip(words) {
        let what = match word {
            Word::Solved | Word::Elsewhere | Word::Withdrawn => SignalKind::Solved,
            Word::Reopened => SignalKind::Reopened,
            Word::Called => SignalKind::Contact,
        };
        let source = match word {
            Word::Elsewhere => "carrier",
            Word::Solved | Word::Reopened | Word::Withdrawn | Word::Called => "help-desk",
        };
        let said = Signal {
            event: EventId::new(token(number)),
            ..says(*minute, what, source)
        };
        if matches!(word, Word::Withdrawn) {
            signals.push(Signal {
                revision: 1,
                withdrawn: true,
                ..said.clone()
            });
        }
        signals.push(said);
    }
    signals
}

/// The slow, obvious answer: since when it is resolved, and since when that is proposed. `by_hand` is when a person resolved
/// it, before any of this was heard.
fn expected(
    on_solved: OnSolved,
    words: &[(u64, Word)],
    by_hand: Option<Time>,
) -> (Option<Time>, Option<Time>) {
    let at = |minute: u64| noon() + Millis::from_secs(60 * i64::try_from(minute).unwrap());
    let mut ours = Vec::new();
    let mut asked = at(1);
    for (number, (minute, word)) in (500_u64..).zip(words) {
        match word {
            Word::Solved => ours.push((at(*minute), EventId::new(token(number)), true)),
            Word::Reopened => ours.push((at(*minute), EventId::new(token(number)), false)),
            Word::Called => asked = asked.max(at(*minute)),
            Word::Elsewhere | Word::Withdrawn => {}
        }
    }
    ours.sort();
    let taken_back = ours
        .iter()
        .any(|(time, _, solved)| !solved && Some(*time) > by_hand);
    let by_hand = by_hand.filter(|time| asked <= *time && !taken_back);
    let word = ours
        .last()
        .filter(|(time, _, solved)| *solved && *time >= asked);
    let word = word.map(|(time, ..)| *time);
    match on_solved {
        OnSolved::Note => (by_hand, None),
        OnSolved::Propose => (by_hand, word.filter(|_| by_hand.is_none())),
        OnSolved::Resolve => (by_hand.or(word), None),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn the_latest_word_holds_in_whatever_order_they_come(
        words in words(),
        mode in prop::sample::select(vec![OnSolved::Propose, OnSolved::Resolve, OnSolved::Note]),
        by_hand in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut world = world_with(mode);
        let mut signals = signals_of(&words);
        let mut resolved = None;
        if by_hand {
            world.now = noon() + Millis::from_secs(6 * 60);
            world.hear(complaint(1));
            let verdict = world.obey(command(1, case(), CommandKind::Resolve));
            prop_assert_eq!(verdict, Verdict::Applied);
            resolved = Some(world.now);
            world.now = noon() + Millis::from_hours(1);
        } else {
            signals.push(complaint(1));
        }
        signals.shuffle(&mut StdRng::seed_from_u64(seed));
        for signal in signals {
            world.hear(signal);
        }
        let state = world.cases()[&case()].clone();
        let is = (state.resolved, state.proposed);
        prop_assert_eq!(is, expected(mode, &words, resolved), "A-10");
        prop_assert_eq!(state.phase == Phase::Resolved, state.resolved.is_some());
        let said = world.steps(case());
        let mut events: Vec<_> = said
            .iter()
            .filter(|step| step.what == StepKind::Noted)
            .map(|step| step.event)
            .collect();
        let all = events.len();
        events.sort();
        events.dedup();
        prop_assert_eq!(events.len(), all, "each is written down once at most");
    }
}
