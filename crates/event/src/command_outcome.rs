//! Topic `command.outcome`: what each command came to. The API waits for it.

use serde::{Deserialize, Serialize};

use crate::{CaseId, CommandId, Time, case::Phase};

/// Keyed by the case that was asked and the command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandOutcome {
    /// The case that was asked.
    pub asked: CaseId,
    pub time: Time,
    pub result: CommandResult,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandResult {
    pub command: CommandId,
    pub verdict: Verdict,
    /// The case that answered: another than was asked, once that one was absorbed.
    pub case: CaseId,
    /// The case's version and phase after the command; absent where there is no such case.
    pub version: Option<u32>,
    pub phase: Option<Phase>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Applied,
    /// There is no such case.
    NoSuchCase,
    /// The actor's departments neither own the case nor are offered it.
    NotYours,
    /// The case has another version than the actor saw.
    VersionMismatch,
    /// The case's phase does not allow it.
    WrongPhase,
    /// The department is not one of the company's, or already owns the case.
    BadDepartment,
    /// There is no open offer to answer.
    NoOffer,
    /// Nobody told the customer and nobody says why not.
    CustomerNotTold,
    /// A field the command needs is missing.
    Incomplete,
    /// A verdict that a later version of Polku knows and this one does not.
    Unknown,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Applied => "applied",
            Verdict::NoSuchCase => "no_such_case",
            Verdict::NotYours => "not_yours",
            Verdict::VersionMismatch => "version_mismatch",
            Verdict::WrongPhase => "wrong_phase",
            Verdict::BadDepartment => "bad_department",
            Verdict::NoOffer => "no_offer",
            Verdict::CustomerNotTold => "customer_not_told",
            Verdict::Incomplete => "incomplete",
            Verdict::Unknown => "unknown",
        }
    }
}
