//! From a body to the objects in it: JSON object, JSON array, NDJSON, structured CloudEvents.

use axum::http::{HeaderMap, header};
use event::reject::Reason;
use serde_json::Value;

use crate::{cloud_event, json};

/// How a body is written, by its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One object, or an array of them.
    Json,
    /// One object a line.
    Ndjson,
    /// One of `CloudEvents` in its JSON form, or an array of them.
    CloudEvents,
    /// The data of one of `CloudEvents` whose envelope is in the headers.
    CloudEventData,
}

/// What was found at one place of a body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Said(Value),
    /// A payload of a sender's own format that means nothing to Polku, and why.
    Filtered(&'static str),
    /// Refused before anybody looked at its fields; `bytes` are as they came, before the masks.
    Unusable {
        reason: Reason,
        detail: String,
        bytes: Vec<u8>,
    },
}

impl Form {
    /// None for a type that is not taken.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Form> {
        let is_data = headers.contains_key(cloud_event::IN_HEADERS);
        let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
            // What a CloudEvent says nothing of is JSON.
            return is_data.then_some(Form::CloudEventData);
        };
        match Self::named(content_type.to_str().ok()?)? {
            Form::Json if is_data => Some(Form::CloudEventData),
            form @ (Form::Json | Form::Ndjson | Form::CloudEvents | Form::CloudEventData) => {
                Some(form)
            }
        }
    }

    fn named(content_type: &str) -> Option<Form> {
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

/// The items of a request, in order.
///
/// # Errors
/// Why the whole cannot be read, without its content.
pub(crate) fn items(form: Form, headers: &HeaderMap, body: &[u8]) -> Result<Vec<Item>, String> {
    match form {
        Form::Json => Ok(objects(body)?.into_iter().map(Item::Said).collect()),
        Form::CloudEvents => Ok(objects(body)?
            .into_iter()
            .map(cloud_event::unwrap)
            .collect()),
        Form::CloudEventData => Ok(vec![cloud_event::unwrap(cloud_event::of_headers(
            headers, body,
        )?)]),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(form: Form, body: &[u8]) -> Result<Vec<Item>, String> {
        items(form, &HeaderMap::new(), body)
    }

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
            assert_eq!(Form::named(content_type), form, "{content_type}");
        }
    }

    #[test]
    fn an_object_an_array_and_lines_hold_the_same_items() {
        let expected = Ok(vec![
            Item::Said(json!({"a": 1})),
            Item::Said(json!({"a": 2})),
        ]);
        assert_eq!(found(Form::Json, br#"[{"a":1},{"a":2}]"#), expected);
        assert_eq!(found(Form::Ndjson, b"{\"a\":1}\r\n\n{\"a\":2}\n"), expected);
        assert_eq!(
            found(Form::Json, br#"{"a":1}"#),
            Ok(vec![Item::Said(json!({"a": 1}))])
        );
        assert_eq!(found(Form::Json, b"[]"), Ok(vec![]));
    }

    #[test]
    fn a_bad_line_is_refused_alone_and_only_bad_lines_together() {
        let both = found(Form::Ndjson, b"{\"a\":1}\n{oops\n").unwrap();
        assert_eq!(both.len(), 2);
        assert!(matches!(
            &both[1],
            Item::Unusable { reason: Reason::Unparseable, detail, bytes }
                if detail.starts_with("line 2 of the body") && bytes == b"{oops"
        ));
        for nothing in [&b"{oops\n[\n"[..], b"", b"\n\n"] {
            assert!(found(Form::Ndjson, nothing).is_err());
        }
        for nothing in [&b"7"[..], b"", b"\"a\"", b"{", b"null"] {
            assert!(found(Form::Json, nothing).is_err());
        }
    }
}
