//! The events by id, as bytes: an event is decoded when somebody reads it.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use event::{Event, EventId, Perspective, Time, Token, Value};

#[derive(Debug, Default)]
pub(crate) struct Events {
    rows: HashMap<EventId, Row>,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Different events.
    pub accepted: u64,
    /// Repeats that reached the log, and revisions that a later one replaced.
    pub duplicate: u64,
    /// Of customers, with an identifier or a reference: each is to be an entry of one timeline.
    pub owned: u64,
    /// Of customers, without any identifier or reference.
    pub anonymous: u64,
    /// Seen by other eyes than a customer's.
    pub apart: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub time: Time,
    revision: u32,
    received: Time,
    anchor: Token,
    /// In order of strength, identifiers first.
    pub values: Box<[Token]>,
    pub place: Placement,
    pub bytes: Arc<[u8]>,
}

/// Where an event counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    Owned,
    Anonymous,
    /// `test` has pages of its own, and counts in no figure.
    Test,
    /// Mystery shoppers, competitors, employees: on no page.
    Elsewhere,
}

impl Placement {
    fn of(event: &Event) -> Placement {
        match event.perspective {
            Perspective::Customer if event.values.is_empty() => Placement::Anonymous,
            Perspective::Customer => Placement::Owned,
            Perspective::Test => Placement::Test,
            Perspective::MysteryShopper
            | Perspective::Simulation
            | Perspective::Competitor
            | Perspective::Employee
            | Perspective::Unknown => Placement::Elsewhere,
        }
    }

    pub(crate) fn has_page(self) -> bool {
        matches!(self, Placement::Owned | Placement::Test)
    }
}

/// What an applied event changed.
pub(crate) enum Change {
    Added,
    /// The row that stood here before.
    Replaced(Row),
    None,
}

impl Events {
    /// Of two records with one id the higher revision stands; of one revision the one received first, so that every reader
    /// of the log keeps the same one whatever the order of the partitions.
    pub(crate) fn apply(&mut self, event: &Event, bytes: &[u8]) -> Change {
        let row = Row {
            time: event.time,
            revision: event.revision,
            received: event.received,
            anchor: event.anchor,
            values: event.values.iter().map(|value| value.token).collect(),
            place: Placement::of(event),
            bytes: bytes.into(),
        };
        match self.rows.entry(event.id) {
            Entry::Vacant(vacant) => {
                self.counts.accepted += 1;
                self.counts.add(row.place);
                vacant.insert(row);
                Change::Added
            }
            Entry::Occupied(mut held) => {
                self.counts.duplicate += 1;
                if !row.supersedes(held.get()) {
                    return Change::None;
                }
                self.counts.remove(held.get().place);
                self.counts.add(row.place);
                Change::Replaced(held.insert(row))
            }
        }
    }

    pub(crate) fn get(&self, id: EventId) -> Option<&Row> {
        self.rows.get(&id)
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }
}

impl Row {
    fn supersedes(&self, held: &Row) -> bool {
        let rank = |row: &Row| (std::cmp::Reverse(row.revision), row.received, row.anchor);
        rank(self) < rank(held)
    }

    /// The value the event follows: its strongest that is not out; the anchor when all are.
    pub(crate) fn route(&self, is_out: impl Fn(Token) -> bool) -> Token {
        self.values
            .iter()
            .copied()
            .find(|value| !is_out(*value))
            .unwrap_or(self.anchor)
    }
}

impl Counts {
    fn of(&mut self, place: Placement) -> &mut u64 {
        match place {
            Placement::Owned => &mut self.owned,
            Placement::Anonymous => &mut self.anonymous,
            Placement::Test | Placement::Elsewhere => &mut self.apart,
        }
    }

    fn add(&mut self, place: Placement) {
        *self.of(place) += 1;
    }

    fn remove(&mut self, place: Placement) {
        *self.of(place) -= 1;
    }
}

/// The values of an event that has a page.
pub(crate) fn values_on_page(event: &Event) -> &[Value] {
    if Placement::of(event).has_page() {
        &event.values
    } else {
        &[]
    }
}
