//! Status callbacks of Twilio's voice calls.

mod authenticate;
mod map;
mod parse;
#[cfg(test)]
mod tests;

use ingest::format::{Format, Mapped, Refusal, Request, Sender};
use serde_json::Value;

/// `format = "twilio"`.
#[derive(Clone, Copy, Debug)]
pub struct Twilio;

impl Format for Twilio {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn authenticate(&self, request: &Request<'_>, secrets: &[Vec<u8>]) -> Result<(), Refusal> {
        authenticate::signature(request, secrets)
    }

    fn parse(&self, request: &Request<'_>) -> Result<Vec<Value>, String> {
        Ok(vec![parse::parameters(request)?])
    }

    fn map(&self, payload: &Value, sender: &Sender<'_>) -> Mapped {
        map::call(payload, sender)
    }
}
