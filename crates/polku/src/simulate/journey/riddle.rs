//! Journeys on which it is not plain who is who: what follows from them waits for a person's decision.

use serde_json::{Value, json};

use super::{Beat, script::Script};
use crate::simulate::{
    person::Person,
    system::System,
    truth::{self, SHARED_BY_MAX},
};

impl Script<'_> {
    /// More people sign in with one telephone than may share it: it is out, and whoever calls from it is nobody.
    pub(super) fn care_home(&mut self) {
        let home = self.stranger();
        for _ in 0..=SHARED_BY_MAX {
            self.person = self.stranger();
            let phone = home.phone_as_written(self.rng);
            self.signed_in(json!({ "email": self.person.email, "phone": phone }));
        }
        self.person = home;
        self.called("call.answered");
    }

    /// Both are known by the numbers of which everybody has one.
    pub(super) fn two_numbers(&mut self) {
        let other = self.stranger();
        self.person = other.clone();
        let phone = other.phone_as_written(self.rng);
        self.signed_in(json!({ "customer_number": other.customer_number, "phone": phone }));
        self.person = self.stranger();
        self.ordered();
        self.understood(&[(&other, ["customer_number", "phone"])]);
        let named = json!({
            "customer_number": self.person.customer_number, "email": self.person.email,
            "phone": other.phone_as_written(self.rng),
        });
        let event = json!({
            "kind": "service", "type": "order.placed", "stage": "purchase", "product": self.product, "amount": self.price(),
        });
        let order = json!({ "order": format!("{}-2", self.order_number()) });
        self.say(System::WebShop, event, named, order);
        self.and(|said| said.others = &["phone"]);
    }

    /// The survey's word is not enough to make one customer of two who are both known.
    pub(super) fn hearsay(&mut self) {
        let other = self.stranger();
        self.person = other.clone();
        let phone = other.phone_as_written(self.rng);
        self.bought(json!({ "loyalty_card": other.loyalty_card, "phone": phone }));
        self.person = self.stranger();
        self.ordered();
        let own = self.person.clone();
        self.understood(&[
            (&other, ["loyalty_card", "phone"]),
            (&own, ["customer_number", "email"]),
        ]);
        let event = json!({
            "kind": "feedback", "type": "survey.answered",
            "score": { "metric": "nps", "value": 8, "min": 0, "max": 10 },
        });
        let named =
            json!({ "email": self.person.email, "phone": other.phone_as_written(self.rng) });
        let order = self.order();
        self.say(System::Survey, event, named, order);
        self.and(|said| said.others = &["phone"]);
    }

    /// Whose is the parcel in which two customers' things travel? Nobody says, and the courier names only the parcel.
    pub(super) fn one_parcel(&mut self) {
        let other = self.stranger();
        self.person = other.clone();
        let thread = format!("chat-{}", self.number);
        let event = json!({ "kind": "service", "type": "chat.answered", "stage": "delivery" });
        self.say(
            System::WebShop,
            event,
            json!({ "email": other.email }),
            json!({ "thread": thread }),
        );
        self.person = self.stranger();
        let event = json!({ "kind": "service", "type": "order.placed", "stage": "purchase", "product": self.product });
        let order = self.order();
        self.say(
            System::WebShop,
            event,
            json!({ "email": self.person.email }),
            order,
        );
        let mut references = self.shipment();
        references["order"] = json!(self.order_number());
        references["thread"] = json!(thread);
        let event = json!({ "kind": "service", "type": "parcel.combined", "stage": "delivery" });
        self.say(System::WebShop, event, json!({}), references);
        self.carried("shipment.received");
        self.carried("shipment.delivered");
    }

    fn signed_in(&mut self, identifiers: Value) {
        let event = json!({ "kind": "service", "type": "customer.signed-in" });
        self.say(System::WebShop, event, identifiers, json!({}));
    }

    fn understood(&mut self, people: &[(&Person, [&str; 2])]) {
        let known = people.iter().map(|(person, kinds)| {
            kinds.map(|kind| {
                let value = match kind {
                    "customer_number" => &person.customer_number,
                    "loyalty_card" => &person.loyalty_card,
                    "email" => &person.email,
                    _ => &person.phone,
                };
                truth::written(kind, value)
            })
        });
        self.beats.push(Beat::Understood(known.collect()));
    }
}
