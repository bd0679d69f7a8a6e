//! Our own form, strictly: every fault of an event is found at once and named by its field, never by its value.

mod fields;

use std::collections::BTreeMap;

use event::{
    DepartmentId, Kind, Name, Perspective, Score, Time,
    event::{Amount, AmountOf, PromiseState},
};
use serde_json::Value;

use self::fields::{Fields, one_of};
use crate::mask;

/// Bounds of what one event may carry. All of it together stays far below the largest record.
mod most {
    pub(super) const ID_CHARS: usize = 256;
    pub(super) const TEXT_CHARS: usize = 20_000;
    pub(super) const PERSON_NAME_CHARS: usize = 200;
    pub(super) const WORDS_CHARS: usize = 2_000;
    pub(super) const VALUE_CHARS: usize = 256;
    pub(super) const VALUES: usize = 32;
    pub(super) const ATTRIBUTES_BYTES: usize = 32 * 1024;
    pub(super) const OPERATIONAL_CHARS: usize = 256;
    pub(super) const CUSTOMER_CHARS: usize = 64;
}

/// One thing wrong with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The path to it: `score.value`. Empty for the whole.
    pub(crate) field: String,
    pub(crate) problem: String,
}

/// All faults of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, field: impl Into<String>, problem: impl Into<String>) {
        self.0.push(Fault {
            field: field.into(),
            problem: problem.into(),
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One fault a line.
    pub(crate) fn detail(&self) -> String {
        let lines: Vec<String> = self
            .0
            .iter()
            .map(|fault| match fault.field.as_str() {
                "" => fault.problem.clone(),
                field => format!("{field}: {}", fault.problem),
            })
            .collect();
        lines.join("\n")
    }
}

/// What an event says, field by field; its values are still as the sender wrote them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Draft {
    pub(crate) kind: Kind,
    pub(crate) name: Name,
    pub(crate) time: Time,
    pub(crate) time_clamped: bool,
    pub(crate) identifiers: Vec<Said>,
    pub(crate) references: Vec<Said>,
    pub(crate) perspective: Perspective,
    pub(crate) history: bool,
    pub(crate) recorded_by: Option<Name>,
    pub(crate) score: Option<Score>,
    pub(crate) language: Option<Name>,
    pub(crate) place: Option<Name>,
    pub(crate) product: Option<Name>,
    pub(crate) stage: Option<Name>,
    pub(crate) touchpoint: Option<Name>,
    pub(crate) party: Option<Name>,
    pub(crate) amount: Option<Amount>,
    pub(crate) promise: Option<Promise>,
    pub(crate) operational: BTreeMap<String, String>,
    pub(crate) person: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) attributes: Option<String>,
    pub(crate) customer: Option<String>,
}

/// A value of `identifiers` or `references` as it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) kind: String,
    pub(crate) value: String,
    /// Where it stands, for faults.
    pub(crate) field: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Promise {
    pub(crate) id: String,
    pub(crate) what: Name,
    pub(crate) text: Option<String>,
    pub(crate) due: Option<Time>,
    pub(crate) by: Option<DepartmentId>,
    pub(crate) keeper: Option<DepartmentId>,
    pub(crate) state: PromiseState,
}

/// The sender's id for an event, if it is one that can be used. Read before the masks, since only its token is kept: two long
/// numbers that end alike must not become one id.
pub(crate) fn id(said: &Value) -> Option<&str> {
    said.get("id")
        .and_then(Value::as_str)
        .filter(|id| !id.trim().is_empty() && id.chars().count() <= most::ID_CHARS)
}

