//! One timeline per customer.
//!
//! An event comes in at the partition of its anchor (`resolve`), which reports what it names together, computes its matter
//! (`matter`) and sends its digest after its route value. The digest comes to rest at the profile its route value belongs to and
//! follows it from then on (`timeline`). Most of that happens within one partition and costs no message; what is more than a
//! step may put out waits in a queue (`queue`).

mod matter;
mod queue;
mod resolve;
mod row;
mod rules;
mod signal;
mod timeline;
mod turn;

use event::{Event, Time, assignment::Assignment, timeline_input::TimelineInput};
use machine::{Effects, Input, Machine, Outcome, Overlay, Shard};

use self::turn::Turn;
pub use self::{
    queue::Work,
    row::{Forward, Key, Owner, Place, Row, Seen, Taken, Window},
    rules::Rules,
};

/// Resolves events and keeps the timelines of one partition.
#[derive(Debug)]
pub struct Unify {
    /// What holds before any rules came.
    defaults: Rules,
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
            defaults: Rules::of(&event::Company::default()),
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
        _now: Time,
        shard: Shard,
        input: Input<Record>,
        state: &mut Overlay<'_, Key, Row>,
        effects: &mut Effects,
    ) -> Outcome {
        let mut turn = Turn {
            shard,
            defaults: &self.defaults,
            state,
            effects,
        };
        match input {
            Input::Record(Record::Event(event)) => resolve::event(&mut turn, event),
            Input::Record(Record::Claim(event)) => {
                turn.effects.emit(event::Record::Event(event));
                Outcome::Applied
            }
            Input::Record(Record::Assignment(assignment)) => {
                resolve::assignment(&mut turn, &assignment)
            }
            Input::Record(Record::Timeline(TimelineInput::Digest(digest))) => {
                timeline::digest::arrive(&mut turn, Box::new(digest)).into()
            }
            Input::Record(Record::Timeline(TimelineInput::Move(moved))) => {
                timeline::depart(&mut turn, &moved)
            }
            Input::Record(Record::Timeline(TimelineInput::Step(note))) => {
                timeline::step::arrive(&mut turn, Box::new(note)).into()
            }
            // Values are out by the rules alone as long as no list comes.
            Input::Record(Record::Timeline(TimelineInput::Out(_))) => Outcome::Unasked,
            Input::Record(Record::Timeline(TimelineInput::Rules(rules))) => {
                rules::learn(&mut turn, &rules.company)
            }
            Input::Tick { .. } => queue::drain(&mut turn),
        }
    }

    fn next_due(&self, state: &Overlay<'_, Key, Row>) -> Option<Time> {
        queue::waits(state).then_some(Time::MIN)
    }
}
