//! kill -9 of `polku dev` on its embedded log while events come in: what was acknowledged is there, once, also after a restart
//! in good order. Read through the API, as a person would.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use tests::{
    crowd::{self, Crowd},
    environment,
    http::Http,
    sender::Sender,
    stage::{
        company::Company,
        processes,
        role::{self, Process, Role},
    },
    turn, wait,
};

const SEED: u64 = 20_261_123;
/// How often it is killed.
const KILLS: usize = 5;
const READY_WITHIN: Duration = Duration::from_secs(90);
/// How long it may take to work off what was sent.
const BOUND: Duration = Duration::from_secs(300);

/// How many events there are at least, unless a tenth of `POLKU_KILL_EVENTS` is more or less: every page is read.
const EVENTS: usize = 20_000;

fn events_wanted() -> usize {
    environment("POLKU_KILL_EVENTS").map_or(EVENTS, |text| {
        text.parse::<usize>().expect("a number of events") / 10
    })
}

#[test]
fn kill_9_of_the_embedded_log_loses_no_event_and_counts_none_twice() {
    let _turn = turn::take();
    let crowd = Crowd::of_events(SEED, events_wanted());
    let company = Company::new("log = { kind = \"embedded\", partitions = 4 }");
    let http = Http::default();
    let address = role::free_address();
    let mut dev = Process::start(&company, Role::Dev, address);
    let sender = Sender::start(http.runtime(), &dev.url(), &company.keys, crowd.batches());
    let started = service::clock::instant();
    let mut rng = StdRng::seed_from_u64(SEED);
    for number in 0..KILLS {
        let span = crowd.events() / KILLS;
        let point = span * number + rng.random_range(0..span * 9 / 10);
        dev.await_ready(&http, READY_WITHIN);
        sender.allow(point + span / 10);
        let what = format!("{point} events are acknowledged");
        wait::until(&what, BOUND, || {
            (sender.acknowledged() >= point).then_some(())
        });
        dev.kill();
        dev = Process::start(&company, Role::Dev, address);
    }
    sender.finish(http.runtime());
    eprintln!("all sent after {} s", started.elapsed().as_secs());

    let before = Pages::read(&crowd, &company, &http, &mut dev);
    before.check(&crowd);
    eprintln!("all seen after {} s", started.elapsed().as_secs());
    dev.stop(READY_WITHIN);
    let mut dev = Process::start(&company, Role::Dev, address);
    let after = Pages::read(&crowd, &company, &http, &mut dev);
    assert!(before == after, "a restart in good order changes nothing");
}

/// What people see of the crowd.
#[derive(PartialEq)]
struct Pages {
    counts: Value,
    /// By customer: the id, and the timeline.
    customers: Vec<(String, Vec<Value>)>,
    /// The open cases of the department whose matters they are, by id.
    cases: BTreeMap<String, Value>,
}

impl Pages {
    /// Once everything that was sent has arrived.
    fn read(crowd: &Crowd, company: &Company, http: &Http, dev: &mut Process) -> Pages {
        dev.await_ready(http, READY_WITHIN);
        let desk = Desk {
            http,
            url: dev.url(),
            key: &company.keys.credentials["auditor"],
        };
        wait::until("all events and cases have arrived", BOUND, || {
            let counts = desk.get("/v1/counts");
            let here = counts["entries"] == crowd.events()
                && counts["pending"] == 0
                && counts["customers"] == crowd.customers
                && counts["unidentified"] == 0
                && counts["cases"]["open"] == crowd.complaints()
                && counts["balanced"] == true;
            here.then_some(())
        });
        // The signs in a timeline come after what they are seen in.
        let (mut last, mut still) = (None, 0);
        wait::until("nothing more comes of them", BOUND, || {
            let metrics = http.get(&format!("{}/metrics", desk.url), None).ok()?;
            let work = processes::sum(metrics.body.as_str()?);
            still = if last == Some(work) { still + 1 } else { 0 };
            last = Some(work);
            (still == processes::STILL_LOOKS).then_some(())
        });
        Pages {
            counts: desk.get("/v1/counts"),
            customers: (0..crowd.customers)
                .map(|customer| desk.customer(crowd, customer))
                .collect(),
            cases: desk.cases(),
        }
    }

    fn check(&self, crowd: &Crowd) {
        assert_eq!(self.counts["events"]["accepted"], crowd.events());
        assert_eq!(self.counts["events"]["rejected"], 0);
        assert_eq!(self.counts["events"]["refused"], 0);
        assert_eq!(self.cases.len(), crowd.complaints());
        let mut ids = BTreeSet::new();
        for (customer, (id, timeline)) in self.customers.iter().enumerate() {
            assert!(ids.insert(id), "customer {customer} is another's: {id}");
            let numbers: Vec<usize> = timeline
                .iter()
                .filter_map(|entry| crowd::number(entry["product"].as_str()?))
                .collect();
            // A crowd's events are numbered in the order in which they happened.
            let expected: Vec<usize> = crowd.numbers(customer).into_iter().collect();
            assert_eq!(numbers, expected, "customer {customer}");
            if let Some(complaint) = crowd.complaint(customer) {
                let entry = timeline
                    .iter()
                    .find(|entry| entry["product"] == format!("n{complaint}"));
                let case = entry.and_then(|entry| entry["case"].as_str());
                let case = case.and_then(|case| self.cases.get(case));
                let case = case.unwrap_or_else(|| panic!("customer {customer} has no open case"));
                assert_eq!(case["owner"], "delivery");
            }
        }
    }
}

struct Desk<'a> {
    http: &'a Http,
    url: String,
    key: &'a str,
}

impl Desk<'_> {
    fn get(&self, path: &str) -> Value {
        let answer = self
            .http
            .get(&format!("{}{path}", self.url), Some(self.key))
            .expect("it answers");
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// A customer's id by one of the identifiers, each in its turn, and the timeline.
    fn customer(&self, crowd: &Crowd, customer: usize) -> (String, Vec<Value>) {
        let identifiers = crowd.identifiers(customer);
        let (kind, value) = &identifiers[customer % identifiers.len()];
        let body = json!({ "identifier": format!("{kind}:{value}"), "reason": "test" });
        let url = format!("{}/v1/customers/search", self.url);
        let found = self.http.post(&url, self.key, &body).expect("it answers");
        let found = found.body["customers"].as_array();
        let [one] = found.map_or(&[][..], Vec::as_slice) else {
            panic!("{kind} {value} is one customer's: {found:?}")
        };
        let id = one["id"].as_str().expect("a customer has an id").to_owned();
        let page = self.get(&format!("/v1/customers/{id}/timeline?limit=500"));
        let entries = page["entries"].as_array().cloned().unwrap_or_default();
        let events = entries
            .into_iter()
            .filter(|entry| entry["event"].is_string());
        (id, events.collect())
    }

    fn cases(&self) -> BTreeMap<String, Value> {
        let mut cases = BTreeMap::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!(
                "/v1/departments/delivery/cases?state=open&limit=500{cursor}"
            ));
            for case in page["cases"].as_array().into_iter().flatten() {
                let id = case["id"].as_str().expect("a case has an id");
                cases.insert(id.to_owned(), case.clone());
            }
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return cases,
            }
        }
    }
}
