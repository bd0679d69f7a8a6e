//! What most formats need to read their sender's bytes.

use axum::http::HeaderMap;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use super::Refusal;

/// A header as text.
///
/// # Errors
/// When it is missing, or holds other than printable ASCII.
pub fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Refusal> {
    headers
        .get(name)
        .ok_or(Refusal::Missing(name))?
        .to_str()
        .map_err(|_| Refusal::Unreadable(name))
}

/// One JSON value, read as strictly as our own form: no key twice, no NUL, at most 64 levels.
///
/// # Errors
/// A text that names line and column and no content.
pub fn json(body: &[u8]) -> Result<Value, String> {
    crate::json::parse(body)
}

/// The SHA-256 of what a value says, in hex, whatever the order of its keys: the id of what has none.
pub fn digest(value: &Value) -> String {
    hex::encode(Sha256::digest(crate::json::canonical(value)))
}

/// The fields of an HTML form's body as an object of texts. Of a name that comes twice the last value holds.
///
/// # Errors
/// When it is not UTF-8 once it is decoded, or holds a NUL.
pub fn form_fields(body: &[u8]) -> Result<Value, String> {
    let pairs = form_pairs(body)?;
    let fields: Map<String, Value> = pairs
        .into_iter()
        .map(|(name, value)| (name, Value::String(value)))
        .collect();
    Ok(Value::Object(fields))
}

/// The same as pairs of name and value, in the order in which they were sent.
///
/// # Errors
/// As `form_fields`.
pub fn form_pairs(body: &[u8]) -> Result<Vec<(String, String)>, String> {
    body.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = at.map_or((pair, &b""[..]), |at| (&pair[..at], &pair[at + 1..]));
            Ok((form_text(name)?, form_text(value)?))
        })
        .collect()
}

fn form_text(encoded: &[u8]) -> Result<String, String> {
    let spaced: Vec<u8> = encoded
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    let text = percent_encoding::percent_decode(&spaced)
        .decode_utf8()
        .map_err(|_| "the form is not in UTF-8".to_owned())?;
    if text.contains('\0') {
        return Err("a NUL character in the form".to_owned());
    }
    Ok(text.into_owned())
}

/// A slug leaves room for a prefix before it within a name of 64.
const SLUG_CHARS_MAX: usize = 48;

/// A name out of what people write: `Downtown / Financial District` as `downtown-financial-district`, `Töölö` as `toolo`. Empty
/// where nothing is left.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        let character = character.to_ascii_lowercase();
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= SLUG_CHARS_MAX {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_reads_as_browsers_write_it() {
        for (body, expected) in [
            ("", json!({})),
            ("a=1&b=", json!({"a": "1", "b": ""})),
            ("a=1&&b&a=2&", json!({"a": "2", "b": ""})),
            (
                "teksti=hyv%C3%A4+%26+halpa%2B%3D&%C3%A4=%F0%9F%98%80",
                json!({"teksti": "hyvä & halpa+=", "ä": "😀"}),
            ),
            ("a=100%&b=%zz", json!({"a": "100%", "b": "%zz"})),
        ] {
            assert_eq!(form_fields(body.as_bytes()), Ok(expected), "{body}");
        }
        for body in [&b"a=%ff"[..], b"a=\xff", b"a=%00", b"%00=a"] {
            assert!(form_fields(body).is_err());
        }
    }
}
