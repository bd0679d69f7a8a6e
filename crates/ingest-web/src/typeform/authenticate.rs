//! `sha256=base64(HMAC-SHA256(secret, body))`.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ingest::format::{Refusal, Request, header, signature};

const SIGNATURE: &str = "typeform-signature";

pub(super) fn signature(request: &Request<'_>, secrets: &[Vec<u8>]) -> Result<(), Refusal> {
    let claimed = header(request.headers, SIGNATURE)?
        .strip_prefix("sha256=")
        .and_then(|encoded| BASE64_STANDARD.decode(encoded).ok())
        .ok_or(Refusal::Unreadable(SIGNATURE))?;
    signature::hmac_sha256(secrets, &[request.body], &[claimed])
}
