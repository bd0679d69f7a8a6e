#![doc = include_str!("../README.md")]

pub mod bytes;
mod effects;
mod key;
mod outcome;
mod overlay;
mod shelves;
mod slab;
mod state;
mod table;

use std::fmt;

use event::{Partition, Time};
use serde::{Serialize, de::DeserializeOwned};

pub use self::{
    effects::{Effects, RECORDS_MAX},
    key::{Key, Rank, Shelf},
    outcome::Outcome,
    overlay::{Changes, Overlay, Rows},
    state::{Range, State},
    table::Table,
};

/// How many records a machine looks ahead at before the first of them is stepped: enough that their look-ups wait for memory together, and
/// few enough that what was looked at is still near.
pub const AHEAD: usize = 16;

/// Lets a machine look ahead at some records, `AHEAD` at most, and waits for what lies in the rows that it names.
pub fn look_ahead<'r, M: Machine>(
    machine: &M,
    records: impl Iterator<Item = &'r M::Record> + Clone,
    state: &State<M::Key, M::Row>,
) where
    M::Record: 'r,
{
    let mut keys = Vec::new();
    for record in records.clone() {
        machine.look_ahead(record, &mut keys);
    }
    state.glance(&keys);
    keys.clear();
    for record in records {
        machine.look_further(record, state, &mut keys);
    }
    state.glance(&keys);
}

/// The part of the work that one state belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    pub partition: Partition,
    /// P: the number of partitions of the machine's inputs.
    pub partitions: u32,
}

impl Shard {
    /// Whether what has this key belongs to this shard.
    pub fn holds(self, key: &[u8]) -> bool {
        Partition::of(key, self.partitions) == self.partition
    }
}

/// Everything that can happen to a machine.
#[derive(Clone, Debug, PartialEq)]
pub enum Input<R> {
    /// A record of one of its topics: a fact, a command, or a version of the rules.
    Record(R),
    /// Time passed, or work waits. Timers that are due up to and including `due` may fire; one that is due at T puts out T,
    /// not `now`.
    Tick { due: Time },
}

/// A pure part of Polku.
///
/// Rows and keys are serde, so that the loop can write them to `state.<machine>`; a row's format has a version.
pub trait Machine: Send + 'static {
    /// A decoded record of one of the machine's input topics.
    type Record: fmt::Debug;
    /// The state's keys. Their order is the order of ranges: rows of one kind lie together, timers by due time.
    type Key: Key;
    type Row: Clone + PartialEq + fmt::Debug + Serialize + DeserializeOwned + Send;

    /// Takes one input. `now` never goes back. Must not fail: a broken invariant is an assertion, which the loop catches.
    fn step(
        &self,
        now: Time,
        shard: Shard,
        input: Input<Self::Record>,
        state: &mut Overlay<'_, Self::Key, Self::Row>,
        effects: &mut Effects,
    ) -> Outcome;

    /// Names rows that a step over the record will surely ask for. Called for some records before the first of them is stepped, so that
    /// what lies far away is waited for once for all of them.
    fn look_ahead(&self, _record: &Self::Record, _keys: &mut Vec<Self::Key>) {}

    /// The same once more, when the rows of `look_ahead` are near: names those whose keys lay in them.
    fn look_further(
        &self,
        _record: &Self::Record,
        _state: &State<Self::Key, Self::Row>,
        _keys: &mut Vec<Self::Key>,
    ) {
    }

    /// When the next tick is wanted: the earliest timer's due time, `Time::MIN` while work is queued, `None` when nothing waits.
    fn next_due(&self, state: &Overlay<'_, Self::Key, Self::Row>) -> Option<Time>;
}
