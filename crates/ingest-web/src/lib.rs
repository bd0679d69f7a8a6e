#![doc = include_str!("../README.md")]

use ingest::format::Format;

/// What senders of this channel speak.
pub fn formats() -> Vec<Box<dyn Format>> {
    Vec::new()
}
