//! Answers to Typeform's surveys, as its webhooks bring them.

mod answers;
mod authenticate;
mod map;
#[cfg(test)]
mod tests;

use ingest::format::{Format, Mapped, Refusal, Request, Sender, look};
use serde_json::Value;

/// `format = "typeform"`.
#[derive(Clone, Copy, Debug)]
pub struct Typeform;

impl Format for Typeform {
    fn name(&self) -> &'static str {
        "typeform"
    }

    fn authenticate(&self, request: &Request<'_>, secrets: &[Vec<u8>]) -> Result<(), Refusal> {
        authenticate::signature(request, secrets)
    }

    fn parse(&self, request: &Request<'_>) -> Result<Vec<Value>, String> {
        Ok(vec![look::object(request.body)?])
    }

    fn map(&self, payload: &Value, sender: &Sender<'_>) -> Mapped {
        map::response(payload, sender)
    }
}
