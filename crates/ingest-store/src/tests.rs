//! What the tests of both formats need: a request, a sender, and hostile JSON.

use axum::http::HeaderMap;
use event::{SourceId, Time};
use ingest::{
    Source,
    format::{Format, Mapped, Request, Sender},
};
use proptest::prelude::*;
use serde_json::Value;

pub(crate) fn request(body: &str) -> Request<'_> {
    static HEADERS: std::sync::LazyLock<HeaderMap> = std::sync::LazyLock::new(HeaderMap::new);
    Request {
        headers: &HEADERS,
        url: "http://127.0.0.1:8700/v1/sources/till/events",
        body: body.as_bytes(),
        received: Time::from_millis(0),
    }
}

pub(crate) fn parsed(format: &dyn Format, body: &str) -> Vec<Value> {
    format.parse(&request(body)).expect("the body is good")
}

/// Calls with a sender that has no configuration of its own.
pub(crate) fn with_sender<T>(call: impl FnOnce(&Sender<'_>) -> T) -> T {
    let id = SourceId::new("till").expect("a good id");
    let source: Source = toml::from_str("channel = 'store'").expect("a source");
    call(&Sender {
        id: &id,
        source: &source,
        received: Time::from_millis(1_900_000_000_000),
    })
}

pub(crate) fn mapped(format: &dyn Format, payload: &Value) -> Mapped {
    with_sender(|sender| format.map(payload, sender))
}

/// JSON of any shape, whose keys are often the ones that are read.
pub(crate) fn anything() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        prop::sample::select(vec![
            "number",
            "time",
            "total",
            "currency",
            "lines",
            "returns",
            "product",
            "amount",
            "receipt",
            "day",
            "till",
            "place",
            "loyalty_card",
            "seq",
            "smiley",
        ])
        .prop_map(str::to_owned),
        ".{0,5}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(Value::from("2026-11-20T09:31:00+02:00")),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}
