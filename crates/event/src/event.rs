//! Topic `event`: what happened, as it was accepted at the door. The only copy of the payload.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{DepartmentId, EventId, Name, SourceId, Time, Token, Value};

/// One thing that happened. Keyed by its anchor, for ever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub id: EventId,
    pub source: SourceId,
    pub channel: Channel,
    /// 0 for the first content accepted under this id; a correction has the next.
    pub revision: u32,
    pub kind: Kind,
    /// What happened, `complaint` or the like when the sender names nothing finer.
    #[serde(rename = "type")]
    pub name: Name,
    /// When it happened, never later than `received`.
    pub time: Time,
    /// When the door accepted it.
    pub received: Time,
    /// The sender's time lay in the future and was set to `received`.
    pub time_clamped: bool,
    /// The strongest valid identifier, else the strongest reference, else the token of (source, id).
    pub anchor: Token,
    /// Identifiers, then references, each in order of strength.
    pub values: Vec<Value>,
    /// The source was trusted when the event came in.
    pub trusted: bool,
    pub perspective: Perspective,
    /// Imported history: builds timelines and cases, notifies nobody.
    pub history: bool,
    pub score: Option<Score>,
    pub language: Option<Name>,
    pub place: Option<Name>,
    pub product: Option<Name>,
    pub stage: Option<Name>,
    pub touchpoint: Option<Name>,
    /// Who caused it: a department or a subcontractor.
    pub party: Option<Name>,
    pub amount: Option<Amount>,
    pub promise: Option<Promise>,
    /// The attributes that the source's configuration declares free of personal data.
    pub operational: BTreeMap<String, String>,
    /// The credential that recorded it at the desk.
    pub recorded_by: Option<Name>,
    pub standing: Standing,
    /// The version of the rules at the door.
    #[serde(with = "count")]
    pub rules_version: u64,
    /// SHA-256 of what the sender said, after the masks; tells a repeat from a correction.
    pub content: Token,
    /// A scheme byte (0 clear, 1 sealed) and the Avro of a `Personal`.
    #[serde(with = "bytes")]
    pub personal: Vec<u8>,
}

impl Event {
    /// Whether it makes profiles, cases and figures of customers. Perspective `test` walks the path, apart from them.
    pub fn is_customers(&self) -> bool {
        matches!(self.perspective, Perspective::Customer)
    }
}

/// Everything personal of an event, so that it can be sealed and shredded as one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Personal {
    pub identifiers: Vec<Named>,
    pub references: Vec<Named>,
    pub name: Option<String>,
    pub text: Option<String>,
    /// What was promised, in words.
    pub promise: Option<String>,
    /// The sender's attributes as a JSON object.
    pub attributes: Option<String>,
    /// `customer.updated`: a JSON object of `type`, `tier`, `preferred_contact`.
    pub customer: Option<String>,
}

/// A normalised value with its type, as people write it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    #[serde(rename = "type")]
    pub kind: Name,
    pub value: String,
}

/// Where a source stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Store,
    CallCentre,
    Web,
    Subcontractor,
    /// A channel that a later version of Polku knows and this one does not.
    Unknown,
}

impl Channel {
    pub const fn as_str(self) -> &'static str {
        match self {
            Channel::Store => "store",
            Channel::CallCentre => "call_centre",
            Channel::Web => "web",
            Channel::Subcontractor => "subcontractor",
            Channel::Unknown => "unknown",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Feedback,
    Complaint,
    Service,
    /// A kind that a later version of Polku knows and this one does not.
    Unknown,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Feedback => "feedback",
            Kind::Complaint => "complaint",
            Kind::Service => "service",
            Kind::Unknown => "unknown",
        }
    }
}

/// Whether a later word of its sender may change an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nothing changes it.
    Final,
    /// It came by a claim, and another claim of the same id may correct it.
    Correctable,
    /// A later revision names another customer or other things: what this one named, it no longer does.
    Withdrawn,
    /// A standing that a later version of Polku knows and this one does not.
    Unknown,
}

/// Whose eyes saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Perspective {
    Customer,
    MysteryShopper,
    Simulation,
    Competitor,
    Employee,
    Test,
    /// A perspective that a later version of Polku knows and this one does not.
    Unknown,
}

impl Perspective {
    pub const fn as_str(self) -> &'static str {
        match self {
            Perspective::Customer => "customer",
            Perspective::MysteryShopper => "mystery_shopper",
            Perspective::Simulation => "simulation",
            Perspective::Competitor => "competitor",
            Perspective::Employee => "employee",
            Perspective::Test => "test",
            Perspective::Unknown => "unknown",
        }
    }
}

/// An answer on a scale: NPS 3 of 0 to 10.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    pub metric: Name,
    pub value: f64,
    pub min: f64,
    pub max: f64,
}

impl Score {
    /// Where the value lies on its scale: 0 at the minimum, 1 at the maximum.
    pub fn share(&self) -> f64 {
        if self.max > self.min {
            (self.value - self.min) / (self.max - self.min)
        } else {
            0.0
        }
    }
}

/// Money: a decimal text and an ISO 4217 code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    pub value: String,
    pub currency: String,
    pub of: AmountOf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountOf {
    Purchase,
    Refund,
    Compensation,
    ServiceCost,
    /// A purpose that a later version of Polku knows and this one does not.
    Unknown,
}

/// Something said to a customer. Its words, if any, are in `Personal`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// The sender's id for it, unique within the matter.
    pub id: Token,
    pub what: Name,
    pub due: Option<Time>,
    pub by: Option<DepartmentId>,
    pub keeper: Option<DepartmentId>,
    pub state: PromiseState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromiseState {
    Made,
    Kept,
    Broken,
    Withdrawn,
    /// A state that a later version of Polku knows and this one does not.
    Unknown,
}

/// A count as the signed number that other languages and Avro have.
pub mod count {
    use serde::{Deserialize, Deserializer, Serializer, de, ser};

    pub fn serialize<S: Serializer>(count: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(i64::try_from(*count).map_err(ser::Error::custom)?)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        u64::try_from(i64::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// Bytes as bytes, not as a list of numbers.
pub mod bytes {
    use serde::{Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&hex::encode(bytes))
        } else {
            serializer.serialize_bytes(bytes)
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<u8>, E> {
                hex::decode(text).map_err(E::custom)
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
            fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
                Ok(bytes)
            }
        }
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Visitor)
        } else {
            deserializer.deserialize_byte_buf(Visitor)
        }
    }
}
