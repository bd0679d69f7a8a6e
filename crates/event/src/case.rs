//! Topic `case`: the present state of each case (step 0) and one row a step.

use serde::{Deserialize, Serialize};

use crate::{CaseId, Channel, CommandId, DepartmentId, EventId, MatterId, Name, ProfileId, Time};

/// Keyed by case and step.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one lives at a time, for the length of a step"
)]
pub enum Case {
    State(State),
    Step(Step),
}

/// A case as it stands. Written whole at every step under step number 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "CaseState")]
pub struct State {
    pub case: CaseId,
    /// The number of steps so far: what a command's `expected_version` is compared with.
    pub version: u32,
    pub phase: Phase,
    /// Who owns it now. Every open case has one.
    pub owner: DepartmentId,
    /// A hand-off that nobody answered yet.
    pub offered_to: Option<DepartmentId>,
    pub offer_due: Option<Time>,
    /// The matters it handles; empty once it was absorbed.
    pub matters: Vec<MatterId>,
    /// The customers it concerns.
    pub profiles: Vec<ProfileId>,
    /// The type of the event that opened it: `delivery.late`.
    pub what: Name,
    pub place: Option<Name>,
    pub product: Option<Name>,
    pub party: Option<Name>,
    /// The unit of the owner that the place belongs to.
    pub unit: Option<Name>,
    pub severity: Severity,
    /// When what it is about first happened: the customer's wait counts from here.
    pub happened: Time,
    /// When Polku opened it: the departments' clocks count from here.
    pub opened: Time,
    /// The customer's contacts about it, and the channels they came by.
    pub contacts: u32,
    pub channels: Vec<Channel>,
    /// The next moment at which something is due from the owner. Every open case that is not dormant has one.
    pub deadline: Option<Time>,
    /// The absolute deadline from opening. Nothing moves it.
    pub final_deadline: Option<Time>,
    pub escalations: u32,
    pub hand_offs: u32,
    /// The departments that have owned it, in order, repeats included.
    pub trail: Vec<DepartmentId>,
    pub acknowledged: Option<Time>,
    /// The last time the customer was reached by us.
    pub contacted: Option<Time>,
    pub resolved: Option<Time>,
    /// The credential of the person who has it in hand.
    pub claimed_by: Option<Name>,
    /// The outside party that the owner waits for: the owner's clocks stand still from `waiting_since` to `waiting_until`
    /// at the latest.
    pub waiting_on: Option<Name>,
    pub waiting_since: Option<Time>,
    pub waiting_until: Option<Time>,
    /// When the owner's own system said that it is solved; the owner is to say how the customer was told.
    pub proposed: Option<Time>,
    /// Opened from imported history and not yet touched by a live event or a command.
    pub dormant: bool,
    pub test: bool,
    /// Absorbed: the case that has it now.
    pub absorbed_by: Option<CaseId>,
    /// When a person last acted on it.
    pub acted: Option<Time>,
    /// The names of the routes that led to its first owner, from the root.
    pub route: Vec<Name>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Assigned; the owner has not answered yet.
    Open,
    /// The owner knows of it.
    Acknowledged,
    Resolved,
    /// It was opened in error, or another case has it.
    Closed,
    /// A phase that a later version of Polku knows and this one does not.
    Unknown,
}

impl Phase {
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::Open => "open",
            Phase::Acknowledged => "acknowledged",
            Phase::Resolved => "resolved",
            Phase::Closed => "closed",
            Phase::Unknown => "unknown",
        }
    }

    /// Somebody still has to do something.
    pub const fn is_open(self) -> bool {
        matches!(self, Phase::Open | Phase::Acknowledged)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Low,
    Normal,
    High,
    /// A severity that a later version of Polku knows and this one does not.
    Unknown,
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Normal => "normal",
            Severity::High => "high",
            Severity::Unknown => "unknown",
        }
    }
}

