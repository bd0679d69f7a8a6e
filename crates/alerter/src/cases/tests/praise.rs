//! Thanks are passed on, and are no case.

use std::collections::BTreeSet;

use super::*;

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
    let regroup = |from: CaseId, to: CaseId, counter: u64| {
        CaseInput::Regroup(Regroup {
            from,
            matter: matter(2),
            to,
            version: event::Version { epoch: 0, counter },
        })
    };
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
