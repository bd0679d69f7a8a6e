//! What `identify` remembers.

use std::sync::Arc;

use event::{
    CaseId, DecisionId, EventId, ProfileId, SourceId, Time, Token, Version,
    assignment::Assignment,
    case_input::Regroup,
    link::Decision,
    timeline_input::{Move, Out},
};
use machine::{Overlay, Rank, Shelf};
use serde::{Deserialize, Serialize};

use super::rules::Rules;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Key {
    Rules,
    Counters,
    /// Decided and not told yet, in order.
    Untold(u64),
    /// What was named together, by its place in `identity.link`.
    Set(u64),
    /// The place of the set of exactly these values and this trust: their hash.
    Known(Token),
    /// When something of a set leaves.
    Due(Time, u64),
    Value(Token),
    /// The sets in which a value takes part.
    Named(Token, u64),
    /// A value was seen with one of a stronger type. By type, since limits count each type apart.
    Seen(Token, u16, Token),
    /// A value that is out by its limit.
    Shared(Token),
    /// What the identifiers of a profile forbid together; a profile of one identifier has no such row.
    Group(ProfileId),
    /// A profile has this value beside the one it is named after.
    Member(ProfileId, Token),
    /// The links of a set that were refused.
    Refused(u64),
    /// Who named a reference best.
    Claim(Token),
    /// Who had a reference when the last claim to it left by age.
    Kept(Token),
    /// The first two owners between whom a reference stands that nobody claims.
    Torn(Token),
    /// The same, from each of the two.
    Contested(ProfileId, Token),
    /// The sets that bring the matter of a reference together with others; age does not end them.
    Tie(Token, u64),
    /// The case of a reference whose matter is grouped with others.
    Matter(Token),
    /// A case has the matter of this reference.
    Grouped(CaseId, Token),
    /// On which side of people's decisions the references of a case stand.
    Sides(CaseId),
    /// What a person decided.
    Decision(DecisionId),
    /// The decisions that name a value.
    Decided(Token, DecisionId),
    /// A decision, and one that undoes it.
    Undone(DecisionId, DecisionId),
}

impl machine::Key for Key {
    fn shelf(&self) -> Shelf {
        match self {
            Key::Rules
            | Key::Counters
            | Key::Untold(_)
            | Key::Set(_)
            | Key::Known(_)
            | Key::Value(_)
            | Key::Group(_)
            | Key::Claim(_)
            | Key::Kept(_)
            | Key::Matter(_)
            | Key::Sides(_) => Shelf::Alone,
            Key::Due(..) => Shelf::of_kind(0),
            Key::Named(value, _) => Shelf::of(1, *value),
            Key::Seen(value, ..) => Shelf::of(2, *value),
            Key::Shared(_) => Shelf::of_kind(3),
            Key::Member(profile, _) => Shelf::of(4, profile.token()),
            Key::Refused(_) => Shelf::of_kind(5),
            Key::Contested(profile, _) => Shelf::of(6, profile.token()),
            Key::Tie(reference, _) => Shelf::of(7, *reference),
            Key::Grouped(case, _) => Shelf::of(8, case.token()),
            Key::Decision(_) => Shelf::of_kind(9),
            Key::Decided(value, _) => Shelf::of(10, *value),
            Key::Torn(_) => Shelf::of_kind(12),
            Key::Undone(decision, _) => Shelf::of(11, decision.token()),
        }
    }

