//! What people decide about who is who. A decision holds for what came before it and for all that comes, until it is undone.

use std::collections::BTreeSet;

use event::{
    Class, DecisionId, Token,
    link::{Decision, DecisionKind},
};
use machine::Outcome;

use super::{
    graph::{Graph, Told},
    out,
    row::{Decided, FIRST, Key, LAST, Row, Set, Side, Word, mismatch},
};

/// Hears a decision.
pub(super) fn hear(graph: &mut Graph<'_, '_>, decision: &Decision) -> Outcome {
    if graph.state.contains(&Key::Decision(decision.id)) {
        return Outcome::Duplicate;
    }
    match decision.what {
        DecisionKind::Unknown => return Outcome::Unasked,
        DecisionKind::Undo => {
            let undoes = decision.undoes;
            let known = undoes.filter(|id| graph.state.contains(&Key::Decision(*id)));
            let Some(undoes) = known else {
                return Outcome::Unasked;
            };
            record(graph, decision);
            let key = Key::Undone(undoes, decision.id);
            graph.state.put(key, Row::Present);
            reconsider(graph, undoes);
        }
        DecisionKind::Apart
        | DecisionKind::Together
        | DecisionKind::Block
        | DecisionKind::Allow => {
            remember_unseen(graph, decision);
            record(graph, decision);
            take_effect(graph, decision);
        }
    }
    Outcome::Applied
}

fn record(graph: &mut Graph<'_, '_>, decision: &Decision) {
    graph.counters.decisions += 1;
    let place = graph.next_place();
    let values: BTreeSet<Token> = values(decision).collect();
    for value in &values {
        let key = Key::Decided(*value, decision.id);
        graph.state.put(key, Row::Present);
    }
    if decision.what == DecisionKind::Together {
        for value in &values {
            graph.state.put(Key::Named(*value, place), Row::Present);
            graph.state.put(Key::Tie(*value, place), Row::Present);
        }
        let set = Set {
            values: values.into_iter().collect(),
            gone: Vec::new(),
            word: Word::Person(decision.id),
        };
        graph.state.put(Key::Set(place), Row::Set(Box::new(set)));
    }
    let decided = Decided {
        decision: decision.clone(),
        place,
        holds: true,
    };
    put(graph, decided);
}

fn put(graph: &mut Graph<'_, '_>, decided: Decided) {
    let key = Key::Decision(decided.decision.id);
    graph.state.put(key, Row::Decision(Box::new(decided)));
}

/// A decision holds unless one that holds undoes it. What is undone may itself have undone another.
fn reconsider(graph: &mut Graph<'_, '_>, id: DecisionId) {
    let decided = graph.decision(id).clone();
    let holds = !undoers(graph, id).any(|undoer| self::holds(graph, undoer));
    if decided.holds == holds {
        return;
    }
    remember_unseen(graph, &decided.decision);
    // Whom it brought together is only to be seen while it holds.
    take_effect(graph, &decided.decision);
    let decision = decided.decision.clone();
    put(graph, Decided { holds, ..decided });
    take_effect(graph, &decision);
    if let Some(undoes) = decision.undoes {
        reconsider(graph, undoes);
    }
}

fn undoers<'g>(graph: &'g Graph<'_, '_>, id: DecisionId) -> impl Iterator<Item = DecisionId> + 'g {
    let (first, last) = (DecisionId::new(FIRST), DecisionId::new(LAST));
    graph
        .state
        .range(Key::Undone(id, first)..=Key::Undone(id, last))
        .map(|(key, row)| {
            let Key::Undone(_, undoer) = key else {
                mismatch(row)
            };
            *undoer
        })
}

/// Notes what may be otherwise when a decision begins or ends to hold.
fn take_effect(graph: &mut Graph<'_, '_>, decision: &Decision) {
    match decision.what {
        DecisionKind::Block | DecisionKind::Allow => graph.suspects.extend(values(decision)),
        DecisionKind::Apart => {
            for value in values(decision) {
                graph.disturb(value);
            }
        }
        DecisionKind::Together => {
            for value in brought_together(graph, values(decision).collect()) {
                graph.disturb(value);
            }
        }
        DecisionKind::Undo | DecisionKind::Unknown => {}
    }
}

/// A rule or decision may put a value out, or let it back, that nobody named yet.
fn remember_unseen(graph: &mut Graph<'_, '_>, decision: &Decision) {
    if decision.what == DecisionKind::Block {
        for value in values(decision) {
            remember_if_unseen(graph, value);
        }
    }
}