/// Reads a masked object; `None` for what is no object. The draft is worth something only where no fault was added.
/// `operational` names the attributes that are copied out of the personal part.
pub(crate) fn draft(
    said: &Value,
    has_id: bool,
    received: Time,
    operational: &[String],
    faults: &mut Faults,
) -> Option<Draft> {
    let Value::Object(object) = said else {
        faults.add("", "an event must be an object");
        return None;
    };
    let mut top = Fields::new("", object, faults);
    if !has_id {
        let problem = format!("a text of 1 to {} characters is required", most::ID_CHARS);
        top.fault("id", problem);
    }
    top.know("id");
    let kind = top.required("kind", |text| one_of(text, &KINDS));
    let time = top.required("time", time);
    let time_clamped = time.is_some_and(|time| time > received);
    let time = time.map(|time| time.min(received));
    let name = top.text("type", name_of);
    let perspective = top.text("perspective", |text| one_of(text, &PERSPECTIVES));
    let language = top.text("language", language);
    let [place, product, stage, touchpoint, party] =
        ["place", "product", "stage", "touchpoint", "party"].map(|field| top.text(field, name_of));
    let person = top.text("name", |text| words(text, most::PERSON_NAME_CHARS));
    let text = top.text("text", |text| words(text, most::TEXT_CHARS));
    let recorded_by = top.text("recorded_by", name_of);
    let history = top.flag("history");
    let identifiers = top.inner("identifiers").map(values).unwrap_or_default();
    let references = top.inner("references").map(values).unwrap_or_default();
    let score = top.inner("score").and_then(score);
    let amount = top.inner("amount").and_then(amount);
    let promise = top.inner("promise").and_then(promise);
    let attributes = top.inner("attributes");
    let (attributes, copied) = attributes.map_or((None, BTreeMap::new()), |fields| {
        attributes_of(fields, operational)
    });
    let is_update = name
        .as_ref()
        .is_some_and(|name| name.as_str() == CUSTOMER_UPDATED);
    let customer = top
        .inner("customer")
        .and_then(|fields| customer(fields, is_update));
    top.refuse_unknown();
    // Where one of these is missing there is a fault, and the draft only serves to find the others.
    let kind = kind.unwrap_or(Kind::Unknown);
    Some(Draft {
        kind,
        name: name.or_else(|| Name::new(kind.as_str()).ok())?,
        time: time.unwrap_or(received),
        time_clamped,
        identifiers,
        references,
        perspective: perspective.unwrap_or(Perspective::Customer),
        history,
        recorded_by,
        score,
        language,
        place,
        product,
        stage,
        touchpoint,
        party,
        amount,
        promise,
        operational: copied,
        person,
        text,
        attributes,
        customer,
    })
}

const CUSTOMER_UPDATED: &str = "customer.updated";

const KINDS: [(&str, Kind); 3] = [
    ("feedback", Kind::Feedback),
    ("complaint", Kind::Complaint),
    ("service", Kind::Service),
];

const PERSPECTIVES: [(&str, Perspective); 6] = [
    ("customer", Perspective::Customer),
    ("mystery_shopper", Perspective::MysteryShopper),
    ("simulation", Perspective::Simulation),
    ("competitor", Perspective::Competitor),
    ("employee", Perspective::Employee),
    ("test", Perspective::Test),
];

const AMOUNTS_OF: [(&str, AmountOf); 4] = [
    ("purchase", AmountOf::Purchase),
    ("refund", AmountOf::Refund),
    ("compensation", AmountOf::Compensation),
    ("service_cost", AmountOf::ServiceCost),
];

const PROMISE_STATES: [(&str, PromiseState); 4] = [
    ("made", PromiseState::Made),
    ("kept", PromiseState::Kept),
    ("broken", PromiseState::Broken),
    ("withdrawn", PromiseState::Withdrawn),
];

fn name_of(text: &str) -> Result<Name, String> {
    if mask::is_marked(text) {
        return Err(MARKED.to_owned());
    }
    Name::new(text).map_err(|error| format!("must match {}", error.pattern))
}

pub(crate) const MARKED: &str =
    "holds a personal identity code, a card number or an account number; these are never stored";

fn department(text: &str) -> Result<DepartmentId, String> {
    DepartmentId::new(text).map_err(|error| format!("must match {}", error.pattern))
}

/// A moment with its offset. Before 1970 there is only the default value of somebody's date field.
fn time(text: &str) -> Result<Time, String> {
    let time: Time = text.parse().map_err(|_| {
        "must be a moment with an offset, like 2026-11-20T09:31:00+02:00".to_owned()
    })?;
    if time < Time::from_millis(0) {
        return Err("lies before 1970; leave out what has no known time".to_owned());
    }
    Ok(time)
}

/// Whether a text is a language tag.
pub(crate) fn is_language(text: &str) -> bool {
    language(text).is_ok()
}

fn language(text: &str) -> Result<Name, String> {
    let lower = text.to_ascii_lowercase();
    let mut parts = lower.split('-');
    let good = parts.next().is_some_and(|first| {
        (2..=3).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_lowercase())
    }) && parts.all(|part| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    good.then_some(lower)
        .and_then(|lower| Name::new(&lower).ok())
        .ok_or_else(|| "must be a language tag like fi or sv-FI".to_owned())
}

fn words(text: &str, chars_max: usize) -> Result<String, String> {
    if text.chars().count() > chars_max {
        return Err(format!("has more than {chars_max} characters"));
    }
    Ok(text.to_owned())
}

fn decimal(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    if is_number(whole, 12) && is_number(fraction, 4) {
        Ok(text.to_owned())
    } else {
        Err("must be a decimal number in a text, like \"129.90\"".to_owned())
    }
}

