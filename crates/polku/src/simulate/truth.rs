//! What the simulated company knows to be true: who said what, which identifiers were ever named together, which matters were
//! put right. Computed from what was sent, by plain maps, so that it shares no code with what it judges.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// An identifier or reference as the truth writes it: the same for every way of writing it down.
pub(super) type Named = (String, String);

/// With more values of one stronger type than this a value connects nobody.
pub(super) const SHARED_BY_MAX: usize = 5;

/// An event that Polku accepted.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) source: &'static str,
    /// What its system knows it by: said again, it corrects what was said before.
    id: String,
    /// Milliseconds since the epoch.
    pub(super) time_ms: i64,
    pub(super) kind: String,
    pub(super) what: String,
    pub(super) identifiers: Vec<Named>,
    pub(super) references: Vec<Named>,
    /// Where a score lies on its scale, 0 to 1.
    share: Option<f64>,
}

/// What a timeline shows of an event, and what makes it this one.
pub(super) type Shown = (i64, String, String);

impl Sent {
    /// What it names of somebody else by these types makes nobody one with them.
    pub(super) fn new(
        source: &'static str,
        time_ms: i64,
        event: &Map<String, Value>,
        others: &[&str],
    ) -> Sent {
        let text = |field: &str| {
            event
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let mut identifiers = named(event.get("identifiers"));
        identifiers.retain(|(kind, _)| !others.contains(&kind.as_str()));
        identifiers.sort_by_key(|(kind, _)| strength(kind));
        Sent {
            source,
            id: text("id"),
            time_ms,
            kind: text("kind"),
            what: text("type"),
            identifiers,
            references: named(event.get("references")),
            share: event.get("score").and_then(share),
        }
    }

    pub(super) fn shown(&self) -> Shown {
        (self.time_ms, self.source.to_owned(), self.what.clone())
    }

    /// It opens a matter: a complaint, or a score that is as bad as one.
    pub(super) fn is_complaint(&self) -> bool {
        self.kind == "complaint"
            || (self.kind == "feedback" && self.share.is_some_and(|share| share <= 0.3))
    }

    /// The customer complains, or asks again.
    fn is_contact(&self) -> bool {
        let head = self.what.split('.').next().unwrap_or_default();
        let asks = self.kind == "service" && ["call", "chat", "contact", "visit"].contains(&head);
        asks || self.is_complaint()
    }

    /// It names nobody and nothing: it counts for its place, and is on no timeline.
    pub(super) fn is_anonymous(&self) -> bool {
        self.identifiers.is_empty() && self.references.is_empty()
    }

    /// What it is about: the strongest thing it names; without any, who speaks and of what.
    pub(super) fn matter_key(&self) -> Option<Named> {
        let strongest = REFERENCES
            .iter()
            .find_map(|kind| self.references.iter().find(|(named, _)| named == kind));
        let subject = self.what.split('.').next().unwrap_or_default();
        strongest.cloned().or_else(|| {
            self.identifiers
                .first()
                .map(|(_, value)| (subject.to_owned(), value.clone()))
        })
    }
}

/// The identifiers of the company, the strongest first.
const IDENTIFIERS: [&str; 6] = [
    "customer_number",
    "loyalty_card",
    "email",
    "phone",
    "device",
    "zendesk_user",
];

fn strength(kind: &str) -> usize {
    let place = IDENTIFIERS.iter().position(|known| *known == kind);
    place.unwrap_or(IDENTIFIERS.len())
}

/// The references of the company, the strongest first.
const REFERENCES: [&str; 5] = ["order", "shipment", "ticket", "thread", "receipt"];

fn share(score: &Value) -> Option<f64> {
    let number = |field: &str| score.get(field).and_then(Value::as_f64);
    let (value, min, max) = (number("value")?, number("min")?, number("max")?);
    (max > min).then(|| (value - min) / (max - min))
}

fn named(table: Option<&Value>) -> Vec<Named> {
    let Some(Value::Object(table)) = table else {
        return Vec::new();
    };
    let mut list = Vec::new();
    for (kind, value) in table {
        let values: Vec<&str> = match value {
            Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
            Value::String(value) => vec![value],
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
        };
        list.extend(values.into_iter().map(|value| written(kind, value)));
    }
    list
}

pub(super) fn written(kind: &str, value: &str) -> Named {
    (kind.to_owned(), plain(kind, value))
}

/// Phone numbers are written in two ways; the truth keeps the digits of the subscriber.
fn plain(kind: &str, value: &str) -> String {
    if kind != "phone" {
        return value.to_owned();
    }
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    digits
        .strip_prefix("358")
        .or_else(|| digits.strip_prefix('0'))
        .unwrap_or(&digits)
        .to_owned()
}

/// One customer as Polku should see it.
#[derive(Clone, Debug, Default)]
pub(super) struct Customer {
    pub(super) identifiers: BTreeSet<Named>,
    pub(super) events: Vec<Shown>,
}

/// How a complaint stands.
#[derive(Clone, Debug)]
pub(super) struct Matter {
    /// What later events about it name: the order, or the customer and the subject.
    pub(super) key: Named,
    pub(super) complaint: Shown,
    /// Any identifier of the customer, to find them by.
    pub(super) customer: Named,
    /// When the company put it right, where it did and the customer did not ask again.
    pub(super) resolved_ms: Option<i64>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Truth {
    sent: Vec<Sent>,
    matters: Vec<Matter>,
}

impl Truth {
    /// Takes in what Polku has. A complaint is a matter; who gets in touch again about a resolved one opens it again. What is corrected
    /// was never said.
    pub(super) fn accepted(&mut self, sent: Sent) {
        let is_it = |known: &Sent| known.source == sent.source && known.id == sent.id;
        if let Some(place) = self.sent.iter().position(is_it) {
            let before = self.sent.remove(place).shown();
            self.matters.retain(|matter| matter.complaint != before);
        }
        if let (Some(key), true) = (sent.matter_key(), sent.is_contact()) {
            if let Some(matter) = self.matters.iter_mut().find(|matter| matter.key == key) {
                // What was said before, and told late, asks nothing any more.
                matter.resolved_ms = matter
                    .resolved_ms
                    .filter(|resolved| sent.time_ms < *resolved);
            } else if sent.is_complaint()
                && let Some(customer) = sent.identifiers.first().cloned()
            {
                self.matters.push(Matter {
                    key,
                    complaint: sent.shown(),
                    customer,
                    resolved_ms: None,
                });
            }
        }
        self.sent.push(sent);
    }

