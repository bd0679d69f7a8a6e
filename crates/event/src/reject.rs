//! Topic `reject`: authenticated input that could not be accepted, kept with its reason and its bytes after the masks.

use serde::{Deserialize, Serialize};

use crate::{SourceId, Time, Token};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// The token of (source, id), or of the bytes where no id could be read.
    pub id: Token,
    /// The source, for what came through a door.
    pub source: Option<SourceId>,
    /// Topic, partition and offset, for a record that a machine could not take: `polku.event/3@1204`.
    pub record: Option<String>,
    pub time: Time,
    pub reason: Reason,
    /// What is wrong and where, one fault a line; no personal value.
    pub detail: String,
    /// After the masks; at most 48 KiB from outside, whole for internal records.
    #[serde(with = "crate::event::bytes")]
    pub bytes: Vec<u8>,
    /// Of the whole input, after the masks.
    #[serde(with = "crate::event::count")]
    pub length: u64,
    #[serde(with = "crate::event::bytes")]
    pub sha256: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Not JSON, not UTF-8, not CSV.
    Unparseable,
    /// A field is missing, unknown, or has a value it cannot have.
    Schema,
    /// The source may not send this.
    NotAllowed,
    /// The event is larger than a record may be.
    TooLarge,
    /// The id was used for another customer and the source may not correct.
    Conflict,
    /// An internal record that does not decode.
    Undecodable,
    /// A machine's assertion did not hold for this record.
    Assertion,
    /// A reason that a later version of Polku knows and this one does not.
    Unknown,
}

impl Reason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::Unparseable => "unparseable",
            Reason::Schema => "schema",
            Reason::NotAllowed => "not_allowed",
            Reason::TooLarge => "too_large",
            Reason::Conflict => "conflict",
            Reason::Undecodable => "undecodable",
            Reason::Assertion => "assertion",
            Reason::Unknown => "unknown",
        }
    }
}
