//! Topic `access`: who read which timeline, when and why. Keyed by the token of the credential.

use serde::{Deserialize, Serialize};

use crate::{Name, ProfileId, Time};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    pub credential: Name,
    pub time: Time,
    pub what: AccessKind,
    /// The profile that was read; absent for a search that found nobody.
    pub profile: Option<ProfileId>,
    pub reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessKind {
    Search,
    Profile,
    Timeline,
    Case,
    /// A kind that a later version of Polku knows and this one does not.
    Unknown,
}
