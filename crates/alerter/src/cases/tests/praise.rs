//! Thanks are passed on, and are no case.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// A decision on the second matter.
fn regroup(from: CaseId, to: CaseId, counter: u64) -> CaseInput {
    CaseInput::Regroup(Regroup {
        from,
        matter: matter(2),
        to,
        version: event::Version { epoch: 0, counter },
    })
}

#[test]
fn thanks_go_to_all_on_the_path_and_open_nothing() {
    let mut world = world();
    world.hear(complaint(1));
    let mut thanks = signal(2, Kind::Feedback, "praise.courier");
    thanks.what = SignalKind::Praise;
    thanks.party = Some(name("posti"));
    world.hear(thanks.clone());
    let expected = [
        ("delivery", Why::Opened),
        ("care", Why::Praise),
        ("delivery", Why::Praise),
        ("posti", Why::Praise),
    ];
    assert_eq!(world.told(), told(&expected));
    assert_eq!(world.outcome_of(thanks.clone()), Outcome::Duplicate);
    let mut alone = self::world();
    alone.hear(thanks);
    assert_eq!(alone.cases().len(), 0);
    assert_eq!(
        alone.told(),
        told(&[("care", Why::Praise), ("posti", Why::Praise)])
    );
}

#[test]
fn thanks_for_a_matter_that_moves_are_told_again_of_the_other_case_only() {
    let mut world = World::new(2, company());
    world.hear(complaint(1));
    let thanks = Signal {
        what: SignalKind::Praise,
        matter: matter(2),
        case: matter(2).own_case(),
        ..signal(2, Kind::Feedback, "praise.courier")
    };
    world.hear(thanks);
    let own = matter(2).own_case();
    for (number, (from, to)) in (1..).zip([(own, case()), (case(), own)]) {
        assert_eq!(world.give(regroup(from, to, number)), Outcome::Applied);
        world.rest();
    }
    let mut told: Vec<_> = world
        .notices()
        .into_iter()
        .filter(|notice| notice.why == Why::Praise)
        .map(|notice| (notice.id, notice.case, notice.department))
        .collect();
    told.sort();
    told.dedup();
    let departments = |of: CaseId| {
        let of_case = told.iter().filter(|(_, case, _)| *case == of);
        of_case
            .map(|(.., department)| department.as_str())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(departments(own), ["care"].into());
    assert_eq!(departments(case()), ["care", "delivery"].into());
    let ids: BTreeSet<_> = told.iter().map(|(id, ..)| *id).collect();
    assert_eq!(ids.len(), told.len(), "an id says one thing");
}

#[test]
fn thanks_that_are_corrected_elsewhere_come_back_as_another_notice() {
    let mut world = World::new(2, company());
    world.hear(complaint(1));
    let own = matter(2).own_case();
    let thanks = Signal {
        what: SignalKind::Praise,
        matter: matter(2),
        case: own,
        ..signal(2, Kind::Feedback, "praise.courier")
    };
    let corrected = Signal {
        revision: thanks.revision + 1,
        received: thanks.received + Millis::from_hours(3),
        ..thanks.clone()
    };
    world.hear(thanks);
    assert_eq!(world.give(regroup(own, case(), 1)), Outcome::Applied);
    world.rest();
    world.hear(corrected);
    world.rest();
    assert_eq!(world.give(regroup(case(), own, 2)), Outcome::Applied);
    world.rest();
    let mut said = BTreeMap::new();
    for notice in world.notices() {
        if notice.why != Why::Praise || notice.case != own {
            continue;
        }
        let before = said.insert(notice.id, notice.clone());
        assert!(
            before.is_none_or(|before| before == notice),
            "an id says one thing: {notice:?}"
        );
    }
    assert_eq!(said.len(), 2, "as they were, and as they are: {said:?}");
}
