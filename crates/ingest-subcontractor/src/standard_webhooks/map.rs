//! The events of a delivery.

use event::Name;
use ingest::{
    format::{Mapped, Sender, look, slug},
    mapping::{Mapping, Plan, Row},
};
use serde_json::Value;

use super::authenticate::ID;

pub(super) fn events(payload: &Value, sender: &Sender<'_>) -> Mapped {
    match &sender.source.mapping {
        Some(mapping) => by_mapping(payload, mapping, sender),
        None => own_form(payload, sender),
    }
}

/// Columns are the payload's paths, like `data.order.number`, and `webhook-id`.
fn by_mapping(payload: &Value, mapping: &Mapping, sender: &Sender<'_>) -> Mapped {
    let plan = match Plan::new(mapping) {
        Ok(plan) => plan,
        // Start-up refuses such a mapping.
        Err(error) => return Mapped::Faulty(format!("the source's mapping: {error}")),
    };
    let mut events = Vec::new();
    let mut faults = Vec::new();
    for made in plan.events(&Row::of_object(payload)) {
        match made {
            Ok(Value::Object(mut event)) => {
                sender.complete(&mut event, payload);
                events.push(Value::Object(event));
            }
            Ok(other) => events.push(other),
            Err(fault) => faults.push(fault.to_string()),
        }
    }
    if !faults.is_empty() {
        Mapped::Faulty(faults.join("\n"))
    } else if events.is_empty() {
        Mapped::Filtered("no_event_of_mapping")
    } else {
        Mapped::Events(events)
    }
}

/// `data` is an event of our own form; id, type and time are the delivery's, where `data` has none of its own.
fn own_form(payload: &Value, sender: &Sender<'_>) -> Mapped {
    let Some(Value::Object(data)) = look::at(payload, "data") else {
        return Mapped::Faulty(
            "data: must be an event's object, or the source needs a mapping".to_owned(),
        );
    };
    let mut event = data.clone();
    if let Some(id) = look::text(payload, ID) {
        event.insert("id".to_owned(), Value::from(id));
    }
    let or = |event: &mut serde_json::Map<String, Value>, field: &str, value: Option<Value>| {
        if let Some(value) = value.filter(|_| !event.contains_key(field)) {
            event.insert(field.to_owned(), value);
        }
    };
    let name = look::text(payload, "type").map(|name| match Name::new(name) {
        Ok(name) => name.as_str().to_owned(),
        Err(_) => slug(name),
    });
    let name = name.filter(|name| !name.is_empty());
    or(&mut event, "type", name.map(Value::from));
    or(&mut event, "time", look::at(payload, "timestamp").cloned());
    sender.complete(&mut event, payload);
    Mapped::Events(vec![Value::Object(event)])
}
