//! The events: what the systems of a furniture shop say of its customers, as they write it and as the door made it.
//!
//! A customer has a customer number, a loyalty card, an e-mail address and a phone; each system names some of them, the courier
//! only a shipment. Orders join what the systems say. One event in ten comes twice.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use event::{Event, EventId, Millis, Partition, Record, SourceId, Time, Topic};
use ingest::Permission;
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use serde_json::{Map, Value, json};
use stream::{Offset, SharedLog, TopicPartition, simulated::Simulated};
use tokio::runtime::Runtime;

use crate::company::Company;

/// One event in so many is a repeat of one of the latest.
const REPEAT_ONE_IN: u32 = 10;
const LATEST: usize = 1_000;

/// Events of one request, when the workload is made.
const REQUEST: usize = 500;

/// What one system says.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) source: &'static str,
    pub(crate) id: String,
    pub(crate) body: Value,
}

/// The systems, talking.
pub(crate) struct Story {
    rng: SmallRng,
    /// How many orders each customer placed so far.
    orders: Vec<u32>,
    number: u64,
    now: Time,
}

impl Story {
    pub(crate) fn new(seed: u64, customers: usize) -> Story {
        Story {
            rng: SmallRng::seed_from_u64(seed),
            orders: vec![0; customers.max(1)],
            number: 0,
            now: Time::from_millis(service::clock::now_ms()),
        }
    }

    /// What happens next, to anybody.
    pub(crate) fn next(&mut self) -> Said {
        let customer = self.rng.random_range(0..self.orders.len());
        if self.orders[customer] == 0 {
            self.orders[customer] = 1;
            return self.order(customer);
        }
        match self.rng.random_range(0..100) {
            0..15 => {
                self.orders[customer] += 1;
                self.order(customer)
            }
            15..30 => self.ship(customer),
            30..50 => self.carry(customer),
            50..70 => self.sell(customer),
            70..85 => self.call(customer),
            85..93 => self.rate(customer),
            _ => self.complain(customer),
        }
    }

    fn order(&mut self, customer: usize) -> Said {
        let price = self.rng.random_range(20..900);
        let body = json!({
            "kind": "service", "type": "order.placed", "stage": "purchase", "product": "sofa",
            "amount": { "value": format!("{price}.90"), "currency": "EUR", "of": "purchase" },
            "identifiers": { "customer_number": number(customer), "email": email(customer) },
            "references": { "order": self.order_number(customer) },
        });
        self.say("web-shop", body)
    }

    fn ship(&mut self, customer: usize) -> Said {
        let body = json!({
            "kind": "service", "type": "order.shipped", "stage": "delivery",
            "identifiers": { "customer_number": number(customer) },
            "references": { "order": self.order_number(customer), "shipment": self.shipment(customer) },
        });
        self.say("web-shop", body)
    }

    fn carry(&mut self, customer: usize) -> Said {
        let body = json!({
            "kind": "service", "type": "shipment.received", "stage": "delivery", "party": "courier",
            "references": { "shipment": self.shipment(customer) },
        });
        self.say("courier", body)
    }

    fn sell(&mut self, customer: usize) -> Said {
        let mut body = json!({
            "kind": "service", "type": "purchase.made", "stage": "purchase", "place": "store:kamppi",
            "amount": { "value": "12.50", "currency": "EUR", "of": "purchase" },
            "identifiers": { "loyalty_card": card(customer) },
        });
        if self.rng.random_bool(0.3) {
            body["identifiers"]["phone"] = json!(phone(customer));
        }
        self.say("till", body)
    }

    fn call(&mut self, customer: usize) -> Said {
        let mut body = json!({
            "kind": "service", "type": "call.answered", "text": "Where is my sofa? It was promised for Tuesday, and nobody came.",
            "identifiers": { "phone": phone(customer) },
            "references": { "order": self.order_number(customer) },
        });
        if self.rng.random_bool(0.3) {
            body["identifiers"]["customer_number"] = json!(number(customer));
        }
        self.say("call-centre", body)
    }

    fn rate(&mut self, customer: usize) -> Said {
        let value = self.rng.random_range(0..=10);
        let body = json!({
            "kind": "feedback", "type": "survey.nps", "text": "Kuljettaja oli ystävällinen, mutta odotin koko päivän.",
            "score": { "metric": "nps", "value": value, "min": 0, "max": 10 },
            "identifiers": { "email": email(customer) },
            "references": { "order": self.order_number(customer) },
        });
        self.say("web-shop", body)
    }

    fn complain(&mut self, customer: usize) -> Said {
        let what = ["delivery.late", "product.damaged", "product.wrong"];
        let what = what[self.rng.random_range(0..what.len())];
        let body = json!({
            "kind": "complaint", "type": what, "stage": "delivery", "party": "courier", "name": "Aino K.", "language": "fi",
            "text": "Sohvan piti tulla tiistaina. Soitin kahdesti, eikä kukaan tiennyt siitä mitään.",
            "identifiers": { "email": email(customer), "phone": phone(customer) },
            "references": { "order": self.order_number(customer) },
        });
        self.say("web-shop", body)
    }

