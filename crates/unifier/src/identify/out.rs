//! What is out: it links nothing, owns nothing and adopts nothing, and nothing follows it.
//!
//! A value is out when a rule or a person blocks it, or when it was seen with more distinct values of any one stronger type than
//! its limit and no person allows it. What it was seen with counts whether or not the link was made, and whether or not the other
//! value is out itself; so being out never depends on who else is.

use event::{DecisionId, Name, Token, link::DecisionKind};

use super::{
    decision,
    graph::Graph,
    row::{FIRST, Key, LAST, Node, Row, mismatch},
};

/// Why a value is out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The company's rules block it.
    Rule,
    /// A person does.
    Decision(DecisionId),
    /// It was seen with more values of this stronger type than its limit. Only so many were counted.
    Limit { limit: u32, seen: u32, kind: Name },
}

/// So many values are counted to say by how much a limit is passed.
const COUNTED_MAX: usize = 1_000;

/// Lets the values that may have gone out, or come back, do so.
pub(super) fn settle(graph: &mut Graph<'_, '_>) {
    for value in std::mem::take(&mut graph.suspects) {
        if let Some(node) = graph.find(value).copied() {
            look_at(graph, value, node);
        }
    }
}

fn look_at(graph: &mut Graph<'_, '_>, value: Token, node: Node) {
    let blocked = is_blocked(graph, value);
    let shared = !blocked && is_shared(graph, value, node);
    let key = Key::Shared(value);
    if shared && !graph.state.contains(&key) {
        let now = graph.counters.now;
        graph.state.put(key, Row::Since(now));
    } else if !shared {
        graph.state.remove(key);
    }
    let out = blocked || shared;
    if out == node.out {
        return;
    }
    graph.remember(value);
    graph.put_node(value, Node { out, ..node });
    graph.flipped.insert(value);
    graph.disturb(value);
}

/// Whether a rule or a person blocks a value, which holds before anybody names it.
pub(super) fn is_blocked(graph: &Graph<'_, '_>, value: Token) -> bool {
    graph.rules.blocks(value) || decision::about(graph, value, DecisionKind::Block).is_some()
}

fn is_shared(graph: &Graph<'_, '_>, value: Token, node: Node) -> bool {
    let Some(limit) = graph.rules.kind(node.kind).limit else {
        return false;
    };
    decision::about(graph, value, DecisionKind::Allow).is_none()
        && first_over(graph, value, limit).is_some()
}

/// The first type of which the value was seen with more values than the limit. Looks at no more than it takes to know.
fn first_over(graph: &Graph<'_, '_>, value: Token, limit: u32) -> Option<u16> {
    let (mut of, mut seen) = (0, 0_u32);
    for kind in seen_with(graph, value) {
        if kind != of {
            (of, seen) = (kind, 0);
        }
        seen += 1;
        if seen > limit {
            return Some(kind);
        }
    }
    None
}

/// The types of the stronger values that a value was seen with, each as often as there are such values.
fn seen_with<'g>(graph: &'g Graph<'_, '_>, value: Token) -> impl Iterator<Item = u16> + 'g {
    graph
        .state
        .range(Key::Seen(value, u16::MIN, FIRST)..=Key::Seen(value, u16::MAX, LAST))
        .map(|(key, row)| {
            let Key::Seen(_, kind, _) = key else {
                mismatch(row)
            };
            *kind
        })
}

/// Why a value is out, if it is.
pub(super) fn cause(graph: &Graph<'_, '_>, value: Token) -> Option<Cause> {
    if graph.rules.blocks(value) {
        return Some(Cause::Rule);
    }
    if let Some(decision) = decision::about(graph, value, DecisionKind::Block) {
        return Some(Cause::Decision(decision));
    }
    let node = graph.find(value).filter(|node| node.out)?;
    let limit = graph.rules.kind(node.kind).limit?;
    let over = first_over(graph, value, limit)?;
    let seen = seen_with(graph, value)
        .filter(|kind| *kind == over)
        .take(COUNTED_MAX)
        .count();
    Some(Cause::Limit {
        limit,
        seen: u32::try_from(seen).unwrap_or(u32::MAX),
        kind: graph.rules.kind(over).name.clone(),
    })
}

/// Notes which values of a new set were seen together. Each is counted for the weaker of the two.
pub(super) fn see(graph: &mut Graph<'_, '_>, values: &[Token]) {
    for (weaker, stronger) in pairs(graph, values) {
        let key = Key::Seen(weaker, graph.node(stronger).kind, stronger);
        if !graph.state.contains(&key) {
            graph.state.put(key, Row::Present);
            if !graph.node(weaker).out {
                graph.suspects.insert(weaker);
            }
        }
    }
}

/// Notes that values which left a set are seen no more with the others of it, unless another set names both.
pub(super) fn forget(graph: &mut Graph<'_, '_>, left: &[Token], values: &[Token]) {
    for (weaker, stronger) in pairs(graph, values) {
        let parted = left.contains(&weaker) || left.contains(&stronger);
        if parted && !named_together(graph, weaker, stronger) {
            let key = Key::Seen(weaker, graph.node(stronger).kind, stronger);
            graph.state.remove(key);
            graph.suspects.insert(weaker);
        }
    }
}

/// All pairs of different types, the weaker value first.
fn pairs(graph: &Graph<'_, '_>, values: &[Token]) -> Vec<(Token, Token)> {
    let mut strong: Vec<_> = values.iter().map(|value| graph.strength(*value)).collect();
    strong.sort_unstable();
    let mut pairs = Vec::new();
    for (index, (class, rank, stronger)) in strong.iter().enumerate() {
        let weaker = strong[index + 1..]
            .iter()
            .filter(|other| (*class, *rank) < (other.0, other.1));
        pairs.extend(weaker.map(|(.., weaker)| (*weaker, *stronger)));
    }
    pairs
}

/// Whether a report of a source names both. Looks through the sets of the one that has fewer.
fn named_together(graph: &Graph<'_, '_>, one: Token, two: Token) -> bool {
    let (mut ones, mut twos) = (graph.places(one), graph.places(two));
    loop {
        for (place, other) in [(ones.next(), two), (twos.next(), one)] {
            let Some(place) = place else {
                return false;
            };
            let set = graph.set(place);
            if set.is_report() && set.present().any(|value| value == other) {
                return true;
            }
        }
    }
}
