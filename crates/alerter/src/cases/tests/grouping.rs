//! Matters move between cases while signals and commands are on their way: where it ends does not depend on the order.

use std::collections::{BTreeMap, BTreeSet};

use event::{CaseId, CommandId, DepartmentId, EventId, MatterId, Version, case_input::SignalKind};
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};

use super::{
    super::{Key, Row},
    *,
};

const MATTERS: u8 = 5;

/// What the decision maker says: which case each matter belongs to, version by version.
struct Groups {
    case_of: BTreeMap<MatterId, CaseId>,
    version: Version,
}

impl Groups {
    fn new() -> Self {
        let matters = (1..=MATTERS).map(matter);
        Self {
            case_of: matters.map(|matter| (matter, matter.own_case())).collect(),
            version: Version::ZERO,
        }
    }

    /// Puts the matters into groups by their labels. The smallest of a group gives the case its id.
    fn decide(&mut self, labels: &[u8]) -> Vec<CaseInput> {
        let mut smallest: BTreeMap<u8, MatterId> = BTreeMap::new();
        for (label, matter) in labels.iter().zip((1..=MATTERS).map(matter)) {
            smallest.entry(*label).or_insert(matter);
        }
        let mut moves = Vec::new();
        for (label, matter) in labels.iter().zip((1..=MATTERS).map(matter)) {
            let to = smallest[label].own_case();
            let from = self.case_of.insert(matter, to).unwrap();
            if from != to {
                self.version = self.version.next();
                moves.push(CaseInput::Regroup(Regroup {
                    from,
                    matter,
                    to,
                    version: self.version,
                }));
            }
        }
        moves
    }

    /// Joins the groups of two matters.
    fn join(&mut self, one: u8, other: u8) -> Vec<CaseInput> {
        let label = |case: CaseId| case.as_bytes()[0];
        let (one, other) = (
            label(self.case_of[&matter(one)]),
            label(self.case_of[&matter(other)]),
        );
        let labels: Vec<u8> = self
            .case_of
            .values()
            .map(|case| {
                if label(*case) == other {
                    one
                } else {
                    label(*case)
                }
            })
            .collect();
        self.decide(&labels)
    }
}

/// Far more than all that any of these tests sends.
const MOVES_MAX: usize = 20_000;

/// Delivers in a random order, from outside and through the pipes, until all is at rest.
fn deliver(world: &mut World, mut inputs: Vec<CaseInput>, random: &mut StdRng) {
    inputs.shuffle(random);
    for moved in 0.. {
        assert!(moved < MOVES_MAX, "it comes to rest: {:?}", world.waiting());
        let from_outside = !inputs.is_empty() && random.random_bool(0.3);
        if from_outside {
            let outcome = world.give(inputs.pop().unwrap());
            assert_ne!(outcome, Outcome::Rejected);
        } else if !world.advance(random.random_range(0..1_000)) && inputs.is_empty() {
            break;
        }
    }
    world.check();
}

/// Matter, kind, whether it is about an invoice, and the customer.
type Sketch = (u8, u8, bool, u64);

fn sketches() -> impl Strategy<Value = Vec<Sketch>> {
    prop::collection::vec((1..=MATTERS, 0_u8..5, any::<bool>(), 0_u64..3), 1..14)
}

fn signals_of(sketches: &[Sketch]) -> Vec<Signal> {
    let numbered = (1_u64..).zip(sketches);
    numbered
        .map(|(number, (about, kind, is_invoice, route))| {
            let mut heard = match kind {
                0 | 1 => complaint(number),
                2 => contact(number),
                3 => Signal {
                    what: SignalKind::ThirdContact,
                    ..complaint(number)
                },
                _ => feedback(number, 8.0),
            };
            if *is_invoice {
                heard.name = name("invoice");
            }
            heard.matter = matter(*about);
            heard.case = heard.matter.own_case();
            heard.route = token(1_000 + route);
            heard
        })
        .collect()
}

type Held = BTreeMap<CaseId, BTreeSet<(EventId, SignalKind)>>;

fn held(world: &World) -> Held {
    let mut held = Held::new();
    for (key, _) in world.rows() {
        if let Key::Signal(case, _, event, kind) = key {
            held.entry(*case).or_default().insert((*event, *kind));
        }
    }
    held
}

