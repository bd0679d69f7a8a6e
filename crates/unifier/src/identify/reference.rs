//! References adopt, they never bridge: each belongs to one identifier, and unites nobody.

use std::collections::BTreeSet;

use event::{ProfileId, Token};
use serde::{Deserialize, Serialize};

use super::{
    graph::{Graph, Strength},
    row::{FIRST, Key, LAST, Row, Set, mismatch},
};

/// By whom a reference was named. The smallest claim wins: a trusted source's before any other, then the stronger type, then the
/// earlier set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Claim {
    pub untrusted: bool,
    pub rank: u32,
    pub set: u64,
    pub by: Token,
}

/// Lets the strongest identifier of a set claim its references, and remembers which were named together.
pub(super) fn adopt(
    graph: &mut Graph<'_, '_>,
    place: u64,
    set: &Set,
    strongest: Option<&Strength>,
    references: &[Token],
) {
    if let Some((_, rank, by)) = strongest {
        let claim = Claim {
            untrusted: !set.trusted,
            rank: *rank,
            set: place,
            by: *by,
        };
        for reference in references {
            raise(graph, *reference, claim);
        }
    }
    for (index, one) in references.iter().enumerate() {
        for other in &references[index + 1..] {
            if !graph.state.contains(&Key::Beside(*one, *other)) {
                graph.state.put(Key::Beside(*one, *other), Row::Present);
                graph.state.put(Key::Beside(*other, *one), Row::Present);
                graph.undecided.extend([*one, *other]);
            }
        }
    }
}

fn raise(graph: &mut Graph<'_, '_>, reference: Token, claim: Claim) {
    let mut node = graph.node(reference).clone();
    if node.claim.is_some_and(|known| known <= claim) {
        return;
    }
    let owner = graph.node(claim.by).profile;
    if node.claim.is_none() || node.profile != owner {
        let neighbours = neighbours(graph, reference);
        graph.undecided.extend(neighbours);
    }
    node.claim = Some(claim);
    graph.state.put(Key::Value(reference), Row::Value(node));
    graph.give(reference, owner);
}

/// A reference never named with an identifier belongs to the owner of the references named with it, if they agree; else to nobody.
pub(super) fn settle(graph: &mut Graph<'_, '_>) {
    while let Some(reference) = graph.undecided.pop_first() {
        if graph.node(reference).claim.is_some() {
            continue;
        }
        let owners: BTreeSet<ProfileId> = neighbours(graph, reference)
            .into_iter()
            .map(|neighbour| graph.node(neighbour))
            .filter(|neighbour| neighbour.claim.is_some())
            .map(|neighbour| neighbour.profile)
            .collect();
        match (owners.first(), owners.len()) {
            (Some(owner), 1) => graph.give(reference, *owner),
            _ => {
                graph.give(reference, ProfileId::new(reference));
                for owner in owners {
                    graph
                        .state
                        .put(Key::Contested(owner, reference), Row::Present);
                }
            }
        }
    }
}

fn neighbours(graph: &Graph<'_, '_>, reference: Token) -> Vec<Token> {
    graph
        .state
        .range(Key::Beside(reference, FIRST)..=Key::Beside(reference, LAST))
        .map(|(key, row)| {
            let Key::Beside(_, neighbour) = key else {
                mismatch(row)
            };
            *neighbour
        })
        .collect()
}
