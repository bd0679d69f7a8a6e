//! What was typed into the form, and the event that it makes.

use event::{CaseId, DepartmentId, EventId, Millis, Name, ProfileId, SourceId, Time};
use ingest::config::DESK;
use serde_json::{Map, Value, json};

use super::{names::Names, subject::Subject};
use crate::{
    api::Api,
    credential::Credential,
    desk::{form::Fields, speech::Speech, trouble::Trouble},
    model,
};

pub(in crate::desk) struct Draft {
    /// Of this form alone: who sends it twice says the same thing.
    pub(super) number: String,
    /// When the form was opened, in milliseconds: when it happened.
    pub(super) opened: i64,
    pub(super) kind: Kind,
    pub(super) customer: Option<ProfileId>,
    pub(super) identifier: Option<String>,
    pub(super) identifier_type: Option<String>,
    pub(super) name: Option<String>,
    pub(super) same: Option<Same>,
    pub(super) text: Option<String>,
    pub(super) topic: Option<Name>,
    pub(super) reference: Option<String>,
    pub(super) reference_type: Option<String>,
    pub(super) place: Option<Name>,
    pub(super) stage: Option<Name>,
    pub(super) touchpoint: Option<Name>,
    pub(super) promise: Option<Name>,
    pub(super) promise_text: Option<String>,
    /// As the browser writes a date.
    pub(super) due: Option<String>,
    pub(super) keeper: Option<DepartmentId>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Complaint,
    Thanks,
    /// The customer asked, came by or told something.
    Service,
}

impl Kind {
    pub(super) const ALL: [Kind; 3] = [Kind::Complaint, Kind::Thanks, Kind::Service];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Kind::Complaint => "complaint",
            Kind::Thanks => "thanks",
            Kind::Service => "service",
        }
    }
}

/// Whether it is about something that is open already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Same {
    New,
    Case(CaseId),
}

/// What is wrong, by field: keys of messages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    pub(super) identifier: Option<&'static str>,
    pub(super) same: Option<&'static str>,
    pub(super) text: Option<&'static str>,
    pub(super) reference: Option<&'static str>,
    pub(super) promise: Option<&'static str>,
    /// The door refused it for something that the form does not show.
    pub(super) other: bool,
}

/// A form that was left open longer than this is about the moment it was sent.
const OPEN_MAX: Millis = Millis::from_hours(12);

impl Faults {
    pub(super) fn are_some(&self) -> bool {
        let Faults {
            identifier,
            same,
            text,
            reference,
            promise,
            other,
        } = self;
        let fields = [identifier, same, text, reference, promise];
        *other || fields.into_iter().any(Option::is_some)
    }
}

impl Draft {
    pub(super) fn new(now: Time) -> Draft {
        Draft {
            number: hex::encode(rand::random::<[u8; 16]>()),
            opened: now.as_millis(),
            kind: Kind::default(),
            customer: None,
            identifier: None,
            identifier_type: None,
            name: None,
            same: None,
            text: None,
            topic: None,
            reference: None,
            reference_type: None,
            place: None,
            stage: None,
            touchpoint: None,
            promise: None,
            promise_text: None,
            due: None,
            keeper: None,
        }
    }

    /// # Errors
    /// When no form of ours says so.
    pub(super) fn read(fields: &Fields, now: Time) -> Result<Draft, Trouble> {
        let text = |name: &str| fields.get(name).map(str::to_owned);
        let number = text("number").filter(|number| is_number(number));
        let kind = match fields.get("kind") {
            None => Some(Kind::default()),
            Some(kind) => Kind::ALL.into_iter().find(|known| known.as_str() == kind),
        };
        let opened = fields.get("opened").and_then(|opened| opened.parse().ok());
        let is_fresh = |opened: &i64| {
            let opened = Time::from_millis(*opened);
            opened <= now && opened >= now - OPEN_MAX
        };
        Ok(Draft {
            number: number.ok_or(Trouble::Unreadable)?,
            opened: opened.filter(is_fresh).unwrap_or(now.as_millis()),
            kind: kind.ok_or(Trouble::Unreadable)?,
            customer: read(fields, "customer")?,
            identifier: text("identifier"),
            identifier_type: text("type"),
            name: text("name"),
            same: match fields.get("same") {
                None => None,
                Some("new") => Some(Same::New),
                Some(case) => Some(Same::Case(case.parse().map_err(|_| Trouble::Unreadable)?)),
            },
            text: text("text"),
            topic: read(fields, "topic")?,
            reference: text("reference"),
            reference_type: text("reference_type"),
            place: read(fields, "place")?,
            stage: read(fields, "stage")?,
            touchpoint: read(fields, "touchpoint")?,
            promise: read(fields, "promise")?,
            promise_text: text("promise_text"),
            due: text("due"),
            keeper: read(fields, "keeper")?,
        })
    }

    pub(super) const fn kinds(&self) -> [Kind; 3] {
        Kind::ALL
    }

    pub(super) fn is_about_a_case(&self) -> bool {
        matches!(self.same, Some(Same::Case(_)))
    }

    pub(super) fn is_new_matter(&self) -> bool {
        self.same == Some(Same::New)
    }

    pub(super) fn has_promise(&self) -> bool {
        self.promise.is_some() || self.due.is_some() || self.promise_text.is_some()
    }