    /// The company put the matter right.
    pub(super) fn resolved(&mut self, key: &Named, now_ms: i64) {
        for matter in self.matters.iter_mut().filter(|matter| matter.key == *key) {
            matter.resolved_ms = Some(now_ms);
        }
    }

    pub(super) fn matter(&self, key: &Named) -> Option<&Matter> {
        self.matters.iter().find(|matter| matter.key == *key)
    }

    pub(super) fn events(&self) -> usize {
        self.sent.len()
    }

    /// How many events name nobody and nothing.
    pub(super) fn anonymous(&self) -> usize {
        self.sent.iter().filter(|sent| sent.is_anonymous()).count()
    }

    pub(super) fn matters(&self) -> &[Matter] {
        &self.matters
    }

    /// The customers there are: identifiers are one customer's when a chain of events names them; an event that names only
    /// references is of the customer whose events name one of them too.
    pub(super) fn customers(&self) -> Vec<Customer> {
        let shared = self.shared();
        // Who names nothing else is nobody, and has a page all the same; what names a thing too goes where that is.
        let theirs = |sent: &Sent| -> Vec<Named> {
            let own = sent
                .identifiers
                .iter()
                .filter(|named| !shared.contains(*named));
            let own: Vec<Named> = own.cloned().collect();
            if own.is_empty() && sent.references.is_empty() {
                sent.identifiers.first().cloned().into_iter().collect()
            } else {
                own
            }
        };
        let mut groups: BTreeMap<Named, usize> = BTreeMap::new();
        let mut members: Vec<BTreeSet<Named>> = Vec::new();
        for sent in &self.sent {
            let mut joined: BTreeSet<Named> = theirs(sent).into_iter().collect();
            let Some(first) = joined.first().cloned() else {
                continue;
            };
            let old: BTreeSet<usize> = joined
                .iter()
                .filter_map(|name| groups.get(name).copied())
                .collect();
            for group in old {
                joined.append(&mut members[group]);
            }
            let group = members.len();
            for name in &joined {
                groups.insert(name.clone(), group);
            }
            debug_assert!(joined.contains(&first));
            members.push(joined);
        }
        let mut owners: BTreeMap<&Named, usize> = BTreeMap::new();
        for sent in &self.sent {
            if let Some(group) = theirs(sent).first().and_then(|name| groups.get(name)) {
                for reference in &sent.references {
                    owners.entry(reference).or_insert(*group);
                }
            }
        }
        let mut customers: BTreeMap<usize, Customer> = BTreeMap::new();
        for sent in &self.sent {
            let own = theirs(sent);
            let by_identifier = own.first().and_then(|name| groups.get(name));
            let group = by_identifier.or_else(|| {
                sent.references
                    .iter()
                    .find_map(|reference| owners.get(reference))
            });
            if let Some(group) = group {
                let customer = customers.entry(*group).or_default();
                customer.identifiers.extend(members[*group].iter().cloned());
                customer.events.push(sent.shown());
            }
        }
        for customer in customers.values_mut() {
            customer.events.sort();
        }
        customers.into_values().collect()
    }

