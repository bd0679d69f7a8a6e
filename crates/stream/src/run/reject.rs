use event::{
    Time, Token,
    reject::{Reason, Reject},
};
use sha2::{Digest as _, Sha256};

use crate::log::{RECORD_BYTES_MAX, Read};

/// The bytes a reject keeps: whole, but for a record so large that it would not fit beside the rest.
const BYTES_MAX: usize = RECORD_BYTES_MAX - 64 * 1024;

/// An assertion's text may quote anything; a few lines say what broke.
const DETAIL_CHARS_MAX: usize = 2_000;

/// A record that cannot be read.
pub(super) fn undecodable(read: &Read, now: Time, text: &str) -> Reject {
    reject(read, now, Reason::Undecodable, text)
}

/// A record that broke an assertion of the machine.
pub(super) fn assertion(read: &Read, now: Time, text: &str) -> Reject {
    reject(read, now, Reason::Assertion, text)
}

fn reject(read: &Read, now: Time, reason: Reason, text: &str) -> Reject {
    let record = format!("{}@{}", read.at, read.offset);
    let bytes = read.value.as_deref().unwrap_or_default();
    Reject {
        id: Token::hash("reject.record", &[record.as_bytes()]),
        source: None,
        record: Some(record),
        time: now,
        reason,
        detail: text.chars().take(DETAIL_CHARS_MAX).collect(),
        bytes: bytes[..bytes.len().min(BYTES_MAX)].to_vec(),
        length: bytes.len() as u64,
        sha256: Sha256::digest(bytes).to_vec(),
    }
}
