//! `base64(HMAC-SHA256(secret, timestamp + body))`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ingest::format::{Refusal, Request, header, look, signature};

const SIGNATURE: &str = "x-zendesk-webhook-signature";
const TIMESTAMP: &str = "x-zendesk-webhook-signature-timestamp";

pub(super) fn signature(request: &Request<'_>, secrets: &[Vec<u8>]) -> Result<(), Refusal> {
    let claimed = STANDARD
        .decode(header(request.headers, SIGNATURE)?)
        .map_err(|_| Refusal::Unreadable(SIGNATURE))?;
    let timestamp = header(request.headers, TIMESTAMP)?;
    let signed = look::read_moment(timestamp).ok_or(Refusal::Unreadable(TIMESTAMP))?;
    signature::hmac_sha256(secrets, &[timestamp.as_bytes(), request.body], &[claimed])?;
    signature::fresh(signed, request.received)
}
