//! The web shop, which was written with Polku in mind: our own form, in a batch of CloudEvents.

use serde_json::{Value, json};

use super::{Signature, Spoken, Told, text};

pub(super) fn events(batch: &[Told]) -> Spoken {
    let envelopes: Vec<Value> = batch.iter().map(envelope).collect();
    Spoken {
        content_type: "application/cloudevents-batch+json",
        body: Value::Array(envelopes).to_string(),
        events: batch.len() as u64,
        signature: Signature::Bearer,
    }
}

fn envelope(told: &Told) -> Value {
    let mut data = told.clone();
    let (id, time) = (data.remove("id"), data.remove("time"));
    json!({
        "specversion": "1.0", "id": id, "source": "https://shop.metsakoti.example", "time": time,
        "type": format!("example.metsakoti.{}", text(told, "type")), "datacontenttype": "application/json", "data": data,
    })
}
