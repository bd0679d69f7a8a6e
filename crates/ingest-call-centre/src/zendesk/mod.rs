//! Ticket events of Zendesk's event webhooks. They come at least once and in any order: an event's own time is its time.

mod authenticate;
mod map;
#[cfg(test)]
mod tests;

use ingest::format::{Format, Mapped, Refusal, Request, Sender, look};
use serde_json::Value;

/// `format = "zendesk"`.
#[derive(Clone, Copy, Debug)]
pub struct Zendesk;

impl Format for Zendesk {
    fn name(&self) -> &'static str {
        "zendesk"
    }

    fn authenticate(&self, request: &Request<'_>, secrets: &[Vec<u8>]) -> Result<(), Refusal> {
        authenticate::signature(request, secrets)
    }

    fn parse(&self, request: &Request<'_>) -> Result<Vec<Value>, String> {
        Ok(vec![look::object(request.body)?])
    }

    fn map(&self, payload: &Value, sender: &Sender<'_>) -> Mapped {
        map::event(payload, sender)
    }
}
