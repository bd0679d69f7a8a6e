//! The pick-up points, which leave a file: one line a parcel that was collected.

use super::{Told, named, text};

pub(super) fn rows(batch: &[Told]) -> String {
    let mut rows = "lähetys;noutopiste;tapahtuma;aika\n".to_owned();
    for told in batch {
        let what = match text(told, "type") {
            "parcel.collected" => "noudettu",
            _ => "palautettu",
        };
        let point = text(told, "place").trim_start_matches("pickup:");
        // Whole seconds, as the journeys know.
        let time = text(told, "time").trim_end_matches('Z').replace('T', " ");
        let shipment = named(told, "references", "shipment").unwrap_or_default();
        rows.push_str(&format!("{shipment};{point};{what};{time}\n"));
    }
    rows
}