    fn order_number(&self, customer: usize) -> String {
        format!("A-{customer}-{}", self.orders[customer])
    }

    fn shipment(&self, customer: usize) -> String {
        format!("JJFI{customer}-{}", self.orders[customer])
    }

    /// It happened within the last weeks.
    fn say(&mut self, source: &'static str, mut body: Value) -> Said {
        self.number += 1;
        let id = format!("e-{}", self.number);
        let ago = Millis::from_secs(self.rng.random_range(1..30 * 86_400));
        body["id"] = json!(id);
        body["time"] = json!((self.now - ago).to_string());
        Said { source, id, body }
    }
}

fn number(customer: usize) -> String {
    format!("C{customer:08}")
}

fn card(customer: usize) -> String {
    format!("60{customer:08}")
}

fn email(customer: usize) -> String {
    format!("aino.{customer}@example.fi")
}

fn phone(customer: usize) -> String {
    format!("+35840{customer:07}")
}

/// Events as they lie in the log, in the order in which they were said, repeats included.
pub(crate) struct Workload {
    pub(crate) events: Vec<Event>,
    /// Key and value of each.
    pub(crate) records: Vec<(Bytes, Bytes)>,
    pub(crate) repeats: u64,
    pub(crate) customers: usize,
}

impl Workload {
    pub(crate) fn new(
        company: &Company,
        seed: u64,
        events: usize,
        customers: usize,
    ) -> anyhow::Result<Workload> {
        let mut story = Story::new(seed, customers);
        let mut rng = SmallRng::seed_from_u64(seed + 1);
        let mut order: Vec<usize> = Vec::with_capacity(events);
        let mut said: Vec<Said> = Vec::new();
        for _ in 0..events {
            if !said.is_empty() && rng.random_ratio(1, REPEAT_ONE_IN) {
                let first = said.len().saturating_sub(LATEST);
                order.push(rng.random_range(first..said.len()));
            } else {
                order.push(said.len());
                said.push(story.next());
            }
        }
        let repeats = events - said.len();
        let ids: Vec<EventId> = said
            .iter()
            .map(|said| identifier::event_id(&company.pepper, &source(said.source), &said.id))
            .collect();
        let mut written = written(company, said)?;
        let mut workload = Workload {
            events: Vec::with_capacity(events),
            records: Vec::with_capacity(events),
            repeats: u64::try_from(repeats)?,
            customers,
        };
        for place in order {
            let (event, key, value) = written
                .get_mut(&ids[place])
                .context("the door did not write an event that it took")?;
            workload.events.push(event.clone());
            workload.records.push((key.clone(), value.clone()));
        }
        Ok(workload)
    }
}

fn source(id: &str) -> SourceId {
    SourceId::new(id).expect("the names of the demo's sources are good")
}

/// What the door makes of what was said.
fn written(
    company: &Company,
    said: Vec<Said>,
) -> anyhow::Result<BTreeMap<EventId, (Event, Bytes, Bytes)>> {
    let log: SharedLog = Arc::new(Simulated::new(1));
    company.prepare(log.as_ref(), 1)?;
    let door = company.door(&log, 1)?;
    let count = said.len();
    let mut by_source: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for one in said {
        by_source.entry(one.source).or_default().push(one.body);
    }
    let runtime = Runtime::new().context("starting a runtime")?;
    for (name, bodies) in by_source {
        let source = source(name);
        for request in bodies.chunks(REQUEST) {
            let taken = door.accept(&source, request.to_vec(), Permission::default());
            let answer = runtime.block_on(taken)?;
            ensure!(
                answer.accepted == answer.received,
                "the door refused events of the workload: {answer:?}"
            );
        }
    }
    let mut written = BTreeMap::new();
    let at = TopicPartition::new(Topic::Event, Partition(0));
    let mut reader = log.read(BTreeMap::from([(at, Offset::START)]))?;
    while written.len() < count {
        let reads = reader.poll(10_000, Duration::ZERO)?;
        ensure!(!reads.is_empty(), "the log lost events of the workload");
        for read in reads {
            let value = read.value.context("an event has a value")?;
            if let Record::Event(event) = wire::decode(&Topic::Event, &value)? {
                written.insert(event.id, (event, read.key, value));
            }
        }
    }
    Ok(written)
}

/// Requests of so many events each, in JSON, with their sources.
pub(crate) fn requests(
    story: &mut Story,
    requests: usize,
    events_each: usize,
) -> Vec<(&'static str, Bytes)> {
    let mut waiting: BTreeMap<&'static str, Vec<Value>> = BTreeMap::new();
    let mut full = Vec::with_capacity(requests);
    while full.len() < requests {
        let said = story.next();
        let bodies = waiting.entry(said.source).or_default();
        bodies.push(said.body);
        if bodies.len() == events_each {
            let mut bodies = std::mem::take(bodies);
            let body = match bodies.pop() {
                Some(only) if bodies.is_empty() => only,
                Some(last) => {
                    bodies.push(last);
                    Value::Array(bodies)
                }
                None => Value::Object(Map::new()),
            };
            full.push((said.source, Bytes::from(body.to_string())));
        }
    }
    full
}
