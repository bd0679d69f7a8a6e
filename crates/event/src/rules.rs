//! What `company.toml` says, as it travels to the machines: identity, timelines, departments, routes.
//!
//! The types read TOML directly: tables are keyed by name, unknown fields are errors. What one field alone cannot tell
//! (a route to a department that does not exist) is checked when the file is read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Class, DepartmentId, Kind, Millis, Name, Partition, SourceId, Token, case::Severity,
    case_input::SignalKind,
};

/// The rules as one partition of a machine's input gets them, so that a replay decides as it did.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Each partition gets its own copy.
    pub partition: Partition,
    pub company: Box<Company>,
}

/// The whole of `company.toml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Company {
    /// Counted up by `company apply`; 0 is what Polku does without any file.
    pub version: u64,
    /// The company's name, for people.
    pub name: String,
    /// Keyed by the type's name. Built-in types need no entry (`Company::types`).
    pub identifiers: BTreeMap<Name, TypeRule>,
    pub references: BTreeMap<Name, TypeRule>,
    pub identity: Identity,
    pub matters: Matters,
    pub cases: CaseRules,
    pub signs: Signs,
    pub departments: BTreeMap<DepartmentId, Department>,
    pub deadlines: Deadlines,
    pub journeys: BTreeMap<Name, Journey>,
    /// What is said to every customer of whom something happened.
    pub promises: BTreeMap<Name, StandingPromise>,
    pub routes: Route,
    /// Language code -> what people call types, products, parties, places, stages: `[labels.fi] sofa = "Sohva"`.
    pub labels: BTreeMap<String, BTreeMap<Name, String>>,
    /// The tokens of all blocked values, computed by `company apply`, which knows the pepper; never written by hand.
    pub blocked: Vec<Token>,
}

/// What is known of one type of identifier or reference. A type the file names replaces the built-in one whole; what it leaves
/// out protects as it does with the built-in ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TypeRule {
    /// The place in the order of strength, 1 the strongest; identifiers and references are ordered apart.
    pub strength: u32,
    pub normaliser: Normaliser,
    /// One customer has one of it: two values of it never belong to one profile.
    pub exclusive: bool,
    /// Who has one is known to the company.
    pub known: bool,
    /// With more distinct values of any one stronger type than this, the value is out.
    pub limit: Option<u32>,
    /// Values that name nobody, compared after normalising.
    pub blocked: Vec<String>,
    /// Regular expressions; a normalised value that one matches names nobody. Anchored as they are written.
    pub patterns: Vec<String>,
    /// How long a set that names such a value links, after it was named last; without one for ever.
    pub window: Option<Millis>,
}

impl Default for TypeRule {
    fn default() -> Self {
        Self {
            strength: 0,
            normaliser: Normaliser::default(),
            exclusive: false,
            known: false,
            limit: Some(5),
            blocked: ["-1", "null", "anonymous"].map(str::to_owned).to_vec(),
            patterns: vec!["^[0-]*$".to_owned()],
            window: None,
        }
    }
}

/// What holds for every profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// At so many identifiers a profile takes no more in, and a person is asked.
    pub identifiers_max: u32,
    /// The same for the groups of more than one identifier that were united in it.
    pub merges_max: u32,
    /// The company's own addresses and telephone numbers: whoever is reached by one of them is no customer.
    pub own: Vec<String>,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            identifiers_max: 50,
            merges_max: 20,
            own: Vec::new(),
        }
    }
}

/// How a value is written before it becomes a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normaliser {
    /// Trimmed, otherwise as it came.
    #[default]
    Verbatim,
    Email,
    /// E.164, with the source's region for national numbers.
    Phone,
    /// All but the digits removed.
    Digits,
    Upper,
    Lower,
}

/// A type with its rule, as `Company::types` lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeOf {
    pub name: Name,
    pub class: Class,
    pub rule: TypeRule,
}

