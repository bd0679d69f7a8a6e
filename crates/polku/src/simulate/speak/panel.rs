//! The smiley panels at the doors of the stores.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Signature, Spoken, Told, text};

pub(super) fn batches(batch: &[Told]) -> Vec<Spoken> {
    let mut places: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for told in batch {
        let smiley = told.get("score").and_then(|score| score.get("value"));
        let press = json!({ "time": told.get("time"), "smiley": smiley, "seq": told.get("id") });
        places.entry(text(told, "place")).or_default().push(press);
    }
    places
        .into_iter()
        .map(|(place, presses)| {
            let count = presses.len();
            let body = json!({
                "panel": format!("{place}:door"), "place": place, "smileys": 4, "question": "Miten asiointi sujui?",
                "presses": presses,
            });
            Spoken::json(&body, count, Signature::Bearer)
        })
        .collect()
}
