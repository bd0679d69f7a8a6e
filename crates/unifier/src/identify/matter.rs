//! A matter is to a case what an anchor is to a profile: references that trusted sources name together are one case.
//!
//! A case never comes apart by age: what left the graph still ties matters together, until its set is withdrawn.

use std::collections::BTreeSet;

use event::{CaseId, Class, MatterId, Token};

use super::{
    graph::Graph,
    row::{FIRST, Key, LAST, Row, Side, mismatch},
};

/// Groups anew the matters that hang together with what changed, and then those of the set that just came.
pub(super) fn settle(graph: &mut Graph<'_, '_>) {
    let mut places = BTreeSet::new();
    if !graph.untied.is_empty() {
        let references;
        (references, places) = hang_together(graph);
        set_free(graph, &references);
    }
    places.extend(graph.added);
    for place in places {
        apply(graph, place);
    }
}

/// Groups the matters of the references of one set, if its word is trusted.
fn apply(graph: &mut Graph<'_, '_>, place: u64) {
    let set = graph.set(place);
    if !set.is_trusted() {
        return;
    }
    let references = graph.not_out(set, Class::Reference, set.values.iter().copied());
    let Some((one, others)) = references.split_first() else {
        return;
    };
    for other in others {
        let (one, other) = (case_of(graph, *one), case_of(graph, *other));
        if one != other {
            unite(graph, one, other);
        }
    }
}

/// A matter that was never grouped is its own case.
pub(super) fn case_of(graph: &Graph<'_, '_>, reference: Token) -> Case {
    let alone = || MatterId::of_reference(reference).own_case();
    let case = match graph.state.get(&Key::Matter(reference)) {
        None => alone(),
        Some(Row::Matter(case)) => *case,
        Some(row) => mismatch(row),
    };
    Case {
        id: case,
        reference,
    }
}

/// A case by its id and one of the references whose matters it has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) id: CaseId,
    reference: Token,
}

impl PartialEq for Case {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// The smaller case stays, unless a person keeps the two apart.
fn unite(graph: &mut Graph<'_, '_>, one: Case, other: Case) {
    let (one_sides, other_sides) = (sides(graph, one), sides(graph, other));
    if Side::bar(&one_sides, &other_sides) {
        return;
    }
    let (stays, goes) = if one.id < other.id {
        (one, other)
    } else {
        (other, one)
    };
    if !graph.state.contains(&Key::Matter(stays.reference)) {
        put(graph, stays.reference, stays.id);
    }
    for reference in references(graph, goes) {
        graph.before.cases.entry(reference).or_insert(goes.id);
        graph.state.remove(Key::Grouped(goes.id, reference));
        put(graph, reference, stays.id);
    }
    graph.state.remove(Key::Sides(goes.id));
    let mut sides = [one_sides, other_sides].concat();
    if !sides.is_empty() {
        sides.sort_unstable();
        sides.dedup();
        graph.state.put(Key::Sides(stays.id), Row::Sides(sides));
    }
}

fn put(graph: &mut Graph<'_, '_>, reference: Token, case: CaseId) {
    graph.state.put(Key::Matter(reference), Row::Matter(case));
    graph.state.put(Key::Grouped(case, reference), Row::Present);
}

/// The references of a case. One that was never grouped has no rows and one reference.
fn references(graph: &Graph<'_, '_>, case: Case) -> Vec<Token> {
    let mut references: Vec<Token> = graph
        .state
        .range(Key::Grouped(case.id, FIRST)..=Key::Grouped(case.id, LAST))
        .map(|(key, row)| {
            let Key::Grouped(_, reference) = key else {
                mismatch(row)
            };
            *reference
        })
        .collect();
    if references.is_empty() {
        references.push(case.reference);
    }
    references
}

fn sides(graph: &Graph<'_, '_>, case: Case) -> Vec<Side> {
    if !graph.state.contains(&Key::Matter(case.reference)) {
        return graph.sides(case.reference);
    }
    match graph.state.get(&Key::Sides(case.id)) {
        None => Vec::new(),
        Some(Row::Sides(sides)) => sides.clone(),
        Some(row) => mismatch(row),
    }
}

/// The references whose matters hang together with the untied ones, and the places of the sets that tie them.
fn hang_together(graph: &mut Graph<'_, '_>) -> (BTreeSet<Token>, BTreeSet<u64>) {
    let mut references = BTreeSet::new();
    let mut places = BTreeSet::new();
    let mut next: Vec<Token> = std::mem::take(&mut graph.untied).into_iter().collect();
    while let Some(reference) = next.pop() {
        let stays_out = graph.node(reference).out && !graph.flipped.contains(&reference);
        if stays_out || !references.insert(reference) {
            continue;
        }
        for place in ties(graph, reference) {
            if places.insert(place) {
                let values = graph.set(place).values.iter().copied();
                next.extend(values.filter(|value| {
                    graph
                        .find(*value)
                        .is_some_and(|node| graph.rules.kind(node.kind).class == Class::Reference)
                }));
            }
        }
    }
    (references, places)
}

fn ties<'g>(graph: &'g Graph<'_, '_>, reference: Token) -> impl Iterator<Item = u64> + 'g {
    graph
        .state
        .range(Key::Tie(reference, u64::MIN)..=Key::Tie(reference, u64::MAX))
        .map(|(key, row)| {
            let Key::Tie(_, place) = key else {
                mismatch(row)
            };
            *place
        })
}

fn set_free(graph: &mut Graph<'_, '_>, references: &BTreeSet<Token>) {
    for reference in references {
        let Some(Row::Matter(case)) = graph.state.get(&Key::Matter(*reference)) else {
            continue;
        };
        let case = *case;
        graph.before.cases.entry(*reference).or_insert(case);
        graph.state.remove(Key::Matter(*reference));
        graph.state.remove(Key::Grouped(case, *reference));
        graph.state.remove(Key::Sides(case));
    }
}
