//! One EPCIS event as events of our own form: one for each shipment, since each may be another customer's.

use std::slice;

use event::{Kind, Time};
use ingest::format::{Draft, Mapped, Sender, digest, look};
use serde_json::{Value, json};

use super::{
    name,
    subject::{self, SHIPMENTS_MAX, Subjects},
};

pub(super) fn event(payload: &Value, sender: &Sender<'_>) -> Mapped {
    let Some(class) = ["type", "isA", "@type"]
        .iter()
        .find_map(|field| look::text(payload, field))
    else {
        return Mapped::Faulty("type: is required".to_owned());
    };
    match name::word(class) {
        "ObjectEvent"
        | "AggregationEvent"
        | "TransactionEvent"
        | "AssociationEvent"
        | "TransformationEvent" => {}
        _ => return Mapped::Filtered("unread_type"),
    }
    let Some(time) = time(payload) else {
        let fault =
            "eventTime: must be a moment with an offset, or eventTimeZoneOffset must have it";
        return Mapped::Faulty(fault.to_owned());
    };
    let subjects = subject::of(payload);
    if subjects.shipments.len() > SHIPMENTS_MAX {
        let fault =
            format!("epcList: has more than {SHIPMENTS_MAX} shipments; send several events");
        return Mapped::Faulty(fault);
    }
    let shared = Shared::of(payload, time);
    let drafts = match subjects.shipments.as_slice() {
        [] => vec![shared.draft(&subjects, None)],
        shipments => shipments
            .iter()
            .map(|shipment| shared.draft(&subjects, Some(shipment)))
            .collect(),
    };
    let party = Some(sender.id.as_str());
    Mapped::Events(
        drafts
            .into_iter()
            .map(|draft| {
                draft
                    .configured(sender, payload)
                    .otherwise("party", party)
                    .event()
            })
            .collect(),
    )
}

/// What all events of one payload have in common.
struct Shared<'a> {
    payload: &'a Value,
    id: String,
    name: String,
    time: Time,
    place: Option<String>,
}

impl Shared<'_> {
    fn of(payload: &Value, time: Time) -> Shared<'_> {
        let text = |path| look::text(payload, path);
        let id = text("eventID").map_or_else(|| hash(payload), str::to_owned);
        let place = text("bizLocation.id")
            .or_else(|| text("bizLocation"))
            .or_else(|| text("readPoint.id"))
            .or_else(|| text("readPoint"))
            .and_then(name::place);
        let was = name::kind(text("bizStep"), text("disposition"));
        // Such an event repeats the id of the one that it takes back.
        let is_correction = look::at(payload, "errorDeclaration").is_some();
        Shared {
            payload,
            id: if is_correction {
                format!("{id}#error")
            } else {
                id
            },
            name: if is_correction {
                "shipment.correction".to_owned()
            } else {
                was
            },
            time,
            place,
        }
    }

    fn draft(&self, subjects: &Subjects, shipment: Option<&String>) -> Draft {
        let alone = subjects.shipments.len() < 2;
        let id = match shipment {
            Some(shipment) if !alone => format!("{}#{shipment}", self.id),
            Some(_) | None => self.id.clone(),
        };
        let word = |path| look::text(self.payload, path).map(name::word);
        let mut draft = Draft::new(id, Kind::Service, &self.name, self.time)
            .reference("shipment", shipment.map(String::as_str))
            .named("place", self.place.as_deref())
            .attribute("action", look::text(self.payload, "action"))
            .attribute("step", word("bizStep"))
            .attribute("disposition", word("disposition"))
            .attribute("parent", look::text(self.payload, "parentID"))
            .attribute("error", word("errorDeclaration.reason"))
            .attribute("event_id", look::text(self.payload, "eventID"));
        // Of several orders with several shipments nobody says which belongs to which: to name all would join their customers' matters.
        for (kind, numbers) in [("order", &subjects.orders), ("shipment", &subjects.papers)] {
            let named: &[String] = if alone { numbers } else { only(numbers) };
            for number in named {
                draft = draft.reference(kind, Some(number));
            }
            if named.is_empty() && !numbers.is_empty() {
                draft = draft.attribute(&format!("{kind}_numbers"), Some(json!(numbers)));
            }
        }
        draft
    }
}

/// The one of a list that has no other.
fn only(numbers: &[String]) -> &[String] {
    match numbers {
        [one] => slice::from_ref(one),
        _ => &[],
    }
}

/// `eventTime` has an offset of its own, or the one beside it. What is declared an error was so from the declaration on.
fn time(payload: &Value) -> Option<Time> {
    if let Some(declared) = look::moment(payload, "errorDeclaration.declarationTime") {
        return Some(declared);
    }
    let text = look::text(payload, "eventTime")?;
    look::read_moment(text).or_else(|| {
        let offset = look::text(payload, "eventTimeZoneOffset")?;
        look::read_moment(&format!("{text}{offset}"))
    })
}

/// Of an event without an id: the hash of what it says, without when a repository wrote it down.
fn hash(payload: &Value) -> String {
    let mut said = payload.clone();
    if let Value::Object(fields) = &mut said {
        fields.remove("recordTime");
    }
    format!("sha256:{}", digest(&said))
}
