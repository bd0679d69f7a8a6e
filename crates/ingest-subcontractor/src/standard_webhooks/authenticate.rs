//! `v1,base64(HMAC-SHA256(secret, id.timestamp.body))`, several of them while a secret is being changed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use event::Time;
use ingest::format::{Refusal, Request, header, signature};

pub(super) const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

pub(super) fn signature(request: &Request<'_>, secrets: &[Vec<u8>]) -> Result<(), Refusal> {
    let id = header(request.headers, ID)?;
    let timestamp = header(request.headers, TIMESTAMP)?;
    let seconds: i64 = timestamp
        .parse()
        .map_err(|_| Refusal::Unreadable(TIMESTAMP))?;
    // Those of a version that we do not know, or that are no base64, are not among the claimed ones.
    let claimed: Vec<Vec<u8>> = header(request.headers, SIGNATURE)?
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1,"))
        .filter_map(|one| STANDARD.decode(one).ok())
        .collect();
    let secrets: Vec<Vec<u8>> = secrets.iter().map(|secret| key(secret)).collect();
    let said = [id, ".", timestamp, "."].map(str::as_bytes);
    let parts = [said[0], said[1], said[2], said[3], request.body];
    signature::hmac_sha256(&secrets, &parts, &claimed)?;
    let signed = Time::from_millis(seconds.saturating_mul(1000));
    signature::fresh(signed, request.received)
}

/// A secret is written in base64, mostly behind `whsec_`. One that is no base64 is the key itself.
fn key(secret: &[u8]) -> Vec<u8> {
    let written = secret.strip_prefix(b"whsec_").unwrap_or(secret);
    STANDARD.decode(written).unwrap_or_else(|_| secret.to_vec())
}
