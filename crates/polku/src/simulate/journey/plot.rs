//! What happens on a journey, from its beginning to its end.

use rand::Rng as _;
use serde_json::json;

use super::{Plot, Work, script::Script};
use crate::simulate::{system::System, texts::Topic};

impl Script<'_> {
    pub(super) fn play(&mut self, plot: Plot) {
        self.known();
        match plot {
            Plot::Smooth => self.smooth(),
            Plot::Late => self.late(),
            Plot::Damaged => self.damaged(),
            Plot::WrongItem => self.wrong_item(),
            Plot::AgainAndAgain => self.again_and_again(),
            Plot::Queue => self.queue(),
            Plot::BroughtBack => self.brought_back(),
            Plot::Visitor => self.visitor(),
            Plot::AnotherComplaint => self.another_complaint(),
            Plot::Disappointed => self.disappointed(),
            Plot::Promised => self.promised(),
            Plot::Corrected => self.corrected(),
            Plot::CareHome => self.care_home(),
            Plot::TwoNumbers => self.two_numbers(),
            Plot::Hearsay => self.hearsay(),
            Plot::OneParcel => self.one_parcel(),
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
        self.worked_on();
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
        self.worked_on();
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

    fn another_complaint(&mut self) {
        self.ordered();
        self.carried("shipment.delayed");
        self.complained_in_vain("delivery.late", "delivery", Some("courier"), Topic::Late);
        self.queue();
    }

    fn disappointed(&mut self) {
        self.ordered();
        self.surveyed(9, Topic::Thanks);
        self.carried("shipment.delayed");
        self.complained_in_vain("delivery.late", "delivery", Some("courier"), Topic::Late);
        self.surveyed(4, Topic::SoSo);
        self.arrived();
    }

    fn promised(&mut self) {
        self.ordered();
        self.carried("shipment.lost");
        self.complained_in_vain("delivery.lost", "delivery", Some("courier"), Topic::Late);
        self.worked(Work::Claim);
        self.promised_money(false);
    }

    /// The web shop notes down a complaint wrongly: once what it is about, and once of whom it is.
    fn corrected(&mut self) {
        self.person = self.stranger();
        self.ordered();
        let order = self.order();
        let complaint = |what: &str, text: &str| json!({ "kind": "complaint", "type": what, "stage": "use", "text": text });
        let theirs = json!({ "email": self.person.email });
        let text = self.text(Topic::Damaged);
        self.say(
            System::WebShop,
            complaint("product.wrong", text),
            theirs.clone(),
            order.clone(),
        );
        self.say(
            System::WebShop,
            complaint("product.damaged", text),
            theirs,
            order,
        );
        self.and(|said| said.corrects = true);

        let text = self.text(Topic::Queue);
        for corrects in [false, true] {
            let theirs = json!({ "email": self.person.email });
            self.say(
                System::WebShop,
                complaint("queue.long", text),
                theirs,
                json!({}),
            );
            self.and(|said| said.corrects = corrects);
            self.person = self.stranger();
        }
    }
}
