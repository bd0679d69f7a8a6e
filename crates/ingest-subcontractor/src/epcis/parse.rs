//! The events of a document, of a query's answer, of an array, or the one event that a body is.

use ingest::format::{Request, json, look};
use serde_json::Value;

/// Where documents keep their events.
const LISTS: [&str; 4] = [
    "epcisBody.eventList",
    "epcisBody.event",
    "epcisBody.queryResults.resultsBody.eventList",
    "epcisBody.queryResults.resultsBody.event",
];

pub(super) fn events(request: &Request<'_>) -> Result<Vec<Value>, String> {
    match json(request.body)? {
        Value::Array(events) => Ok(events),
        document @ Value::Object(_) if document.get("epcisBody").is_some() => LISTS
            .iter()
            .find(|path| look::at(&document, path).is_some())
            .map(|path| look::items(&document, path).to_vec())
            .ok_or_else(|| "epcisBody: holds no eventList".to_owned()),
        event @ Value::Object(_) => Ok(vec![event]),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err("the body must be an EPCIS document, an event or an array of events".to_owned())
        }
    }
}
