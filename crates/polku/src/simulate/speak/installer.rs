//! The installer, whose orders come from a service that sends Standard Webhooks.

use serde_json::json;

use super::{Signature, Spoken, Told, named, text};

pub(super) fn delivery(told: &Told) -> Spoken {
    let body = json!({
        "type": "job.completed", "timestamp": told.get("time"),
        "data": {
            "job": text(told, "id"), "parcel": named(told, "references", "shipment"), "minutes": 95,
            "completed_at": told.get("time"),
        },
    });
    let id = format!("msg_{}", text(told, "id"));
    Spoken::json(&body, 1, Signature::StandardWebhooks(id))
}
