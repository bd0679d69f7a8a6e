//! The courier, in EPCIS 2.0: what its terminals and cars saw of each parcel.

use serde_json::{Value, json};

use super::{Signature, Spoken, Told, named, text};

pub(super) fn document(batch: &[Told]) -> Spoken {
    let events: Vec<Value> = batch.iter().map(event).collect();
    let body = json!({
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument", "schemaVersion": "2.0", "epcisBody": { "eventList": events },
    });
    Spoken::json(&body, batch.len(), Signature::Bearer)
}

fn event(told: &Told) -> Value {
    let shipment = named(told, "references", "shipment").unwrap_or_default();
    let step = match text(told, "type") {
        "shipment.received" => "receiving".to_owned(),
        own => {
            let word = own.rsplit('.').next().unwrap_or_default();
            format!("https://courier.example/bizstep/{word}")
        }
    };
    json!({
        "type": "ObjectEvent", "eventID": format!("urn:uuid:{}", text(told, "id")), "eventTime": told.get("time"),
        "eventTimeZoneOffset": "+02:00", "action": "OBSERVE", "bizStep": step,
        "epcList": [format!("https://id.gs1.org/00/{shipment}")],
    })
}
