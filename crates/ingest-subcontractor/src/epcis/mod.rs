//! Supply-chain events of GS1 EPCIS 2.0 in JSON: what a carrier or a warehouse saw of which shipment, where and when.

mod map;
mod name;
mod parse;
mod subject;
#[cfg(test)]
mod tests;

use ingest::format::{Format, Mapped, Proof, Refusal, Request, Sender};
use serde_json::Value;

/// `format = "epcis"`.
#[derive(Clone, Copy, Debug)]
pub struct Epcis;

impl Format for Epcis {
    fn name(&self) -> &'static str {
        "epcis"
    }

    /// EPCIS leaves it to the transport who sends.
    fn proof(&self) -> Proof {
        Proof::Key
    }

    fn authenticate(&self, _request: &Request<'_>, _secrets: &[Vec<u8>]) -> Result<(), Refusal> {
        Err(Refusal::NoSecret)
    }

    fn parse(&self, request: &Request<'_>) -> Result<Vec<Value>, String> {
        parse::events(request)
    }

    fn map(&self, payload: &Value, sender: &Sender<'_>) -> Mapped {
        map::event(payload, sender)
    }
}
