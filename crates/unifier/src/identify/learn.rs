//! New rules: what they change is applied anew, and nothing else.

use std::{collections::BTreeSet, sync::Arc};

use event::{Class, Company, Token};
use machine::Outcome;

use super::{
    decision,
    graph::Graph,
    out,
    row::{FIRST, Key, LAST, Node, Row, Set, mismatch},
    rules::Rules,
    set,
};

pub(super) fn hear(graph: &mut Graph<'_, '_>, company: &Company) -> Outcome {
    let known = graph.rules.clone();
    if graph.state.contains(&Key::Rules) && company.version <= known.version {
        return Outcome::Stale;
    }
    let rules = Rules::after(&known.kinds, company);
    let ones: BTreeSet<Token> = known.blocked.iter().copied().collect();
    let others: BTreeSet<Token> = rules.blocked.iter().copied().collect();
    for value in ones.symmetric_difference(&others) {
        decision::remember_if_unseen(graph, *value);
        graph.suspects.insert(*value);
    }
    graph.rules = Arc::new(rules);
    graph.state.put(Key::Rules, Row::Rules(graph.rules.clone()));
    look_at_values(graph, &known);
    let windows = |rules: &Rules| -> Vec<_> {
        let known = rules.kinds.iter().take(known.kinds.len());
        known.map(|kind| kind.window).collect()
    };
    if windows(&known) != windows(&graph.rules) {
        set::schedule_all(graph);
    }
    Outcome::Applied
}

fn look_at_values(graph: &mut Graph<'_, '_>, known: &Rules) {
    let reordered = !known.orders_as(&graph.rules);
    let regrouped = reordered || !known.refuses_as(&graph.rules);
    if reordered {
        see_anew(graph);
    }
    for (value, node) in all_values(graph) {
        let kind = graph.rules.kind(node.kind);
        if reordered || kind.limit != known.kind(node.kind).limit {
            graph.suspects.insert(value);
        }
        match kind.class {
            Class::Identifier if regrouped => {
                graph.loose.insert(value);
            }
            Class::Reference if reordered => {
                graph.claimed.insert(value);
                graph.untied.insert(value);
            }
            Class::Identifier | Class::Reference => {}
        }
    }
}

fn all_values(graph: &Graph<'_, '_>) -> Vec<(Token, Node)> {
    graph
        .state
        .range(Key::Value(FIRST)..=Key::Value(LAST))
        .map(|(key, row)| {
            let (Key::Value(token), Row::Value(node)) = (key, row) else {
                mismatch(row)
            };
            (*token, *node)
        })
        .collect()
}

/// Counts anew which value of two is the weaker.
fn see_anew(graph: &mut Graph<'_, '_>) {
    let first = Key::Seen(FIRST, u16::MIN, FIRST);
    let last = Key::Seen(LAST, u16::MAX, LAST);
    let rows = graph.state.range(first..=last);
    let keys: Vec<Key> = rows.map(|(key, _)| key.clone()).collect();
    for key in keys {
        graph.state.remove(key);
    }
    for place in 0..graph.counters.places {
        if let Some(Row::Set(set)) = graph.state.get(&Key::Set(place))
            && set.is_report()
        {
            let values: Vec<Token> = Set::present(set).collect();
            out::see(graph, &values);
        }
    }
}
