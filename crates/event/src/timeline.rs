//! Topic `timeline`: per profile and event, what a reader is shown of it. No personal field.

use serde::{Deserialize, Serialize};

use crate::{
    CaseId, Channel, DepartmentId, EventId, Kind, MatterId, Name, Perspective, ProfileId, Score,
    SourceId, Time, Token, Version, case::StepKind, event::Promise,
};

/// Keyed by profile and event (or step).
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one lives at a time, for the length of a step"
)]
pub enum Timeline {
    Entry(Entry),
    Step(StepEntry),
    Moved(Moved),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub profile: ProfileId,
    pub event: EventId,
    pub revision: u32,
    pub anchor: Token,
    pub route: Token,
    pub version: Version,
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
    /// The case that handles the matter, once there is one.
    pub case: Option<CaseId>,
    pub content: Token,
    pub promise: Option<Promise>,
}

/// A step of a case, in its place among what happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepEntry {
    pub profile: ProfileId,
    pub id: Token,
    pub case: CaseId,
    pub matter: MatterId,
    pub step: u32,
    pub time: Time,
    pub what: StepKind,
    pub department: Option<DepartmentId>,
}

/// The entry that stood here belongs to another profile, or was withdrawn (`to` is then `None`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    pub profile: ProfileId,
    /// The event's id, or the step's.
    pub entry: Token,
    pub to: Option<ProfileId>,
    pub version: Version,
}
