//! One timeline per customer.
//!
//! An event comes in at the partition of its anchor (`resolve`), which reports what it names together, computes its matter
//! (`matter`) and sends its digest after its route value. The digest comes to rest at the profile its route value belongs to and
//! follows it from then on (`timeline`). What its sender may correct comes by the partition of its id first (`claim`). Most of that
//! happens within one partition and costs no message; what is more than a step may put out waits in a queue (`queue`).

mod claim;
mod matter;
mod out;
pub mod profile;
mod queue;
mod resolve;
mod row;
mod rules;
mod set;
mod signal;
mod sweep;
mod timeline;
mod turn;

use std::sync::Arc;

use event::{Event, Time, assignment::Assignment, timeline_input::TimelineInput};
use machine::{Effects, Input, Machine, Outcome, Overlay, Shard, State};

use self::turn::Turn;
pub use self::{
    queue::Work,
    row::{
        AtRest, Claim, Forward, Key, Owner, Place, Reported, Row, Says, Seen, Spot, Sweep, Taken,
        Window,
    },
    rules::{Renewal, Rules},
};

/// Resolves events and keeps the timelines of one partition.
#[derive(Debug)]
pub struct Unify {
    /// What holds before any rules came.
    defaults: Arc<Rules>,
}

/// What comes in: topics `event`, `claim`, `identity.assignment` and `timeline.input`.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    Event(Event),
    Claim(Event),
    Assignment(Assignment),
    Timeline(TimelineInput),
}

impl Unify {
    pub fn new() -> Self {
        Self {
            defaults: Arc::new(Rules::of(&event::Company::default())),
        }
    }
}

impl Default for Unify {
    fn default() -> Self {
        Self::new()
    }
}

impl Machine for Unify {
    type Record = Record;
    type Key = Key;
    type Row = Row;

    fn step(
        &self,
        now: Time,
        shard: Shard,
        input: Input<Record>,
        state: &mut Overlay<'_, Key, Row>,
        effects: &mut Effects,
    ) -> Outcome {
        let mut turn = Turn::new(now, shard, &self.defaults, state, effects);
        let outcome = match input {
            Input::Record(Record::Event(event)) => resolve::event(&mut turn, event),
            Input::Record(Record::Claim(event)) => claim::claim(&mut turn, event),
            Input::Record(Record::Assignment(assignment)) => {
                resolve::assignment(&mut turn, &assignment)
            }
            Input::Record(Record::Timeline(TimelineInput::Digest(digest))) => {
                timeline::digest::arrive(&mut turn, digest).into()
            }
            Input::Record(Record::Timeline(TimelineInput::Move(moved))) => {
                timeline::depart(&mut turn, &moved)
            }
            Input::Record(Record::Timeline(TimelineInput::Step(note))) => {
                timeline::step::arrive(&mut turn, Box::new(note)).into()
            }
            Input::Record(Record::Timeline(TimelineInput::Out(change))) => {
                out::learn(&mut turn, &change)
            }
            Input::Record(Record::Timeline(TimelineInput::Rules(rules))) => {
                rules::learn(&mut turn, &rules.company)
            }
            Input::Tick { due } => {
                queue::drain(&mut turn);
                sweep::go_on(&mut turn, due);
                profile::tick(&mut turn, due);
                Outcome::Ticked
            }
        };
        profile::settle(&mut turn);
        outcome
    }

    fn look_ahead(&self, record: &Record, keys: &mut Vec<Key>) {
        match record {
            Record::Event(event) => resolve::look_ahead(event, keys),
            Record::Assignment(assignment) => keys.push(Key::Owner(assignment.token())),
            Record::Claim(event) => keys.push(Key::Claim(event.id)),
            Record::Timeline(_) => {}
        }
    }

    fn look_further(&self, record: &Record, state: &State<Key, Row>, keys: &mut Vec<Key>) {
        if let Record::Event(event) = record {
            resolve::look_further(event, state, keys);
        }
    }

    fn next_due(&self, state: &Overlay<'_, Key, Row>) -> Option<Time> {
        if queue::waits(state) {
            return Some(Time::MIN);
        }
        [sweep::next_due(state), profile::next_due(state)]
            .into_iter()
            .flatten()
            .min()
    }
}