    pub(super) fn has_place(&self) -> bool {
        let names = [&self.topic, &self.place, &self.stage, &self.touchpoint];
        names.into_iter().any(Option::is_some)
    }

    /// The last minute of the day that something was promised by; the inner `None` when there is no day.
    pub(super) fn due(&self, speech: &Speech) -> Option<Option<Time>> {
        let Some(day) = &self.due else {
            return Some(None);
        };
        let day: jiff::civil::Date = day.parse().ok()?;
        let now = speech.zoned(speech.now)?;
        let end = day
            .at(23, 59, 0, 0)
            .to_zoned(now.time_zone().clone())
            .ok()?;
        Some(Some(Time::from_millis(end.timestamp().as_millisecond())))
    }

    pub(super) fn faults(&self, subject: &Subject, due: Option<&Option<Time>>) -> Faults {
        let has_promise_part = self.due.is_some() || self.promise_text.is_some();
        Faults {
            identifier: match subject {
                Subject::Named(named) if named.kind.is_none() => Some("record-which-type"),
                Subject::Several(_) => Some("record-choose-customer"),
                Subject::Named(_) | Subject::Nobody | Subject::Known(_) => None,
            },
            text: self.text.is_none().then_some("record-no-text"),
            promise: if due.is_none() {
                Some("record-bad-day")
            } else if has_promise_part && self.promise.is_none() {
                Some("record-promise-what")
            } else {
                None
            },
            ..Faults::default()
        }
    }

    /// In our own form, as every sender writes it.
    pub(super) fn event(
        &self,
        state: &model::State,
        who: &Credential,
        due: Option<Time>,
        names: &Names,
    ) -> Value {
        let case = match self.same {
            Some(Same::Case(case)) => state.cases.get(case),
            Some(Same::New) | None => None,
        };
        let kind = match self.kind {
            Kind::Complaint => "complaint",
            Kind::Thanks => "feedback",
            Kind::Service => "service",
        };
        let usual = match self.kind {
            Kind::Complaint => "complaint",
            Kind::Thanks => "praise",
            // The head of a contact, so that an open case hears of it.
            Kind::Service => "contact",
        };
        let what = match case {
            // Without a reference a matter is found by what it is called.
            Some(case) if names.references.is_empty() || self.kind == Kind::Complaint => {
                case.what.as_str()
            }
            Some(_) | None => self.topic.as_ref().map_or(usual, Name::as_str),
        };
        let mut said = Map::new();
        let mut say = |field: &str, value: Value| said.insert(field.to_owned(), value);
        say("id", self.sent_id(who).into());
        say("kind", kind.into());
        say("type", what.into());
        say("time", Time::from_millis(self.opened).to_string().into());
        say("recorded_by", who.name.as_str().into());
        say("identifiers", named(&names.identifiers));
        say("references", named(&names.references));
        for (field, text) in [("text", &self.text), ("name", &self.name)] {
            if let Some(text) = text {
                say(field, text.as_str().into());
            }
        }
        let product = case.and_then(|case| case.product.as_ref());
        let party = case.and_then(|case| case.party.as_ref());
        for (field, name) in [
            ("place", self.place.as_ref()),
            ("stage", self.stage.as_ref()),
            ("touchpoint", self.touchpoint.as_ref()),
            ("product", product),
            ("party", party),
        ] {
            if let Some(name) = name {
                say(field, name.as_str().into());
            }
        }
        if let Some(reference) = self.reference.as_ref().filter(|_| case.is_some()) {
            // A second number could lead it to another matter than the one that was chosen.
            say("attributes", json!({ "reference": reference }));
        }
        if let Some(promise) = self.promised(who, due) {
            say("promise", promise);
        }
        Value::Object(said)
    }

    fn promised(&self, who: &Credential, due: Option<Time>) -> Option<Value> {
        let what = self.promise.as_ref()?;
        let by = who.departments.first();
        let mut promise = json!({ "id": self.sent_id(who), "what": what.as_str() });
        let keeper = self.keeper.as_ref().or(by);
        for (field, value) in [
            ("text", self.promise_text.clone()),
            ("due", due.map(|due| due.to_string())),
            ("by", by.map(ToString::to_string)),
            ("keeper", keeper.map(ToString::to_string)),
        ] {
            if let Some(value) = value {
                promise[field] = value.into();
            }
        }
        Some(promise)
    }

    /// Nobody makes an event of somebody else's form.
    fn sent_id(&self, who: &Credential) -> String {
        format!("{}-{}", who.name, self.number)
    }

    pub(super) fn event_id(&self, api: &Api, who: &Credential) -> EventId {
        identifier::event_id(&api.pepper, &source(), &self.sent_id(who))
    }
}

pub(super) fn source() -> SourceId {
    SourceId::new(DESK).expect("`desk` is a source's id")
}

fn is_number(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What a list offered.
fn read<T: std::str::FromStr>(fields: &Fields, name: &str) -> Result<Option<T>, Trouble> {
    let text = fields.get(name);
    text.map(|text| text.parse().map_err(|_| Trouble::Unreadable))
        .transpose()
}

fn named(values: &[(Name, String)]) -> Value {
    let mut by_kind: Map<String, Value> = Map::new();
    for (kind, value) in values {
        by_kind.insert(kind.to_string(), value.as_str().into());
    }
    Value::Object(by_kind)
}
