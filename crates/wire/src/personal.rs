//! The personal part of an event: a scheme byte, then what the scheme says.
//!
//! Scheme 0 is clear: the schema's id and the Avro of a `Personal`. With the scheme byte before it this is a message of the
//! Confluent wire format, so that any client that may see it can read it, and a later schema reads an earlier one's.
//! Scheme 1 is sealed.

use event::event::Personal;

use crate::{Error, catalogue::SHIPPED};

/// The personal data in the clear.
pub fn encode(personal: &Personal) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    SHIPPED.write(personal, &mut bytes);
    bytes
}

/// # Errors
/// When the bytes are sealed, or not what `encode` makes.
pub fn decode(bytes: &[u8]) -> Result<Personal, Error> {
    if bytes.first() == Some(&SEALED) {
        return Err(Error::Sealed);
    }
    SHIPPED.open(bytes)?.read("the personal part of an event")
}

const SEALED: u8 = 1;
