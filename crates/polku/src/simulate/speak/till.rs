//! The tills: receipts of one place, in one batch.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Signature, Spoken, Told, named, text};

pub(super) fn batches(batch: &[Told]) -> Vec<Spoken> {
    let mut places: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for told in batch {
        places
            .entry(text(told, "place"))
            .or_default()
            .push(receipt(told));
    }
    places
        .into_iter()
        .map(|(place, receipts)| {
            let count = receipts.len();
            let body = json!({ "till": "1", "place": place, "receipts": receipts });
            Spoken::json(&body, count, Signature::Bearer)
        })
        .collect()
}

fn receipt(told: &Told) -> Value {
    let amount = told.get("amount").and_then(|amount| amount.get("value"));
    let line = json!({ "product": told.get("product"), "quantity": 1, "amount": amount });
    let mut receipt = json!({
        "number": named(told, "references", "receipt"), "time": told.get("time"), "currency": "EUR", "cashier": 14,
        "loyalty_card": named(told, "identifiers", "loyalty_card"),
        "phone": named(told, "identifiers", "phone"),
    });
    if text(told, "type") == "purchase.returned" {
        receipt["returns"] = json!([line]);
    } else {
        receipt["total"] = json!(amount);
        receipt["lines"] = json!([line]);
    }
    receipt
}
