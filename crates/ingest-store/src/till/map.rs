//! A receipt as what happened: a purchase, and each thing that was brought back.

use event::{Kind, Name, Time};
use ingest::format::{Draft, Mapped, Sender, look};
use serde_json::{Map, Value, json};

use crate::payload::{self, Reading};

/// What a till may know a customer by.
const IDENTIFIERS: [&str; 4] = ["customer_number", "loyalty_card", "email", "phone"];

/// So many lines of a receipt are kept with the purchase.
const LINES_MAX: usize = 50;

pub(super) fn receipt(payload: &Value, sender: &Sender<'_>) -> Mapped {
    let mut reading = Reading::of(payload);
    let till = reading.part("till");
    let number = reading.part("receipt.number");
    let time = reading.time("receipt.time");
    // The day as the till wrote it, in its own zone.
    let day: String = look::text(payload, "receipt.time")
        .map(|text| text.chars().take("2026-11-20".len()).collect())
        .unwrap_or_default();
    let place = payload::place(payload);
    let receipt = Receipt {
        payload,
        sender,
        time,
        id: key(place.as_deref().unwrap_or_default(), &till, &day, &number),
        place,
        till: &till,
    };
    let returns = look::items(payload, "receipt.returns");
    let mut events = Vec::new();
    if returns.is_empty() || !look::items(payload, "receipt.lines").is_empty() {
        events.push(receipt.purchase(&mut reading));
    }
    for index in 0..returns.len() {
        events.push(receipt.brought_back(index, &mut reading));
    }
    match reading.faults() {
        None => Mapped::Events(events),
        Some(faults) => Mapped::Faulty(faults),
    }
}

/// What tells a receipt from all others.
fn key(place: &str, till: &str, day: &str, number: &str) -> String {
    format!("{place}/{till}/{day}/{number}")
}

struct Receipt<'a> {
    payload: &'a Value,
    sender: &'a Sender<'a>,
    id: String,
    time: Time,
    place: Option<String>,
    till: &'a str,
}

impl Receipt<'_> {
    fn purchase(&self, reading: &mut Reading<'_>) -> Value {
        let lines = look::items(self.payload, "receipt.lines");
        let kept: Vec<Value> = lines.iter().take(LINES_MAX).map(line).collect();
        let mut event = self
            .draft(self.id.clone(), "purchase.made")
            .reference("receipt", Some(&self.id))
            .reference("order", look::text(self.payload, "receipt.order"))
            .named("product", only_product(lines).as_deref())
            .attribute("lines", (!kept.is_empty()).then_some(Value::Array(kept)))
            .configured(self.sender, self.payload)
            .event();
        event["amount"] = self.amount("receipt.total", "purchase", reading);
        event
    }

    fn brought_back(&self, index: usize, reading: &mut Reading<'_>) -> Value {
        let path = format!("receipt.returns.{index}");
        let back = look::at(self.payload, &path).unwrap_or(&Value::Null);
        // The receipt of the purchase comes first: what is brought back is about it.
        let mut event = self
            .draft(format!("{}/return/{index}", self.id), "purchase.returned")
            .reference("receipt", self.bought_with(back).as_deref())
            .reference("receipt", Some(&self.id))
            .named("product", product(back).as_deref())
            .attribute("line", Some(line(back)))
            .configured(self.sender, self.payload)
            .event();
        event["amount"] = self.amount(&format!("{path}.amount"), "refund", reading);
        event
    }

    fn draft(&self, id: String, name: &str) -> Draft {
        let known = |kind| look::word(self.payload, &format!("receipt.{kind}"));
        IDENTIFIERS
            .into_iter()
            .fold(
                Draft::new(id, Kind::Service, name, self.time),
                |draft, kind| draft.identifier(kind, known(kind).as_deref()),
            )
            .named("place", self.place.as_deref())
            .named("stage", Some("purchase"))
            .attribute("till", Some(self.till))
    }

    fn bought_with(&self, back: &Value) -> Option<String> {
        let word = |field: &str| look::word(back, &format!("receipt.{field}"));
        let (day, number) = (word("day")?, word("number")?);
        let place = word("place");
        let place = place.as_deref().or(self.place.as_deref());
        let till = word("till");
        Some(key(
            place.unwrap_or_default(),
            till.as_deref().unwrap_or(self.till),
            &day,
            &number,
        ))
    }

    /// What was brought back is written with a minus by some.
    fn amount(&self, path: &str, of: &str, reading: &mut Reading<'_>) -> Value {
        let value = look::at(self.payload, path).and_then(decimal);
        let value = value.unwrap_or_else(|| {
            reading.fault(path, "must be an amount, like \"129.90\"");
            String::new()
        });
        let currency = look::text(self.payload, "receipt.currency").unwrap_or("EUR");
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            reading.fault("receipt.currency", "must be a currency code like EUR");
        }
        json!({ "value": value, "currency": currency, "of": of })
    }
}

/// An amount without its sign; tills write `129.90`, `129,90` and numbers.
fn decimal(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().replace(',', "."),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let text = text.strip_prefix('-').unwrap_or(&text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    (is_number(whole, 12) && is_number(fraction, 4)).then(|| text.to_owned())
}

fn line(line: &Value) -> Value {
    let mut kept = Map::new();
    for field in ["product", "name", "quantity", "amount", "reason"] {
        if let Some(said @ (Value::String(_) | Value::Number(_))) = look::at(line, field) {
            kept.insert(field.to_owned(), said.clone());
        }
    }
    Value::Object(kept)
}

/// A receipt of one product is about it.
fn only_product(lines: &[Value]) -> Option<String> {
    let mut products = lines.iter().map(product);
    let first = products.next()??;
    products
        .all(|other| other.as_ref() == Some(&first))
        .then_some(first)
}

/// A product's number or name, where it can be one of ours.
fn product(line: &Value) -> Option<String> {
    look::word(line, "product")
        .map(|text| text.to_lowercase())
        .filter(|text| Name::new(text).is_ok())
}
