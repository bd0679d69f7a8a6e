//! From a body to the objects in it: JSON object, JSON array, NDJSON, structured CloudEvents.

use event::{Time, reject::Reason};
use serde_json::{Map, Value};

use crate::json;

/// How a body is written, by its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One object, or an array of them.
    Json,
    /// One object a line.
    Ndjson,
    /// One of `CloudEvents` in its JSON form, or an array of them.
    CloudEvents,
}

/// What was found at one place of a body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Said(Value),
    /// Refused before anybody looked at its fields; `bytes` are as they came, before the masks.
    Unusable {
        reason: Reason,
        detail: String,
        bytes: Vec<u8>,
    },
}

impl Form {
    /// None for a type that is not taken.
    pub(crate) fn of(content_type: &str) -> Option<Form> {
        let mut parts = content_type.split(';').map(str::trim);
        let form = match parts.next()?.to_ascii_lowercase().as_str() {
            "application/json" => Form::Json,
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Form::Ndjson,
            "application/cloudevents+json" | "application/cloudevents-batch+json" => {
                Form::CloudEvents
            }
            _ => return None,
        };
        let utf8 = parts.all(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            !name.eq_ignore_ascii_case("charset")
                || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        });
        utf8.then_some(form)
    }
}

/// The items of a body, in order.
///
/// # Errors
/// Why the whole cannot be read, without its content.
pub(crate) fn items(form: Form, body: &[u8]) -> Result<Vec<Item>, String> {
    match form {
        Form::Json => Ok(objects(body)?.into_iter().map(Item::Said).collect()),
        Form::CloudEvents => Ok(objects(body)?.into_iter().map(unwrap).collect()),
        Form::Ndjson => lines(body),
    }
}

fn objects(body: &[u8]) -> Result<Vec<Value>, String> {
    match json::parse(body)? {
        Value::Array(items) => Ok(items),
        object @ Value::Object(_) => Ok(vec![object]),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err("the body must be an object or an array of objects".to_owned())
        }
    }
}

/// A line that cannot be read is refused alone; a body of which no line can be read is refused whole.
fn lines(body: &[u8]) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    let mut first_fault = None;
    let mut readable = false;
    for (number, line) in body.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        items.push(match json::parse(line) {
            Ok(value) => {
                readable = true;
                Item::Said(value)
            }
            Err(error) => {
                let detail = format!("line {} of the body: {error}", number + 1);
                first_fault.get_or_insert_with(|| detail.clone());
                Item::Unusable {
                    reason: Reason::Unparseable,
                    detail,
                    bytes: line.to_vec(),
                }
            }
        });
    }
    match first_fault {
        Some(fault) if !readable => Err(fault),
        None if items.is_empty() => Err("the body is empty".to_owned()),
        Some(_) | None => Ok(items),
    }
}

