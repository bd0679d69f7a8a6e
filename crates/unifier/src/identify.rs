//! Who is who, decided in one place and in one order.
//!
//! All that was named together, and all that people decided about it, comes here through the single partition of `identity.link`. The
//! grouping is a function of that sequence and of the rules, whatever led to it:
//!
//! - `set`: what was named together has a place, that of its first report; it ages, and may be withdrawn;
//! - `out`: a value that is blocked, or that too many share, links nothing;
//! - `group`: identifiers named together are one person, unless a rule or a person forbids it;
//! - `reference`: a reference belongs to one identifier, and unites nobody;
//! - `matter`: references that trusted sources name together are one group of matters, and so one case;
//! - `decision`: what people decided holds against every present and future path, and can be undone.
//!
//! A new set is applied at the end; when what is out or a decision changes, or a set leaves, the sets that hang together with it are
//! applied anew in their order (`component`). What changed is told to the timelines and cases with a version greater than all before
//! (`teller`).
//!
//! The same state answers people: why two events are on one timeline or apart (`explain`), and what waits for a person (`review`).
//! What a decision or new rules would move is a step on an overlay that is dropped.

mod component;
mod decision;
pub mod explain;
mod graph;
mod group;
mod learn;
mod matter;
mod out;
mod reference;
pub mod review;
mod row;
mod rules;
mod set;
mod teller;

use std::sync::Arc;

use event::{Time, link::Link};
use machine::{Effects, Input, Machine, Outcome, Overlay, Shard, State};

use self::{
    graph::Graph,
    teller::{News, Teller},
};
pub use self::{
    out::Cause,
    row::{
        Claim, Counters, Decided, Group, Kept, Key, Node, Refusal, Report, Row, Set, Side, Untold,
        Why, Word,
    },
    rules::{Kind, Rules},
};

/// The single, ordered decision maker of identity.
#[derive(Debug)]
pub struct Identify {
    /// P: how many partitions hear which values are out.
    partitions: u32,
    /// What holds before any rules came.
    defaults: Arc<Rules>,
}

/// What comes in: topic `identity.link`.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    Link(Link),
}

impl Identify {
    pub fn new(partitions: u32) -> Self {
        Self {
            partitions,
            defaults: Arc::new(Rules::of(&event::Company::default())),
        }
    }

    fn graph<'t, 's>(&self, state: &'t mut Overlay<'s, Key, Row>) -> Graph<'t, 's> {
        let rules = row::rules(state).unwrap_or(&self.defaults).clone();
        Graph::new(state, rules)
    }
}

/// Takes one record. Nothing is told yet.
fn hear(graph: &mut Graph<'_, '_>, link: &Link) -> Outcome {
    let time = match link {
        Link::Set(set) => set.time,
        Link::Tick(tick) => tick.time,
        Link::Decision(decision) => decision.time,
        Link::Rules(_) => graph.counters.now,
    };
    graph.counters.now = graph.counters.now.max(time);
    set::age(graph);
    match link {
        Link::Set(set) => set::hear(graph, set),
        Link::Tick(_) => Outcome::Ticked,
        Link::Decision(decision) => decision::hear(graph, decision),
        Link::Rules(rules) => learn::hear(graph, &rules.company),
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
            Input::Record(Record::Link(link)) => {
                let mut graph = self.graph(state);
                let outcome = hear(&mut graph, &link);
                graph.settle();
                let news = News::since(&graph.before, &graph);
                Teller::new(state, effects).tell(news, self.partitions);
                outcome
            }
            Input::Tick { .. } => {
                Teller::new(state, effects).catch_up();
                Outcome::Ticked
            }
        }
    }

    fn look_ahead(&self, record: &Record, keys: &mut Vec<Key>) {
        if let Record::Link(Link::Set(set)) = record {
            keys.extend(set.values.iter().map(|value| Key::Value(value.token)));
        }
    }

    fn next_due(&self, state: &Overlay<'_, Key, Row>) -> Option<Time> {
        let counters = row::counters(state);
        (counters.told < counters.decided).then_some(Time::MIN)
    }
}

/// What people decided, in the order in which it came, and whether it holds.
pub fn decisions(state: &State<Key, Row>) -> Vec<Decided> {
    read(state, |graph| decision::all(graph))
}

/// Looks at a state as a step would; what is changed is thrown away.
fn read<T>(state: &State<Key, Row>, look: impl FnOnce(&mut Graph<'_, '_>) -> T) -> T {
    let mut overlay = Overlay::trial(state);
    let mut graph = Identify::new(1).graph(&mut overlay);
    look(&mut graph)
}