/// What each open or resolved case is, but for absorbed ones.
fn open(world: &World) -> BTreeMap<CaseId, (Phase, DepartmentId)> {
    let cases = world.cases().into_iter();
    cases
        .filter(|(_, state)| state.phase != Phase::Closed)
        .map(|(id, state)| (id, (state.phase, state.owner)))
        .collect()
}

/// The slow, obvious answer for cases that nobody acted on: all signals at the case of their matter, and the least of those
/// that open, and were not withdrawn, decides the owner.
fn expected(
    groups: &Groups,
    signals: &[Signal],
    gone: &BTreeSet<EventId>,
) -> (Held, BTreeMap<CaseId, (Phase, DepartmentId)>) {
    let mut held = Held::new();
    let mut least = BTreeMap::new();
    for signal in signals {
        let case = groups.case_of[&signal.matter];
        held.entry(case)
            .or_default()
            .insert((signal.event, signal.what));
        let opens = [SignalKind::Complaint, SignalKind::ThirdContact].contains(&signal.what);
        if opens && !gone.contains(&signal.event) {
            let rank = (
                signal.matter,
                signal.time,
                signal.name.as_str() == "invoice",
            );
            let known = least.entry(case).or_insert(rank);
            *known = rank.min(*known);
        }
    }
    let open = least
        .into_iter()
        .map(|(case, (_, _, is_invoice))| {
            let owner = if is_invoice { "care" } else { "delivery" };
            (case, (Phase::Open, department(owner)))
        })
        .collect();
    (held, open)
}

fn no_matter_is_held_twice(world: &World) -> Result<(), TestCaseError> {
    let mut holders: BTreeMap<MatterId, CaseId> = BTreeMap::new();
    for (key, _) in world.rows() {
        if let Key::Signal(case, matter, ..) = key {
            let holder = *holders.entry(*matter).or_insert(*case);
            prop_assert_eq!(holder, *case, "A-4: {} is held twice", matter);
        }
    }
    for (id, state) in world.cases() {
        for matter in &state.matters {
            prop_assert_eq!(
                holders.get(matter),
                Some(&id),
                "A-4: {} shows what it does not hold",
                id
            );
        }
    }
    Ok(())
}

