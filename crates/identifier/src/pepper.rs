//! The secret under which values become tokens.

use std::fmt;

use event::{EventId, SourceId, Token};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Never shown, not even in debug output: who has it can try all phone numbers against the log.
#[derive(Clone)]
pub struct Pepper([u8; 32]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PepperError {
    #[error("a pepper is 32 bytes, this has {0}")]
    Length(usize),
    #[error("a pepper is written as 64 hexadecimal digits")]
    Hex,
}

/// Stands between the parts of what is tokenised. No part but the last may contain it.
const SEPARATOR: u8 = 0x1f;

impl Pepper {
    /// # Errors
    /// When there are not 32 of them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PepperError> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| PepperError::Length(bytes.len()))
    }

    /// Reads the text of a pepper file; space around it does not matter.
    ///
    /// # Errors
    /// When it is not 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, PepperError> {
        Self::from_bytes(&hex::decode(text.trim()).map_err(|_| PepperError::Hex)?)
    }

    /// The first 16 bytes of HMAC-SHA256 over kind, type, space and value, with 0x1f between them. Only the value may come
    /// from outside as it is: the others are names, which cannot contain the separator.
    pub fn token(&self, kind: &str, r#type: &str, space: &str, value: &str) -> Token {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in [kind, r#type, space] {
            assert!(
                !part.as_bytes().contains(&SEPARATOR),
                "kinds, types and spaces are names"
            );
            mac.update(part.as_bytes());
            mac.update(&[SEPARATOR]);
        }
        mac.update(value.as_bytes());
        let mac = mac.finalize().into_bytes();
        let (head, _) = mac
            .split_first_chunk()
            .expect("SHA-256 has more than 16 bytes");
        Token::new(*head)
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(hidden)")
    }
}

/// The id of an event: what makes a repeat of (source, id) a repeat. The sender's id is taken as it came.
pub fn event_id(pepper: &Pepper, source: &SourceId, id: &str) -> EventId {
    EventId::new(pepper.token("event", "", source.as_str(), id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pepper() -> Pepper {
        Pepper::from_bytes(&[7; 32]).unwrap()
    }

    #[test]
    fn a_token_is_the_head_of_the_hmac() {
        // printf 'identifier\x1femail\x1f\x1faino@example.fi' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…07
        assert_eq!(
            pepper()
                .token("identifier", "email", "", "aino@example.fi")
                .to_string(),
            "bb7bc91809c8f5c02729af57505ca12d"
        );
    }

    #[test]
    fn a_pepper_reads_from_its_file_and_is_never_shown() {
        let text = format!("{}\n", "07".repeat(32));
        let read = Pepper::from_hex(&text).unwrap();
        assert_eq!(read.0, [7; 32]);
        assert_eq!(format!("{read:?}"), "Pepper(hidden)");
        for (text, expected) in [
            ("", PepperError::Length(0)),
            ("0707", PepperError::Length(2)),
            ("not hex", PepperError::Hex),
        ] {
            assert_eq!(Pepper::from_hex(text).unwrap_err(), expected, "{text}");
        }
        assert!(Pepper::from_bytes(&[0; 33]).is_err());
    }

    #[test]
    fn events_of_two_sources_are_two() {
        let id = |source: &str, id| event_id(&pepper(), &source.parse().unwrap(), id);
        assert_eq!(id("till", "1"), id("till", "1"));
        assert_ne!(id("till", "1"), id("web", "1"));
        assert_ne!(id("till", "1"), id("till", "2"));
    }

    const NAME: &str = "[a-z]{0,4}";

    proptest! {
        #[test]
        fn tokens_are_one_only_where_all_parts_are(
            a in (NAME, NAME, NAME, ".{0,6}"),
            b in (NAME, NAME, NAME, ".{0,6}"),
        ) {
            let token = |(kind, name, space, value): &(String, String, String, String)| pepper().token(kind, name, space, value);
            prop_assert_eq!(token(&a) == token(&b), a == b);
        }

        #[test]
        fn another_pepper_makes_another_token(value in ".{0,12}") {
            let other = Pepper::from_bytes(&[8; 32]).unwrap();
            prop_assert_ne!(pepper().token("k", "t", "s", &value), other.token("k", "t", "s", &value));
        }
    }
}
