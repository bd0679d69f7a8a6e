//! The values, who they belong to, and what a step changes of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use event::{CaseId, Class, DecisionId, ProfileId, Token, Value};
use machine::Overlay;

use super::{
    component, decision, matter, out, reference,
    row::{Counters, FIRST, Group, Key, LAST, Node, Row, Set, Side, Word, counters, mismatch},
    rules::{Kind, Rules},
};

/// The graph during one step. First the step notes what changed; then `settle` draws the consequences, each once, and in an order in
/// which none can change what an earlier one went by: what is out, groups, claims, owners, matters.
#[derive(Debug)]
pub(super) struct Graph<'t, 's> {
    pub(super) state: &'t mut Overlay<'s, Key, Row>,
    pub(super) rules: Arc<Rules>,
    pub(super) counters: Counters,
    pub(super) before: Before,
    /// The place of a set that came with this step.
    pub(super) added: Option<u64>,
    /// Values that may have gone out, or come back.
    pub(super) suspects: BTreeSet<Token>,
    /// Values that did.
    pub(super) flipped: BTreeSet<Token>,
    /// Identifiers whose sets must be applied anew.
    pub(super) loose: BTreeSet<Token>,
    /// References whose claims must be compared anew.
    pub(super) claimed: BTreeSet<Token>,
    /// References whose owner must be found anew.
    pub(super) undecided: BTreeSet<Token>,
    /// References that nobody claims, each with a neighbour that has an owner since.
    pub(super) heard: Vec<(Token, Token)>,
    /// References whose matters must be grouped anew.
    pub(super) untied: BTreeSet<Token>,
}

/// What was true before the step, of all that it touched.
#[derive(Debug, Default)]
pub(super) struct Before {
    pub(super) values: BTreeMap<Token, Told>,
    /// Of references.
    pub(super) cases: BTreeMap<Token, CaseId>,
}

/// What the timelines know of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Nobody named it; it may be known to be out all the same, by a rule or a decision.
    Nothing {
        out: bool,
    },
    Belongs {
        to: ProfileId,
        out: bool,
    },
}

/// The order of strength, the strongest first.
pub(super) type Strength = (Class, u32, Token);

impl<'t, 's> Graph<'t, 's> {
    pub(super) fn new(state: &'t mut Overlay<'s, Key, Row>, rules: Arc<Rules>) -> Self {
        let counters = counters(state);
        Self {
            state,
            rules,
            counters,
            before: Before::default(),
            added: None,
            suspects: BTreeSet::new(),
            flipped: BTreeSet::new(),
            loose: BTreeSet::new(),
            claimed: BTreeSet::new(),
            undecided: BTreeSet::new(),
            heard: Vec::new(),
            untied: BTreeSet::new(),
        }
    }

    /// Draws the consequences of all that the step noted.
    pub(super) fn settle(&mut self) {
        out::settle(self);
        component::settle(self);
        reference::settle(self);
        matter::settle(self);
        self.added = None;
        self.flipped.clear();
        self.state
            .put(Key::Counters, Row::Counters(Box::new(self.counters)));
    }

    pub(super) fn next_place(&mut self) -> u64 {
        let place = self.counters.places;
        self.counters.places += 1;
        place
    }

    /// A value as somebody named it. One that nobody named before stands alone, and decisions about it begin to tell.
    pub(super) fn enter(&mut self, value: &Value) {
        if self.state.contains(&Key::Value(value.token)) {
            return;
        }
        let kind = match self.rules.place_of(value.class, &value.kind) {
            Some(place) => place,
            None => {
                let place = Arc::make_mut(&mut self.rules).admit(value.class, &value.kind);
                self.state.put(Key::Rules, Row::Rules(self.rules.clone()));
                place
            }
        };
        let out = out::is_blocked(self, value.token);
        let node = Node {
            kind,
            out,
            owned: false,
            profile: ProfileId::new(value.token),
        };
        self.before
            .values
            .insert(value.token, Told::Nothing { out });
        self.state.put(Key::Value(value.token), Row::Value(node));
        if decision::names(self, value.token) {
            self.disturb(value.token);
        }
    }

    /// Notes that what holds for a value, beside whether it is out, may have changed.
    pub(super) fn disturb(&mut self, value: Token) {
        match self
            .find(value)
            .map(|node| self.rules.kind(node.kind).class)
        {
            None => {}
            Some(Class::Identifier) => {
                self.loose.insert(value);
                let places: Vec<u64> = self.places(value).collect();
                for place in places {
                    let references = self.taking_part(self.set(place), Class::Reference);
                    self.claimed.extend(references);
                }
            }
            Some(Class::Reference) => {
                self.claimed.insert(value);
                self.untied.insert(value);
                let neighbours = reference::neighbours(self, value);
                self.undecided.extend(neighbours);
            }
        }
    }

