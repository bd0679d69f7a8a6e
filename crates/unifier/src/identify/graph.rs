//! The values, who they belong to, and what a step changes of it.

use std::collections::{BTreeMap, BTreeSet};

use event::{CaseId, Class, MatterId, ProfileId, Token, Value};
use machine::Overlay;

use super::{
    group, matter, reference,
    row::{Counters, FIRST, Group, Key, LAST, Node, Row, Set, counters, mismatch},
    rules::Rules,
};

/// The graph during one step. It notes what everybody it touches was told before, so that only differences are told.
#[derive(Debug)]
pub(super) struct Graph<'t, 's> {
    pub(super) state: &'t mut Overlay<'s, Key, Row>,
    pub(super) before: Before,
    /// References that no identifier claims and whose neighbours changed.
    pub(super) undecided: BTreeSet<Token>,
}

/// What was true before the step, of all that it touched.
#[derive(Debug, Default)]
pub(super) struct Before {
    pub(super) values: BTreeMap<Token, Told>,
    pub(super) matters: BTreeMap<MatterId, CaseId>,
}

/// What the timelines know of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Nothing,
    Belongs { to: ProfileId, out: bool },
}

/// The order of strength, the strongest first.
pub(super) type Strength = (Class, u32, Token);

impl<'t, 's> Graph<'t, 's> {
    pub(super) fn new(state: &'t mut Overlay<'s, Key, Row>) -> Self {
        Self {
            state,
            before: Before::default(),
            undecided: BTreeSet::new(),
        }
    }

    /// A value that nobody named before.
    pub(super) fn enter(&mut self, token: Token, node: Node, group: Group) {
        if self.state.contains(&Key::Value(token)) {
            return;
        }
        self.before.values.insert(token, Told::Nothing);
        self.stand_alone(token, node, group);
    }

    /// Applies one set at its place in the sequence. `settle` must follow the last.
    pub(super) fn apply(&mut self, place: u64, set: &Set) {
        let mut values: Vec<Strength> = set
            .values
            .iter()
            .filter(|token| !self.node(**token).out)
            .map(|token| self.strength(*token))
            .collect();
        values.sort_unstable();
        values.dedup();
        let references =
            values.split_off(values.partition_point(|(class, ..)| *class == Class::Identifier));
        let references: Vec<Token> = references.into_iter().map(|(.., token)| token).collect();
        group::unite(self, &values, set);
        reference::adopt(self, place, set, values.first(), &references);
        if set.trusted {
            matter::unite(self, &references);
        }
    }

    /// Decides on the references that belong to whom their neighbours do. That is a function of the graph as it stands, and so is
    /// decided once, after all sets of the step.
    pub(super) fn settle(mut self) -> Before {
        reference::settle(&mut self);
        self.before
    }

    /// Applies all sets anew, in their order, under other rules.
    pub(super) fn replay(&mut self, rules: &Rules) {
        self.forget();
        let nodes: Vec<(Token, Node)> = self
            .state
            .range(Key::Value(FIRST)..=Key::Value(LAST))
            .map(|(key, row)| {
                let (Key::Value(token), Row::Value(node)) = (key, row) else {
                    mismatch(row)
                };
                (*token, node.clone())
            })
            .collect();
        for (token, node) in nodes {
            let told = Told::Belongs {
                to: node.profile,
                out: node.out,
            };
            self.before.values.insert(token, told);
            let (node, group) = rules.node(&Value {
                token,
                class: node.class,
                kind: node.kind,
            });
            self.stand_alone(token, node, group);
        }
        let Counters { sets, .. } = counters(self.state);
        for place in 0..sets {
            let set = match self.state.get(&Key::Set(place)) {
                Some(Row::Set(set)) => set.clone(),
                other => unreachable!("every place below {sets} has its set: {other:?}"),
            };
            self.apply(place, &set);
        }
    }

    /// Removes all that earlier sets led to. Matters fall back to their own cases.
    fn forget(&mut self) {
        let derived = Key::Group(ProfileId::new(FIRST))..=Key::Conflict(LAST, LAST);
        let keys: Vec<Key> = self
            .state
            .range(derived)
            .map(|(key, row)| {
                if let (Key::Matter(matter), Row::Matter(case)) = (key, row) {
                    self.before.matters.insert(*matter, *case);
                }
                key.clone()
            })
            .collect();
        for key in keys {
            self.state.remove(key);
        }
    }

    fn stand_alone(&mut self, token: Token, node: Node, group: Group) {
        if node.class == Class::Identifier && !node.out {
            self.state.put(Key::Group(node.profile), Row::Group(group));
            self.state
                .put(Key::Member(node.profile, token), Row::Present);
        }
        self.state.put(Key::Value(token), Row::Value(node));
    }

    pub(super) fn node(&self, token: Token) -> &Node {
        match self.state.get(&Key::Value(token)) {
            Some(Row::Value(node)) => node,
            other => unreachable!("every value of a set entered the graph before: {other:?}"),
        }
    }

    pub(super) fn strength(&self, token: Token) -> Strength {
        let node = self.node(token);
        (node.class, node.rank, token)
    }

    /// Gives a value to a profile.
    pub(super) fn give(&mut self, token: Token, to: ProfileId) {
        let mut node = self.node(token).clone();
        let from = node.profile;
        if from == to {
            return;
        }
        let told = Told::Belongs {
            to: from,
            out: node.out,
        };
        self.before.values.entry(token).or_insert(told);
        self.state.remove(Key::Member(from, token));
        self.state.put(Key::Member(to, token), Row::Present);
        node.profile = to;
        self.state.put(Key::Value(token), Row::Value(node));
    }

    /// All values of a profile.
    pub(super) fn members(&self, profile: ProfileId) -> Vec<Token> {
        self.state
            .range(Key::Member(profile, FIRST)..=Key::Member(profile, LAST))
            .map(|(key, row)| {
                let Key::Member(_, token) = key else {
                    mismatch(row)
                };
                *token
            })
            .collect()
    }
}
