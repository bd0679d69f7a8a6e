//! What happens to a customer: a journey is a list of beats, each told by one system in that system's own terms.
//!
//! The two subcontractors (the courier and the installer) name only shipments, never a customer.

use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Map, Value, json};

use super::{
    person::Person,
    texts::{Topic, say},
};

/// The systems of the simulated company, each a source with its own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum System {
    Till,
    CallCentre,
    WebShop,
    Courier,
    Installer,
}

impl System {
    /// The source's id in the configuration.
    pub(super) const fn source(self) -> &'static str {
        match self {
            System::Till => "till",
            System::CallCentre => "call-centre",
            System::WebShop => "web-shop",
            System::Courier => "courier",
            System::Installer => "installer",
        }
    }
}

/// What goes wrong, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plot {
    Smooth,
    Late,
    Damaged,
    WrongItem,
    /// Five calls about one delivery.
    FiveCalls,
    /// A queue in a store; there is no order.
    Queue,
    /// An anonymous visitor of the web shop who signs in at last.
    Visitor,
}

const PLOTS: [Plot; 10] = [
    Plot::Smooth,
    Plot::Smooth,
    Plot::Smooth,
    Plot::Late,
    Plot::Late,
    Plot::Damaged,
    Plot::WrongItem,
    Plot::FiveCalls,
    Plot::Queue,
    Plot::Visitor,
];

/// What the company's people do about a complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Nobody does anything.
    Nothing,
    /// Somebody acknowledges it, and there it stays.
    Acknowledge,
    /// The owner contacts the customer and resolves it.
    Resolve,
    /// The owner hands it to customer care, who accept and resolve it.
    HandOffAndResolve,
}

const WORK: [Work; 5] = [
    Work::Nothing,
    Work::Acknowledge,
    Work::Resolve,
    Work::Resolve,
    Work::HandOffAndResolve,
];

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Beat {
    /// A system tells Polku. The event lacks its id and time, which the sender adds.
    Said {
        system: System,
        event: Map<String, Value>,
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
            order: format!("A-{number}"),
            shipment: format!("JJFI{number:08}"),
            beats: Vec::new(),
        };
        script.known(rng);
        match plot {
            Plot::Smooth => script.smooth(rng),
            Plot::Late => script.late(rng),
            Plot::Damaged => script.damaged(rng),
            Plot::WrongItem => script.wrong_item(rng),
            Plot::FiveCalls => script.five_calls(rng),
            Plot::Queue => script.queue(rng),
            Plot::Visitor => script.visitor(rng),
        }
        Journey {
            person: person_index,
            beats: script.beats,
        }
    }
}

const PLACES: [&str; 4] = ["store:kamppi", "store:itis", "store:tampere", "store:turku"];
const PRODUCTS: [&str; 4] = ["sofa", "table", "chair", "lamp"];

/// A journey while it is written.
struct Script<'a> {
    person: &'a Person,
    order: String,
    shipment: String,
    beats: Vec<Beat>,
}

