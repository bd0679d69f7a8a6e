//! Identifiers named together are one person, unless a rule or a person forbids it.

use event::{Class, ProfileId, Token};

use super::{
    decision,
    graph::Graph,
    reference,
    row::{Group, Key, Refusal, Row, Side, Why, Word},
};

/// Unites the group of the strongest identifier of a set with that of each other, in order of strength. What is refused is kept for
/// a person.
pub(super) fn apply(graph: &mut Graph<'_, '_>, place: u64) {
    let set = graph.set(place);
    let identifiers = graph.taking_part(set, Class::Identifier);
    let word = set.word.clone();
    let mut refused = Vec::new();
    if let Some((one, others)) = identifiers.split_first() {
        for other in others {
            if let Some(why) = unite(graph, *one, *other, &word) {
                refused.push(Refusal {
                    one: *one,
                    other: *other,
                    why,
                });
            }
        }
    }
    let key = Key::Refused(place);
    if refused.is_empty() {
        graph.state.remove(key);
    } else {
        graph.state.put(key, Row::Refused(refused));
    }
}

fn unite(graph: &mut Graph<'_, '_>, one: Token, other: Token, word: &Word) -> Option<Why> {
    let (one, other) = (graph.node(one).profile, graph.node(other).profile);
    if one == other {
        return None;
    }
    let (one_group, other_group) = (graph.group(one), graph.group(other));
    let refusal = refusal(graph, &one_group, &other_group, word);
    if refusal.is_none() {
        let united = one_group.with(other_group);
        if graph.strength(one.token()) < graph.strength(other.token()) {
            join(graph, one, other, united);
        } else {
            join(graph, other, one, united);
        }
    }
    refusal
}

fn refusal(graph: &Graph<'_, '_>, one: &Group, other: &Group, word: &Word) -> Option<Why> {
    let (a_person, trusted) = match word {
        Word::Person(_) => (true, true),
        Word::Source(report) => (false, report.trusted),
    };
    if Side::bar(&one.sides, &other.sides) {
        return Some(Why::Apart);
    }
    if two_of_one_kind(graph, one, other) {
        return Some(Why::Exclusive);
    }
    if !a_person && one.identifiers + other.identifiers > graph.rules.identifiers_max {
        return Some(Why::Identifiers);
    }
    if !a_person && one.merges_with(other) > graph.rules.merges_max {
        return Some(Why::Merges);
    }
    (!trusted && one.known && other.known).then_some(Why::Untrusted)
}

/// Whether two values of an exclusive type would come together that no person brought together.
fn two_of_one_kind(graph: &Graph<'_, '_>, one: &Group, other: &Group) -> bool {
    one.exclusive.iter().any(|(kind, value)| {
        other.exclusive.iter().any(|(other_kind, other_value)| {
            kind == other_kind && !decision::same_person(graph, *value, *other_value)
        })
    })
}

impl Group {
    fn merges_with(&self, other: &Group) -> u32 {
        let merge = self.identifiers > 1 && other.identifiers > 1;
        self.merges + other.merges + u32::from(merge)
    }

    fn with(mut self, other: Group) -> Group {
        self.merges = self.merges_with(&other);
        self.identifiers += other.identifiers;
        self.known |= other.known;
        self.exclusive.extend(other.exclusive);
        self.exclusive.sort_unstable();
        self.sides.extend(other.sides);
        self.sides.sort_unstable();
        self.sides.dedup();
        self
    }
}

/// The profile with the stronger name stays; the other's values go over to it.
fn join(graph: &mut Graph<'_, '_>, stays: ProfileId, goes: ProfileId, united: Group) {
    decision::disturb_references(graph, &united.sides);
    graph.state.remove(Key::Group(goes));
    graph
        .state
        .put(Key::Group(stays), Row::Group(Box::new(united)));
    for token in graph.members(goes) {
        graph.give(token, stays);
    }
    graph.give(goes.token(), stays);
    // Neighbours of a reference that belonged to two may belong to one now.
    let contested = reference::contested(graph, goes);
    graph.undecided.extend(contested);
}
