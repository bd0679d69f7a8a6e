//! The decision maker once more: the same pure machine over a state of its own, stepped with what topic `identity.link` says.
//!
//! Whatever asks who is who and why asks this state; what would be is a step on an overlay that is thrown away. What the machine
//! puts out is thrown away too: assignments come from topic `identity.assignment`, and they are what pages go by.

use event::{
    DecisionId, Partition, ProfileId, Time, Token,
    link::{Link, Tick},
};
use machine::{Changes, Effects, Input, Machine as _, Outcome, Overlay, Shard, State};
use unifier::identify::{
    self, Decided, Identify, Key, Record, Row,
    explain::{self, Explanation},
    review::{self, Item},
};

#[derive(Debug, Default)]
pub struct Replica {
    state: State<Key, Row>,
}

/// The graph of all values, as a look at the replica or at what would be.
pub type Graph<'r> = Overlay<'r, Key, Row>;

const WHOLE: Shard = Shard {
    partition: Partition(0),
    partitions: 1,
};

/// Who a value would belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moved {
    pub value: Token,
    pub from: ProfileId,
    pub to: ProfileId,
    pub was_out: bool,
    pub is_out: bool,
}

impl Replica {
    /// Takes the next record of the topic.
    pub fn apply(&mut self, link: Link) {
        step(link, &mut self.state.overlay());
        self.state.commit();
    }

    /// What the graph would be after these records, with all that would be over age by them.
    pub fn after(&self, links: impl IntoIterator<Item = Link>) -> Graph<'_> {
        let mut graph = Overlay::trial(&self.state);
        for link in links {
            step(link, &mut graph);
        }
        let time = self.now();
        let due = || Key::Due(Time::MIN, u64::MIN)..=Key::Due(time, u64::MAX);
        while graph.range(due()).next().is_some() {
            step(Link::Tick(Tick { time }), &mut graph);
        }
        graph
    }

    /// Which values would belong to somebody else, or be out or no more, in the order of the values.
    pub fn moved(&self, after: Graph<'_>) -> Vec<Moved> {
        let changes: Changes<Key, Row> = after.into_changes();
        let mut moved: Vec<Moved> = changes
            .into_iter()
            .filter_map(|(key, row)| {
                let (Key::Value(value), Some(Row::Value(now))) = (key, row) else {
                    return None;
                };
                // What nobody named before belongs to nobody, and so does not move.
                let Some(Row::Value(before)) = self.state.get(&Key::Value(value)) else {
                    return None;
                };
                let (from, was_out) = (before.profile, before.out);
                let moved = Moved {
                    value,
                    from,
                    to: now.profile,
                    was_out,
                    is_out: now.out,
                };
                (from != moved.to || was_out != now.out).then_some(moved)
            })
            .collect();
        moved.sort_unstable();
        moved
    }

    /// Why two events are on one timeline or not, by their values in order of strength.
    pub fn explain(&self, a: &[Token], b: &[Token]) -> Explanation {
        explain::explain(&self.state, a, b)
    }

    /// All that waits for a person, the oldest first.
    pub fn review(&self) -> Vec<Item> {
        review::items(&self.state)
    }

    /// What people decided, in the order in which it came.
    pub fn decisions(&self) -> Vec<Decided> {
        identify::decisions(&self.state)
    }

    pub fn decision(&self, id: DecisionId) -> Option<&Decided> {
        match self.state.get(&Key::Decision(id)) {
            Some(Row::Decision(decided)) => Some(decided),
            Some(_) | None => None,
        }
    }

    /// Whether the rules block a value.
    pub fn blocks(&self, value: Token) -> bool {
        match self.state.get(&Key::Rules) {
            Some(Row::Rules(rules)) => rules.blocked.binary_search(&value).is_ok(),
            Some(_) | None => false,
        }
    }

    /// The highest time of a record so far, which is what identity goes by.
    pub fn now(&self) -> Time {
        match self.state.get(&Key::Counters) {
            Some(Row::Counters(counters)) => counters.now,
            Some(_) | None => Time::MIN,
        }
    }
}

/// Who a value belongs to, and whether it is out; `None` for one that nobody named.
pub fn owner(graph: &Graph<'_>, value: Token) -> Option<(ProfileId, bool)> {
    match graph.get(&Key::Value(value)) {
        Some(Row::Value(node)) => Some((node.profile, node.out)),
        Some(_) | None => None,
    }
}

/// Steps the record and all the work that it leaves waiting, so that no look sees half a decision.
fn step(link: Link, graph: &mut Graph<'_>) {
    let machine = Identify::new(WHOLE.partitions);
    let mut input = Input::Record(Record::Link(link));
    loop {
        // The machine goes by the times of the records.
        let outcome = machine.step(Time::MIN, WHOLE, input, graph, &mut Effects::new());
        assert_ne!(outcome, Outcome::Rejected, "a step takes whatever it hears");
        if machine.next_due(graph) != Some(Time::MIN) {
            return;
        }
        input = Input::Tick { due: Time::MIN };
    }
}
