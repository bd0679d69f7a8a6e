//! References adopt, they never bridge: each belongs to one identifier, and unites nobody.
//!
//! A reference belongs to the identifier that claims it best: by a person's decision (the newest), then on the word of a trusted
//! source, then that of the stronger type, then that of the earlier set. When the last claim left by age, the reference stays with
//! whom it was of. One that nobody claims belongs to the owner of the references named with it (`neighbour`).

use std::{cmp::Reverse, collections::BTreeSet};

use event::{Class, ProfileId, Token};

use super::{
    decision,
    graph::Graph,
    row::{Claim, FIRST, Kept, Key, LAST, Node, Row, Set, Side, Word, mismatch},
};

/// Finds out who the references belong to whose claims, owners or neighbours changed.
pub(super) fn settle(graph: &mut Graph<'_, '_>) {
    if let Some(place) = graph.added {
        claim_by(graph, place);
    }
    for reference in std::mem::take(&mut graph.claimed) {
        let best = best_claim(graph, reference);
        put_claim(graph, reference, best);
        graph.undecided.insert(reference);
    }
    let unowned = give_to_owners(graph);
    for reference in &unowned {
        ask_neighbours(graph, *reference);
    }
    for (reference, neighbour) in std::mem::take(&mut graph.heard) {
        if !unowned.contains(&reference) {
            hear(graph, reference, neighbour);
        }
    }
}

/// Lets the strongest identifier of the set that just came claim its references.
fn claim_by(graph: &mut Graph<'_, '_>, place: u64) {
    let references = graph.taking_part(graph.set(place), Class::Reference);
    if references.is_empty() {
        return;
    }
    for reference in &references {
        let others = references.iter().filter(|other| *other != reference);
        graph.heard.extend(others.map(|other| (*reference, *other)));
    }
    let identifiers = graph.taking_part(graph.set(place), Class::Identifier);
    let Some(by) = identifiers.first().copied() else {
        return;
    };
    let claim = Claim { set: place, by };
    for reference in references {
        if decision::names(graph, reference) {
            graph.claimed.insert(reference);
        } else if !graph.claimed.contains(&reference) {
            let known = claim_of(graph, reference);
            if known.is_none_or(|known| rank(graph, claim) < rank(graph, known)) {
                put_claim(graph, reference, Some(claim));
                graph.undecided.insert(reference);
            }
        }
    }
}

pub(super) fn claim_of(graph: &Graph<'_, '_>, reference: Token) -> Option<Claim> {
    let row = graph.state.get(&Key::Claim(reference))?;
    let Row::Claim(claim) = row else {
        mismatch(row)
    };
    Some(*claim)
}

pub(super) fn kept_of<'g>(graph: &'g Graph<'_, '_>, reference: Token) -> Option<&'g Kept> {
    let row = graph.state.get(&Key::Kept(reference))?;
    let Row::Kept(kept) = row else { mismatch(row) };
    Some(kept)
}

/// Neighbours that nobody claims follow the identifier of a claim.
fn put_claim(graph: &mut Graph<'_, '_>, reference: Token, claim: Option<Claim>) {
    let known = claim_of(graph, reference);
    if known == claim {
        return;
    }
    let had = known
        .map(|known| known.by)
        .or_else(|| kept_of(graph, reference).map(|kept| kept.by));
    if had.is_some() && had != claim.map(|claim| claim.by) {
        let neighbours = neighbours(graph, reference);
        graph.undecided.extend(neighbours);
    }
    match claim {
        Some(claim) => graph.state.put(Key::Claim(reference), Row::Claim(claim)),
        None => graph.state.remove(Key::Claim(reference)),
    }
}

/// The smaller claim wins.
fn rank(graph: &Graph<'_, '_>, claim: Claim) -> (u8, Reverse<u64>, (Class, u32), u64, Token) {
    let (level, newest) = match &graph.set(claim.set).word {
        Word::Person(_) => (0, claim.set),
        Word::Source(report) => (if report.trusted { 1 } else { 2 }, 0),
    };
    let strength = graph.kind(claim.by).strength();
    (level, Reverse(newest), strength, claim.set, claim.by)
}

fn best_claim(graph: &Graph<'_, '_>, reference: Token) -> Option<Claim> {
    if graph.node(reference).out {
        return None;
    }
    let sides = graph.sides(reference);
    let claims = graph.places(reference).flat_map(|place| {
        let identifiers = graph.taking_part(graph.set(place), Class::Identifier);
        identifiers
            .into_iter()
            .map(move |by| Claim { set: place, by })
    });
    claims
        .filter(|claim| !bars(graph, &sides, graph.node(claim.by).profile))
        .min_by_key(|claim| rank(graph, *claim))
}

/// Whether a person keeps a reference, by its sides, apart from somebody.
fn bars(graph: &Graph<'_, '_>, sides: &[Side], profile: ProfileId) -> bool {
    !sides.is_empty() && Side::bar(sides, &graph.group(profile).sides)
}

