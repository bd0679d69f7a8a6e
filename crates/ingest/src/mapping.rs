//! Import without code: how the columns of a file become events of our own form.
//!
//! ```toml
//! [sources.shop.mapping]
//! time_format = "%Y-%m-%d %H:%M:%S"
//! zone = "Europe/Helsinki"
//!
//! [sources.shop.mapping.events.placed]
//! id = "{order_id}/placed"                    # a template: columns in braces, the rest as it is
//! kind = "service"
//! type = "order.placed"
//! time = "{placed_at}"
//! references.order = "{order_id}"
//! place = "store:{store_name|slug}"           # slug, lower, upper, digits
//! text = "{title?} {message?}"                # a column that may be empty
//!
//! [sources.shop.mapping.events.late]          # one row may give several events, each when its conditions hold
//! when.delivered_at.after = "promised_at"
//! # …
//! kind = { from = "{stars}", values = { "1" = "complaint" }, otherwise = "feedback" }
//! ```
//!
//! A field whose column is empty is left out; of `score`, `amount` and `promise` the whole is, if one of its fields is. `id`, `kind`
//! and `time` must not be empty. What comes out goes through the same door as everything else.

mod file;
mod plan;
mod rows;
mod template;

use std::{collections::BTreeMap, fmt};

use event::Name;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use self::{
    file::{Events, Form, Given, Unmade, Unreadable},
    plan::{Error, Fault, Plan},
    rows::{CELL_BYTES_MAX, COLUMNS_MAX, Row, RowError, Rows},
};

/// `[sources.*.mapping]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// How the file writes its moments, in the manner of strptime; absent: RFC 3339 with an offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_format: Option<String>,
    /// The IANA zone of moments without an offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Between the cells of a CSV file; a comma where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// The events that one row gives, in the order of their names.
    pub events: BTreeMap<Name, EventMapping>,
}

/// Our own form, each field with where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventMapping {
    /// Column -> what it must hold for the row to give this event. All must hold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, Condition>,
    pub id: Field,
    pub kind: Field,
    pub time: Field,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub name: Option<Field>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub identifiers: BTreeMap<Name, Field>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub references: BTreeMap<Name, Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<ScoreMapping>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<AmountMapping>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promise: Option<PromiseMapping>,
    #[serde(default, rename = "name", skip_serializing_if = "Option::is_none")]
    pub person: Option<Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub touchpoint: Option<Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perspective: Option<Field>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Field>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreMapping {
    pub metric: Field,
    pub value: Field,
    pub min: Field,
    pub max: Field,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmountMapping {
    pub value: Field,
    pub currency: Field,
    pub of: Field,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromiseMapping {
    pub id: Field,
    pub what: Field,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeper: Option<Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Field>,
}

/// What a column must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty: Option<bool>,
    /// One of these texts.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "one_or_more"
    )]
    pub is: Vec<String>,
    /// None of these texts.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "one_or_more"
    )]
    pub not: Vec<String>,
    /// A moment later than the one in this column; does not hold where either is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Where a field comes from: a template alone, or one with what else is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub from: String,
    /// What the text of the template becomes; where `values` is not empty, a text it does not hold is `otherwise`, and an
    /// error without one.
    pub values: BTreeMap<String, String>,
    pub otherwise: Option<String>,
    /// In place of the mapping's.
    pub time_format: Option<String>,
    pub zone: Option<String>,
}

impl Field {
    fn of(from: String) -> Field {
        Field {
            from,
            values: BTreeMap::new(),
            otherwise: None,
            time_format: None,
            zone: None,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    from: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    values: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    otherwise: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if *self == Field::of(self.from.clone()) {
            return serializer.serialize_str(&self.from);
        }
        let field = self.clone();
        Table {
            from: field.from,
            values: field.values,
            otherwise: field.otherwise,
            time_format: field.time_format,
            zone: field.zone,
        }
        .serialize(serializer)
    }
}

/// By hand, so that a fault inside the table keeps its line and its words.
impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Field;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a template like \"{column}\", a constant, or a table with `from`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Field, E> {
                Ok(Field::of(text.to_owned()))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Field, E> {
                Ok(Field::of(number.to_string()))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Field, E> {
                Ok(Field::of(number.to_string()))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, table: A) -> Result<Field, A::Error> {
                let table = Table::deserialize(de::value::MapAccessDeserializer::new(table))?;
                Ok(Field {
                    from: table.from,
                    values: table.values,
                    otherwise: table.otherwise,
                    time_format: table.time_format,
                    zone: table.zone,
                })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMore {
        One(String),
        More(Vec<String>),
    }
    Ok(match OneOrMore::deserialize(deserializer)? {
        OneOrMore::One(text) => vec![text],
        OneOrMore::More(texts) => texts,
    })
}
