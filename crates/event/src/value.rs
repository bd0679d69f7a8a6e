//! An identifier or a reference as it travels: a keyed token with its type, never the value itself.

use serde::{Deserialize, Serialize};

use crate::{Name, Token};

/// Whether a value says who the customer is or what the event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Identifier,
    Reference,
}

/// One identifier or reference. Lists of values stand in order of strength, the strongest first, identifiers before
/// references (`Company::types` gives the order; ties by token).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Value {
    pub token: Token,
    pub class: Class,
    #[serde(rename = "type")]
    pub kind: Name,
}

impl Value {
    pub fn is_identifier(&self) -> bool {
        self.class == Class::Identifier
    }
}
