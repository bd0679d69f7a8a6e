//! What happens to a customer: a journey is a list of beats, each told by one system in that system's own terms.
//!
//! The courier, the installer and the pick-up points name only shipments, never a customer; the telephone knows only numbers.

use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Map, Value, json};

use super::{
    person::Person,
    system::System,
    texts::{Topic, say},
};

/// What goes wrong, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plot {
    Smooth,
    Late,
    Damaged,
    WrongItem,
    /// Again and again about one delivery, by telephone and in writing.
    AgainAndAgain,
    /// A queue in a store; there is no order.
    Queue,
    /// Bought in a store, and brought back.
    BroughtBack,
    /// An anonymous visitor of the web shop who signs in at last.
    Visitor,
}

const PLOTS: [Plot; 11] = [
    Plot::Smooth,
    Plot::Smooth,
    Plot::Smooth,
    Plot::Late,
    Plot::Late,
    Plot::Damaged,
    Plot::WrongItem,
    Plot::AgainAndAgain,
    Plot::Queue,
    Plot::BroughtBack,
    Plot::Visitor,
];

/// What the company's people do about a complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Nobody does anything.
    Nothing,
    /// Somebody takes it in hand, and there it stays.
    Claim,
    /// Somebody asks the courier and waits for the answer.
    Wait,
    /// The owner contacts the customer and resolves it.
    Resolve,
    /// The owner hands it to another department, which accepts and resolves it.
    HandOffAndResolve,
    /// The owner offers it to another department, which has not answered yet.
    Offer,
    /// The other department declines, with its reason.
    OfferDeclined,
}

const WORK: [Work; 10] = [
    Work::Nothing,
    Work::Nothing,
    Work::Claim,
    Work::Wait,
    Work::Resolve,
    Work::Resolve,
    Work::Resolve,
    Work::HandOffAndResolve,
    Work::Offer,
    Work::OfferDeclined,
];

impl Work {
    pub(super) fn puts_right(self) -> bool {
        match self {
            Work::Resolve | Work::HandOffAndResolve => true,
            Work::Nothing | Work::Claim | Work::Wait | Work::Offer | Work::OfferDeclined => false,
        }
    }
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Beat {
    /// A system tells Polku. The event lacks its id and time, which the sender adds.
    Said {
        system: System,
        event: Map<String, Value>,
        /// How long after the beat before it, where the journey lies in the past.
        after_ms: i64,
    },
    /// The company's people work on the case of the journey's complaint.
    Worked(Work),
}

#[derive(Clone, Debug)]
pub(super) struct Journey {
    pub(super) person: usize,
    pub(super) beats: Vec<Beat>,
}

impl Journey {
    pub(super) fn new(
        person_index: usize,
        person: &Person,
        number: u64,
        rng: &mut StdRng,
    ) -> Journey {
        let plot = PLOTS.choose(rng).copied().unwrap_or(Plot::Smooth);
        let mut script = Script {
            person,
            number,
            product: PRODUCTS.choose(rng).copied().unwrap_or("sofa"),
            place: PLACES.choose(rng).copied().unwrap_or("store:kamppi"),
            beats: Vec::new(),
            rng,
        };
        script.known();
        match plot {
            Plot::Smooth => script.smooth(),
            Plot::Late => script.late(),
            Plot::Damaged => script.damaged(),
            Plot::WrongItem => script.wrong_item(),
            Plot::AgainAndAgain => script.again_and_again(),
            Plot::Queue => script.queue(),
            Plot::BroughtBack => script.brought_back(),
            Plot::Visitor => script.visitor(),
        }
        Journey {
            person: person_index,
            beats: script.beats,
        }
    }
}

const PLACES: [&str; 4] = ["store:kamppi", "store:itis", "store:tampere", "store:turku"];
const PRODUCTS: [&str; 4] = ["sofa", "table", "chair", "lamp"];
const PICKUP_POINTS: [&str; 3] = ["pickup:kallio", "pickup:pasila", "pickup:hervanta"];

const MINUTE_MS: i64 = 60_000;

/// A journey while it is written.
struct Script<'a> {
    person: &'a Person,
    number: u64,
    product: &'static str,
    place: &'static str,
    beats: Vec<Beat>,
    rng: &'a mut StdRng,
}

