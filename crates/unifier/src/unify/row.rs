//! What `unify` remembers.

use std::sync::Arc;

use event::{
    CaseId, EventId, MatterId, Name, Perspective, ProfileId, Time, Token, Value, Version,
    timeline_input::Digest, timeline_input::StepNote,
};
use machine::{Rank, Shelf, bytes};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{profile, queue::Work, rules::Rules};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Key {
    Rules,
    /// Work that found no room in its step, in order.
    Queue(u64),
    /// The number of the next row of the queue; kept while the queue is empty too, so that no number comes twice.
    QueueEnd,
    /// How far the search for rows that are too old has come.
    Sweep,
    /// The number of the last change to the list of values that are out.
    OutNumber,
    /// A value that is out.
    Out(Token),
    /// What was last said under an event's id, by a sender that may correct it.
    Claim(EventId),
    /// An event that was taken.
    Seen(EventId),
    /// A set that was reported to `identity.link`: the hash of its values and of its source's trust.
    Reported(Token),
    /// An event that names a set, as long as nothing but events that may be withdrawn names it.
    Names(Token, EventId),
    /// Who a value of this partition belongs to.
    Owner(Token),
    /// What one anchor said of one subject in one cell of the grid.
    Window(Place),
    /// Where a profile sends what follows this value.
    Forward(ProfileId, Token),
    /// A digest at rest.
    Digest(Spot),
    /// The digest that follows a weaker value, since this one is out.
    Skipped(Token, Spot),
    /// A later revision of an event at rest at a profile.
    Revision(ProfileId, EventId, u32),
    /// A step at rest at a profile, by its route value and the step's id.
    Step(ProfileId, Token, Token),
    /// A step that a profile shows: by how many of its values it came.
    Shown(ProfileId, Token),
    /// The case that handles a matter, as the steps at rest at a profile say.
    Case(ProfileId, MatterId),
    /// What is known of a profile beyond its entries.
    Profile(Box<profile::Key>),
}

impl Key {
    pub fn profile(key: profile::Key) -> Self {
        Self::Profile(Box::new(key))
    }
}

impl machine::Key for Key {
    fn shelf(&self) -> Shelf {
        match self {
            Key::Rules
            | Key::QueueEnd
            | Key::Sweep
            | Key::OutNumber
            | Key::Out(_)
            | Key::Claim(_)
            | Key::Seen(_)
            | Key::Reported(_)
            | Key::Owner(_)
            | Key::Window(_)
            | Key::Forward(..)
            | Key::Shown(..)
            | Key::Case(..) => Shelf::Alone,
            Key::Queue(_) => Shelf::of_kind(0),
            Key::Digest(spot) => Shelf::of(1, spot.profile.token()),
            Key::Step(profile, ..) => Shelf::of(2, profile.token()),
            Key::Names(set, _) => Shelf::of(3, *set),
            Key::Skipped(value, _) => Shelf::of(4, *value),
            Key::Revision(profile, ..) => Shelf::of(5, profile.token()),
            Key::Profile(key) => key.shelf(PROFILE_SHELF),
        }
    }

    fn rank(&self) -> Rank {
        match self {
            Key::Rules
            | Key::QueueEnd
            | Key::Sweep
            | Key::OutNumber
            | Key::Out(_)
            | Key::Claim(_)
            | Key::Seen(_)
            | Key::Reported(_)
            | Key::Owner(_)
            | Key::Window(_)
            | Key::Forward(..)
            | Key::Shown(..)
            | Key::Case(..) => (0, 0, 0),
            Key::Queue(number) => (u128::from(*number), 0, 0),
            Key::Names(_, event) => (event.number(), 0, 0),
            Key::Digest(spot) => (spot.route.number(), spot.event.number(), 0),
            Key::Skipped(_, spot) => {
                let (profile, route) = (spot.profile.number(), spot.route.number());
                (profile, route, spot.event.number())
            }
            Key::Revision(_, event, revision) => (event.number(), u128::from(*revision), 0),
            Key::Step(_, route, step) => (route.number(), step.number(), 0),
            Key::Profile(key) => key.rank(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Row {
    Rules(Arc<Rules>),
    Queue(Box<Work>),
    QueueEnd(u64),
    Sweep(Sweep),
    OutNumber(u64),
    /// The key says it all.
    Present,
    Claim(Box<Claim>),
    Seen(Seen),
    Reported(Reported),
    Owner(Owner),
    Window(Box<Window>),
    Forward(Forward),
    Digest(AtRest),
    Revision(Box<Spot>),
    Step(Box<StepNote>),
    Shown(u32),
    Case(Taken),
    Profile(profile::Row),
}

/// A digest at rest, in the bytes that are written of it: half the memory that it has at work, and most are never looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtRest(Box<[u8]>);

/// What the bytes of a digest nearly always fit into.
const DIGEST_BYTES: usize = 512;

impl AtRest {
    pub fn new(digest: &Digest) -> Self {
        let mut room = Vec::with_capacity(DIGEST_BYTES);
        bytes::write(digest, &mut room);
        Self(room.as_slice().into())
    }

    pub fn digest(&self) -> Digest {
        let read = bytes::read(&self.0);
        read.expect("what was written or looked at can be read").0
    }
}

impl Serialize for AtRest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for AtRest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = <&[u8]>::deserialize(deserializer)?;
        let (_, rest) = bytes::read::<Digest>(all).map_err(D::Error::custom)?;
        if rest.is_empty() {
            Ok(Self(all.into()))
        } else {
            Err(D::Error::custom("more follows than a digest"))
        }
    }
}

/// Behind all other shelves.
const PROFILE_SHELF: u8 = 16;

/// The newest revision that was taken under an event's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub revision: u32,
    pub received: Time,
}

/// When a set was last reported, and what it hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    pub time: Time,
    /// An event that nothing withdraws names it.
    pub is_final: bool,
}

/// The present content under an event's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub says: Says,
    pub content: Token,
    pub revision: u32,
}

/// All that decides on whose page an event is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Says {
    pub anchor: Token,
    pub values: Vec<Value>,
    pub trusted: bool,
    pub perspective: Perspective,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sweep {
    /// The next one begins then.
    Rests(Time),
    /// It goes on at this place of the state. Places are the memory's own: after a restart rows lie elsewhere, and the next sweep
    /// finds what this one missed.
    At(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub profile: ProfileId,
    pub version: Version,
}

/// Where a digest rests: at a profile, by its route value. What was withdrawn rests beside what is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Spot {
    pub profile: ProfileId,
    pub route: Token,
    pub event: EventId,
    /// The revision that withdrew the event, 0 for an event that is so.
    pub withdrawn: u32,
}

impl Spot {
    /// Before all digests that follow a value at a profile, and after them.
    pub(super) const fn first(profile: ProfileId, route: Token) -> Self {
        Self {
            profile,
            route,
            event: EventId::new(FIRST),
            withdrawn: 0,
        }
    }

    pub(super) const fn last(profile: ProfileId, route: Token) -> Self {
        Self {
            profile,
            route,
            event: EventId::new(LAST),
            withdrawn: u32::MAX,
        }
    }
}

/// Where in time a matter without a reference lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    pub anchor: Token,
    pub subject: Name,
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