impl Company {
    /// All types in order of strength, identifiers before references: the built-in ones as the file changes them, and the
    /// file's own.
    pub fn types(&self) -> Vec<TypeOf> {
        let mut types = Vec::new();
        for (class, built_in, own) in [
            (Class::Identifier, &IDENTIFIERS[..], &self.identifiers),
            (Class::Reference, &REFERENCES[..], &self.references),
        ] {
            let mut of_class: BTreeMap<Name, TypeRule> = built_in
                .iter()
                .map(|known| (known.name(), known.rule()))
                .collect();
            of_class.extend(own.iter().map(|(name, rule)| (name.clone(), rule.clone())));
            let mut of_class: Vec<TypeOf> = of_class
                .into_iter()
                .map(|(name, rule)| TypeOf { name, class, rule })
                .collect();
            of_class.sort_by(|a, b| (a.rule.strength, &a.name).cmp(&(b.rule.strength, &b.name)));
            types.append(&mut of_class);
        }
        types
    }

    /// What people call it in a language; the name itself where nobody said.
    pub fn label<'a>(&'a self, language: &str, name: &'a Name) -> &'a str {
        self.labels
            .get(language)
            .and_then(|labels| labels.get(name))
            .map_or_else(|| name.as_str(), String::as_str)
    }
}

struct BuiltIn {
    name: &'static str,
    strength: u32,
    normaliser: Normaliser,
    exclusive: bool,
    known: bool,
}

impl BuiltIn {
    fn name(&self) -> Name {
        Name::new(self.name).expect("the built-in names are names")
    }

    fn rule(&self) -> TypeRule {
        TypeRule {
            strength: self.strength,
            normaliser: self.normaliser,
            exclusive: self.exclusive,
            known: self.known,
            limit: if self.exclusive { None } else { Some(5) },
            ..TypeRule::default()
        }
    }
}

const IDENTIFIERS: [BuiltIn; 5] = [
    BuiltIn {
        name: "customer_number",
        strength: 10,
        normaliser: Normaliser::Upper,
        exclusive: true,
        known: true,
    },
    BuiltIn {
        name: "loyalty_card",
        strength: 20,
        normaliser: Normaliser::Digits,
        exclusive: false,
        known: true,
    },
    BuiltIn {
        name: "email",
        strength: 30,
        normaliser: Normaliser::Email,
        exclusive: false,
        known: false,
    },
    BuiltIn {
        name: "phone",
        strength: 40,
        normaliser: Normaliser::Phone,
        exclusive: false,
        known: false,
    },
    BuiltIn {
        name: "device",
        strength: 50,
        normaliser: Normaliser::Verbatim,
        exclusive: false,
        known: false,
    },
];

const REFERENCES: [BuiltIn; 5] = [
    BuiltIn {
        name: "order",
        strength: 10,
        normaliser: Normaliser::Upper,
        exclusive: false,
        known: false,
    },
    BuiltIn {
        name: "shipment",
        strength: 20,
        normaliser: Normaliser::Upper,
        exclusive: false,
        known: false,
    },
    BuiltIn {
        name: "ticket",
        strength: 30,
        normaliser: Normaliser::Upper,
        exclusive: false,
        known: false,
    },
    BuiltIn {
        name: "thread",
        strength: 40,
        normaliser: Normaliser::Verbatim,
        exclusive: false,
        known: false,
    },
    BuiltIn {
        name: "receipt",
        strength: 50,
        normaliser: Normaliser::Upper,
        exclusive: false,
        known: false,
    },
];

/// What ties events together that name no reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Matters {
    /// The length of the grid's cells and of the gap that still joins neighbours.
    pub window: Millis,
    /// Event type -> subject; without an entry the subject is the type up to its first dot.
    pub subjects: BTreeMap<Name, Name>,
}

impl Default for Matters {
    fn default() -> Self {
        Self {
            window: Millis::from_days(7),
            subjects: BTreeMap::new(),
        }
    }
}

impl Matters {
    pub fn subject(&self, name: &Name) -> Name {
        let of_type = self.subjects.get(name).cloned();
        of_type.unwrap_or_else(|| name.to_head())
    }
}

