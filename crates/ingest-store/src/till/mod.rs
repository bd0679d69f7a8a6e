//! Format `till`: the receipts of one till, in batches of any length.
//!
//! ```json
//! {
//!   "till": "7", "place": "store:kamppi",
//!   "receipts": [{
//!     "number": "000123", "time": "2026-11-20T09:31:00+02:00",
//!     "total": "129.90", "currency": "EUR",
//!     "lines": [{"product": "sofa", "name": "Sohva Aalto", "quantity": 1, "amount": "129.90"}],
//!     "returns": [{"product": "lamp", "amount": "39.90", "reason": "broken", "receipt": {"day": "2026-11-18", "number": "000100"}}],
//!     "loyalty_card": "6000012345", "customer_number": null, "email": null, "phone": null,
//!     "order": "A-77"
//!   }]
//! }
//! ```
//!
//! `till` and, of a receipt, `number` and `time` are required; `total` is what the lines cost, without what was brought back. A
//! receipt that only takes things back has no lines. Amounts are texts or numbers, in euros where `currency` is left out.
//!
//! Tills count their receipts anew each day, each for itself: a receipt is known by place, till, day and number, as in `POSLog`. What
//! is brought back may name the receipt it was bought with; `place` and `till` of that are the batch's where they are left out.

mod map;

use ingest::format::{Format, Mapped, Proof, Refusal, Request, Sender};
use serde_json::Value;

use crate::payload;

/// `format = "till"`.
#[derive(Clone, Copy, Debug)]
pub struct Till;

impl Format for Till {
    fn name(&self) -> &'static str {
        "till"
    }

    fn proof(&self) -> Proof {
        Proof::Key
    }

    fn authenticate(&self, _request: &Request<'_>, _secrets: &[Vec<u8>]) -> Result<(), Refusal> {
        Err(Refusal::NoSecret)
    }

    fn parse(&self, request: &Request<'_>) -> Result<Vec<Value>, String> {
        payload::each(request, "receipts", "receipt")
    }

    fn map(&self, payload: &Value, sender: &Sender<'_>) -> Mapped {
        map::receipt(payload, sender)
    }
}

#[cfg(test)]
mod tests;
