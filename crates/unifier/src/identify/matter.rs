//! A matter is to a case what an anchor is to a profile: references that trusted sources name together are one case.

use event::{CaseId, MatterId, Token};

use machine::Overlay;

use super::{
    graph::Graph,
    row::{FIRST, Key, LAST, Row, mismatch},
};

/// Groups the matters of references that a trusted source named together.
pub(super) fn unite(graph: &mut Graph<'_, '_>, references: &[Token]) {
    let Some((first, others)) = references.split_first() else {
        return;
    };
    if others.is_empty() {
        return;
    }
    let first = MatterId::of_reference(*first);
    for other in others {
        let one = case_of(graph.state, first);
        let two = case_of(graph.state, MatterId::of_reference(*other));
        if one != two {
            join(graph, one.min(two), one.max(two));
        }
    }
}

/// A matter that was never grouped is its own case.
pub(super) fn case_of(state: &Overlay<'_, Key, Row>, matter: MatterId) -> CaseId {
    match state.get(&Key::Matter(matter)) {
        None => matter.own_case(),
        Some(Row::Matter(case)) => *case,
        Some(row) => mismatch(row),
    }
}

/// The smaller case stays; the other's matters go over to it.
fn join(graph: &mut Graph<'_, '_>, stays: CaseId, goes: CaseId) {
    for matter in matters(graph, stays) {
        put(graph, matter, stays);
    }
    for matter in matters(graph, goes) {
        graph.before.matters.entry(matter).or_insert(goes);
        graph.state.remove(Key::Grouped(goes, matter));
        put(graph, matter, stays);
    }
}

fn put(graph: &mut Graph<'_, '_>, matter: MatterId, case: CaseId) {
    graph.state.put(Key::Matter(matter), Row::Matter(case));
    graph.state.put(Key::Grouped(case, matter), Row::Present);
}

/// The matters of a case. One that was never grouped has no rows and its own matter alone.
fn matters(graph: &Graph<'_, '_>, case: CaseId) -> Vec<MatterId> {
    let all = Key::Grouped(case, MatterId::new(FIRST))..=Key::Grouped(case, MatterId::new(LAST));
    let mut matters: Vec<MatterId> = graph
        .state
        .range(all)
        .map(|(key, row)| {
            let Key::Grouped(_, matter) = key else {
                mismatch(row)
            };
            *matter
        })
        .collect();
    if matters.is_empty() {
        matters.push(case.matter());
    }
    matters
}
