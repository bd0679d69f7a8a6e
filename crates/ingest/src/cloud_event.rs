//! `CloudEvents` 1.0 around our own form: in their JSON form, alone or in a batch, and with the envelope in the headers.

use axum::http::HeaderMap;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use event::{Time, reject::Reason};
use serde_json::{Map, Value};

use crate::{json, parse::Item};

/// The header that tells the binary form: then the body is the data alone.
pub(crate) const IN_HEADERS: &str = "ce-specversion";

/// Attributes that an envelope needs here. The specification leaves `time` out; a timeline cannot.
const REQUIRED: [&str; 4] = ["id", "source", "type", "time"];

/// Takes our object out of an envelope; id and time are the envelope's.
pub(crate) fn unwrap(envelope: Value) -> Item {
    let mut faults = Vec::new();
    let said = match &envelope {
        Value::Object(fields) => said(fields, &mut faults),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            faults.push("a CloudEvent must be an object".to_owned());
            None
        }
    };
    match said {
        Some(said) if faults.is_empty() => Item::Said(Value::Object(said)),
        Some(_) | None => Item::Unusable {
            reason: Reason::Schema,
            detail: faults.join("\n"),
            bytes: json::canonical(&envelope).into_bytes(),
        },
    }
}

/// The envelope that the headers and the body are together.
///
/// # Errors
/// Why the body is no JSON.
pub(crate) fn of_headers(headers: &HeaderMap, body: &[u8]) -> Result<Value, String> {
    let mut envelope = Map::new();
    for (name, value) in headers {
        let Some(attribute) = name.as_str().strip_prefix("ce-") else {
            continue;
        };
        // What is no UTF-8 is as good as absent, and is missed below if it is required.
        if let Ok(text) = percent_encoding::percent_decode(value.as_bytes()).decode_utf8() {
            envelope.insert(attribute.to_owned(), Value::String(text.into_owned()));
        }
    }
    envelope.insert("data".to_owned(), json::parse(body)?);
    Ok(Value::Object(envelope))
}

fn said(fields: &Map<String, Value>, faults: &mut Vec<String>) -> Option<Map<String, Value>> {
    let text = |name: &str| {
        fields
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    if text("specversion") != Some("1.0") {
        faults.push("specversion: must be \"1.0\"".to_owned());
    }
    for required in REQUIRED {
        if text(required).is_none() {
            faults.push(format!("{required}: a CloudEvent needs this text"));
        }
    }
    let Some(mut said) = data(fields) else {
        faults.push("data: must be the event's object".to_owned());
        return None;
    };
    let moment = |value: Option<&Value>| {
        value
            .and_then(Value::as_str)
            .and_then(|text| text.parse::<Time>().ok())
    };
    if said.contains_key("time") && moment(said.get("time")) != moment(fields.get("time")) {
        faults.push("data.time: must be the envelope's time, or left out".to_owned());
    }
    let id = format!("{}#{}", text("source")?, text("id")?);
    said.insert("id".to_owned(), Value::String(id));
    said.insert("time".to_owned(), fields.get("time")?.clone());
    Some(said)
}

/// SDKs that are given bytes write them as `data_base64`.
fn data(fields: &Map<String, Value>) -> Option<Map<String, Value>> {
    match (fields.get("data"), fields.get("data_base64")) {
        (Some(Value::Object(data)), None) => Some(data.clone()),
        (None, Some(Value::String(encoded))) => {
            let bytes = BASE64_STANDARD.decode(encoded).ok()?;
            match json::parse(&bytes) {
                Ok(Value::Object(data)) => Some(data),
                Ok(_) | Err(_) => None,
            }
        }
        (_, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;

    fn envelope() -> Value {
        json!({
            "specversion": "1.0", "id": "7", "source": "/tills/3", "type": "fi.example.sold",
            "time": "2026-11-20T09:31:00+02:00",
            "data": {"id": "ignored", "kind": "service", "time": "2026-11-20T07:31:00Z"}
        })
    }

    fn expected() -> Item {
        Item::Said(
            json!({"id": "/tills/3#7", "kind": "service", "time": "2026-11-20T09:31:00+02:00"}),
        )
    }

    #[test]
    fn a_cloud_event_gives_its_data_its_own_id_and_time() {
        assert_eq!(unwrap(envelope()), expected());
        let mut with_bytes = envelope();
        with_bytes["data_base64"] = json!(BASE64_STANDARD.encode(r#"{"kind":"service"}"#));
        with_bytes.as_object_mut().unwrap().remove("data");
        assert_eq!(unwrap(with_bytes), expected());
    }

    #[test]
    fn the_envelope_may_stand_in_the_headers() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("ce-specversion", "1.0"),
            ("ce-id", "7"),
            ("ce-source", "/tills/%33"),
            ("ce-type", "fi.example.sold"),
            ("ce-time", "2026-11-20T09:31:00+02:00"),
            ("ce-partitionkey", "x"),
            ("content-type", "application/json"),
        ] {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        let found = of_headers(&headers, br#"{"kind":"service"}"#).unwrap();
        assert_eq!(unwrap(found), expected());
        headers.remove("ce-id");
        let found = of_headers(&headers, br#"{"kind":"service"}"#).unwrap();
        let Item::Unusable { detail, .. } = unwrap(found) else {
            panic!("it has no id");
        };
        assert_eq!(detail, "id: a CloudEvent needs this text");
        assert!(of_headers(&headers, b"{").is_err());
    }

    #[test]
    fn all_faults_of_an_envelope_are_named() {
        for (envelope, expected) in [
            (
                json!({"specversion": "0.3", "data": {"time": "2026-11-20T07:31:00Z"}}),
                "specversion: must be \"1.0\"\nid: a CloudEvent needs this text\n\
                 source: a CloudEvent needs this text\ntype: a CloudEvent needs this text\n\
                 time: a CloudEvent needs this text\n\
                 data.time: must be the envelope's time, or left out",
            ),
            (json!(5), "a CloudEvent must be an object"),
        ] {
            let Item::Unusable { detail, .. } = unwrap(envelope) else {
                panic!("it has faults");
            };
            assert_eq!(detail, expected);
        }
        for encoded in ["%", "eyI=", "W10="] {
            let mut bad = envelope();
            bad.as_object_mut().unwrap().remove("data");
            bad["data_base64"] = json!(encoded);
            assert!(matches!(unwrap(bad), Item::Unusable { .. }), "{encoded}");
        }
        for data in [json!(null), json!("{}"), json!([{}])] {
            let mut bad = envelope();
            bad["data"] = data;
            assert!(
                matches!(unwrap(bad), Item::Unusable { detail, .. } if detail.starts_with("data: "))
            );
        }
    }
}