/// Takes our object out of an envelope of CloudEvents; id and time are the envelope's.
fn unwrap(envelope: Value) -> Item {
    let mut faults = Vec::new();
    let said = match &envelope {
        Value::Object(fields) => object_of(fields, &mut faults),
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

fn object_of(fields: &Map<String, Value>, faults: &mut Vec<String>) -> Option<Map<String, Value>> {
    let text = |name: &str| {
        fields
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    if text("specversion") != Some("1.0") {
        faults.push("specversion: must be \"1.0\"".to_owned());
    }
    for required in ["id", "source", "time"] {
        if text(required).is_none() {
            faults.push(format!("{required}: a CloudEvent needs this text"));
        }
    }
    let Some(Value::Object(data)) = fields.get("data") else {
        faults.push("data: must be the event's object".to_owned());
        return None;
    };
    let moment = |value: Option<&Value>| {
        value
            .and_then(Value::as_str)
            .and_then(|text| text.parse::<Time>().ok())
    };
    if data.contains_key("time") && moment(data.get("time")) != moment(fields.get("time")) {
        faults.push("data.time: must be the envelope's time, or left out".to_owned());
    }
    let mut said = data.clone();
    let id = format!("{}#{}", text("source")?, text("id")?);
    said.insert("id".to_owned(), Value::String(id));
    said.insert("time".to_owned(), fields.get("time")?.clone());
    Some(said)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_content_type_decides_the_form() {
        for (content_type, form) in [
            ("application/json", Some(Form::Json)),
            ("Application/JSON; charset=UTF-8", Some(Form::Json)),
            ("application/json; charset=latin1", None),
            ("application/x-ndjson", Some(Form::Ndjson)),
            (
                "application/cloudevents+json; charset=\"utf-8\"",
                Some(Form::CloudEvents),
            ),
            (
                "application/cloudevents-batch+json",
                Some(Form::CloudEvents),
            ),
            ("text/csv", None),
            ("application/x-www-form-urlencoded", None),
            ("", None),
        ] {
            assert_eq!(Form::of(content_type), form, "{content_type}");
        }
    }

    #[test]
    fn an_object_an_array_and_lines_hold_the_same_items() {
        let expected = Ok(vec![
            Item::Said(json!({"a": 1})),
            Item::Said(json!({"a": 2})),
        ]);
        assert_eq!(items(Form::Json, br#"[{"a":1},{"a":2}]"#), expected);
        assert_eq!(items(Form::Ndjson, b"{\"a\":1}\r\n\n{\"a\":2}\n"), expected);
        assert_eq!(
            items(Form::Json, br#"{"a":1}"#),
            Ok(vec![Item::Said(json!({"a": 1}))])
        );
        assert_eq!(items(Form::Json, b"[]"), Ok(vec![]));
    }

    #[test]
    fn a_bad_line_is_refused_alone_and_only_bad_lines_together() {
        let found = items(Form::Ndjson, b"{\"a\":1}\n{oops\n").unwrap();
        assert_eq!(found.len(), 2);
        assert!(matches!(
            &found[1],
            Item::Unusable { reason: Reason::Unparseable, detail, bytes }
                if detail.starts_with("line 2 of the body") && bytes == b"{oops"
        ));
        for nothing in [&b"{oops\n[\n"[..], b"", b"\n\n"] {
            assert!(items(Form::Ndjson, nothing).is_err());
        }
        for nothing in [&b"7"[..], b"", b"\"a\"", b"{", b"null"] {
            assert!(items(Form::Json, nothing).is_err());
        }
    }

    #[test]
    fn a_cloud_event_gives_its_data_its_own_id_and_time() {
        let envelope = json!({
            "specversion": "1.0", "id": "7", "source": "/tills/3", "type": "fi.example.sold",
            "time": "2026-11-20T09:31:00+02:00",
            "data": {"id": "ignored", "kind": "service", "time": "2026-11-20T07:31:00Z"}
        });
        assert_eq!(
            items(Form::CloudEvents, envelope.to_string().as_bytes()),
            Ok(vec![Item::Said(json!({
                "id": "/tills/3#7", "kind": "service", "time": "2026-11-20T09:31:00+02:00"
            }))])
        );
    }

    #[test]
    fn all_faults_of_an_envelope_are_named() {
        let found = items(
            Form::CloudEvents,
            br#"[{"specversion":"0.3","data":{"time":"2026-11-20T07:31:00Z"}},5]"#,
        )
        .unwrap();
        let details: Vec<&str> = found
            .iter()
            .map(|item| match item {
                Item::Unusable { detail, .. } => detail.as_str(),
                Item::Said(_) => "",
            })
            .collect();
        assert_eq!(
            details,
            [
                "specversion: must be \"1.0\"\nid: a CloudEvent needs this text\n\
                 source: a CloudEvent needs this text\ntime: a CloudEvent needs this text\n\
                 data.time: must be the envelope's time, or left out",
                "a CloudEvent must be an object"
            ]
        );
    }
}
