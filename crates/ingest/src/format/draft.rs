//! An event of our own form, as a format writes it.

use event::{Kind, Name, Time, rules::Normaliser};
use identifier::{Region, normalise};
use serde_json::{Map, Value, json};

use super::Sender;
use crate::validate;

/// Written field by field, and what is absent is left out. It keeps the door's bounds on what a sender may write as it likes (long
/// texts, long names, many attributes), so that none of them is a reason to refuse what happened.
#[derive(Clone, Debug)]
#[must_use = "an event is taken from it by `event`"]
pub struct Draft {
    event: Map<String, Value>,
    attributes: Map<String, Value>,
    attributes_bytes: usize,
}

/// As the door counts them.
const TEXT_CHARS_MAX: usize = 20_000;
const PERSON_CHARS_MAX: usize = 200;
/// Half of what the door takes: JSON writes some characters as six.
const ATTRIBUTES_BYTES_MAX: usize = 16 * 1024;

impl Draft {
    /// `name` is the event's type.
    pub fn new(id: impl Into<String>, kind: Kind, name: &str, time: Time) -> Draft {
        let mut event = Map::new();
        event.insert("id".to_owned(), Value::String(id.into()));
        event.insert("kind".to_owned(), Value::from(kind.as_str()));
        event.insert("type".to_owned(), Value::from(name));
        event.insert("time".to_owned(), Value::String(time.to_string()));
        Draft {
            event,
            attributes: Map::new(),
            attributes_bytes: 0,
        }
    }

    /// Of a type that may be named again: all its values are kept.
    pub fn identifier(mut self, kind: &str, value: Option<&str>) -> Draft {
        self.name("identifiers", kind, value);
        self
    }

    /// As `identifier`.
    pub fn reference(mut self, kind: &str, value: Option<&str>) -> Draft {
        self.name("references", kind, value);
        self
    }

    /// A telephone number in international form. Anything else is left out: telephony writes `anonymous`, `client:anna` or an
    /// invented number where there is none.
    pub fn phone(self, value: Option<&str>) -> Draft {
        let dialled =
            value.filter(|value| value.starts_with('+') && is_one(Normaliser::Phone, value));
        self.identifier("phone", dialled)
    }

    /// An e-mail address. Anything else is left out.
    pub fn email(self, value: Option<&str>) -> Draft {
        let address = value.filter(|value| is_one(Normaliser::Email, value));
        self.identifier("email", address)
    }

    /// The customer's words.
    pub fn text(mut self, value: Option<&str>) -> Draft {
        self.words("text", value);
        self
    }

    /// The customer's name.
    pub fn person(mut self, value: Option<&str>) -> Draft {
        self.words("name", value);
        self
    }

    /// One of the fields that hold a name: `place`, `product`, `stage`, `touchpoint`, `party`. Left out if it is none.
    pub fn named(mut self, field: &'static str, value: Option<&str>) -> Draft {
        if let Some(name) = value.filter(|value| Name::new(value).is_ok()) {
            self.event.insert(field.to_owned(), Value::from(name));
        }
        self
    }

    /// The language of the customer's words.
    pub fn language(mut self, tag: Option<&str>) -> Draft {
        if let Some(tag) = tag.filter(|tag| validate::is_language(tag)) {
            self.event.insert("language".to_owned(), Value::from(tag));
        }
        self
    }

    /// An answer on a scale; left out if it does not lie on it.
    pub fn score(mut self, metric: &str, value: f64, min: f64, max: f64) -> Draft {
        if min < max && (min..=max).contains(&value) {
            self.event.insert(
                "score".to_owned(),
                json!({"metric": metric, "value": value, "min": min, "max": max}),
            );
        }
        self
    }

    /// As `named`, where the event says nothing yet.
    pub fn otherwise(self, field: &'static str, value: Option<&str>) -> Draft {
        if self.event.contains_key(field) {
            self
        } else {
            self.named(field, value)
        }
    }

    /// The sender's own. Those that come after the door's bound are left out.
    pub fn attribute(mut self, name: &str, value: Option<impl Into<Value>>) -> Draft {
        let Some(value) = value.map(Into::into) else {
            return self;
        };
        let bytes = name.len() + value.to_string().len() + 8;
        if self.attributes_bytes + bytes <= ATTRIBUTES_BYTES_MAX {
            self.attributes_bytes += bytes;
            self.attributes.insert(name.to_owned(), value);
        }
        self
    }

