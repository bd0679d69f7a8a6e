//! Who is who, decided in one place and in one order.
//!
//! Every set of values that an event named together comes here once, through the single partition of `identity.link`. The
//! grouping is a function of that sequence and of the rules, whatever led to it:
//!
//! - `group`: identifiers named together are one person, unless a rule forbids it;
//! - `reference`: a reference belongs to one identifier, and unites nobody;
//! - `matter`: references that trusted sources name together are one group of matters, and so one case.
//!
//! A decision changes the graph at once and is told to the timelines and cases with a version greater than all before
//! (`decision`). Cost follows what changes: a set touches its own values and the weaker of two groups it unites; only new rules
//! about identity apply all sets anew.

mod decision;
mod graph;
mod group;
mod matter;
mod reference;
mod row;
mod rules;

use event::{Time, link::Link};
use machine::{Effects, Input, Machine, Outcome, Overlay, Shard};

use self::{decision::Teller, graph::Graph};
pub use self::{
    reference::Claim,
    row::{Conflict, Counters, Group, Key, Node, Row, Set, Untold, Why},
    rules::{Rules, TypeOf},
};

/// The single, ordered decision maker of identity.
#[derive(Debug)]
pub struct Identify {
    /// What holds before any rules came.
    defaults: Rules,
}

/// What comes in: topic `identity.link`.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    Link(Link),
}

impl Identify {
    pub fn new() -> Self {
        Self {
            defaults: Rules::of(&event::Company::default()),
        }
    }

    fn set(
        &self,
        set: &event::link::Set,
        state: &mut Overlay<'_, Key, Row>,
        effects: &mut Effects,
    ) -> Outcome {
        assert!(
            !set.withdrawn,
            "nothing withdraws a set before events can be corrected"
        );
        let fresh: Vec<_> = set
            .values
            .iter()
            .filter(|value| !state.contains(&Key::Value(value.token)))
            .map(|value| (value.token, self.rules(state).node(value)))
            .collect();
        let row = Set {
            values: set.values.iter().map(|value| value.token).collect(),
            trusted: set.trusted,
            event: set.event,
        };
        let mut counters = row::counters(state);
        let place = counters.sets;
        counters.sets += 1;
        state.put(Key::Counters, Row::Counters(counters));
        let mut graph = Graph::new(state);
        for (token, (node, group)) in fresh {
            graph.enter(token, node, group);
        }
        graph.apply(place, &row);
        let changes = graph.settle();
        state.put(Key::Set(place), Row::Set(row));
        Teller::new(state, effects).tell(changes);
        Outcome::Applied
    }

    fn learn(
        &self,
        company: &event::Company,
        state: &mut Overlay<'_, Key, Row>,
        effects: &mut Effects,
    ) -> Outcome {
        let known = self.rules(state);
        if state.contains(&Key::Rules) && company.version <= known.version {
            return Outcome::Stale;
        }
        let rules = Rules::of(company);
        let same = rules.decides_as(known);
        if !same {
            let mut graph = Graph::new(state);
            graph.replay(&rules);
            let changes = graph.settle();
            Teller::new(state, effects).tell(changes);
        }
        state.put(Key::Rules, Row::Rules(Box::new(rules)));
        Outcome::Applied
    }

    fn rules<'r>(&'r self, state: &'r Overlay<'_, Key, Row>) -> &'r Rules {
        row::rules(state).unwrap_or(&self.defaults)
    }
}

impl Default for Identify {
    fn default() -> Self {
        Self::new()
    }
}

impl Machine for Identify {
    type Record = Record;
    type Key = Key;
    type Row = Row;

    fn step(
        &self,
        _now: Time,
        _shard: Shard,
        input: Input<Record>,
        state: &mut Overlay<'_, Key, Row>,
        effects: &mut Effects,
    ) -> Outcome {
        match input {
            Input::Record(Record::Link(Link::Set(set))) => self.set(&set, state, effects),
            Input::Record(Record::Link(Link::Rules(rules))) => {
                self.learn(&rules.company, state, effects)
            }
            // Nobody decides anything yet.
            Input::Record(Record::Link(Link::Decision(_))) => Outcome::Unasked,
            // Nothing expires before values have windows.
            Input::Record(Record::Link(Link::Tick(_))) => Outcome::Ticked,
            Input::Tick { .. } => {
                Teller::new(state, effects).catch_up();
                Outcome::Ticked
            }
        }
    }

    fn next_due(&self, state: &Overlay<'_, Key, Row>) -> Option<Time> {
        let counters = row::counters(state);
        (counters.told < counters.decided).then_some(Time::MIN)
    }
}
