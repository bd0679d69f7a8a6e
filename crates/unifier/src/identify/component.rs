//! Applying sets anew.
//!
//! When a value goes out or comes back, when a set leaves or a decision begins or ends to hold, the identifiers that hang together with
//! what changed stand alone again, and the sets that name them are applied once more in their order. Sets hang together through
//! identifiers that are not out, whether their links were made or refused; no other set can tell the difference.
//!
//! This is one step, and its cost that of the component. Limits keep components small: a value that everybody has is out, and is not
//! followed. What is put out is queued beyond the room of a step, as everything is.

use std::collections::BTreeSet;

use event::{Class, ProfileId, Token};

use super::{decision, graph::Graph, group, reference, row::Key};

/// Applies anew what was loosened, and then, if that did not reach it, the set that came with this step.
pub(super) fn settle(graph: &mut Graph<'_, '_>) {
    let mut places = BTreeSet::new();
    if !graph.loose.is_empty() {
        let identifiers;
        (identifiers, places) = hang_together(graph);
        set_free(graph, &identifiers);
    }
    places.extend(graph.added);
    for place in places {
        group::apply(graph, place);
    }
}

/// The identifiers that hang together with the loosened ones, and the places of the sets that name them.
fn hang_together(graph: &mut Graph<'_, '_>) -> (BTreeSet<Token>, BTreeSet<u64>) {
    let mut identifiers = BTreeSet::new();
    let mut places = BTreeSet::new();
    let mut next: Vec<Token> = std::mem::take(&mut graph.loose).into_iter().collect();
    while let Some(value) = next.pop() {
        let stays_out = graph.node(value).out && !graph.flipped.contains(&value);
        if stays_out || !identifiers.insert(value) {
            continue;
        }
        for place in graph.places(value) {
            if places.insert(place) {
                let values = graph.set(place).present();
                next.extend(values.filter(|value| {
                    graph
                        .find(*value)
                        .is_some_and(|node| graph.rules.kind(node.kind).class == Class::Identifier)
                }));
            }
        }
    }
    (identifiers, places)
}

/// Lets each stand alone. The references of the profiles they leave need owners.
fn set_free(graph: &mut Graph<'_, '_>, identifiers: &BTreeSet<Token>) {
    let profiles: BTreeSet<ProfileId> = identifiers
        .iter()
        .map(|identifier| graph.node(*identifier).profile)
        .collect();
    for profile in profiles {
        for member in graph.members(profile) {
            if graph.kind(member).class == Class::Reference {
                graph.undecided.insert(member);
            } else {
                assert!(
                    identifiers.contains(&member),
                    "the identifiers of a profile hang together"
                );
            }
        }
        let contested = reference::contested(graph, profile);
        graph.undecided.extend(contested);
        let sides = graph.group(profile).sides;
        decision::disturb_references(graph, &sides);
        graph.state.remove(Key::Group(profile));
    }
    for identifier in identifiers {
        graph.give(*identifier, ProfileId::new(*identifier));
        let sides = graph.sides(*identifier);
        decision::disturb_references(graph, &sides);
    }
}
