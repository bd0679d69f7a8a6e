//! Topic `config`: the latest version of what people configured, for `ingest`, `serve` and `company show`.

use serde::{Deserialize, Serialize};

use crate::{Name, Time};

/// Keyed by the token of its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// `company`.
    pub name: Name,
    #[serde(with = "crate::event::count")]
    pub version: u64,
    pub time: Time,
    /// The file as the people wrote it.
    pub text: String,
}
