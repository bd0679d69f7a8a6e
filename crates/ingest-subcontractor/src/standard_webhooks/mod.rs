//! Any sender of Standard Webhooks: the signature is common to all, what they say is not. It is our own form in `data`, or what the
//! source's mapping makes of it.

mod authenticate;
mod map;
mod parse;
#[cfg(test)]
mod tests;

use ingest::format::{Format, Mapped, Refusal, Request, Sender};
use serde_json::Value;

/// `format = "standard-webhooks"`.
#[derive(Clone, Copy, Debug)]
pub struct StandardWebhooks;

impl Format for StandardWebhooks {
    fn name(&self) -> &'static str {
        "standard-webhooks"
    }

    fn authenticate(&self, request: &Request<'_>, secrets: &[Vec<u8>]) -> Result<(), Refusal> {
        authenticate::signature(request, secrets)
    }

    fn parse(&self, request: &Request<'_>) -> Result<Vec<Value>, String> {
        Ok(vec![parse::delivery(request)?])
    }

    fn map(&self, payload: &Value, sender: &Sender<'_>) -> Mapped {
        map::events(payload, sender)
    }
}
