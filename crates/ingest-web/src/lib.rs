#![doc = include_str!("../README.md")]

mod form;
mod typeform;

use ingest::format::Format;

pub use self::{
    form::{FeedbackForm, routes},
    typeform::Typeform,
};

/// What senders of this channel speak.
pub fn formats() -> Vec<Box<dyn Format>> {
    vec![Box::new(Typeform), Box::new(FeedbackForm)]
}
