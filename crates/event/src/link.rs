//! Topic `identity.link`: all that the single decision maker hears, in the one order that counts.

use serde::{Deserialize, Serialize};

use crate::{DecisionId, EventId, Name, SourceId, Time, Token, Value, rules::Rules};

#[derive(Clone, Debug, PartialEq)]
pub enum Link {
    Set(Set),
    Tick(Tick),
    Decision(Decision),
    Rules(Rules),
}

/// The identifiers and references that one event named together. Reported once per (set, trust class of the source), and again
/// to renew it, when a quarter of the shortest window of its types has passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "LinkSet")]
pub struct Set {
    pub anchor: Token,
    /// Identifiers, then references, each in order of strength.
    pub values: Vec<Value>,
    pub trusted: bool,
    pub source: SourceId,
    /// The event that first named them together: the evidence.
    pub event: EventId,
    pub time: Time,
    /// Every event that named this set was withdrawn.
    pub withdrawn: bool,
}

/// Appended every hour, so that expiry replays as it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "LinkTick")]
pub struct Tick {
    pub time: Time,
}

/// What a person decided about who is who. It holds for what came before and for all that comes, until it is undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "LinkDecision")]
pub struct Decision {
    pub id: DecisionId,
    pub what: DecisionKind,
    /// The values it is about; of `apart`, those of one side.
    pub one: Vec<Token>,
    /// `apart`: the values of the other side.
    pub other: Vec<Token>,
    /// `undo`: the decision that no longer holds.
    pub undoes: Option<DecisionId>,
    /// The credential that decided.
    pub actor: Name,
    pub reason: String,
    pub time: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// No value of one side is ever on a profile with one of the other.
    Apart,
    /// The values are one person's, whatever the rules say; a reference among them belongs to the identifiers among them.
    Together,
    /// The values are out.
    Block,
    /// No limit puts the values out.
    Allow,
    /// An earlier decision no longer holds.
    Undo,
    /// A decision that a later version of Polku knows and this one does not.
    Unknown,
}

impl DecisionKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            DecisionKind::Apart => "apart",
            DecisionKind::Together => "together",
            DecisionKind::Block => "block",
            DecisionKind::Allow => "allow",
            DecisionKind::Undo => "undo",
            DecisionKind::Unknown => "unknown",
        }
    }
}