    /// What the source's configuration adds.
    pub fn configured(mut self, sender: &Sender<'_>, payload: &Value) -> Draft {
        sender.complete(&mut self.event, payload);
        self
    }

    /// The event as the door reads it; words beyond its bounds are cut off, and one can see it.
    pub fn event(mut self) -> Value {
        for (field, chars_max) in [("text", TEXT_CHARS_MAX), ("name", PERSON_CHARS_MAX)] {
            if let Some(Value::String(text)) = self.event.get_mut(field) {
                cut(text, chars_max);
            }
        }
        if !self.attributes.is_empty() {
            self.event
                .insert("attributes".to_owned(), Value::Object(self.attributes));
        }
        Value::Object(self.event)
    }

    fn name(&mut self, group: &str, kind: &str, value: Option<&str>) {
        let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else {
            return;
        };
        let named = &mut self.event.entry(group).or_insert_with(|| json!({}))[kind];
        match named {
            Value::Array(values) => values.push(Value::from(value)),
            Value::Null => *named = Value::from(value),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                *named = json!([named.take(), value]);
            }
        }
    }

    fn words(&mut self, field: &'static str, value: Option<&str>) {
        if let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) {
            self.event.insert(field.to_owned(), Value::from(value));
        }
    }
}

/// Of what is written the same in every country.
fn is_one(normaliser: Normaliser, value: &str) -> bool {
    let anywhere = Region::new("FI").expect("Finland is a country");
    normalise(normaliser, anywhere, value).is_ok()
}

fn cut(text: &mut String, chars_max: usize) {
    if text.chars().nth(chars_max).is_some() {
        let kept = text.char_indices().nth(chars_max - 1);
        text.truncate(kept.map_or(text.len(), |(at, _)| at));
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft::new("1", Kind::Service, "call.answered", Time::from_millis(0))
    }

    #[test]
    fn what_is_absent_is_left_out() {
        let event = draft()
            .identifier("email", None)
            .reference("order", Some("  "))
            .phone(Some("anonymous"))
            .text(None)
            .named("place", Some("Not A Name"))
            .attribute("direction", None::<&str>)
            .event();
        assert_eq!(
            event,
            json!({"id": "1", "kind": "service", "type": "call.answered", "time": "1970-01-01T00:00:00Z"})
        );
    }

    #[test]
    fn values_of_one_type_stand_together() {
        let event = draft()
            .reference("shipment", Some("S1"))
            .reference("shipment", Some("S2"))
            .reference("shipment", Some("S3"))
            .reference("order", Some("A"))
            .event();
        assert_eq!(
            event["references"],
            json!({"shipment": ["S1", "S2", "S3"], "order": "A"})
        );
    }

    #[test]
    fn only_what_can_be_dialled_or_written_to_is_an_identifier() {
        for (value, kept) in [
            ("+358407055810", true),
            ("+14158675309", true),
            // What carriers send for a hidden number.
            ("+266696687", false),
            ("+7378742833", false),
            ("040 705 5810", false),
            ("client:anna", false),
            ("sip:anna@example.fi", false),
            ("+1415867530900000000000", false),
        ] {
            let event = draft().phone(Some(value)).event();
            assert_eq!(event.get("identifiers").is_some(), kept, "{value}");
        }
        let event = draft()
            .email(Some("aino@example.fi"))
            .email(Some("aino"))
            .event();
        assert_eq!(event["identifiers"], json!({"email": "aino@example.fi"}));
    }

    #[test]
    fn what_is_too_long_is_cut_and_shows_it() {
        let event = draft()
            .text(Some(&"ä".repeat(20_001)))
            .person(Some(&"ö".repeat(200)))
            .attribute("large", Some("x".repeat(20_000)))
            .attribute("small", Some(7))
            .event();
        let text = event["text"].as_str().unwrap();
        assert_eq!(text.chars().count(), 20_000);
        assert!(text.ends_with('…'));
        assert_eq!(event["name"].as_str().unwrap().chars().count(), 200);
        assert_eq!(event["attributes"], json!({"small": 7}));
    }
}