/// What is a case, what is praise, and what is a contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaseRules {
    /// Feedback whose score is at or above this share of its scale is praise.
    pub praise_from: f64,
    /// Feedback whose score is at or below this share of its scale opens a case.
    pub opens_below: f64,
    /// Service events whose type has one of these heads are contacts by the customer.
    pub contacts: Vec<Name>,
    /// Service events of these types open a case.
    pub opens: Vec<Name>,
    /// Types that are severe whatever the score.
    pub severe: Vec<Name>,
    /// Service events of these types say that the sender's own system has it as solved, or as reopened.
    pub solved: Vec<Name>,
    pub reopened: Vec<Name>,
    /// What the word of the owner's own system does.
    pub on_solved: OnSolved,
}

/// What happens to a case when a system of the owning department says that it is solved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnSolved {
    /// The owner is asked to resolve it and to say how the customer was told.
    #[default]
    Propose,
    /// It is resolved.
    Resolve,
    /// It is written down.
    Note,
}

impl Default for CaseRules {
    fn default() -> Self {
        let names = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| Name::new(text).expect("the built-in names are names"))
                .collect()
        };
        Self {
            praise_from: 0.9,
            opens_below: 0.3,
            contacts: names(&["contact", "call", "chat", "visit"]),
            opens: Vec::new(),
            severe: Vec::new(),
            solved: names(&["ticket.solved"]),
            reopened: names(&["ticket.reopened"]),
            on_solved: OnSolved::default(),
        }
    }
}

/// What in a customer's timeline is a sign to somebody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signs {
    /// So many contacts about one matter are too many; 0: no number is.
    pub contacts: u32,
    /// Contacts about one matter in two channels are a sign.
    pub two_channels: bool,
    /// A complaint about something else, while a case is open, is a sign to whoever has the case.
    pub another_complaint: bool,
    /// How far a score may fall below the one before it, as a share of its scale; 0: as far as it likes.
    pub score_drop: f64,
    /// How long nothing may happen after a complaint, in calendar time; 0: for ever.
    pub silence: Millis,
    /// The signs that open a case where there is none.
    pub opens: Vec<SignalKind>,
}

impl Default for Signs {
    fn default() -> Self {
        Self {
            contacts: 3,
            two_channels: true,
            another_complaint: true,
            score_drop: 0.3,
            silence: Millis::from_days(7),
            opens: vec![SignalKind::ThirdContact, SignalKind::PromiseBroken],
        }
    }
}

/// Something that is said to every customer of whom something happened: "delivered within two days".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingPromise {
    /// In the company's words, for people.
    pub said: String,
    /// Types of events from which it counts; a head (`order`) matches all below it (`order.placed`).
    pub starts_on: Vec<Name>,
    /// Types of events that keep it.
    pub kept_by: Vec<Name>,
    /// In the keeper's business time.
    pub within: Millis,
    pub keeper: DepartmentId,
    /// So long before it is due the keeper is warned, in the keeper's business time.
    #[serde(default)]
    pub warn_before: Millis,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Department {
    /// For people; the id where absent.
    pub name: String,
    /// An IANA time zone.
    pub zone: String,
    /// Week day (`mon` … `sun`) to open intervals, `"08:00-16:00"`, several a day, `24:00` as an end. Absent: always open.
    pub hours: BTreeMap<Weekday, Vec<String>>,
    /// Dates on which it is closed, `2026-12-24`.
    pub holidays: Vec<String>,
    /// Where its missed deadlines escalate to; absent: the root's receiver.
    pub escalates_to: Option<DepartmentId>,
    /// Parties it answers for.
    pub parties: Vec<Name>,
    /// Sources whose word on a case, solved or reopened, is the department's own.
    pub sources: Vec<SourceId>,
    /// Its parts, each with an inbox of its own.
    pub units: BTreeMap<Name, Unit>,
}

/// A part of a department: a store, a team. It inherits everything else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Unit {
    /// For people; the id where absent.
    pub name: String,
    /// The places whose cases are its own. A text ending in `*` matches by prefix.
    pub places: Vec<String>,
}

