//! The call centre's telephone, as Twilio's status callbacks tell of the calls.

use event::Time;
use jiff::{Timestamp, fmt::rfc2822};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::{Signature, Spoken, Told, named, text};

const OUR_NUMBER: &str = "+358942415500";

pub(super) fn callback(told: &Told) -> Spoken {
    let status = match text(told, "type") {
        "call.missed" => "no-answer",
        _ => "completed",
    };
    let fields = [
        ("AccountSid", "AC0123456789abcdef0123456789abcdef"),
        (
            "CallSid",
            named(told, "references", "thread").unwrap_or_default(),
        ),
        (
            "From",
            named(told, "identifiers", "phone").unwrap_or_default(),
        ),
        ("To", OUR_NUMBER),
        ("CallerName", text(told, "name")),
        ("CallStatus", status),
        ("Direction", "inbound"),
        ("CallDuration", "184"),
        ("Timestamp", &timestamp(told)),
        ("CallbackSource", "call-progress-events"),
        ("SequenceNumber", "3"),
    ];
    let encoded: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect();
    Spoken {
        content_type: "application/x-www-form-urlencoded",
        body: encoded.join("&"),
        events: 1,
        signature: Signature::Twilio,
    }
}

/// As e-mail writes it, in whole seconds.
fn timestamp(told: &Told) -> String {
    let time: Option<Time> = told
        .get("time")
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok());
    let moment = Timestamp::from_millisecond(time.map_or(0, Time::as_millis)).unwrap_or_default();
    rfc2822::DateTimePrinter::new()
        .timestamp_to_string(&moment)
        .unwrap_or_default()
}