fn labels() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0..MATTERS, usize::from(MATTERS))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn joined_and_parted_in_any_order_every_signal_ends_in_its_case(
        sketches in sketches(),
        decisions in prop::collection::vec(labels(), 0..5),
        gone in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        seed in any::<u64>(),
    ) {
        let signals = signals_of(&sketches);
        let mut groups = Groups::new();
        let moves: Vec<CaseInput> = decisions.iter().flat_map(|labels| groups.decide(labels)).collect();
        let gone: BTreeSet<EventId> = gone.iter().map(|index| index.get(&signals).event).collect();
        let withdrawals = signals.iter().filter(|signal| gone.contains(&signal.event));
        let withdrawals: Vec<Signal> = withdrawals
            .map(|signal| Signal { revision: 1, withdrawn: true, ..signal.clone() })
            .collect();
        let (should_hold, should_be) = expected(&groups, &signals, &gone);
        for partitions in [1, 2, 4] {
            let mut world = World::new(partitions, company());
            let mut random = StdRng::seed_from_u64(seed);
            let heard = signals.iter().cloned().map(CaseInput::Signal);
            // Some arrive twice, as after a merge of profiles.
            let withdrawn = withdrawals.iter().cloned().map(CaseInput::Signal);
            let inputs = heard.clone().chain(heard.step_by(3)).chain(withdrawn).chain(moves.clone()).collect();
            deliver(&mut world, inputs, &mut random);
            prop_assert_eq!(&held(&world), &should_hold, "A-4");
            prop_assert_eq!(&open(&world), &should_be, "A-9");
            no_matter_is_held_twice(&world)?;
        }
    }

    #[test]
    fn a_joined_case_is_as_the_last_person_who_acted_left_it(
        sketches in sketches(),
        first in labels(),
        acts in prop::collection::vec((1..=MATTERS, 0_u8..3), 0..6),
        joins in prop::collection::vec((1..=MATTERS, 1..=MATTERS), 0..5),
        seed in any::<u64>(),
    ) {
        let signals = signals_of(&sketches);
        for partitions in [1, 2, 4] {
            let mut random = StdRng::seed_from_u64(seed);
            let mut groups = Groups::new();
            let moves = groups.decide(&first);
            let mut world = World::new(partitions, company());
            let inputs = signals.iter().cloned().map(CaseInput::Signal).chain(moves).collect();
            deliver(&mut world, inputs, &mut random);
            let (should_hold, mut should_be) = expected(&groups, &signals, &BTreeSet::new());
            prop_assert_eq!(&open(&world), &should_be);

            let mut acted: BTreeMap<CaseId, Vec<CommandId>> = BTreeMap::new();
            let mut order = Vec::new();
            for (number, (about, what)) in (100_u64..).step_by(2).zip(&acts) {
                let case = groups.case_of[&matter(*about)];
                world.now = world.now + Millis::from_secs(60);
                let mut give = |number: u64, what: CommandKind| {
                    let given = Command { to: Some(department("finance")), ..command(number, case, what) };
                    let verdict = world.obey(given.clone());
                    if verdict == Verdict::Applied {
                        acted.entry(case).or_default().push(given.id);
                        order.push(case);
                    }
                };
                match what {
                    0 => give(number, CommandKind::Acknowledge),
                    1 => give(number, CommandKind::Resolve),
                    _ => {
                        give(number, CommandKind::HandOff);
                        give(number + 1, CommandKind::Accept);
                    }
                }
            }
            let before = open(&world);
            let early = groups.case_of.clone();
            let moves: Vec<CaseInput> = joins.iter().flat_map(|(one, other)| groups.join(*one, *other)).collect();
            deliver(&mut world, moves, &mut random);

            let final_case = |case: CaseId| {
                let member = early.iter().find(|(_, of)| **of == case).map(|(matter, _)| *matter);
                groups.case_of[&member.unwrap()]
            };
            let (at_last, unacted) = expected(&groups, &signals, &BTreeSet::new());
            prop_assert_eq!(held(&world), at_last);
            should_be = unacted;
            for case in &order {
                should_be.insert(final_case(*case), before[case].clone());
            }
            prop_assert_eq!(open(&world), should_be, "owner and state are of the case acted on last");
            for (case, commands) in &acted {
                for id in commands {
                    let key = Key::Command(final_case(*case), *id);
                    let row = world.rows().find(|(known, _)| **known == key);
                    let Some((_, Row::Command(result))) = row else {
                        return Err(TestCaseError::fail("the command got lost"));
                    };
                    prop_assert_eq!(
                        result.verdict,
                        Verdict::Applied,
                        "accepted commands are united"
                    );
                }
            }
            no_matter_is_held_twice(&world)?;
            for id in world.cases().keys() {
                let kinds: Vec<_> = world.steps(*id).iter().map(|step| step.what).collect();
                prop_assert!(
                    !kinds.contains(&StepKind::OpenedInError),
                    "a joined case waits for the signals of the matter that came to it"
                );
            }
            prop_assert!(!should_hold.is_empty());
        }
    }

    #[test]
    fn every_command_is_answered_once_however_cases_move_meanwhile(
        sketches in sketches(),
        decisions in prop::collection::vec(labels(), 0..5),
        asks in prop::collection::vec((1..=MATTERS, 0_u8..4), 1..10),
        seed in any::<u64>(),
    ) {
        let signals = signals_of(&sketches);
        let mut groups = Groups::new();
        let moves: Vec<CaseInput> = decisions.iter().flat_map(|labels| groups.decide(labels)).collect();
        let (should_hold, _) = expected(&groups, &signals, &BTreeSet::new());
        let commands: Vec<Command> = (1_u64..).zip(&asks).map(|(number, (about, what))| {
            let what = match what {
                0 => CommandKind::Acknowledge,
                1 => CommandKind::Contact,
                2 => CommandKind::HandOff,
                _ => CommandKind::Resolve,
            };
            Command { to: Some(department("finance")), ..command(number, matter(*about).own_case(), what) }
        }).collect();
        for partitions in [1, 2, 4] {
            let mut world = World::new(partitions, company());
            let mut random = StdRng::seed_from_u64(seed);
            let inputs = signals.iter().cloned().map(CaseInput::Signal)
                .chain(moves.clone())
                .chain(commands.iter().cloned().map(CaseInput::Command))
                .collect();
            deliver(&mut world, inputs, &mut random);
            prop_assert_eq!(&held(&world), &should_hold, "A-4");
            let mut answered: Vec<_> = world.outcomes().iter().map(|outcome| (outcome.asked, outcome.result.command)).collect();
            let mut given: Vec<_> = commands.iter().map(|command| (command.case, command.id)).collect();
            answered.sort();
            given.sort();
            prop_assert_eq!(answered, given, "A-3");
        }
    }
}
