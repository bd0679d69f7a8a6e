//! What `identify` remembers.

use event::{
    CaseId, Class, EventId, MatterId, Name, ProfileId, Token, Version, assignment::Assignment,
    case_input::Regroup, timeline_input::Move,
};
use machine::{Overlay, Shelf};
use serde::{Deserialize, Serialize};

use super::{reference::Claim, rules::Rules};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Key {
    Rules,
    Counters,
    /// Decided and not told yet, in order.
    Untold(u64),
    /// All sets by their place in `identity.link`.
    Set(u64),
    Value(Token),
    /// What the identifiers of a profile forbid together.
    Group(ProfileId),
    /// A profile has this value.
    Member(ProfileId, Token),
    /// Two references were named together.
    Beside(Token, Token),
    /// A reference that stands beside references of this profile and of others.
    Contested(ProfileId, Token),
    /// The case of a matter that is grouped with others.
    Matter(MatterId),
    /// A case has this matter.
    Grouped(CaseId, MatterId),
    /// The link that was refused between two identifiers.
    Conflict(Token, Token),
}

impl machine::Key for Key {
    fn shelf(&self) -> Shelf {
        match self {
            Key::Rules
            | Key::Counters
            | Key::Untold(_)
            | Key::Set(_)
            | Key::Value(_)
            | Key::Group(_)
            | Key::Matter(_) => Shelf::Alone,
            Key::Member(profile, _) => Shelf::of(0, profile.token()),
            Key::Beside(reference, _) => Shelf::of(1, *reference),
            Key::Contested(profile, _) => Shelf::of(2, profile.token()),
            Key::Grouped(case, _) => Shelf::of(3, case.token()),
            Key::Conflict(..) => Shelf::of_kind(4),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Row {
    Rules(Box<Rules>),
    Counters(Counters),
    Untold(Untold),
    Set(Set),
    Value(Node),
    Group(Group),
    /// The key says it all.
    Present,
    Matter(CaseId),
    Conflict(Conflict),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// That of the last decision.
    pub version: Version,
    /// How many sets came, and so the place of the next.
    pub sets: u64,
    /// The rows of `Untold` are `told..decided`.
    pub told: u64,
    pub decided: u64,
}

/// A record that found no room in its step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Untold {
    Assignment(Assignment),
    Move(Move),
    Regroup(Regroup),
}

/// What is kept of a set: all that applying it anew takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    pub values: Vec<Token>,
    pub trusted: bool,
    pub event: EventId,
}

/// One identifier or reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub class: Class,
    pub kind: Name,
    /// The place of its type in the order of strength.
    pub rank: u32,
    pub out: bool,
    pub profile: ProfileId,
    /// A reference's: by whom it was named best.
    pub claim: Option<Claim>,
}

/// The identifiers of one profile, as far as other groups must know them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The ranks of the exclusive types it holds a value of, in order.
    pub exclusive: Vec<u32>,
    /// It holds a value of a type that makes a customer known.
    pub known: bool,
}

/// A link that a rule refused, for a person to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    pub why: Why,
    /// The event that named both.
    pub event: EventId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// Two values of a type of which one customer has one.
    Exclusive,
    /// Two known customers would be joined on the word of an untrusted source.
    Untrusted,
}

pub(super) fn rules<'r>(state: &'r Overlay<'_, Key, Row>) -> Option<&'r Rules> {
    let row = state.get(&Key::Rules)?;
    let Row::Rules(rules) = row else {
        mismatch(row)
    };
    Some(rules)
}

pub(super) fn counters(state: &Overlay<'_, Key, Row>) -> Counters {
    let Some(row) = state.get(&Key::Counters) else {
        return Counters::default();
    };
    let Row::Counters(counters) = row else {
        mismatch(row)
    };
    *counters
}

/// A key never holds another kind of row than its own.
pub(super) fn mismatch(row: &Row) -> ! {
    unreachable!("a row of another kind lies under the key: {row:?}")
}

/// The ends of every range over tokens.
pub(super) const FIRST: Token = Token::new([0x00; 16]);
pub(super) const LAST: Token = Token::new([0xff; 16]);
