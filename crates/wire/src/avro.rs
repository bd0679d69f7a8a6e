//! Our types straight to and from Avro, as far as our schemas use it: records, enums, arrays, maps, `[null, X]`, `fixed`, `bytes`,
//! texts, numbers and truth values.
//!
//! The library does this too, and looks each field's name up in trees and maps that it makes for each record. Here a record is
//! written and read in the order of its schema, which is that of the type's fields, and nothing is set aside for it.
//! The tests hold every byte against the library.

mod read;
mod shape;
mod write;

use std::fmt;

use serde::{de, ser};

pub(crate) use self::{read::read, shape::Shape, write::write};

/// Why something cannot be written or read. The text says it all.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Error {
    #[error("the bytes end before the record does")]
    Short,
    #[error("a number goes on beyond 64 bits")]
    Number,
    #[error("a length of {0}, and only {1} bytes are left")]
    Length(i64, usize),
    #[error("a truth value of {0:#04x}")]
    Truth(u8),
    #[error("branch {0} of two")]
    Branch(i64),
    #[error("symbol {0} of {1}")]
    Symbol(i64, usize),
    #[error("a text that is no UTF-8")]
    Text,
    #[error("{found} where the schema has {shape}")]
    Mismatch { found: &'static str, shape: String },
    #[error("{0}")]
    Custom(String),
}

impl ser::Error for Error {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Error::Custom(text.to_string())
    }
}

impl de::Error for Error {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Error::Custom(text.to_string())
    }
}
