//! Topic `timeline.input`: what reaches a profile from another partition.

use serde::{Deserialize, Serialize};

use crate::{
    CaseId, Channel, DepartmentId, EventId, Kind, MatterId, Name, Partition, Perspective,
    ProfileId, Score, SourceId, Time, Token, Value, Version, case::StepKind, event::Promise,
    rules::Rules,
};

#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one lives at a time, for the length of a step"
)]
pub enum TimelineInput {
    Digest(Digest),
    Move(Move),
    Out(Out),
    Step(StepNote),
    Rules(Rules),
}

/// What the unifier keeps and moves of an event; nothing of it is personal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// The profile it is sent to: that of its route value as the sender knew it.
    pub profile: ProfileId,
    /// The value it follows: the strongest of `values` that is not out, else the anchor.
    pub route: Token,
    /// The version of the decision that named `profile` as the owner of `route`.
    pub version: Version,
    pub event: EventId,
    pub revision: u32,
    /// A later revision named another customer, or nothing at all: this one no longer has it.
    pub withdrawn: bool,
    pub anchor: Token,
    pub values: Vec<Value>,
    pub time: Time,
    pub received: Time,
    pub source: SourceId,
    pub channel: Channel,
    pub kind: Kind,
    #[serde(rename = "type")]
    pub name: Name,
    pub perspective: Perspective,
    pub history: bool,
    pub score: Option<Score>,
    pub place: Option<Name>,
    pub product: Option<Name>,
    pub stage: Option<Name>,
    pub touchpoint: Option<Name>,
    pub party: Option<Name>,
    pub matter: MatterId,
    /// The event's content hash: what a projection compares.
    pub content: Token,
    /// The number of the list of values that are out by which `route` was chosen; who knows a newer one chooses again.
    #[serde(with = "crate::event::count")]
    pub out_number: u64,
    pub promise: Option<Promise>,
}

/// These values belong to another profile from this version on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    pub from: ProfileId,
    pub to: ProfileId,
    pub values: Vec<Token>,
    pub version: Version,
}

/// A change to the list of values that are out: they link nothing, and nothing follows them. Every partition gets each, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Out {
    /// Each partition gets its own copy.
    pub partition: Partition,
    /// 1 for the first change, one more for each.
    #[serde(with = "crate::event::count")]
    pub number: u64,
    pub out: Vec<Token>,
    /// Were out and are not any more.
    pub back: Vec<Token>,
}

/// A step of a case, sent once to each anchor of the case; follows its anchor as a digest follows its route value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepNote {
    pub profile: ProfileId,
    /// The route value of the signal by which the case knows this customer.
    pub route: Token,
    pub version: Version,
    pub case: CaseId,
    pub matter: MatterId,
    /// The step's id within all cases: survives when cases are joined.
    pub id: Token,
    pub step: u32,
    pub time: Time,
    pub what: StepKind,
    pub department: Option<DepartmentId>,
}