/// One thing that happened to a case. The history of a case is its steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "CaseStep")]
pub struct Step {
    pub case: CaseId,
    /// 1 for the first.
    pub step: u32,
    pub time: Time,
    pub what: StepKind,
    /// The credential, or nobody: then a rule or a clock did it.
    pub actor: Option<Name>,
    /// Who owned the case after the step.
    pub owner: DepartmentId,
    /// The other department: offered to, returned from, escalated to.
    pub other: Option<DepartmentId>,
    /// The other person or party: `claimed`, `released`: who had it in hand before; `waiting`, `resumed`: who is waited for.
    pub whom: Option<Name>,
    pub reason: Option<String>,
    pub how: Option<ContactHow>,
    pub reached: Option<bool>,
    pub command: Option<CommandId>,
    /// The event that caused it.
    pub event: Option<EventId>,
    pub matter: Option<MatterId>,
    pub deadline: Option<Time>,
    /// `opened`, `rerouted`: the names of the routes that matched, from the root.
    pub route: Vec<Name>,
    /// `noticed`: what the customer's timeline showed, as `SignalKind::as_str` says it.
    pub sign: Option<Name>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    Opened,
    /// Another event about it came in.
    Heard,
    Acknowledged,
    Contacted,
    Offered,
    Accepted,
    Declined,
    /// An offer that nobody answered in time came back.
    Returned,
    Escalated,
    /// A deadline passed.
    Missed,
    Resolved,
    Reopened,
    /// Another case's matters came here.
    Joined,
    /// This case's last matter went to another case.
    Absorbed,
    /// A matter left this case for one of its own.
    Parted,
    /// What it was opened for proved not to have happened.
    OpenedInError,
    /// A person of the owner took it in hand.
    Claimed,
    Released,
    /// Somebody wrote something down, or a system said something that changes nothing here.
    Noted,
    /// The owner's own system says that it is solved; the owner is to confirm it.
    Proposed,
    /// The owner waits for an outside party.
    Waiting,
    Resumed,
    /// The customer's timeline shows a sign: a third contact, a score that dropped.
    Noticed,
    /// The keeper of a promise was warned that it is about to be broken.
    Warned,
    /// A promise was broken.
    Broken,
    /// A kind that a later version of Polku knows and this one does not.
    Unknown,
}

impl StepKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            StepKind::Opened => "opened",
            StepKind::Heard => "heard",
            StepKind::Acknowledged => "acknowledged",
            StepKind::Contacted => "contacted",
            StepKind::Offered => "offered",
            StepKind::Accepted => "accepted",
            StepKind::Declined => "declined",
            StepKind::Returned => "returned",
            StepKind::Escalated => "escalated",
            StepKind::Missed => "missed",
            StepKind::Resolved => "resolved",
            StepKind::Reopened => "reopened",
            StepKind::Joined => "joined",
            StepKind::Absorbed => "absorbed",
            StepKind::Parted => "parted",
            StepKind::OpenedInError => "opened_in_error",
            StepKind::Claimed => "claimed",
            StepKind::Released => "released",
            StepKind::Noted => "noted",
            StepKind::Proposed => "proposed",
            StepKind::Waiting => "waiting",
            StepKind::Resumed => "resumed",
            StepKind::Noticed => "noticed",
            StepKind::Warned => "warned",
            StepKind::Broken => "broken",
            StepKind::Unknown => "unknown",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactHow {
    Phone,
    Email,
    Message,
    Letter,
    InPerson,
    /// A way that a later version of Polku knows and this one does not.
    Unknown,
}

impl ContactHow {
    pub const fn as_str(self) -> &'static str {
        match self {
            ContactHow::Phone => "phone",
            ContactHow::Email => "email",
            ContactHow::Message => "message",
            ContactHow::Letter => "letter",
            ContactHow::InPerson => "in_person",
            ContactHow::Unknown => "unknown",
        }
    }
}