impl Script<'_> {
    fn say(&mut self, system: System, mut event: Value, identifiers: Value, references: Value) {
        if let Value::Object(event) = &mut event {
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
            });
        }
    }

    fn order(&self) -> Value {
        json!({ "order": self.order })
    }

    fn text(&self, topic: Topic) -> &'static str {
        say(topic, self.person.language)
    }

    /// Each system learns of the customer by two identifiers at once, now and then.
    fn known(&mut self, rng: &mut StdRng) {
        if rng.random_bool(0.6) {
            let phone = self.person.phone_as_written(rng);
            let identifiers = json!({ "loyalty_card": self.person.loyalty_card, "phone": phone });
            let place = PLACES.choose(rng).copied().unwrap_or("store:kamppi");
            self.say(
                System::Till,
                json!({ "kind": "service", "type": "loyalty.used", "place": place }),
                identifiers,
                json!({}),
            );
        }
        if rng.random_bool(0.6) {
            let phone = self.person.phone_as_written(rng);
            let identifiers =
                json!({ "customer_number": self.person.customer_number, "phone": phone });
            self.say(
                System::CallCentre,
                json!({ "kind": "service", "type": "customer.checked" }),
                identifiers,
                json!({}),
            );
        }
    }

    fn ordered(&mut self, rng: &mut StdRng) {
        let product = PRODUCTS.choose(rng).copied().unwrap_or("sofa");
        let amount = json!({ "value": format!("{}.90", rng.random_range(20..900)), "currency": "EUR", "of": "purchase" });
        let identifiers =
            json!({ "customer_number": self.person.customer_number, "email": self.person.email });
        let event = json!({ "kind": "service", "type": "order.placed", "stage": "purchase", "product": product, "amount": amount });
        self.say(System::WebShop, event, identifiers, self.order());
        let references = json!({ "order": self.order, "shipment": self.shipment });
        let event = json!({ "kind": "service", "type": "order.shipped", "stage": "delivery" });
        self.say(
            System::WebShop,
            event,
            json!({ "customer_number": self.person.customer_number }),
            references,
        );
        self.carried("shipment.received");
    }

    fn carried(&mut self, what: &str) {
        let references = json!({ "shipment": self.shipment });
        let event =
            json!({ "kind": "service", "type": what, "stage": "delivery", "party": "courier" });
        self.say(System::Courier, event, json!({}), references);
    }

    fn called(&mut self, rng: &mut StdRng) {
        let identifiers = json!({ "phone": [self.person.phone_as_written(rng)] });
        let event = json!({ "kind": "service", "type": "call.answered", "text": self.text(Topic::WhereIsIt) });
        self.say(System::CallCentre, event, identifiers, self.order());
    }

    fn rated(&mut self, value: u8, topic: Topic) {
        let event = json!({
            "kind": "feedback", "type": "survey.nps", "text": self.text(topic),
            "score": { "metric": "nps", "value": value, "min": 0, "max": 10 },
        });
        self.say(
            System::WebShop,
            event,
            json!({ "email": self.person.email }),
            self.order(),
        );
    }

    /// The complaint comes by web or by phone; then somebody works on it, or not.
    fn complained(&mut self, what: &str, party: Option<&str>, topic: Topic, rng: &mut StdRng) {
        let mut event = json!({ "kind": "complaint", "type": what, "stage": "delivery", "text": self.text(topic) });
        if let (Some(party), Value::Object(event)) = (party, &mut event) {
            event.insert("party".to_owned(), json!(party));
        }
        if rng.random_bool(0.5) {
            self.say(
                System::WebShop,
                event,
                json!({ "email": self.person.email }),
                self.order(),
            );
        } else {
            let identifiers = json!({ "phone": self.person.phone_as_written(rng) });
            self.say(System::CallCentre, event, identifiers, self.order());
        }
        let work = WORK.choose(rng).copied().unwrap_or(Work::Nothing);
        self.beats.push(Beat::Worked(work));
        match work {
            Work::Nothing | Work::Acknowledge => {}
            Work::Resolve | Work::HandOffAndResolve => {
                let amount = json!({ "value": "20.00", "currency": "EUR", "of": "compensation" });
                let event =
                    json!({ "kind": "service", "type": "compensation.paid", "amount": amount });
                self.say(
                    System::WebShop,
                    event,
                    json!({ "customer_number": self.person.customer_number }),
                    self.order(),
                );
            }
        }
    }

    fn smooth(&mut self, rng: &mut StdRng) {
        self.ordered(rng);
        self.carried("shipment.delivered");
        if rng.random_bool(0.5) {
            let references = json!({ "shipment": self.shipment });
            let event = json!({ "kind": "service", "type": "installation.done", "stage": "installation", "party": "installer" });
            self.say(System::Installer, event, json!({}), references);
        }
        self.rated(rng.random_range(8..=10), Topic::Thanks);
    }

    fn late(&mut self, rng: &mut StdRng) {
        self.ordered(rng);
        self.carried("shipment.delayed");
        self.called(rng);
        self.complained("delivery.late", Some("courier"), Topic::Late, rng);
        self.carried("shipment.delivered");
    }

    fn damaged(&mut self, rng: &mut StdRng) {
        self.ordered(rng);
        self.carried("shipment.delivered");
        self.complained("product.damaged", Some("courier"), Topic::Damaged, rng);
    }

    fn wrong_item(&mut self, rng: &mut StdRng) {
        self.ordered(rng);
        self.carried("shipment.delivered");
        self.complained("product.wrong", None, Topic::WrongItem, rng);
        self.called(rng);
    }

    fn five_calls(&mut self, rng: &mut StdRng) {
        self.ordered(rng);
        self.carried("shipment.lost");
        for _ in 0..2 {
            self.called(rng);
        }
        self.complained("delivery.lost", Some("courier"), Topic::WhereIsIt, rng);
        for _ in 0..3 {
            self.called(rng);
        }
    }

    fn queue(&mut self, rng: &mut StdRng) {
        let place = PLACES.choose(rng).copied().unwrap_or("store:kamppi");
        let identifiers = json!({ "loyalty_card": self.person.loyalty_card });
        let amount = json!({ "value": "12.50", "currency": "EUR", "of": "purchase" });
        let event = json!({ "kind": "service", "type": "purchase.made", "stage": "purchase", "place": place, "amount": amount });
        self.say(System::Till, event, identifiers.clone(), json!({}));
        let event = json!({ "kind": "complaint", "type": "queue.long", "stage": "purchase", "place": place, "text": self.text(Topic::Queue) });
        self.say(System::Till, event, identifiers, json!({}));
        self.beats.push(Beat::Worked(
            WORK.choose(rng).copied().unwrap_or(Work::Nothing),
        ));
    }

    fn visitor(&mut self, rng: &mut StdRng) {
        let device = json!({ "device": self.person.device });
        for page in ["page.viewed", "cart.filled"] {
            let event = json!({ "kind": "service", "type": page, "stage": "purchase", "touchpoint": "web-shop" });
            self.say(System::WebShop, event, device.clone(), json!({}));
        }
        let both = json!({ "device": self.person.device, "email": self.person.email });
        self.say(
            System::WebShop,
            json!({ "kind": "service", "type": "customer.signed-in" }),
            both,
            json!({}),
        );
        self.ordered(rng);
        self.carried("shipment.delivered");
        self.rated(9, Topic::PutRight);
    }
}
