#![doc = include_str!("../README.md")]

mod typeform;

use ingest::format::Format;

pub use self::typeform::Typeform;

/// What senders of this channel speak.
pub fn formats() -> Vec<Box<dyn Format>> {
    vec![Box::new(Typeform)]
}