    /// What more people have than one may.
    fn shared(&self) -> BTreeSet<Named> {
        let mut stronger: BTreeMap<(&Named, &str), BTreeSet<&str>> = BTreeMap::new();
        for sent in &self.sent {
            for (place, named) in sent.identifiers.iter().enumerate() {
                for (kind, value) in &sent.identifiers[..place] {
                    stronger.entry((named, kind)).or_default().insert(value);
                }
            }
        }
        let shared = stronger
            .into_iter()
            .filter(|(_, by)| by.len() > SHARED_BY_MAX);
        shared.map(|((named, _), _)| named.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(time_ms: i64, identifiers: Value, references: Value) -> Sent {
        let event = json!({
            "id": time_ms.to_string(), "kind": "service", "type": "x", "identifiers": identifiers, "references": references,
        });
        Sent::new("till", time_ms, event.as_object().unwrap(), &[])
    }

    #[test]
    fn a_chain_of_identifiers_is_one_customer_and_references_follow() {
        let mut truth = Truth::default();
        truth.accepted(sent(1, json!({}), json!({ "shipment": "S1" })));
        truth.accepted(sent(
            2,
            json!({ "email": "a@example.fi" }),
            json!({ "shipment": "S1" }),
        ));
        truth.accepted(sent(3, json!({ "phone": "040 123 4567" }), json!({})));
        truth.accepted(sent(
            4,
            json!({ "phone": "+358401234567", "email": "a@example.fi" }),
            json!({}),
        ));
        truth.accepted(sent(
            5,
            json!({ "email": "b@example.fi" }),
            json!({ "shipment": "S2" }),
        ));
        let customers = truth.customers();
        let times: Vec<Vec<i64>> = customers
            .iter()
            .map(|one| one.events.iter().map(|event| event.0).collect())
            .collect();
        assert_eq!(times.len(), 2);
        assert!(
            times.contains(&vec![1, 2, 3, 4]) && times.contains(&vec![5]),
            "{times:?}"
        );
    }

    #[test]
    fn what_many_share_connects_nobody() {
        let mut truth = Truth::default();
        for number in 0..6 {
            let identifiers = json!({ "email": format!("{number}@example.fi"), "phone": "09 123" });
            truth.accepted(sent(number, identifiers, json!({})));
            let people = usize::try_from(number).unwrap() + 1;
            let expected = if people > SHARED_BY_MAX { people } else { 1 };
            assert_eq!(truth.customers().len(), expected);
        }
        truth.accepted(sent(9, json!({ "phone": "09 123" }), json!({})));
        assert_eq!(truth.customers().len(), 7, "who calls from it is nobody");
    }

    #[test]
    fn what_is_corrected_was_never_said() {
        let said = |who: &str| {
            let event = json!({ "id": "1", "kind": "complaint", "type": "queue.long", "identifiers": { "email": who } });
            Sent::new("web-shop", 1, event.as_object().unwrap(), &[])
        };
        let mut truth = Truth::default();
        truth.accepted(said("a@example.fi"));
        truth.accepted(said("b@example.fi"));
        assert_eq!((truth.events(), truth.customers().len()), (1, 1));
        assert_eq!(truth.matters().len(), 1);
        assert_eq!(truth.matters()[0].customer.1, "b@example.fi");
    }
}
