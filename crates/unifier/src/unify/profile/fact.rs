//! What is remembered of a profile: one small row a fact, never one row that grows.

use std::cmp::Reverse;

use event::{
    CaseId, Channel, EventId, MatterId, Name, ProfileId, Time, Token,
    case_input::{Signal, SignalKind},
    timeline_input::{Digest, StepNote},
};
use machine::{Rank, Shelf};
use serde::{Deserialize, Serialize};

use super::super::row::{FIRST, LAST};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Key {
    /// Something to be looked at when its time has come, in order.
    Due(Time, ProfileId, Box<Watched>),
    /// The customer got in touch about a matter.
    Contact(ProfileId, MatterId, Channel, Time, Cause),
    /// The customer complained; the time is when Polku got to know it.
    Complaint(ProfileId, Time, Cause),
    /// A score of a metric, and the same from the last to the first.
    Score(ProfileId, Name, Time, Cause),
    ScoreBack(ProfileId, Name, Reverse<(Time, Cause)>),
    /// What may end a wait in its matter.
    End(ProfileId, MatterId, Ending, Time, Cause),
    /// A wait that this ended in time. Should the end prove not to be one, the wait goes on.
    Ended(ProfileId, MatterId, Ending, Time, Cause, Box<Watched>),
    /// Two matters are one, as this event or step says.
    Tie(ProfileId, MatterId, MatterId, Cause),
    /// A step that opens or closes a case.
    Phase(ProfileId, CaseId, u32),
    /// When a case was last closed; the end of time for an open one.
    Until(ProfileId, Time, CaseId),
    /// What a case was told, by the id that the signal bears in place of an event's.
    Sign(ProfileId, EventId),
    /// What was told of a matter because time passed, by when it was due.
    Told(ProfileId, MatterId, Time, Box<Watched>),
    /// What was said of a promise, and the same from the last to the first.
    Word(ProfileId, Token, Time, Cause),
    WordBack(ProfileId, Token, Reverse<(Time, Cause)>),
}

/// What a row comes from: the digest of an event, found by the value it follows, or a step of a case, which needs no finding.
///
/// While values move, two digests of one event may rest at one profile for a moment; their rows are never mixed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cause {
    pub id: Token,
    pub route: Token,
}

impl Cause {
    pub(super) const FIRST: Cause = Cause {
        id: FIRST,
        route: FIRST,
    };
    pub(super) const LAST: Cause = Cause {
        id: LAST,
        route: LAST,
    };

    pub(super) fn of(digest: &Digest) -> Cause {
        Cause {
            id: digest.event.token(),
            route: digest.route,
        }
    }

    pub(super) const fn of_step(note: &StepNote) -> Cause {
        Cause {
            id: note.id,
            route: FIRST,
        }
    }
}

impl Key {
    /// Rows of one kind and profile lie together.
    pub(in super::super) fn shelf(&self, first: u8) -> Shelf {
        match self {
            Key::Due(..) => Shelf::of_kind(first),
            Key::Contact(profile, ..) => Shelf::of(first + 1, profile.token()),
            Key::Complaint(profile, ..) => Shelf::of(first + 2, profile.token()),
            Key::Score(profile, ..) => Shelf::of(first + 3, profile.token()),
            Key::ScoreBack(profile, ..) => Shelf::of(first + 4, profile.token()),
            Key::End(profile, ..) => Shelf::of(first + 5, profile.token()),
            Key::Ended(profile, ..) => Shelf::of(first + 6, profile.token()),
            Key::Tie(profile, ..) => Shelf::of(first + 7, profile.token()),
            Key::Phase(profile, ..) => Shelf::of(first + 8, profile.token()),
            Key::Until(profile, ..) => Shelf::of(first + 9, profile.token()),
            Key::Sign(..) => Shelf::Alone,
            Key::Told(profile, ..) => Shelf::of(first + 10, profile.token()),
            Key::Word(profile, ..) => Shelf::of(first + 11, profile.token()),
            Key::WordBack(profile, ..) => Shelf::of(first + 12, profile.token()),
        }
    }

