//! The feedback form that Polku serves: `/feedback/{source}`, for sources of the format `feedback-form`.
//!
//! ```text
//! GET  the form, with what its link says (place, order…) ──► POST what was written ──► thanks
//!                     ▲                                        │ faults, by field
//!                     └────────────────────────────────────────┘
//! ```
//!
//! It runs no script, and needs none: plain HTML by keyboard alone, in Finnish, Swedish and English.

mod about;
mod feeling;
mod given;
mod headers;
mod language;
mod map;
mod page;
mod rate;
mod routes;
#[cfg(test)]
mod tests;

use ingest::{
    Source,
    format::{Format, Mapped, Proof, Refusal, Request, Sender, look},
};
use serde_json::Value;

pub use self::routes::routes;

/// `format = "feedback-form"`.
#[derive(Clone, Copy, Debug)]
pub struct FeedbackForm;

impl FeedbackForm {
    pub const NAME: &str = "feedback-form";
}

impl Format for FeedbackForm {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn proof(&self) -> Proof {
        Proof::Page
    }

    fn authenticate(&self, _request: &Request<'_>, _secrets: &[Vec<u8>]) -> Result<(), Refusal> {
        Err(Refusal::NoSecret)
    }

    fn parse(&self, request: &Request<'_>) -> Result<Vec<Value>, String> {
        Ok(vec![look::object(request.body)?])
    }

    fn map(&self, payload: &Value, sender: &Sender<'_>) -> Mapped {
        map::answer(payload, sender)
    }

    fn faults(&self, source: &Source) -> Vec<String> {
        let origins = source.form.iter().flat_map(|form| &form.embed_from);
        origins
            .filter(|origin| !headers::is_origin(origin))
            .map(|origin| {
                format!(
                    "`form.embed_from` holds `{origin}`, which is no origin; write scheme and host as in `https://shop.example`"
                )
            })
            .collect()
    }
}
