//! Topic `identity.link`: all that the single decision maker hears, in the one order that counts.

use serde::{Deserialize, Serialize};

use crate::{EventId, SourceId, Time, Token, Value, rules::Rules};

#[derive(Clone, Debug, PartialEq)]
pub enum Link {
    Set(Set),
    Tick(Tick),
    Rules(Rules),
}

/// The identifiers and references that one event named together. Reported once per (set, trust class of the source).
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
