//! Topic `identity.assignment`: which profile a value belongs to, by which decision.

use serde::{Deserialize, Serialize};

use crate::{ProfileId, Token, Value, Version};

/// The present owner of one value; keyed by the value, compacted, and so the table of all who are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    pub value: Value,
    pub profile: ProfileId,
    pub version: Version,
    /// The value is out: it links nothing and events anchored at it follow their next value.
    pub out: bool,
}

impl Assignment {
    pub fn token(&self) -> Token {
        self.value.token
    }
}
