//! Topic `case.input`: what a case hears. Keyed by case.

use serde::{Deserialize, Serialize};

use crate::{
    CaseId, Channel, CommandId, DepartmentId, EventId, Kind, MatterId, Name, Perspective,
    ProfileId, Score, SourceId, Time, Token, Version,
    case::{ContactHow, StepKind},
    command_outcome::CommandResult,
    event::Promise,
    rules::Rules,
};

#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one lives at a time, for the length of a step"
)]
pub enum CaseInput {
    Signal(Signal),
    Command(Command),
    Regroup(Regroup),
    Absorb(Absorb),
    Rules(Rules),
}

/// What a timeline tells a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// The case it is sent to: that of its matter as the sender knew it.
    pub case: CaseId,
    pub matter: MatterId,
    /// The version of the decision that put `matter` into `case`; zero from a timeline, which knows no groups.
    pub matter_version: Version,
    pub what: SignalKind,
    pub event: EventId,
    pub revision: u32,
    /// The event was withdrawn: what it signalled did not happen.
    pub withdrawn: bool,
    pub profile: ProfileId,
    pub anchor: Token,
    pub route: Token,
    pub route_version: Version,
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
    /// The promise it is about, if it is about one, and when that is due.
    pub promise: Option<Promise>,
    pub due: Option<Time>,
    /// The department that has to keep the promise.
    pub department: Option<DepartmentId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalKind {
    /// The customer complains.
    Complaint,
    /// Feedback that is no praise.
    Feedback,
    /// The customer got in touch: a call, a visit, a message.
    Contact,
    /// Feedback whose type begins with `praise`, or whose score is at or above the configured line.
    Praise,
    /// Something else happened to the matter: a delivery, a refund.
    Progress,
    /// The sender's own system says that it is solved, or that it is not after all.
    Solved,
    Reopened,
    /// The customer got in touch about the matter for the third time (or as often as the rules say).
    ThirdContact,
    /// The customer got in touch about the matter in two channels.
    TwoChannels,
    /// The customer complains and has another open case.
    AnotherComplaint,
    /// A score is far below the one before it, of the same metric.
    ScoreDrop,
    /// A promise is about to be broken.
    PromiseDue,
    PromiseBroken,
    /// Nothing happened after a complaint.
    Silence,
    /// A kind that a later version of Polku knows and this one does not.
    Unknown,
}

impl SignalKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            SignalKind::Complaint => "complaint",
            SignalKind::Feedback => "feedback",
            SignalKind::Contact => "contact",
            SignalKind::Praise => "praise",
            SignalKind::Progress => "progress",
            SignalKind::Solved => "solved",
            SignalKind::Reopened => "reopened",
            SignalKind::ThirdContact => "third_contact",
            SignalKind::TwoChannels => "two_channels",
            SignalKind::AnotherComplaint => "another_complaint",
            SignalKind::ScoreDrop => "score_drop",
            SignalKind::PromiseDue => "promise_due",
            SignalKind::PromiseBroken => "promise_broken",
            SignalKind::Silence => "silence",
            SignalKind::Unknown => "unknown",
        }
    }
}

/// What a person or a machine asks of a case. Every command gets an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    pub case: CaseId,
    pub id: CommandId,
    /// The credential that gave it.
    pub actor: Name,
    /// The departments the credential may act for.
    pub departments: Vec<DepartmentId>,
    /// The credential may act for every department.
    pub any_department: bool,
    pub what: CommandKind,
    /// A note's text, and why of anything else.
    pub reason: Option<String>,
    /// Refused when the case has another version, or has been absorbed by another.
    pub expected_version: Option<u32>,
    /// When the API took it.
    pub time: Time,
    /// `hand_off`: the department it is offered to.
    pub to: Option<DepartmentId>,
    /// `contact`: how the customer was contacted.
    pub how: Option<ContactHow>,
    /// `contact`: whether the customer was reached.
    pub reached: Option<bool>,
    /// `resolve`: how the customer was told; without it `reason` says why not.
    pub told: Option<ContactHow>,
    /// `wait`: the outside party that is waited for.
    pub on: Option<Name>,
    /// `wait`: until when; the rules' limit where absent or later.
    pub until: Option<Time>,
    /// The case id that was asked, where an absorbed case passed the command on.
    pub asked: Option<CaseId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandKind {
    Acknowledge,
    Contact,
    HandOff,
    Accept,
    Decline,
    Resolve,
    Reopen,
    /// Take it in hand.
    Claim,
    Release,
    /// Write something down.
    Note,
    /// Wait for an outside party.
    Wait,
    Resume,
    /// A command that a later version of Polku knows and this one does not.
    Unknown,
}

impl CommandKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            CommandKind::Acknowledge => "acknowledge",
            CommandKind::Contact => "contact",
            CommandKind::HandOff => "hand_off",
            CommandKind::Accept => "accept",
            CommandKind::Decline => "decline",
            CommandKind::Resolve => "resolve",
            CommandKind::Reopen => "reopen",
            CommandKind::Claim => "claim",
            CommandKind::Release => "release",
            CommandKind::Note => "note",
            CommandKind::Wait => "wait",
            CommandKind::Resume => "resume",
            CommandKind::Unknown => "unknown",
        }
    }
}

/// A matter belongs to another case from this version on: to a case what a move is to a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regroup {
    /// The case it is sent to: the one that may hold the matter's signals now.
    pub from: CaseId,
    pub matter: MatterId,
    pub to: CaseId,
    pub version: Version,
}

/// A case that lost its last matter hands over what it knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Absorb {
    pub from: CaseId,
    pub to: CaseId,
    pub version: Version,
    pub state: crate::case::State,
    /// The customers it told of its steps.
    pub anchors: Vec<Anchor>,
    /// What its commands came to, so that a repeat is answered the same.
    pub commands: Vec<CommandResult>,
    pub contacts: Vec<ContactFact>,
    pub acted: Option<Time>,
    /// When the owner has to have acknowledged it, and contacted the customer.
    pub acknowledge_due: Option<Time>,
    pub contact_due: Option<Time>,
    /// The final deadline has passed and was escalated.
    pub final_missed: bool,
    /// It was resolved by the word of the owner's own system.
    pub by_system: bool,
    /// What the owner's systems said before this is past: a person took it over, or reopened it.
    pub heeded_from: Option<Time>,
}

/// How a case knows one customer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename = "CaseAnchor")]
pub struct Anchor {
    pub route: Token,
    pub profile: ProfileId,
    pub version: Version,
}

/// A contact with the customer, by us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactFact {
    pub time: Time,
    pub how: ContactHow,
    pub reached: bool,
    pub step: StepKind,
}