/// Who has a reference, but for its neighbours: whoever claims it, else whoever had it last.
fn owner(graph: &Graph<'_, '_>, reference: Token) -> Option<ProfileId> {
    if graph.node(reference).out {
        return None;
    }
    if let Some(claim) = claim_of(graph, reference) {
        return Some(graph.node(claim.by).profile);
    }
    let profile = graph.node(kept_of(graph, reference)?.by).profile;
    let barred = bars(graph, &graph.sides(reference), profile);
    (!barred).then_some(profile)
}

/// Gives the references with an owner to it, and says which must ask their neighbours.
fn give_to_owners(graph: &mut Graph<'_, '_>) -> BTreeSet<Token> {
    let mut unowned = BTreeSet::new();
    for reference in std::mem::take(&mut graph.undecided) {
        let owner = owner(graph, reference);
        let node = *graph.node(reference);
        if node.owned != owner.is_some() {
            let owned = owner.is_some();
            graph.put_node(reference, Node { owned, ..node });
            let neighbours = neighbours(graph, reference);
            if owned {
                let heard = neighbours.into_iter().map(|other| (other, reference));
                graph.heard.extend(heard);
            } else {
                unowned.extend(neighbours);
            }
        }
        match owner {
            None => {
                unowned.insert(reference);
            }
            Some(owner) => {
                mend(graph, reference);
                graph.give(reference, owner);
            }
        }
    }
    unowned.retain(|reference| !graph.node(*reference).owned);
    unowned
}

/// Lets a reference that nobody owns belong to the one owner of those named with it, if they agree; else to nobody.
fn ask_neighbours(graph: &mut Graph<'_, '_>, reference: Token) {
    mend(graph, reference);
    let mut owners = Vec::new();
    for neighbour in neighbours(graph, reference) {
        let owner = graph.node(neighbour).profile;
        if may_follow(graph, reference, neighbour) && !owners.contains(&owner) {
            owners.push(owner);
        }
        if owners.len() == 2 {
            break;
        }
    }
    match owners[..] {
        [] => graph.give(reference, ProfileId::new(reference)),
        [owner] => graph.give(reference, owner),
        [one, two, ..] => tear(graph, reference, [one, two]),
    }
}

/// The same, when all that is new is one neighbour's owner.
fn hear(graph: &mut Graph<'_, '_>, reference: Token, neighbour: Token) {
    let node = *graph.node(reference);
    if node.owned || node.out || !may_follow(graph, reference, neighbour) {
        return;
    }
    let owner = graph.node(neighbour).profile;
    if graph.state.contains(&Key::Torn(reference)) || node.profile == owner {
        return;
    }
    if node.profile == ProfileId::new(reference) {
        graph.give(reference, owner);
    } else {
        tear(graph, reference, [node.profile, owner]);
    }
}

fn may_follow(graph: &Graph<'_, '_>, reference: Token, neighbour: Token) -> bool {
    let (node, neighbour) = (graph.node(reference), graph.node(neighbour));
    !node.out && neighbour.owned && !bars(graph, &graph.sides(reference), neighbour.profile)
}

/// Leaves a reference between two owners. It is looked at again when one of the two becomes somebody else.
fn tear(graph: &mut Graph<'_, '_>, reference: Token, owners: [ProfileId; 2]) {
    graph.give(reference, ProfileId::new(reference));
    for owner in owners {
        let key = Key::Contested(owner, reference);
        graph.state.put(key, Row::Present);
    }
    let torn = Row::Torn(Box::new(owners));
    graph.state.put(Key::Torn(reference), torn);
}

fn mend(graph: &mut Graph<'_, '_>, reference: Token) {
    let Some(owners) = torn(graph, reference) else {
        return;
    };
    graph.state.remove(Key::Torn(reference));
    for owner in owners {
        graph.state.remove(Key::Contested(owner, reference));
    }
}

/// The owners between whom a reference stands.
pub(super) fn torn(graph: &Graph<'_, '_>, reference: Token) -> Option<[ProfileId; 2]> {
    let row = graph.state.get(&Key::Torn(reference))?;
    let Row::Torn(owners) = row else {
        mismatch(row)
    };
    Some(**owners)
}

/// The references that stand between the owner of this profile and another.
pub(super) fn contested(graph: &Graph<'_, '_>, profile: ProfileId) -> Vec<Token> {
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

/// The references that are named with one and not out, by set.
pub(super) fn neighbours(graph: &Graph<'_, '_>, reference: Token) -> Vec<Token> {
    graph
        .places(reference)
        .flat_map(|place| beside(graph, graph.set(place), reference))
        .collect()
}

fn beside(graph: &Graph<'_, '_>, set: &Set, reference: Token) -> Vec<Token> {
    let mut references = graph.taking_part(set, Class::Reference);
    references.retain(|other| *other != reference);
    references
}
