//! A field of our own form that a sender's field may be told to fill.

use std::{fmt, str::FromStr};

use event::Name;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use crate::format::slug;

/// `identifiers.customer_number`, `references.order`, `place`, `name`…
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Identifier(Name),
    Reference(Name),
    /// A field whose values are names: what is written there is made one.
    Name(&'static str),
    /// A field of free words.
    Words(&'static str),
}

const NAMES: [&str; 6] = ["type", "place", "product", "stage", "touchpoint", "party"];
const WORDS: [&str; 3] = ["name", "text", "language"];

impl Field {
    /// Whether an event says something there.
    pub fn is_filled(&self, event: &Map<String, Value>) -> bool {
        match self {
            Field::Identifier(kind) => event
                .get("identifiers")
                .is_some_and(|named| named.get(kind.as_str()).is_some()),
            Field::Reference(kind) => event
                .get("references")
                .is_some_and(|named| named.get(kind.as_str()).is_some()),
            Field::Name(field) | Field::Words(field) => event.contains_key(*field),
        }
    }

    /// Fills the field of an event; an empty text fills nothing, and a second value of an identifier or reference joins the
    /// first.
    pub fn fill(&self, event: &mut Map<String, Value>, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        match self {
            Field::Identifier(kind) => add(event, "identifiers", kind, text),
            Field::Reference(kind) => add(event, "references", kind, text),
            Field::Name(field) => {
                let name = Name::new(text).map_or_else(|_| slug(text), |_| text.to_owned());
                if !name.is_empty() {
                    event.insert((*field).to_owned(), Value::String(name));
                }
            }
            Field::Words(field) => {
                event.insert((*field).to_owned(), Value::String(text.to_owned()));
            }
        }
    }
}

fn add(event: &mut Map<String, Value>, group: &str, kind: &Name, text: &str) {
    let named = event
        .entry(group)
        .or_insert_with(|| Value::Object(Map::new()));
    let Value::Object(named) = named else {
        return;
    };
    let values = named
        .entry(kind.as_str())
        .or_insert_with(|| Value::Array(Vec::new()));
    let text = Value::String(text.to_owned());
    match values {
        Value::Array(values) if !values.contains(&text) => values.push(text),
        Value::String(one) => {
            *values = Value::Array(vec![Value::String(std::mem::take(one)), text])
        }
        Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
    }
}

impl FromStr for Field {
    type Err = String;

    fn from_str(text: &str) -> Result<Field, String> {
        let kind = |kind: &str| Name::new(kind).map_err(|error| error.to_string());
        if let Some(rest) = text.strip_prefix("identifiers.") {
            return Ok(Field::Identifier(kind(rest)?));
        }
        if let Some(rest) = text.strip_prefix("references.") {
            return Ok(Field::Reference(kind(rest)?));
        }
        if let Some(name) = NAMES.iter().find(|name| **name == text) {
            return Ok(Field::Name(name));
        }
        WORDS
            .iter()
            .find(|name| **name == text)
            .map(|name| Field::Words(name))
            .ok_or_else(|| {
                format!(
                    "`{text}` is no field that can be filled; there are `identifiers.TYPE`, `references.TYPE`, `{}`, `{}`",
                    NAMES.join("`, `"),
                    WORDS.join("`, `")
                )
            })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Field::Identifier(kind) => write!(f, "identifiers.{}", kind.as_str()),
            Field::Reference(kind) => write!(f, "references.{}", kind.as_str()),
            Field::Name(field) | Field::Words(field) => f.write_str(field),
        }
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        writer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        String::deserialize(reader)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(fills: &[(&str, &str)]) -> Value {
        let mut event = Map::new();
        for (field, text) in fills {
            field.parse::<Field>().unwrap().fill(&mut event, text);
        }
        Value::Object(event)
    }

    #[test]
    fn a_field_is_filled_as_our_form_wants_it() {
        for (fills, expected) in [
            (
                &[
                    ("identifiers.email", "a@b.fi"),
                    ("identifiers.email", "c@d.fi"),
                ][..],
                json!({"identifiers": {"email": ["a@b.fi", "c@d.fi"]}}),
            ),
            (
                &[("references.order", " A-1 "), ("references.order", "A-1")],
                json!({"references": {"order": ["A-1"]}}),
            ),
            (
                &[
                    ("place", "Kampin myymälä"),
                    ("product", "sofa:3"),
                    ("party", "!!"),
                ],
                json!({"place": "kampin-myymala", "product": "sofa:3"}),
            ),
            (&[("text", " "), ("name", "Aino")], json!({"name": "Aino"})),
        ] {
            assert_eq!(filled(fills), expected);
        }
    }

    #[test]
    fn only_fields_of_our_form_can_be_named() {
        for text in [
            "identifiers.customer_number",
            "references.order",
            "stage",
            "language",
        ] {
            assert_eq!(text.parse::<Field>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "identifiers",
            "identifiers.",
            "references.Order",
            "kind",
            "id",
            "Place",
        ] {
            assert!(text.parse::<Field>().is_err(), "{text}");
        }
    }
}
