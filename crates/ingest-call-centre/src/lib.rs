#![doc = include_str!("../README.md")]

mod twilio;
mod zendesk;

use ingest::format::Format;

pub use self::{twilio::Twilio, zendesk::Zendesk};

/// What senders of this channel speak.
pub fn formats() -> Vec<Box<dyn Format>> {
    vec![Box::new(Zendesk), Box::new(Twilio)]
}

/// JSON whose keys and texts are mostly the format's own.
#[cfg(test)]
fn any_json(
    words: &'static [&'static str],
) -> impl proptest::strategy::Strategy<Value = serde_json::Value> {
    use proptest::{collection::vec, prelude::*, sample::select};
    use serde_json::Value;

    let text = prop_oneof![6 => select(words).prop_map(str::to_owned), 1 => ".{0,30}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 10, move |inner| {
        prop_oneof![
            1 => vec(inner.clone(), 0..6).prop_map(Value::from),
            4 => vec((text.clone(), inner), 0..12).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}
