//! What every format must bear, and what its tests need. Only tests of the channel crates call this.

use std::path::{Path, PathBuf};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use event::{SourceId, Time};
use serde_json::{Map, Value, json};

use super::{Format, Mapped, Request, Sender};
use crate::{
    Source,
    validate::{self, Faults},
};

/// A request that a test sends.
#[derive(Clone, Debug)]
pub struct Post {
    pub headers: HeaderMap,
    pub url: String,
    pub body: Vec<u8>,
    pub received: Time,
}

impl Post {
    /// Received at 2026-11-22T00:00:00Z.
    pub fn new(body: impl Into<Vec<u8>>) -> Post {
        Post {
            headers: HeaderMap::new(),
            url: "https://polku.example.com/v1/sources/one/events".to_owned(),
            body: body.into(),
            received: Time::from_millis(1_795_305_600_000),
        }
    }

    /// # Panics
    /// When it is no header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Post {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a test names a header");
        let value = HeaderValue::from_str(value).expect("a test gives a header's value");
        self.headers.insert(name, value);
        self
    }

    pub fn request(&self) -> Request<'_> {
        Request {
            headers: &self.headers,
            url: &self.url,
            body: &self.body,
            received: self.received,
        }
    }
}

/// A source of the name `one` with this configuration, which lacks only its channel.
#[derive(Clone, Debug)]
pub struct One {
    id: SourceId,
    source: Source,
}

impl One {
    /// # Panics
    /// When the configuration is none.
    pub fn new(channel: &str, mut configuration: Value) -> One {
        configuration["channel"] = Value::from(channel);
        One {
            id: SourceId::new("one").expect("a good name"),
            source: serde_json::from_value(configuration).expect("a test configures a source"),
        }
    }

    pub fn sender(&self) -> Sender<'_> {
        Sender {
            id: &self.id,
            source: &self.source,
            received: Post::new("").received,
        }
    }
}

/// The bytes of a file of `payloads` among the samples of `POLKU_SAMPLES`; none, and said so, where they are absent and nobody insists.
///
/// # Panics
/// When `POLKU_REQUIRE` asks for the samples.
pub fn sample(file: &str) -> Option<Vec<u8>> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("POLKU_SAMPLES").map_or(beside, PathBuf::from);
    let path = folder.join("payloads").join(file);
    if let Ok(bytes) = std::fs::read(&path) {
        return Some(bytes);
    }
    let required = std::env::var_os("POLKU_REQUIRE").unwrap_or_default();
    assert!(
        !required.to_string_lossy().contains("samples"),
        "POLKU_REQUIRE asks for the samples and {} is absent",
        path.display()
    );
    eprintln!("skipped: {} is absent; set POLKU_SAMPLES", path.display());
    None
}

/// Changes the payload in every single place and sees that the format bears it:
/// - a field that it does not know changes nothing;
/// - a field that is absent or null is a fault only where it is `required` (`time`, `detail.id`), and then the fault names it;
/// - hostile values are a fault, or filtered, or events that the door takes but for the values of identifiers and references.
///
/// # Panics
/// With the change that the format does not bear.
pub fn endure(format: &dyn Format, sender: &Sender<'_>, payload: &Value, required: &[&str]) {
    let whole = format.map(payload, sender);
    assert!(is_good(&whole, sender), "as it is: {whole:?}");
    for place in places(payload) {
        let inside = change(payload, &place, |value| {
            if let Value::Object(fields) = value {
                fields.insert("unknownToAnybody".to_owned(), json!({"x": [1, null]}));
            }
        });
        let same = format.map(&inside, sender);
        assert_eq!(same, whole, "with an unknown field in {place:?}");
        if place.is_empty() {
            continue;
        }
        for missing in [
            without(payload, &place),
            change(payload, &place, |value| *value = Value::Null),
        ] {
            let mapped = format.map(&missing, sender);
            let path = place.join(".");
            let may_fail = required
                .iter()
                .any(|field| *field == path || field.starts_with(&format!("{path}.")));
            match &mapped {
                Mapped::Faulty(detail) if may_fail => {
                    assert!(
                        required.iter().any(|field| detail.contains(field)),
                        "{detail}"
                    );
                }
                Mapped::Faulty(_) | Mapped::Events(_) | Mapped::Filtered(_) => {
                    assert!(is_good(&mapped, sender), "without {path}: {mapped:?}");
                }
            }
        }
        for hostile in hostile() {
            let changed = change(payload, &place, |value| *value = hostile.clone());
            match format.map(&changed, sender) {
                Mapped::Faulty(detail) => assert!(!detail.is_empty(), "a reason for {place:?}"),
                mapped @ (Mapped::Events(_) | Mapped::Filtered(_)) => assert!(
                    is_good(&mapped, sender),
                    "{place:?} = {}",
                    hostile.to_string().chars().take(80).collect::<String>()
                ),
            }
        }
    }
}

/// Whether the door takes what came out. What identifiers and references hold is for the door to judge.
pub fn is_good(mapped: &Mapped, sender: &Sender<'_>) -> bool {
    match mapped {
        Mapped::Filtered(_) => true,
        Mapped::Faulty(_) => false,
        Mapped::Events(events) => {
            !events.is_empty() && events.iter().all(|event| faults(event, sender).is_empty())
        }
    }
}