fn currency(text: &str) -> Result<String, String> {
    if text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()) {
        Ok(text.to_owned())
    } else {
        Err("must be a currency code like EUR".to_owned())
    }
}

fn values(mut fields: Fields<'_, '_>) -> Vec<Said> {
    let mut said = Vec::new();
    for (kind, value) in fields.all() {
        let texts: Vec<&Value> = match value {
            Value::Null => continue,
            Value::Array(items) => items.iter().collect(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => vec![value],
        };
        for text in texts {
            match text.as_str().map(str::trim) {
                None => fields.fault(kind, "must be a text or an array of texts"),
                Some("") => fields.fault(kind, "is empty; leave it out"),
                Some(text) if mask::is_marked(text) => fields.fault(kind, MARKED),
                Some(text) if text.chars().count() > most::VALUE_CHARS => {
                    let problem = format!("has more than {} characters", most::VALUE_CHARS);
                    fields.fault(kind, problem);
                }
                Some(text) => said.push(Said {
                    kind: kind.to_owned(),
                    value: text.to_owned(),
                    field: fields.path(kind),
                }),
            }
        }
    }
    if said.len() > most::VALUES {
        fields.fault("", format!("names more than {} values", most::VALUES));
    }
    said
}

fn score(mut fields: Fields<'_, '_>) -> Option<Score> {
    let metric = fields.required("metric", name_of);
    let [value, min, max] = ["value", "min", "max"].map(|field| fields.number(field));
    fields.refuse_unknown();
    let (metric, value, min, max) = (metric?, value?, min?, max?);
    if min >= max {
        fields.fault("max", "must be above min");
        return None;
    }
    if !(min..=max).contains(&value) {
        fields.fault("value", "must lie within min and max");
        return None;
    }
    Some(Score {
        metric,
        value,
        min,
        max,
    })
}

fn amount(mut fields: Fields<'_, '_>) -> Option<Amount> {
    let value = fields.required("value", decimal);
    let currency = fields.required("currency", currency);
    let of = fields.required("of", |text| one_of(text, &AMOUNTS_OF));
    fields.refuse_unknown();
    Some(Amount {
        value: value?,
        currency: currency?,
        of: of?,
    })
}

fn promise(mut fields: Fields<'_, '_>) -> Option<Promise> {
    let id = fields.required("id", |text| {
        if mask::is_marked(text) {
            Err(MARKED.to_owned())
        } else {
            words(text, most::ID_CHARS)
        }
    });
    let what = fields.required("what", name_of);
    let text = fields.text("text", |text| words(text, most::WORDS_CHARS));
    let due = fields.text("due", time);
    let [by, keeper] = ["by", "keeper"].map(|field| fields.text(field, department));
    let state = fields.text("state", |text| one_of(text, &PROMISE_STATES));
    fields.refuse_unknown();
    Some(Promise {
        id: id?,
        what: what?,
        text,
        due,
        by,
        keeper,
        state: state.unwrap_or(PromiseState::Made),
    })
}

fn attributes_of(
    mut fields: Fields<'_, '_>,
    operational: &[String],
) -> (Option<String>, BTreeMap<String, String>) {
    let mut copied = BTreeMap::new();
    for name in operational {
        let text = match fields.get(name) {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) => text.clone(),
            Some(plain @ (Value::Bool(_) | Value::Number(_))) => plain.to_string(),
            Some(Value::Array(_) | Value::Object(_)) => {
                fields.fault(
                    name,
                    "must be a text, a number or a boolean: the source is configured to copy it",
                );
                continue;
            }
        };
        if text.chars().count() > most::OPERATIONAL_CHARS {
            let problem = format!("has more than {} characters", most::OPERATIONAL_CHARS);
            fields.fault(name, problem);
        } else {
            copied.insert(name.clone(), text);
        }
    }
    let text = fields.json();
    if text.len() > most::ATTRIBUTES_BYTES {
        let problem = format!("is longer than {} bytes", most::ATTRIBUTES_BYTES);
        fields.fault("", problem);
    }
    ((text != "{}").then_some(text), copied)
}

fn customer(mut fields: Fields<'_, '_>, is_update: bool) -> Option<String> {
    if !is_update {
        fields.fault("", "goes only with the type customer.updated");
    }
    for name in ["type", "tier", "preferred_contact"] {
        // Read for its faults; what is kept is the object itself.
        let _checked = fields.text(name, |text| words(text, most::CUSTOMER_CHARS));
    }
    fields.refuse_unknown();
    let text = fields.json();
    (text != "{}").then_some(text)
}

#[cfg(test)]
mod tests;
