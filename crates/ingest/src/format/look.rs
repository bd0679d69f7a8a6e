//! Looking into a sender's payload. Nothing here fails: what is absent, null, empty or of another sort is not there.

use std::borrow::Cow;

use event::Time;
use jiff::{Timestamp, fmt::rfc2822};
use serde_json::Value;

/// The one object that a body is.
///
/// # Errors
/// When it is not JSON, or no object.
pub fn object(body: &[u8]) -> Result<Value, String> {
    let value = super::json(body)?;
    if value.is_object() {
        Ok(value)
    } else {
        Err("the body must be an object".to_owned())
    }
}

/// What lies at a path like `detail.via.channel` or `answers.0.text`.
pub fn at<'a>(payload: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .try_fold(payload, |value, key| match value {
            Value::Array(items) => items.get(key.parse::<usize>().ok()?),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => value.get(key),
        })
        .filter(|value| !value.is_null())
}

/// A text without the spaces around it.
pub fn text<'a>(payload: &'a Value, path: &str) -> Option<&'a str> {
    at(payload, path)
        .and_then(Value::as_str)
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// What some write as a text and some as a whole number: ids, statuses, counts.
pub fn word<'a>(payload: &'a Value, path: &str) -> Option<Cow<'a, str>> {
    match at(payload, path)? {
        Value::Number(number) if number.is_i64() || number.is_u64() => {
            Some(Cow::Owned(number.to_string()))
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => text(payload, path).map(Cow::Borrowed),
    }
}

/// A flag, also where it is written as a text.
pub fn flag(payload: &Value, path: &str) -> Option<bool> {
    let value = at(payload, path)?;
    value
        .as_bool()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

/// The items of an array; a value that stands alone is the only one.
pub fn items<'a>(payload: &'a Value, path: &str) -> &'a [Value] {
    match at(payload, path) {
        None => &[],
        Some(Value::Array(items)) => items,
        Some(alone) => std::slice::from_ref(alone),
    }
}

/// The texts among the items of an array.
pub fn texts<'a>(payload: &'a Value, path: &str) -> impl Iterator<Item = &'a str> {
    items(payload, path)
        .iter()
        .filter_map(Value::as_str)
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// A moment in RFC 3339, as the field at the path writes it.
pub fn moment(payload: &Value, path: &str) -> Option<Time> {
    text(payload, path).and_then(read_moment)
}

/// A moment in RFC 3339 with its own offset. What lies before 1970 is the default value of somebody's date field.
pub fn read_moment(text: &str) -> Option<Time> {
    text.parse()
        .ok()
        .filter(|time| *time >= Time::from_millis(0))
}

/// A moment as e-mail and telephony write it: `Fri, 20 Nov 2026 07:31:00 +0000`.
pub fn read_mail_moment(text: &str) -> Option<Time> {
    let moment: Timestamp = rfc2822::DateTimeParser::new()
        .relaxed_weekday(true)
        .parse_timestamp(text)
        .ok()?;
    Some(Time::from_millis(moment.as_millisecond())).filter(|time| *time >= Time::from_millis(0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_null_empty_or_of_another_sort_is_not_there() {
        let payload = json!({
            "a": {"text": " x ", "empty": " ", "null": null, "number": 7, "huge": 1e300, "true": "true", "list": ["p", 1, ""]},
        });
        assert_eq!(text(&payload, "a.text"), Some("x"));
        for path in [
            "a.empty",
            "a.null",
            "a.number",
            "a.text.deeper",
            "b",
            "",
            "a.list",
        ] {
            assert_eq!(text(&payload, path), None, "{path}");
        }
        for (path, expected) in [
            ("a.text", Some("x")),
            ("a.number", Some("7")),
            ("a.huge", None),
            ("a.null", None),
            ("a.list", None),
        ] {
            assert_eq!(word(&payload, path).as_deref(), expected, "{path}");
        }
        assert_eq!(flag(&payload, "a.true"), Some(true));
        assert_eq!(flag(&payload, "a.number"), None);
        assert_eq!(text(&payload, "a.list.0"), Some("p"));
        assert_eq!(text(&payload, "a.list.9"), None);
        assert_eq!(texts(&payload, "a.list").collect::<Vec<_>>(), ["p"]);
        assert_eq!(texts(&payload, "a.text").collect::<Vec<_>>(), ["x"]);
        assert_eq!(items(&payload, "a.null"), &[] as &[Value]);
    }

    #[test]
    fn moments_carry_an_offset_and_lie_after_1970() {
        for (read, expected) in [
            (
                read_moment("2026-11-20T09:31:00.123456789+02:00"),
                Some(1_795_159_860_123),
            ),
            (read_moment("2026-11-20T07:31:00Z"), Some(1_795_159_860_000)),
            (read_moment("2026-11-20T07:31:00"), None),
            (read_moment("1899-12-30T00:00:00Z"), None),
            (
                read_mail_moment("Fri, 20 Nov 2026 07:31:00 +0000"),
                Some(1_795_159_860_000),
            ),
            (
                read_mail_moment("Mon, 20 Nov 2026 09:31:00 +0200"),
                Some(1_795_159_860_000),
            ),
            (read_mail_moment("yesterday"), None),
        ] {
            assert_eq!(read.map(Time::as_millis), expected);
        }
    }
}