/// What the door finds wrong with an event, one a line.
pub fn faults(event: &Value, sender: &Sender<'_>) -> String {
    let mut faults = Faults::default();
    let has_id = event["id"].as_str().is_some_and(|id| !id.trim().is_empty());
    let operational = &sender.source.operational;
    let _draft = validate::draft(event, has_id, sender.received, operational, &mut faults);
    let lines = faults.detail();
    let of_form = lines
        .lines()
        .filter(|line| !line.starts_with("identifiers") && !line.starts_with("references"));
    of_form.collect::<Vec<_>>().join("\n")
}

fn hostile() -> Vec<Value> {
    let deep = (0..60).fold(json!(1), |inner, _| json!({ "a": [inner] }));
    vec![
        json!(true),
        json!(-1),
        json!(u64::MAX),
        json!(1e308),
        json!(""),
        json!("\u{202e}\u{0007} x \u{1f600}"),
        json!("9".repeat(100_000)),
        json!("99999-12-31T23:59:59.999999999+23:59"),
        json!("0000-00-00"),
        json!("urn:epc:id:sscc:.."),
        json!([]),
        json!([null, [], {}, "", 7]),
        json!({}),
        json!({"": {"": null}}),
        deep,
    ]
}

/// The path to every value, the whole first.
fn places(payload: &Value) -> Vec<Vec<String>> {
    let mut places = vec![Vec::new()];
    let inner: Vec<(String, &Value)> = match payload {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (key, value) in inner {
        for deeper in self::places(value) {
            places.push(std::iter::once(key.clone()).chain(deeper).collect());
        }
    }
    places
}

fn change(payload: &Value, place: &[String], with: impl FnOnce(&mut Value)) -> Value {
    let mut changed = payload.clone();
    let pointer = pointer(place);
    with(
        changed
            .pointer_mut(&pointer)
            .expect("the place was found in this payload"),
    );
    changed
}

fn without(payload: &Value, place: &[String]) -> Value {
    let Some((last, above)) = place.split_last() else {
        return Value::Object(Map::new());
    };
    change(payload, above, |value| match value {
        Value::Object(fields) => {
            fields.remove(last);
        }
        Value::Array(items) => {
            items.remove(last.parse().expect("an array's places are numbers"));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    })
}

fn pointer(place: &[String]) -> String {
    place
        .iter()
        .map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1")))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use event::Kind;

    use super::*;
    use crate::format::{Draft, Refusal, look};

    /// A format with one of the weaknesses that the trial is there to find.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Weak {
        No,
        MindsUnknownFields,
        NeedsItsPlace,
        NamesNoField,
        Panics,
        WritesWhatTheDoorRefuses,
        SaysNothing,
    }

    impl Format for Weak {
        fn name(&self) -> &'static str {
            "weak"
        }

        fn authenticate(&self, _: &Request<'_>, _: &[Vec<u8>]) -> Result<(), Refusal> {
            Ok(())
        }

        fn parse(&self, request: &Request<'_>) -> Result<Vec<Value>, String> {
            Ok(vec![look::object(request.body)?])
        }

        fn map(&self, payload: &Value, sender: &Sender<'_>) -> Mapped {
            let Some(id) = look::word(payload, "id") else {
                let weak = *self == Weak::NamesNoField;
                return Mapped::Faulty(if weak { "wrong" } else { "id: is required" }.to_owned());
            };
            let place = look::text(payload, "where.place");
            let time = sender.received;
            let draft = Draft::new(id, Kind::Service, "visit.seen", time).named("place", place);
            let draft = match self {
                Weak::MindsUnknownFields => {
                    draft.attribute("fields", payload.as_object().map(|fields| fields.len()))
                }
                Weak::NeedsItsPlace if place.is_none() => {
                    return Mapped::Faulty("where.place: is required".to_owned());
                }
                Weak::Panics => draft.attribute(
                    "first",
                    payload["where"]["place"].as_str().map(|text| &text[..1]),
                ),
                Weak::SaysNothing => return Mapped::Events(Vec::new()),
                Weak::No
                | Weak::NeedsItsPlace
                | Weak::NamesNoField
                | Weak::WritesWhatTheDoorRefuses => draft,
            };
            let mut event = draft.event();
            if *self == Weak::WritesWhatTheDoorRefuses {
                event["place"] = payload["where"]["place"].clone();
            }
            Mapped::Events(vec![event])
        }
    }

    #[test]
    fn a_weakness_is_found_and_its_absence_is_borne() {
        let one = One::new("store", json!({"format": "weak"}));
        let payload = json!({"id": "1", "where": {"place": "store:kamppi"}});
        for (weak, is_borne) in [
            (Weak::No, true),
            (Weak::MindsUnknownFields, false),
            (Weak::NeedsItsPlace, false),
            (Weak::NamesNoField, false),
            (Weak::Panics, false),
            (Weak::WritesWhatTheDoorRefuses, false),
            (Weak::SaysNothing, false),
        ] {
            let tried = AssertUnwindSafe(|| endure(&weak, &one.sender(), &payload, &["id"]));
            assert_eq!(catch_unwind(tried).is_ok(), is_borne, "{weak:?}");
        }
    }
}