    fn rank(&self) -> Rank {
        match self {
            Key::Rules
            | Key::Counters
            | Key::Untold(_)
            | Key::Set(_)
            | Key::Known(_)
            | Key::Value(_)
            | Key::Group(_)
            | Key::Claim(_)
            | Key::Kept(_)
            | Key::Matter(_)
            | Key::Sides(_) => (0, 0, 0),
            Key::Due(time, place) => (time.rank(), u128::from(*place), 0),
            Key::Named(_, place) | Key::Tie(_, place) | Key::Refused(place) => {
                (u128::from(*place), 0, 0)
            }
            Key::Seen(_, kind, value) => (u128::from(*kind), value.number(), 0),
            Key::Shared(value)
            | Key::Member(_, value)
            | Key::Contested(_, value)
            | Key::Grouped(_, value)
            | Key::Torn(value) => (value.number(), 0, 0),
            Key::Decision(id) | Key::Decided(_, id) | Key::Undone(_, id) => (id.number(), 0, 0),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Row {
    Rules(Arc<Rules>),
    Counters(Box<Counters>),
    Untold(Box<Untold>),
    Set(Box<Set>),
    /// The place of a set.
    Place(u64),
    Value(Node),
    Group(Box<Group>),
    /// The key says it all.
    Present,
    Refused(Vec<Refusal>),
    Claim(Claim),
    Kept(Box<Kept>),
    Torn(Box<[ProfileId; 2]>),
    Matter(CaseId),
    Sides(Vec<Side>),
    Decision(Box<Decided>),
    /// Since when a value is out by its limit.
    Since(Time),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// The highest time of a record so far.
    pub now: Time,
    /// That of the last decision.
    pub version: Version,
    /// How many sets and decisions came, and so the place of the next.
    pub places: u64,
    /// How many decisions of people are known. While it is 0 nobody looks for any.
    pub decisions: u64,
    /// The number of the last change to the list of values that are out.
    pub out_number: u64,
    /// The rows of `Untold` are `told..decided`.
    pub told: u64,
    pub decided: u64,
}

/// A record that found no room in its step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Untold {
    Assignment(Assignment),
    Move(Move),
    Out(Out),
    Regroup(Regroup),
}

/// Values that were named together: all that applying it anew takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    pub values: Vec<Token>,
    /// Those of the values whose window is over.
    pub gone: Vec<Token>,
    pub word: Word,
}

/// On whose word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word {
    Source(Report),
    /// A person decided `together`.
    Person(DecisionId),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub trusted: bool,
    pub source: SourceId,
    /// The event that first named the values together, and when.
    pub event: EventId,
    pub time: Time,
    /// When it was last reported.
    pub renewed: Time,
    /// The time of its row `Due`.
    pub due: Option<Time>,
}

/// One identifier or reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The place of its type in `Rules::kinds`.
    pub kind: u16,
    pub out: bool,
    /// A reference that somebody claims, or that stays with whom it was of last.
    pub owned: bool,
    pub profile: ProfileId,
}

/// The identifiers of one profile, as far as other groups must know them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its values of exclusive types, in order.
    pub exclusive: Vec<(u16, Token)>,
    /// Where it stands in decisions to keep apart, in order.
    pub sides: Vec<Side>,
    /// It holds a value of a type that makes a customer known.
    pub known: bool,
    pub identifiers: u32,
    /// How many times two groups of more than one identifier became one in it.
    pub merges: u32,
}

/// One side of a decision to keep apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Side {
    pub decision: DecisionId,
    /// The side that `Decision::other` names.
    pub other: bool,
}

/// A link that was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Refusal {
    /// The strongest identifier of the set.
    pub one: Token,
    pub other: Token,
    pub why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Why {
    /// A person decided that the two are apart.
    Apart,
    /// Two values of a type of which one customer has one.
    Exclusive,
    /// More identifiers than one profile may have.
    Identifiers,
    /// More merges than one profile may have.
    Merges,
    /// Two known customers would be joined on the word of an untrusted source.
    Untrusted,
}

/// By whom a reference was named best, and in which set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub set: u64,
    pub by: Token,
}

/// A claim that left by age.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub by: Token,
    pub word: Word,
}

/// What a person decided, and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    pub decision: Decision,
    pub place: u64,
    /// No decision that itself holds undoes it.
    pub holds: bool,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            now: Time::MIN,
            version: Version::ZERO,
            places: 0,
            decisions: 0,
            out_number: 0,
            told: 0,
            decided: 0,
        }
    }
}

impl Set {
    /// The values whose windows are not over.
    pub fn present(&self) -> impl Iterator<Item = Token> + '_ {
        let gone = &self.gone;
        let values = self.values.iter().copied();
        values.filter(move |value| !gone.contains(value))
    }

    /// Whether it brings matters together, given how many references it names.
    pub fn is_trusted(&self) -> bool {
        match &self.word {
            Word::Source(report) => report.trusted,
            Word::Person(_) => true,
        }
    }
}

impl Side {
    pub fn opposite(self) -> Side {
        Side {
            other: !self.other,
            ..self
        }
    }

    /// Whether a value of the one is kept apart from a value of the others.
    pub(super) fn bar(one: &[Side], others: &[Side]) -> bool {
        one.iter()
            .any(|side| others.binary_search(&side.opposite()).is_ok())
    }
}

pub(super) fn rules<'r>(state: &'r Overlay<'_, Key, Row>) -> Option<&'r Arc<Rules>> {
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
    **counters
}

/// A key never holds another kind of row than its own.
pub(super) fn mismatch(row: &Row) -> ! {
    unreachable!("a row of another kind lies under the key: {row:?}")
}

/// The ends of every range over tokens.
pub(super) const FIRST: Token = Token::new([0x00; 16]);
pub(super) const LAST: Token = Token::new([0xff; 16]);