    pub(super) fn find(&self, token: Token) -> Option<&Node> {
        let row = self.state.get(&Key::Value(token))?;
        let Row::Value(node) = row else { mismatch(row) };
        Some(node)
    }

    pub(super) fn node(&self, token: Token) -> &Node {
        let node = self.find(token);
        node.expect("a value that takes part in a set was named before")
    }

    pub(super) fn kind(&self, token: Token) -> &Kind {
        self.rules.kind(self.node(token).kind)
    }

    pub(super) fn strength(&self, token: Token) -> Strength {
        let (class, rank) = self.kind(token).strength();
        (class, rank, token)
    }

    pub(super) fn set(&self, place: u64) -> &Set {
        match self.state.get(&Key::Set(place)) {
            Some(Row::Set(set)) => set,
            other => unreachable!("an index names the places of sets: {other:?}"),
        }
    }

    /// The values of a set of one class that are not out, the strongest first; none if its decision does not hold. Values that a
    /// decision names before anybody else did are not there yet.
    pub(super) fn taking_part(&self, set: &Set, class: Class) -> Vec<Token> {
        self.not_out(set, class, set.present())
    }

    pub(super) fn not_out(
        &self,
        set: &Set,
        class: Class,
        values: impl Iterator<Item = Token>,
    ) -> Vec<Token> {
        if let Word::Person(decision) = &set.word
            && !decision::holds(self, *decision)
        {
            return Vec::new();
        }
        let mut strong: Vec<Strength> = values
            .filter_map(|value| {
                let node = self.find(value).filter(|node| !node.out)?;
                let (of, rank) = self.rules.kind(node.kind).strength();
                (of == class).then_some((of, rank, value))
            })
            .collect();
        strong.sort_unstable();
        strong.dedup();
        strong.into_iter().map(|(.., token)| token).collect()
    }

    /// The places of the sets in which a value takes part, in order.
    pub(super) fn places(&self, value: Token) -> impl Iterator<Item = u64> + '_ {
        self.state
            .range(Key::Named(value, u64::MIN)..=Key::Named(value, u64::MAX))
            .map(|(key, row)| {
                let Key::Named(_, place) = key else {
                    mismatch(row)
                };
                *place
            })
    }

    /// Notes what the timelines know of a value, before the step changes it.
    pub(super) fn remember(&mut self, token: Token) {
        let node = self.node(token);
        let told = Told::Belongs {
            to: node.profile,
            out: node.out,
        };
        self.before.values.entry(token).or_insert(told);
    }

    pub(super) fn put_node(&mut self, token: Token, node: Node) {
        self.state.put(Key::Value(token), Row::Value(node));
    }

    /// Gives a value to a profile.
    pub(super) fn give(&mut self, token: Token, to: ProfileId) {
        let node = *self.node(token);
        let (from, own) = (node.profile, ProfileId::new(token));
        if from == to {
            return;
        }
        self.remember(token);
        if from != own {
            self.state.remove(Key::Member(from, token));
        }
        if to != own {
            self.state.put(Key::Member(to, token), Row::Present);
        }
        self.put_node(
            token,
            Node {
                profile: to,
                ..node
            },
        );
    }

    /// All values of a profile but the one it is named after.
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

    /// What the identifiers of a profile forbid together.
    pub(super) fn group(&self, profile: ProfileId) -> Group {
        let row = match self.state.get(&Key::Group(profile)) {
            None => return self.alone(profile.token()),
            Some(row) => row,
        };
        let Row::Group(group) = row else {
            mismatch(row)
        };
        Group::clone(group)
    }

    fn alone(&self, identifier: Token) -> Group {
        let node = self.node(identifier);
        let kind = self.rules.kind(node.kind);
        let exclusive = kind.exclusive.then_some((node.kind, identifier));
        Group {
            exclusive: exclusive.into_iter().collect(),
            sides: self.sides(identifier),
            known: kind.known,
            identifiers: 1,
            merges: 0,
        }
    }

    /// Where a value stands in decisions to keep apart.
    pub(super) fn sides(&self, value: Token) -> Vec<Side> {
        decision::sides(self, value)
    }

    pub(super) fn decision(&self, id: DecisionId) -> &super::row::Decided {
        match self.state.get(&Key::Decision(id)) {
            Some(Row::Decision(decided)) => decided,
            other => unreachable!("an index names the ids of decisions: {other:?}"),
        }
    }
}
