//! What customers and systems do, in the words of the journeys.

use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

use super::{Beat, Outline, Said, WORK, Work};
use crate::simulate::{
    person::Person,
    system::System,
    texts::{Topic, say},
};

const PLACES: [&str; 4] = ["store:kamppi", "store:itis", "store:tampere", "store:turku"];
const PRODUCTS: [&str; 4] = ["sofa", "table", "chair", "lamp"];
const PICKUP_POINTS: [&str; 3] = ["pickup:kallio", "pickup:pasila", "pickup:hervanta"];

const MINUTE_MS: i64 = 60_000;

/// What is promised by name is due after so long: a little more than the keeper is warned before.
const DUE_AFTER_MS: i64 = 5 * MINUTE_MS / 2;

/// A journey while it is written.
pub(super) struct Script<'a> {
    pub(super) person: Person,
    pub(super) number: u64,
    pub(super) product: &'static str,
    pub(super) place: &'static str,
    pub(super) beats: Vec<Beat>,
    pub(super) rng: &'a mut StdRng,
    seed: u64,
    next_stranger: u32,
}

impl<'a> Script<'a> {
    pub(super) fn new(outline: &Outline<'_>, rng: &'a mut StdRng) -> Script<'a> {
        Script {
            person: outline.person.clone(),
            number: outline.number,
            product: PRODUCTS.choose(rng).copied().unwrap_or("sofa"),
            place: PLACES.choose(rng).copied().unwrap_or("store:kamppi"),
            beats: Vec::new(),
            rng,
            seed: outline.seed,
            next_stranger: outline.strangers,
        }
    }

    /// Somebody of whom nobody heard before.
    pub(super) fn stranger(&mut self) -> Person {
        self.next_stranger += 1;
        Person::new(self.seed, self.next_stranger - 1, self.rng)
    }

    pub(super) fn say(
        &mut self,
        system: System,
        mut event: Value,
        identifiers: Value,
        references: Value,
    ) {
        let Value::Object(event) = &mut event else {
            return;
        };
        if identifiers.as_object().is_some_and(|some| !some.is_empty()) {
            event.insert("identifiers".to_owned(), identifiers);
            event.insert("name".to_owned(), json!(self.person.name));
            event.insert("language".to_owned(), json!(self.person.language.code()));
        }
        if references.as_object().is_some_and(|some| !some.is_empty()) {
            event.insert("references".to_owned(), references);
        }
        self.beats.push(Beat::Said(Box::new(Said {
            system,
            event: std::mem::take(event),
            after_ms: self.rng.random_range(10 * MINUTE_MS..8 * 60 * MINUTE_MS),
            others: &[],
            due_after_ms: None,
            corrects: false,
        })));
    }

    /// Adds something to what was said last.
    pub(super) fn and(&mut self, add: impl FnOnce(&mut Said)) {
        if let Some(Beat::Said(said)) = self.beats.last_mut() {
            add(said);
        }
    }

    pub(super) fn text(&mut self, topic: Topic) -> &'static str {
        say(topic, self.person.language, self.rng)
    }

    pub(super) fn order_number(&self) -> String {
        format!("A-{}", self.number)
    }

    pub(super) fn order(&self) -> Value {
        json!({ "order": self.order_number() })
    }

    /// As on the parcel's label: eighteen digits, the last of which checks the others.
    pub(super) fn shipment(&self) -> Value {
        let digits = format!("06412345{:09}", self.number);
        let sum: u32 = digits
            .bytes()
            .rev()
            .zip([3, 1].into_iter().cycle())
            .map(|(byte, weight)| u32::from(byte - b'0') * weight)
            .sum();
        json!({ "shipment": format!("{digits}{}", (10 - sum % 10) % 10) })
    }

    pub(super) fn receipt(&self) -> Value {
        json!({ "receipt": format!("K{}-{}", self.number, self.beats.len()) })
    }

    pub(super) fn ticket(&self) -> Value {
        json!({ "ticket": format!("{}", self.number), "order": self.order_number() })
    }

    pub(super) fn price(&mut self) -> Value {
        json!({ "value": format!("{}.90", self.rng.random_range(20..900)), "currency": "EUR", "of": "purchase" })
    }

    /// Each system learns of the customer by two identifiers at once, now and then.
    pub(super) fn known(&mut self) {
        if self.rng.random_bool(0.6) {
            let phone = self.person.phone_as_written(self.rng);
            let identifiers = json!({ "loyalty_card": self.person.loyalty_card, "phone": phone });
            self.bought(identifiers);
        }
        if self.rng.random_bool(0.6) {
            self.registered();
        }
    }

    /// At a till.
    pub(super) fn bought(&mut self, identifiers: Value) {
        let event = json!({
            "kind": "service", "type": "purchase.made", "stage": "purchase", "place": self.place, "product": self.product,
            "amount": self.price(),
        });
        let receipt = self.receipt();
        self.say(System::Till, event, identifiers, receipt);
    }

    /// The call centre takes the customer into its books.
    pub(super) fn registered(&mut self) {
        let phone = self.person.phone_as_written(self.rng);
        let identifiers = json!({
            "customer_number": self.person.customer_number, "email": self.person.email, "phone": phone,
            "zendesk_user": self.person.zendesk_user,
        });
        let event = json!({ "kind": "service", "type": "customer.updated" });
        self.say(System::Zendesk, event, identifiers, json!({}));
    }

    pub(super) fn ordered(&mut self) {
        let identifiers =
            json!({ "customer_number": self.person.customer_number, "email": self.person.email });
        let event = json!({
            "kind": "service", "type": "order.placed", "stage": "purchase", "product": self.product, "amount": self.price(),
        });
        let order = self.order();
        self.say(System::WebShop, event, identifiers, order);
        let mut references = self.shipment();
        references["order"] = json!(self.order_number());
        let event = json!({ "kind": "service", "type": "order.shipped", "stage": "delivery", "product": self.product });
        let identifiers = json!({ "customer_number": self.person.customer_number });
        self.say(System::WebShop, event, identifiers, references);
        self.carried("shipment.received");
    }

    pub(super) fn carried(&mut self, what: &str) {
        let event =
            json!({ "kind": "service", "type": what, "stage": "delivery", "party": "courier" });
        let shipment = self.shipment();
        self.say(System::Courier, event, json!({}), shipment);
    }

    pub(super) fn arrived(&mut self) {
        if self.rng.random_bool(0.7) {
            return self.carried("shipment.delivered");
        }
        self.carried("shipment.at-pickup-point");
        let point = PICKUP_POINTS
            .choose(self.rng)
            .copied()
            .unwrap_or("pickup:kallio");
        let event = json!({ "kind": "service", "type": "parcel.collected", "stage": "delivery", "place": point });
        let shipment = self.shipment();
        self.say(System::PickupPoints, event, json!({}), shipment);
    }

    pub(super) fn called(&mut self, what: &str) {
        let phone = format!("+358{}", self.person.phone.replace(' ', ""));
        let call = format!("CA{:024x}{:08x}", self.number, self.beats.len());
        let event = json!({ "kind": "service", "type": what });
        self.say(
            System::Phone,
            event,
            json!({ "phone": phone }),
            json!({ "thread": call }),
        );
    }

    /// Writes to the call centre.
    pub(super) fn wrote(&mut self, kind: &str, what: &str, topic: Topic) {
        let event = json!({ "kind": kind, "type": what, "text": self.text(topic) });
        let identifiers = json!({ "zendesk_user": self.person.zendesk_user });
        let ticket = self.ticket();
        self.say(System::Zendesk, event, identifiers, ticket);
    }

    pub(super) fn surveyed(&mut self, value: u8, topic: Topic) {
        let event = json!({
            "kind": "feedback", "type": "survey.answered", "text": self.text(topic),
            "score": { "metric": "nps", "value": value, "min": 0, "max": 10 },
        });
        let order = self.order();
        self.say(
            System::Survey,
            event,
            json!({ "email": self.person.email }),
            order,
        );
    }

    /// Presses a smiley on the way out, as nobody in particular.
    pub(super) fn pressed(&mut self, value: u8) {
        let event = json!({
            "kind": "feedback", "type": "panel.pressed", "place": self.place,
            "score": { "metric": "smiley", "value": value, "min": 1, "max": 4 },
        });
        self.say(System::Panel, event, json!({}), json!({}));
    }

    /// Somebody works on what is complained of, or not.
    pub(super) fn complained(
        &mut self,
        what: &str,
        stage: &str,
        party: Option<&str>,
        topic: Topic,
    ) {
        self.complained_in_vain(what, stage, party, topic);
        self.worked_on();
    }

    /// The complaint comes by the web shop's form or in writing to the call centre.
    pub(super) fn complained_in_vain(
        &mut self,
        what: &str,
        stage: &str,
        party: Option<&str>,
        topic: Topic,
    ) {
        if self.rng.random_bool(0.6) {
            let mut event = json!({
                "kind": "complaint", "type": what, "stage": stage, "product": self.product, "text": self.text(topic),
            });
            if let Some(party) = party {
                event["party"] = json!(party);
            }
            let order = self.order();
            self.say(
                System::WebShop,
                event,
                json!({ "email": self.person.email }),
                order,
            );
        } else {
            self.registered();
            self.wrote("complaint", "complaint.ticket", topic);
        }
    }

    pub(super) fn worked_on(&mut self) {
        let work = WORK.choose(self.rng).copied().unwrap_or(Work::Nothing);
        self.worked(work);
    }

    pub(super) fn worked(&mut self, work: Work) {
        self.beats.push(Beat::Worked(work));
    }

    /// What comes after the work on an order's complaint.
    pub(super) fn aftermath(&mut self) {
        let Some(&Beat::Worked(work)) = self.beats.last() else {
            return;
        };
        let identifiers = json!({ "customer_number": self.person.customer_number });
        let order = self.order();
        if work.puts_right() {
            let amount = json!({ "value": "20.00", "currency": "EUR", "of": "compensation" });
            let event = json!({ "kind": "service", "type": "compensation.paid", "amount": amount });
            self.say(System::WebShop, event, identifiers, order);
        } else if work == Work::Claim {
            let is_kept = self.rng.random_bool(0.5);
            self.promised_money(is_kept);
        }
    }

    /// Customer care promises money that finance has to pay, soon, so that whoever looks on sees what comes of it.
    pub(super) fn promised_money(&mut self, is_kept: bool) {
        let id = format!("P-{}-{}", self.number, self.beats.len());
        let said = |what: &str, state: &str| {
            json!({
                "kind": "service", "type": what,
                "promise": { "id": id, "what": "refund", "by": "customer-care", "keeper": "finance", "state": state },
            })
        };
        let identifiers = json!({ "customer_number": self.person.customer_number });
        let order = self.order();
        self.say(
            System::WebShop,
            said("promise.made", "made"),
            identifiers.clone(),
            order.clone(),
        );
        self.and(|said| said.due_after_ms = Some(DUE_AFTER_MS));
        if is_kept {
            self.say(
                System::WebShop,
                said("promise.kept", "kept"),
                identifiers,
                order,
            );
        }
    }
}
