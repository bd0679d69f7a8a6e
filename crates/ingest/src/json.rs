//! JSON without its traps: no key twice, no NUL, at most 64 levels, texts of whole characters, numbers that are finite.

use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The deepest nesting that is read.
pub(crate) const DEPTH_MAX: u8 = 64;

/// Reads one JSON value and nothing behind it.
///
/// # Errors
/// A text that names line and column and no content.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, String> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Level(DEPTH_MAX)
        .deserialize(&mut reader)
        .map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// The same bytes for equal values, whatever the order of their keys.
pub(crate) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            text.push_str(&value.to_string());
        }
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write_canonical(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (place, (key, inner)) in fields.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write_canonical(inner, text);
            }
            text.push('}');
        }
    }
}

/// How many levels may still open.
struct Level(u8);

impl Level {
    fn deeper<E: de::Error>(&self) -> Result<Level, E> {
        self.0
            .checked_sub(1)
            .map(Level)
            .ok_or_else(|| E::custom(format_args!("more than {DEPTH_MAX} levels deep")))
    }
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        without_nul(value).map(|text| Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self.deeper()?)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            without_nul::<A::Error>(&key)?;
            let inner = fields.next_value_seed(self.deeper()?)?;
            if object.insert(key, inner).is_some() {
                return Err(de::Error::custom("a key that stands twice in one object"));
            }
        }
        Ok(Value::Object(object))
    }
}

fn without_nul<E: de::Error>(text: &str) -> Result<&str, E> {
    if text.contains('\0') {
        return Err(E::custom("a NUL character in a text"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_reads_as_json() {
        let text = r#" {"a": [1, -2, 2.5, "ä\n\ud83d\ude00", true, null], "b": {"c": {}}} "#;
        assert_eq!(
            parse(text.as_bytes()),
            Ok(json!({"a": [1, -2, 2.5, "ä\n😀", true, null], "b": {"c": {}}}))
        );
    }

    #[test]
    fn traps_are_refused_without_telling_the_content() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(deep(64).as_bytes()).is_ok());
        for (trap, said) in [
            (deep(65), "64 levels"),
            (deep(100_000), "64 levels"),
            (r#"{"secret":1,"secret":1}"#.to_owned(), "twice"),
            (r#"{"a":{"secret":1,"secret":2}}"#.to_owned(), "twice"),
            (r#"{"a":NaN}"#.to_owned(), "line 1 column"),
            (r#"{"a":1e999}"#.to_owned(), "out of range"),
            (r#""\ud800""#.to_owned(), "line 1"),
            (r#""\udc00 secret""#.to_owned(), "line 1"),
            ("\"secret\\u0000\"".to_owned(), "NUL"),
            ("{\"secret\\u0000\":1}".to_owned(), "NUL"),
            ("\"a\u{0}\"".to_owned(), "control character"),
            ("{} {}".to_owned(), "trailing"),
            ("".to_owned(), "EOF"),
            ("{\"a\":\"secret".to_owned(), "EOF"),
            ("{'a':1}".to_owned(), "line 1"),
        ] {
            let error = parse(trap.as_bytes()).expect_err("a trap");
            assert!(error.contains(said), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn the_order_of_keys_makes_no_difference() {
        let one = parse(br#"{"b":[{"y":1,"x":2}],"a":"k"}"#).unwrap();
        let other = parse(br#"{"a":"k","b":[{"x":2,"y":1}]}"#).unwrap();
        assert_eq!(canonical(&one), canonical(&other));
        assert_eq!(canonical(&one), r#"{"a":"k","b":[{"x":2,"y":1}]}"#);
    }
}
