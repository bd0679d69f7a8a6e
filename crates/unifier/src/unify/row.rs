//! What `unify` remembers.

use event::{
    CaseId, EventId, MatterId, ProfileId, Time, Token, Version, timeline_input::Digest,
    timeline_input::StepNote,
};
use machine::Shelf;
use serde::{Deserialize, Serialize};

use super::{queue::Work, rules::Rules};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Key {
    Rules,
    /// Work that found no room in its step, in order.
    Queue(u64),
    /// The number of the next row of the queue; kept while the queue is empty too, so that no number comes twice.
    QueueEnd,
    /// An event that was taken.
    Seen(EventId),
    /// A set that was reported to `identity.link`: the hash of its values and of its source's trust.
    Reported(Token),
    /// Who a value of this partition belongs to.
    Owner(Token),
    /// What one anchor said of one subject in one cell of the grid.
    Window(Place),
    /// Where a profile sends what follows this value.
    Forward(ProfileId, Token),
    /// A digest at rest at a profile, by its route value.
    Digest(ProfileId, Token, EventId),
    /// A step at rest at a profile, by its route value and the step's id.
    Step(ProfileId, Token, Token),
    /// A step that a profile shows: by how many of its values it came.
    Shown(ProfileId, Token),
    /// The case that handles a matter, as the steps at rest at a profile say.
    Case(ProfileId, MatterId),
}

impl machine::Key for Key {
    fn shelf(&self) -> Shelf {
        match self {
            Key::Rules
            | Key::QueueEnd
            | Key::Seen(_)
            | Key::Reported(_)
            | Key::Owner(_)
            | Key::Window(_)
            | Key::Forward(..)
            | Key::Shown(..)
            | Key::Case(..) => Shelf::Alone,
            Key::Queue(_) => Shelf::of_kind(0),
            Key::Digest(profile, ..) => Shelf::of(1, profile.token()),
            Key::Step(profile, ..) => Shelf::of(2, profile.token()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Row {
    Rules(Box<Rules>),
    Queue(Work),
    QueueEnd(u64),
    Seen(Seen),
    /// The key says it all.
    Reported,
    Owner(Owner),
    Window(Window),
    Forward(Forward),
    Digest(Box<Digest>),
    Step(Box<StepNote>),
    Shown(u32),
    Case(Taken),
}

/// The newest content that was taken under an event's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub revision: u32,
    pub content: Token,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub profile: ProfileId,
    pub version: Version,
}

/// Where in time a matter without a reference lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    pub anchor: Token,
    pub subject: Box<str>,
    pub start: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The first and the last moment at which something happened in it.
    pub earliest: Time,
    pub latest: Time,
    /// The case that has it, by which decision.
    pub case: CaseId,
    pub version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    pub to: ProfileId,
    pub version: Version,
}

/// A case that steps at rest at a profile tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// As the latest step said.
    pub case: CaseId,
    pub time: Time,
    /// By how many steps.
    pub by: u32,
}

/// A key never holds another kind of row than its own.
pub(super) fn mismatch(row: &Row) -> ! {
    unreachable!("a row of another kind lies under the key: {row:?}")
}

/// The ends of every range over tokens.
pub(super) const FIRST: Token = Token::new([0x00; 16]);
pub(super) const LAST: Token = Token::new([0xff; 16]);