    pub(in super::super) fn rank(&self) -> Rank {
        match self {
            Key::Due(time, profile, watched) => {
                (time.rank(), profile.number(), watched.cause.id.number())
            }
            Key::Contact(_, matter, channel, time, cause) => {
                let channel = u128::from(*channel as u8);
                let when = channel << 64 | time.rank();
                (matter.number(), when, cause.id.number())
            }
            Key::Complaint(_, time, cause) => (time.rank(), cause.id.number(), 0),
            Key::Score(_, metric, time, cause) => of_name(metric, (time.rank(), cause.id.number())),
            Key::ScoreBack(_, metric, Reverse((time, cause))) => {
                let back = (!time.rank(), !cause.id.number());
                of_name(metric, back)
            }
            Key::End(_, matter, ending, time, cause)
            | Key::Ended(_, matter, ending, time, cause, _) => {
                let ending = u128::from(*ending as u8) << 64;
                let when = ending | time.rank();
                (matter.number(), when, cause.id.number())
            }
            Key::Tie(_, one, other, cause) => (one.number(), other.number(), cause.id.number()),
            Key::Phase(_, case, step) => (case.number(), u128::from(*step), 0),
            Key::Until(_, time, case) => (time.rank(), case.number(), 0),
            Key::Sign(..) => (0, 0, 0),
            Key::Told(_, matter, time, watched) => {
                (matter.number(), time.rank(), watched.cause.id.number())
            }
            Key::Word(_, promise, time, cause) => {
                (promise.number(), time.rank(), cause.id.number())
            }
            Key::WordBack(_, promise, Reverse((time, cause))) => {
                (promise.number(), !time.rank(), !cause.id.number())
            }
        }
    }
}

/// Of a name as much as a number holds, and what follows it, if that was all of it.
fn of_name(name: &Name, (one, two): (u128, u128)) -> Rank {
    let name = name.as_str().as_bytes();
    let mut first = [0; 16];
    let length = name.len().min(first.len());
    first[..length].copy_from_slice(&name[..length]);
    let first = u128::from_be_bytes(first);
    if length == name.len() {
        (first, one, two)
    } else {
        (first, 0, 0)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Row {
    /// The key says it all.
    Present,
    /// Where a score lies on its scale.
    Score(f64),
    End(End),
    /// The reference behind the second matter, if it is one of a reference.
    Tie(Option<Token>),
    Phase(Phase),
    Sign(Box<Signal>),
}

/// What ends a wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// A step of a case that a person took.
    Step,
    /// An event of a type that keeps a standing promise.
    Event(Name),
}

/// What to look for in matters that may end a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Ending {
    Step,
    Event,
}

/// A wait that began with an event, and what is said of it if it is not over in time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Watched {
    pub cause: Cause,
    pub matter: MatterId,
    pub wait: Wait,
    pub what: SignalKind,
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Wait {
    /// That somebody does something about a complaint.
    Answer,
    /// That a standing promise is kept: its name in the rules.
    Standing(Name),
    /// That a promise is kept which somebody made: its id.
    Promise(Token),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    pub time: Time,
    pub opens: bool,
}

/// What comes before and after all matters.
pub(super) const FIRST_MATTER: MatterId = MatterId::new(FIRST);
pub(super) const LAST_MATTER: MatterId = MatterId::new(LAST);

impl Watched {
    /// Before all that are watched.
    pub(super) fn first() -> Box<Watched> {
        Box::new(Watched {
            matter: FIRST_MATTER,
            cause: Cause::FIRST,
            wait: Wait::Answer,
            what: SignalKind::Complaint,
        })
    }

    /// Behind all that are watched.
    pub(super) fn last() -> Box<Watched> {
        Box::new(Watched {
            matter: LAST_MATTER,
            cause: Cause::LAST,
            wait: Wait::Promise(LAST),
            what: SignalKind::Unknown,
        })
    }
}

/// A key never holds another kind of row than its own.
pub(super) fn mismatch(row: &Row) -> ! {
    unreachable!("a row of another kind lies under the key: {row:?}")
}