impl Script<'_> {
    fn say(&mut self, system: System, mut event: Value, identifiers: Value, references: Value) {
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
        self.beats.push(Beat::Said {
            system,
            event: std::mem::take(event),
            after_ms: self.rng.random_range(10 * MINUTE_MS..8 * 60 * MINUTE_MS),
        });
    }

    fn text(&mut self, topic: Topic) -> &'static str {
        say(topic, self.person.language, self.rng)
    }

    fn order_number(&self) -> String {
        format!("A-{}", self.number)
    }

    fn order(&self) -> Value {
        json!({ "order": self.order_number() })
    }

    /// As on the parcel's label: eighteen digits, the last of which checks the others.
    fn shipment(&self) -> Value {
        let digits = format!("06412345{:09}", self.number);
        let sum: u32 = digits
            .bytes()
            .rev()
            .zip([3, 1].into_iter().cycle())
            .map(|(byte, weight)| u32::from(byte - b'0') * weight)
            .sum();
        json!({ "shipment": format!("{digits}{}", (10 - sum % 10) % 10) })
    }

    fn receipt(&self) -> Value {
        json!({ "receipt": format!("K{}-{}", self.number, self.beats.len()) })
    }

    fn ticket(&self) -> Value {
        json!({ "ticket": format!("{}", self.number), "order": self.order_number() })
    }

    fn price(&mut self) -> Value {
        json!({ "value": format!("{}.90", self.rng.random_range(20..900)), "currency": "EUR", "of": "purchase" })
    }

    /// Each system learns of the customer by two identifiers at once, now and then.
    fn known(&mut self) {
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
    fn bought(&mut self, identifiers: Value) {
        let event = json!({
            "kind": "service", "type": "purchase.made", "stage": "purchase", "place": self.place, "product": self.product,
            "amount": self.price(),
        });
        let receipt = self.receipt();
        self.say(System::Till, event, identifiers, receipt);
    }

    /// The call centre takes the customer into its books.
    fn registered(&mut self) {
        let phone = self.person.phone_as_written(self.rng);
        let identifiers = json!({
            "customer_number": self.person.customer_number, "email": self.person.email, "phone": phone,
            "zendesk_user": self.person.zendesk_user,
        });
        let event = json!({ "kind": "service", "type": "customer.updated" });
        self.say(System::Zendesk, event, identifiers, json!({}));
    }

    fn ordered(&mut self) {
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

    fn carried(&mut self, what: &str) {
        let event =
            json!({ "kind": "service", "type": what, "stage": "delivery", "party": "courier" });
        let shipment = self.shipment();
        self.say(System::Courier, event, json!({}), shipment);
    }

    fn arrived(&mut self) {
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

    fn called(&mut self, what: &str) {
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
    fn wrote(&mut self, kind: &str, what: &str, topic: Topic) {
        let event = json!({ "kind": kind, "type": what, "text": self.text(topic) });
        let identifiers = json!({ "zendesk_user": self.person.zendesk_user });
        let ticket = self.ticket();
        self.say(System::Zendesk, event, identifiers, ticket);
    }

    fn surveyed(&mut self, value: u8, topic: Topic) {
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
    fn pressed(&mut self, value: u8) {
        let event = json!({
            "kind": "feedback", "type": "panel.pressed", "place": self.place,
            "score": { "metric": "smiley", "value": value, "min": 1, "max": 4 },
        });
        self.say(System::Panel, event, json!({}), json!({}));
    }

    /// The complaint comes by the web shop's form or in writing to the call centre; then somebody works on it, or not.
    fn complained(&mut self, what: &str, stage: &str, party: Option<&str>, topic: Topic) {
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
        self.worked();
    }

    fn worked(&mut self) {
        let work = WORK.choose(self.rng).copied().unwrap_or(Work::Nothing);
        self.beats.push(Beat::Worked(work));
    }

    /// What comes after the work on an order's complaint.
    fn aftermath(&mut self) {
        let Some(Beat::Worked(work)) = self.beats.last() else {
            return;
        };
        let identifiers = json!({ "customer_number": self.person.customer_number });
        let order = self.order();
        if work.puts_right() {
            let amount = json!({ "value": "20.00", "currency": "EUR", "of": "compensation" });
            let event = json!({ "kind": "service", "type": "compensation.paid", "amount": amount });
            self.say(System::WebShop, event, identifiers, order);
        } else if *work == Work::Claim {
            let event = json!({
                "kind": "service", "type": "promise.made",
                "promise": {
                    "id": format!("P-{}", self.number), "what": "refund", "by": "customer-care", "keeper": "finance",
                    "state": "made",
                },
            });
            self.say(System::WebShop, event, identifiers, order);
        }
    }

    fn smooth(&mut self) {
        self.ordered();
        self.arrived();
        if self.rng.random_bool(0.5) {
            let event = json!({ "kind": "service", "type": "installation.done", "stage": "installation", "party": "installer" });
            let shipment = self.shipment();
            self.say(System::Installer, event, json!({}), shipment);
        }
        match self.rng.random_range(0..4) {
            0 => {
                self.registered();
                self.wrote("feedback", "praise.ticket", Topic::Thanks);
            }
            1 => self.surveyed(7, Topic::SoSo),
            _ => {
                let value = self.rng.random_range(8..=10);
                self.surveyed(value, Topic::Thanks);
            }
        }
    }

    fn late(&mut self) {
        self.ordered();
        self.carried("shipment.delayed");
        self.called("call.answered");
        self.complained("delivery.late", "delivery", Some("courier"), Topic::Late);
        self.aftermath();
        self.arrived();
    }

    fn damaged(&mut self) {
        self.ordered();
        self.carried("shipment.delivered");
        self.complained("product.damaged", "use", Some("courier"), Topic::Damaged);
        self.aftermath();
    }

    fn wrong_item(&mut self) {
        self.ordered();
        self.carried("shipment.delivered");
        self.complained("product.wrong", "use", None, Topic::WrongItem);
        self.aftermath();
        self.called("call.answered");
    }

    /// Two calls that nobody can tie to the order, a letter, and after the complaint another: one case all the same. At last the
    /// call centre says in its own system that it is solved.
    fn again_and_again(&mut self) {
        self.ordered();
        self.carried("shipment.lost");
        self.called("call.missed");
        self.called("call.answered");
        self.registered();
        self.wrote("service", "contact.ticket", Topic::WhereIsIt);
        let event = json!({
            "kind": "complaint", "type": "delivery.lost", "stage": "delivery", "party": "courier", "product": self.product,
            "text": self.text(Topic::Late),
        });
        let order = self.order();
        self.say(
            System::WebShop,
            event,
            json!({ "email": self.person.email }),
            order,
        );
        self.worked();
        self.aftermath();
        self.wrote("service", "contact.comment", Topic::WhereIsIt);
        let event = json!({ "kind": "service", "type": "ticket.solved" });
        let (user, ticket) = (
            json!({ "zendesk_user": self.person.zendesk_user }),
            self.ticket(),
        );
        self.say(System::Zendesk, event, user, ticket);
    }

    fn queue(&mut self) {
        self.bought(json!({ "loyalty_card": self.person.loyalty_card }));
        self.pressed(1);
        let event = json!({
            "kind": "complaint", "type": "queue.long", "stage": "purchase", "place": self.place, "text": self.text(Topic::Queue),
        });
        self.say(
            System::WebShop,
            event,
            json!({ "email": self.person.email }),
            json!({}),
        );
        self.worked();
    }

    fn brought_back(&mut self) {
        let card = json!({ "loyalty_card": self.person.loyalty_card });
        self.bought(card.clone());
        let value = self.rng.random_range(2..=4);
        self.pressed(value);
        let event = json!({
            "kind": "service", "type": "purchase.returned", "stage": "purchase", "place": self.place, "product": self.product,
            "amount": { "value": "39.90", "currency": "EUR", "of": "refund" },
        });
        let receipt = self.receipt();
        self.say(System::Till, event, card, receipt);
        self.pressed(4);
    }

    fn visitor(&mut self) {
        let device = json!({ "device": self.person.device });
        for page in ["page.viewed", "cart.filled"] {
            let event = json!({
                "kind": "service", "type": page, "stage": "purchase", "touchpoint": "web-shop", "product": self.product,
            });
            self.say(System::WebShop, event, device.clone(), json!({}));
        }
        let both = json!({ "device": self.person.device, "email": self.person.email });
        let event = json!({ "kind": "service", "type": "customer.signed-in" });
        self.say(System::WebShop, event, both, json!({}));
        self.ordered();
        self.arrived();
        self.surveyed(9, Topic::PutRight);
    }
}
