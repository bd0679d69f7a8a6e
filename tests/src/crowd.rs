//! Customers by the thousand, and the truth about them by construction: for tests that kill what works on their events.
//!
//! Every customer has the same eight events, from three channels and a carrier, under five identifiers and two references; no
//! event names them all. They are sent in any order, some more than once. The number of an event stands in its `product`, a
//! field that is not personal, so that whoever reads the topics can tell which event is which without any key.

use std::collections::{BTreeMap, BTreeSet};

use event::Time;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use serde_json::{Map, Value, json};

/// Events of one customer.
pub const EACH: usize = 8;
/// Every so many customers one complains.
const COMPLAINS: usize = 4;
/// One event in so many is told once more, later.
const REPEATED: usize = 50;
/// Events of one request.
const BATCH: usize = 100;

/// The customers of a seed.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    pub seed: u64,
    pub customers: usize,
}

/// What one system sends in one request.
#[derive(Clone, Debug)]
pub struct Batch {
    pub source: &'static str,
    pub events: Vec<Value>,
}

impl Crowd {
    /// At least so many events.
    pub fn of_events(seed: u64, events: usize) -> Crowd {
        Crowd {
            seed,
            customers: events.div_ceil(EACH),
        }
    }

    /// Different events.
    pub fn events(&self) -> usize {
        self.customers * EACH
    }

    pub fn complaints(&self) -> usize {
        self.customers.div_ceil(COMPLAINS)
    }

    /// The events of a customer as `product` numbers them.
    pub fn numbers(&self, customer: usize) -> BTreeSet<usize> {
        (customer * EACH..(customer + 1) * EACH).collect()
    }

    /// The event by which a customer complains, for one who does.
    pub fn complaint(&self, customer: usize) -> Option<usize> {
        customer
            .is_multiple_of(COMPLAINS)
            .then_some(customer * EACH + EACH - 1)
    }

    /// Everything that is sent, in the order of sending, repeats included.
    pub fn batches(&self) -> Vec<Batch> {
        let mut rng = StdRng::seed_from_u64(self.seed);
        let mut numbers: Vec<usize> = (0..self.events()).collect();
        numbers.shuffle(&mut rng);
        let repeats: Vec<usize> = (0..self.events() / REPEATED)
            .map(|_| rng.random_range(0..self.events()))
            .collect();
        for number in repeats {
            let place = rng.random_range(0..numbers.len());
            numbers.insert(place, number);
        }
        let mut waiting: BTreeMap<&'static str, Vec<Value>> = BTreeMap::new();
        let mut batches = Vec::new();
        for number in numbers {
            let (source, event) = self.event(number);
            let events = waiting.entry(source).or_default();
            events.push(event);
            if events.len() == BATCH {
                let events = std::mem::take(events);
                batches.push(Batch { source, events });
            }
        }
        let rest = waiting.into_iter().filter(|(_, events)| !events.is_empty());
        batches.extend(rest.map(|(source, events)| Batch { source, events }));
        batches
    }

    /// Any of these finds the customer.
    pub fn identifiers(&self, customer: usize) -> [(&'static str, String); 4] {
        [
            ("customer_number", format!("C{customer:07}")),
            ("email", format!("canary.{customer}@example.fi")),
            ("phone", format!("040 {}", 5_000_000 + customer)),
            ("loyalty_card", format!("60{customer:08}")),
        ]
    }

    fn event(&self, number: usize) -> (&'static str, Value) {
        let customer = number / EACH;
        let [card_number, email, phone, loyalty] = self
            .identifiers(customer)
            .map(|(kind, value)| json!({ kind: value }));
        let order = json!({ "order": format!("O-{customer}") });
        let shipment = json!({ "shipment": format!("JJFI{customer:07}") });
        let none = json!({});
        let (source, kind, what, identifiers, references) = match number % EACH {
            0 => (
                "web-shop",
                "service",
                "order.placed",
                [&card_number, &email],
                [&order, &none],
            ),
            1 => (
                "web-shop",
                "service",
                "order.shipped",
                [&card_number, &none],
                [&order, &shipment],
            ),
            2 => (
                "courier",
                "service",
                "shipment.received",
                [&none, &none],
                [&shipment, &none],
            ),
            3 => (
                "till",
                "service",
                "purchase.made",
                [&loyalty, &none],
                [&none, &none],
            ),
            4 => (
                "till",
                "service",
                "loyalty.used",
                [&loyalty, &phone],
                [&none, &none],
            ),
            5 => (
                "call-centre",
                "service",
                "customer.checked",
                [&card_number, &phone],
                [&none, &none],
            ),
            6 => (
                "call-centre",
                "service",
                "call.answered",
                [&phone, &none],
                [&none, &none],
            ),
            _ if self.complaint(customer).is_some() => (
                "web-shop",
                "complaint",
                "delivery.late",
                [&email, &none],
                [&order, &none],
            ),
            _ => (
                "web-shop",
                "service",
                "page.viewed",
                [&email, &none],
                [&none, &none],
            ),
        };
        // A second apart, in a time long gone: no deadline hangs on it, and the order of happening is one.
        let time = Time::from_millis(
            1_767_225_600_000 + i64::try_from(number).unwrap_or_default() * 1_000,
        );
        let event = json!({
            "id": format!("crowd-{number}"), "kind": kind, "type": what, "time": time.to_string(),
            "identifiers": merged(identifiers), "references": merged(references),
            "product": format!("n{number}"), "name": "Canary Kanarialintu", "text": "Kanarialintu laulaa.",
        });
        (source, event)
    }
}

fn merged(tables: [&Value; 2]) -> Map<String, Value> {
    let tables = tables.into_iter().filter_map(Value::as_object);
    tables
        .flat_map(|table| {
            table
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
        })
        .collect()
}

/// The number of an event by its `product`.
pub fn number(product: &str) -> Option<usize> {
    product.strip_prefix('n')?.parse().ok()
}
