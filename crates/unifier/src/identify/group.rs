//! Identifiers named together are one person.

use event::{ProfileId, Token};

use super::{
    graph::{Graph, Strength},
    row::{Conflict, FIRST, Group, Key, LAST, Row, Set, Why, mismatch},
};

/// Unites the group of the strongest identifier with that of each other, in order of strength, unless a rule refuses.
pub(super) fn unite(graph: &mut Graph<'_, '_>, identifiers: &[Strength], set: &Set) {
    let Some(((.., strongest), others)) = identifiers.split_first() else {
        return;
    };
    for (.., other) in others {
        let one = graph.node(*strongest).profile;
        let two = graph.node(*other).profile;
        if one == two {
            continue;
        }
        match refusal(graph, one, two, set.trusted) {
            None => join(graph, one, two),
            Some(why) => record(graph, *strongest, *other, why, set),
        }
    }
}

fn refusal(graph: &Graph<'_, '_>, one: ProfileId, two: ProfileId, trusted: bool) -> Option<Why> {
    let (one, two) = (group(graph, one), group(graph, two));
    if one
        .exclusive
        .iter()
        .any(|rank| two.exclusive.contains(rank))
    {
        Some(Why::Exclusive)
    } else if !trusted && one.known && two.known {
        Some(Why::Untrusted)
    } else {
        None
    }
}

/// The profile with the stronger name stays; the other's values go over to it.
fn join(graph: &mut Graph<'_, '_>, one: ProfileId, two: ProfileId) {
    let (stays, goes) = if graph.strength(one.token()) < graph.strength(two.token()) {
        (one, two)
    } else {
        (two, one)
    };
    let mut united = group(graph, stays).clone();
    let gone = group(graph, goes);
    united.known |= gone.known;
    united.exclusive.extend(&gone.exclusive);
    united.exclusive.sort_unstable();
    graph.state.remove(Key::Group(goes));
    graph.state.put(Key::Group(stays), Row::Group(united));
    for token in graph.members(goes) {
        graph.give(token, stays);
    }
    // Neighbours of a contested reference that belonged to two may belong to one now.
    for reference in contested(graph, goes) {
        graph.state.remove(Key::Contested(goes, reference));
        graph
            .state
            .put(Key::Contested(stays, reference), Row::Present);
        graph.undecided.insert(reference);
    }
}

/// The first event that named both is the evidence.
fn record(graph: &mut Graph<'_, '_>, one: Token, two: Token, why: Why, set: &Set) {
    let key = Key::Conflict(one, two);
    if !graph.state.contains(&key) {
        let event = set.event;
        graph.state.put(key, Row::Conflict(Conflict { why, event }));
    }
}

fn group<'g>(graph: &'g Graph<'_, '_>, profile: ProfileId) -> &'g Group {
    match graph.state.get(&Key::Group(profile)) {
        Some(Row::Group(group)) => group,
        other => unreachable!("an identifier that is not out is in a group: {other:?}"),
    }
}

fn contested(graph: &Graph<'_, '_>, profile: ProfileId) -> Vec<Token> {
    graph
        .state
        .range(Key::Contested(profile, FIRST)..=Key::Contested(profile, LAST))
        .map(|(key, row)| {
            let Key::Contested(_, reference) = key else {
                mismatch(row)
            };
            *reference
        })
        .collect()
}