impl Department {
    /// The unit that a place belongs to: the one whose pattern says most of it.
    pub fn unit_of(&self, place: &Name) -> Option<&Name> {
        let fitting = self.units.iter().flat_map(|(id, unit)| {
            let patterns = unit
                .places
                .iter()
                .filter(|pattern| fits(pattern, place.as_str()));
            patterns.map(move |pattern| {
                (
                    pattern.trim_end_matches('*').len(),
                    !pattern.ends_with('*'),
                    id,
                )
            })
        });
        fitting.max().map(|(_, _, id)| id)
    }
}

/// A pattern that ends in `*` fits what begins so, any other what is the same.
pub fn fits(pattern: &str, value: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => value.starts_with(prefix),
        None => value == pattern,
    }
}

impl Default for Department {
    fn default() -> Self {
        Self {
            name: String::new(),
            zone: "Europe/Helsinki".to_owned(),
            hours: BTreeMap::new(),
            holidays: Vec::new(),
            escalates_to: None,
            parties: Vec::new(),
            sources: Vec::new(),
            units: BTreeMap::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// How long things may take. All but `final_after` and `wait` count in the owner's business time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Deadlines {
    /// From becoming the owner until acknowledging.
    pub acknowledge: Millis,
    /// From opening, or the last contact, until the customer is contacted.
    pub contact: Millis,
    /// From an offer until it is answered.
    pub offer: Millis,
    /// After a missed deadline, until it escalates again; each time in a row twice as long.
    pub again: Millis,
    /// From opening until the end, in calendar time. Nothing moves it.
    pub final_after: Millis,
    /// How long the owner may wait for an outside party at one go, in calendar time.
    pub wait: Millis,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            acknowledge: Millis::from_hours(4),
            contact: Millis::from_hours(16),
            offer: Millis::from_hours(8),
            again: Millis::from_hours(4),
            final_after: Millis::from_days(14),
            wait: Millis::from_days(2),
        }
    }
}

/// The stages of one kind of path and who owns them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Journey {
    /// In order.
    pub stages: Vec<Name>,
    /// Touchpoint -> the stage it belongs to.
    pub touchpoints: BTreeMap<Name, Name>,
    /// Stage -> the department that owns it.
    pub owners: BTreeMap<Name, DepartmentId>,
    /// Stage -> the unit of that department, and the party that carries it out.
    pub units: BTreeMap<Name, Name>,
    pub parties: BTreeMap<Name, Name>,
    /// Stage -> the roles that work there, for people.
    pub roles: BTreeMap<Name, Vec<String>>,
    /// Stage or touchpoint -> language code -> what helps the worker.
    pub guides: BTreeMap<Name, BTreeMap<String, String>>,
    /// Stage or touchpoint -> language code -> what the worker may offer without asking.
    pub offers: BTreeMap<Name, BTreeMap<String, String>>,
}

/// A node of the routing tree, in the manner of Alertmanager: the first child that matches takes the case, further ones only
/// after a child with `continue`; what a child leaves out it inherits. The root matches everything and has a receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Route {
    /// What people call it; shows in a case's history as the reason it came where it is.
    pub name: Option<Name>,
    pub receiver: Option<DepartmentId>,
    /// All must hold.
    #[serde(rename = "match")]
    pub matchers: Matcher,
    #[serde(rename = "continue")]
    pub goes_on: bool,
    pub severity: Option<Severity>,
    pub routes: Vec<Route>,
}

/// What a route asks of the event that opens a case. A text ending in `*` matches by prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Matcher {
    pub kind: Option<Kind>,
    #[serde(rename = "type")]
    pub name: Option<String>,
    pub channel: Option<crate::Channel>,
    pub source: Option<String>,
    pub place: Option<String>,
    pub party: Option<String>,
    pub stage: Option<String>,
    pub touchpoint: Option<String>,
    pub product: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_stand_in_order_of_strength_identifiers_first() {
        let names: Vec<String> = Company::default()
            .types()
            .iter()
            .map(|known| known.name.to_string())
            .collect();
        assert_eq!(
            names,
            [
                "customer_number",
                "loyalty_card",
                "email",
                "phone",
                "device",
                "order",
                "shipment",
                "ticket",
                "thread",
                "receipt"
            ]
        );
    }
}
