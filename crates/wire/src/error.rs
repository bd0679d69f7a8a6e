//! Why bytes are not what they should be.

use crate::Kind;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} bytes are too few for a schema id")]
    Short(usize),
    #[error("the first byte is {0:#04x} instead of the wire format's 0x00")]
    Format(u8),
    #[error("no schema that is known has the id {0:#010x}")]
    UnknownSchema(u32),
    #[error("a record {kind} does not belong in {place}")]
    WrongRecord { kind: Kind, place: String },
    #[error("the bytes are no {kind}")]
    Malformed {
        kind: Kind,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("{count} bytes are left after the {kind}")]
    Trailing { kind: Kind, count: usize },
    #[error("the document of the rules cannot be read")]
    Document(#[source] serde_json::Error),
    #[error("the rules say version {stated} and their document {found}")]
    DocumentVersion { stated: u64, found: u64 },
    #[error("the personal data is sealed")]
    Sealed,
}
