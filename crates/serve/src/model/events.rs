//! The events by id, as bytes: an event is decoded when somebody reads it. Of one that was corrected the newest version stands; the
//! earlier ones are kept with it.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use event::{Channel, Event, EventId, Kind, Perspective, Standing, Time, Token, Value};

#[derive(Debug, Default)]
pub(crate) struct Events {
    rows: HashMap<EventId, Row>,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Different events.
    pub accepted: u64,
    /// Repeats of a revision that reached the log.
    pub duplicate: u64,
    /// Revisions beyond an event's first that say something else; what only withdraws is none.
    pub corrected: u64,
    /// Events of which the newest revision withdraws what they named: the next is on its way, or there is none.
    pub withdrawn: u64,
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
    pub kind: Kind,
    pub channel: Channel,
    pub revision: u32,
    received: Time,
    anchor: Token,
    /// In order of strength, identifiers first.
    pub values: Box<[Token]>,
    pub place: Placement,
    pub bytes: Arc<[u8]>,
    /// The other versions that came, by revision.
    versions: Box<[Version]>,
    /// The place in the model's sequence of what changed last.
    pub changed: u64,
}

/// A version of an event in whose place another stands.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub revision: u32,
    anchor: Token,
    values: Box<[Token]>,
    place: Placement,
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
    /// It names nobody any more.
    Withdrawn,
}

impl Placement {
    fn of(event: &Event) -> Placement {
        match event.standing {
            Standing::Withdrawn => return Placement::Withdrawn,
            Standing::Final | Standing::Correctable | Standing::Unknown => {}
        }
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
    /// Nothing that is shown: a repeat, or a version in whose place a later one stands already.
    None,
}

impl Events {
    /// Of two records with one id the higher revision stands; of one revision the one received first, so that every reader
    /// of the log keeps the same one whatever the order of the partitions.
    pub(crate) fn apply(&mut self, event: &Event, bytes: &[u8], changed: u64) -> Change {
        let row = Row::new(event, bytes, changed);
        match self.rows.entry(event.id) {
            Entry::Vacant(vacant) => {
                self.counts.accepted += 1;
                self.counts.add(row.place);
                vacant.insert(row);
                Change::Added
            }
            Entry::Occupied(mut held) => {
                let held = held.get_mut();
                if held.has(row.revision) {
                    self.counts.duplicate += 1;
                } else if row.place != Placement::Withdrawn && held.says_something() {
                    self.counts.corrected += 1;
                }
                if !row.supersedes(held) {
                    held.keep(row.version());
                    return Change::None;
                }
                self.counts.remove(held.place);
                self.counts.add(row.place);
                let before = std::mem::replace(held, row);
                held.versions.clone_from(&before.versions);
                held.keep(before.version());
                Change::Replaced(before)
            }
        }
    }

    pub(crate) fn get(&self, id: EventId) -> Option<&Row> {
        self.rows.get(&id)
    }

    /// Something of what is shown of the event changed.
    pub(crate) fn touch(&mut self, id: EventId, changed: u64) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.changed = changed;
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }
}

impl Row {
    fn new(event: &Event, bytes: &[u8], changed: u64) -> Self {
        Row {
            time: event.time,
            kind: event.kind,
            channel: event.channel,
            revision: event.revision,
            received: event.received,
            anchor: event.anchor,
            values: event.values.iter().map(|value| value.token).collect(),
            place: Placement::of(event),
            bytes: bytes.into(),
            versions: Box::default(),
            changed,
        }
    }

    /// The values under which it is on a page.
    pub(crate) fn on_page(&self) -> &[Token] {
        if self.place.has_page() {
            &self.values
        } else {
            &[]
        }
    }

    /// Whether it counts in the figures of customers.
    pub(crate) fn is_counted(&self) -> bool {
        self.place == Placement::Owned
    }

    /// The earlier versions that said something, the first one first.
    pub(crate) fn corrected(&self) -> impl DoubleEndedIterator<Item = &Version> {
        let earlier = self.versions.iter();
        earlier.filter(|version| version.place != Placement::Withdrawn)
    }

    fn says_something(&self) -> bool {
        self.place != Placement::Withdrawn || self.corrected().next().is_some()
    }

    fn version(&self) -> Version {
        Version {
            revision: self.revision,
            anchor: self.anchor,
            values: self.values.clone(),
            place: self.place,
            bytes: Arc::clone(&self.bytes),
        }
    }

    fn has(&self, revision: u32) -> bool {
        let mut others = self.versions.iter();
        self.revision == revision || others.any(|version| version.revision == revision)
    }

    /// Keeps another version than the one that stands, once.
    fn keep(&mut self, version: Version) {
        if self.has(version.revision) {
            return;
        }
        let mut versions = std::mem::take(&mut self.versions).into_vec();
        let at = versions.partition_point(|held| held.revision < version.revision);
        versions.insert(at, version);
        self.versions = versions.into();
    }

    fn supersedes(&self, held: &Row) -> bool {
        let rank = |row: &Row| (std::cmp::Reverse(row.revision), row.received, row.anchor);
        rank(self) < rank(held)
    }

    /// The value the event follows: its strongest that is not out; the anchor when all are.
    pub(crate) fn route(&self, is_out: impl Fn(Token) -> bool) -> Token {
        route(&self.values, self.anchor, is_out)
    }
}

impl Version {
    /// The value that it followed, or would follow.
    pub(crate) fn route(&self, is_out: impl Fn(Token) -> bool) -> Token {
        route(&self.values, self.anchor, is_out)
    }
}

fn route(values: &[Token], anchor: Token, is_out: impl Fn(Token) -> bool) -> Token {
    let mut values = values.iter().copied();
    values.find(|value| !is_out(*value)).unwrap_or(anchor)
}

impl Counts {
    fn of(&mut self, place: Placement) -> &mut u64 {
        match place {
            Placement::Withdrawn => &mut self.withdrawn,
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
