//! The seam between a sender's own format and the one path that all events take.
//!
//! ```text
//! request ──► authenticate ──► parse ──► map ──► validate, normalise, mask, store
//!             (the format)    (the format)       (the door, for everybody)
//! ```
//!
//! A format is a folder of its channel's crate with these three steps; it knows its sender's fields and nothing of Polku's log.

use axum::http::HeaderMap;
use event::Time;
use serde_json::Value;

use crate::Source;

/// What a sender sent, as far as a format may look at it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub headers: &'a HeaderMap,
    /// The door's address as the sender knows it (scheme, host, path and query), for signatures that cover it.
    pub url: &'a str,
    /// Decompressed, within the door's bounds.
    pub body: &'a [u8],
    /// When the door took it.
    pub received: Time,
}

/// Why a request is not its sender's. The answer is 401, and the log is not touched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the header `{0}` is missing")]
    Missing(&'static str),
    #[error("the header `{0}` cannot be read")]
    Unreadable(&'static str),
    #[error("no secret of this source makes the signature")]
    Mismatch,
    /// Older or newer than `SKEW_MS_MAX`.
    #[error("the signature's time is more than five minutes from now")]
    Stale,
    #[error("this source has no secret")]
    NoSecret,
}

/// How far the time of a signature may lie from the door's.
pub const SKEW_MS_MAX: i64 = 5 * 60 * 1000;

/// What a payload becomes.
#[derive(Clone, Debug, PartialEq)]
pub enum Mapped {
    /// Events of our own form, as objects.
    Events(Vec<Value>),
    /// Nothing that Polku keeps, and why: counted, answered as good, not stored.
    Filtered(&'static str),
    /// Faults, one a line, each with its field: kept as a reject.
    Faulty(String),
}

/// One format that senders speak. It holds no state: all it needs comes with the call.
pub trait Format: Send + Sync {
    /// As `format = "…"` of the configuration names it.
    fn name(&self) -> &'static str;

    /// Whether it signs: then `secret_file` is required and no bearer key is asked for.
    fn signs(&self) -> bool {
        true
    }

    /// Compares in constant time, with each of the secrets: there are two while one is being changed.
    ///
    /// # Errors
    /// When the request is not its sender's. Never called for a format that does not sign.
    fn authenticate(&self, request: &Request<'_>, secrets: &[Vec<u8>]) -> Result<(), Refusal>;

    /// The payloads of a body, in order.
    ///
    /// # Errors
    /// Why the whole cannot be read, without its content.
    fn parse(&self, request: &Request<'_>) -> Result<Vec<Value>, String>;

    /// One payload as events. Unknown fields and absent optional ones are never faults.
    fn map(&self, payload: &Value, source: &Source) -> Mapped;
}
