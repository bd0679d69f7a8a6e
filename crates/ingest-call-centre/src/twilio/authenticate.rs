//! `base64(HMAC-SHA1(auth token, address + each name and value of the form, sorted))`. Other bodies are vouched for by their
//! SHA-256, which is the parameter `bodySHA256` of the address. Nothing in it tells when it was signed: a repeat is recognised by the
//! call's id and sequence number.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ingest::format::{Refusal, Request, form_pairs, header, signature};
use sha2::{Digest as _, Sha256};

use super::parse::is_form;

const SIGNATURE: &str = "x-twilio-signature";
const BODY_HASH: &str = "bodySHA256";

pub(super) fn signature(request: &Request<'_>, secrets: &[Vec<u8>]) -> Result<(), Refusal> {
    let claimed = STANDARD
        .decode(header(request.headers, SIGNATURE)?)
        .map_err(|_| Refusal::Unreadable(SIGNATURE))?;
    let parameters = if let Some(claimed_hash) = body_hash(request.url) {
        if !claimed_hash.eq_ignore_ascii_case(&hash(request.body)) {
            return Err(Refusal::Mismatch);
        }
        String::new()
    } else if is_form(request) {
        sorted(request.body).ok_or(Refusal::Mismatch)?
    } else {
        // Nobody vouches for a body that is neither a form nor hashed into the address.
        return Err(Refusal::Mismatch);
    };
    let mut outcome = Err(Refusal::Mismatch);
    for address in addresses(request.url) {
        let parts = [address.as_bytes(), parameters.as_bytes()];
        let one = signature::hmac_sha1(secrets, &parts, std::slice::from_ref(&claimed));
        if outcome.is_err() {
            outcome = one;
        }
    }
    outcome
}

/// Names and values one after the other, each different pair once. None where the body is no form.
fn sorted(body: &[u8]) -> Option<String> {
    let mut pairs = form_pairs(body).ok()?;
    pairs.sort();
    pairs.dedup();
    Some(
        pairs
            .into_iter()
            .flat_map(|(name, value)| [name, value])
            .collect(),
    )
}

fn body_hash(url: &str) -> Option<&str> {
    let (_, query) = url.split_once('?')?;
    let query = query.split('#').next()?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| *name == BODY_HASH)
        .map(|(_, hash)| hash)
}

/// The address without a port and with its scheme's own: which of the two was signed depends on the kind of callback.
fn addresses(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return vec![url.to_owned()];
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let port = if scheme == "https" { "443" } else { "80" };
    let stated = host
        .rsplit_once(':')
        .filter(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    let other = match stated {
        Some((name, _)) => format!("{scheme}://{name}{path}"),
        None => format!("{scheme}://{host}:{port}{path}"),
    };
    vec![url.to_owned(), other]
}

/// In hex, as the address has it.
pub(super) fn hash(body: &[u8]) -> String {
    Sha256::digest(body)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