pub(super) fn remember_if_unseen(graph: &mut Graph<'_, '_>, value: Token) {
    if graph.find(value).is_none() {
        let out = out::is_blocked(graph, value);
        let told = Told::Nothing { out };
        graph.before.values.entry(value).or_insert(told);
    }
}

fn values(decision: &Decision) -> impl Iterator<Item = Token> + '_ {
    decision.one.iter().chain(&decision.other).copied()
}

/// Whether any decision names a value.
pub(super) fn names(graph: &Graph<'_, '_>, value: Token) -> bool {
    decisions(graph, value).next().is_some()
}

/// Whether a decision holds.
pub(super) fn holds(graph: &Graph<'_, '_>, id: DecisionId) -> bool {
    graph.decision(id).holds
}

/// A decision of this kind that holds and names the value.
pub(super) fn about(graph: &Graph<'_, '_>, value: Token, what: DecisionKind) -> Option<DecisionId> {
    decisions(graph, value)
        .find(|decided| decided.holds && decided.decision.what == what)
        .map(|decided| decided.decision.id)
}

/// Where a value stands in the decisions to keep apart that hold, in order.
pub(super) fn sides(graph: &Graph<'_, '_>, value: Token) -> Vec<Side> {
    let mut sides = Vec::new();
    for decided in decisions(graph, value) {
        let decision = &decided.decision;
        if decided.holds && decision.what == DecisionKind::Apart {
            for (other, named) in [(false, &decision.one), (true, &decision.other)] {
                if named.contains(&value) {
                    let decision = decision.id;
                    sides.push(Side { decision, other });
                }
            }
        }
    }
    sides.sort_unstable();
    sides
}

fn decisions<'g>(graph: &'g Graph<'_, '_>, value: Token) -> impl Iterator<Item = &'g Decided> + 'g {
    let (first, last) = (DecisionId::new(FIRST), DecisionId::new(LAST));
    let any = graph.counters.decisions > 0;
    let range = any.then(|| {
        graph
            .state
            .range(Key::Decided(value, first)..=Key::Decided(value, last))
    });
    range.into_iter().flatten().map(|(key, row)| {
        let Key::Decided(_, id) = key else {
            mismatch(row)
        };
        graph.decision(*id)
    })
}

/// The references on the other sides of decisions look for owners anew, since a group changed that they may be kept apart from.
pub(super) fn disturb_references(graph: &mut Graph<'_, '_>, sides: &[Side]) {
    for side in sides {
        let decision = &graph.decision(side.decision).decision;
        let opposite = if side.other {
            &decision.one
        } else {
            &decision.other
        };
        let references: Vec<Token> = opposite
            .iter()
            .copied()
            .filter(|value| {
                graph
                    .find(*value)
                    .is_some_and(|node| graph.rules.kind(node.kind).class == Class::Reference)
            })
            .collect();
        graph.claimed.extend(references);
    }
}

/// Whether people brought two values together, if need be in several decisions.
pub(super) fn same_person(graph: &Graph<'_, '_>, one: Token, other: Token) -> bool {
    one == other || brought_together(graph, BTreeSet::from([one])).contains(&other)
}

/// All values that people brought together with some.
fn brought_together(graph: &Graph<'_, '_>, values: BTreeSet<Token>) -> BTreeSet<Token> {
    let mut next: Vec<Token> = values.iter().copied().collect();
    let mut together = values;
    while let Some(value) = next.pop() {
        for decided in decisions(graph, value) {
            if decided.holds && decided.decision.what == DecisionKind::Together {
                for other in self::values(&decided.decision) {
                    if together.insert(other) {
                        next.push(other);
                    }
                }
            }
        }
    }
    together
}

/// Every decision, in the order in which they came.
pub(super) fn all(graph: &Graph<'_, '_>) -> Vec<Decided> {
    let (first, last) = (DecisionId::new(FIRST), DecisionId::new(LAST));
    let mut all: Vec<Decided> = graph
        .state
        .range(Key::Decision(first)..=Key::Decision(last))
        .map(|(_, row)| {
            let Row::Decision(decided) = row else {
                mismatch(row)
            };
            Decided::clone(decided)
        })
        .collect();
    all.sort_by_key(|decided| decided.place);
    all
}
