//! All of Polku in this process on the simulated log, with a clock that the script sets.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use alerter::cases::Cases;
use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use event::{DepartmentId, Partition, Record, Time, Topic};
use polku::{
    binding, company,
    process::{self, Process},
    topics,
};
use serde_json::{Map, Value, json};
use stream::{
    Log, Offset, Reader, TopicPartition,
    log::{End, SharedLog},
    run::{Binding, Clock, Options, Runner, Turn},
    simulated::Simulated,
};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;
use unifier::{identify::Identify, unify::Unify};

use super::company::Company;
use crate::scenario::{Answer, Stage};

/// Partitions of the deployment: enough that customers and cases lie apart.
const PARTITIONS: u32 = 4;

/// How long anything may take that does not wait for the clock.
const BOUND: Duration = Duration::from_secs(20);

pub struct VirtualTime {
    company: Company,
    log: Simulated,
    now: Arc<AtomicI64>,
    started_ms: i64,
    runtime: Runtime,
    router: Router,
    process: Process,
    unify: Runner<Unify>,
    identify: Runner<Identify>,
    cases: Runner<Cases>,
    /// Reads along to know how much there is to be shown.
    reader: Box<dyn Reader>,
    written: u64,
}

impl VirtualTime {
    /// A company that opens at `now`.
    pub fn new(now: Time) -> VirtualTime {
        let company = Company::new(&format!(
            "log = {{ kind = \"embedded\", partitions = {PARTITIONS} }}"
        ));
        let config = company.config();
        let simulated = Simulated::new(1);
        simulated.set_time(now);
        let log: SharedLog = Arc::new(simulated.clone());
        topics::apply(log.as_ref(), PARTITIONS).expect("the topics are made");
        let pepper = process::read_pepper(&config.pepper_file()).expect("the pepper is there");
        let text = fs::read_to_string(company.company_file()).expect("the company is readable");
        company::apply(
            log.as_ref(),
            &company.company_file(),
            &text,
            &config,
            &pepper,
        )
        .expect("the company is applied");

        let at = Arc::new(AtomicI64::new(now.as_millis()));
        let read = Arc::clone(&at);
        let clock: service::clock::Clock = Arc::new(move || read.load(Ordering::Acquire));
        let mut process = Process::over(config, Arc::clone(&log), pepper, clock)
            .expect("the process is put together");
        let runtime = Runtime::new().expect("a runtime");
        let router = runtime.block_on(async {
            process.add_serve().expect("serve starts");
            process.add_doors().expect("the doors open");
            process.router()
        });
        let metrics = stream::metrics::Metrics::new(&prometheus::Registry::new())
            .expect("an empty registry takes them");
        VirtualTime {
            unify: runner(Unify::new(), binding::unify(), &log, &metrics),
            identify: runner(
                Identify::new(PARTITIONS),
                binding::identify(),
                &log,
                &metrics,
            ),
            cases: runner(Cases::new(), binding::cases(), &log, &metrics),
            reader: follow(log.as_ref()),
            written: 0,
            company,
            log: simulated,
            now: at,
            started_ms: now.as_millis(),
            runtime,
            router,
            process,
        }
    }

    fn clock(&self) -> Clock {
        let now = self.now.load(Ordering::Acquire);
        let since = u64::try_from(now - self.started_ms).unwrap_or_default();
        Clock {
            now: Time::from_millis(now),
            monotonic: Duration::from_millis(since),
        }
    }

    /// One turn of each loop; whether all of them had nothing to do.
    fn turn(&mut self) -> bool {
        let clock = self.clock();
        let turns = [
            self.unify.turn(clock).expect("unify turns"),
            self.identify.turn(clock).expect("identify turns"),
            self.cases.turn(clock).expect("cases turns"),
        ];
        turns.iter().all(|turn| *turn == Turn::Idle)
    }

    /// Turns the loops until nothing is left to do and the read model has all of it.
    fn come_to_rest(&mut self) {
        let started = service::clock::instant();
        let mut quiet = 0;
        while quiet < 3 {
            quiet = if self.turn() { quiet + 1 } else { 0 };
            assert!(started.elapsed() < BOUND, "the loops did not come to rest");
        }
        let shown = self.records_shown();
        while self
            .process
            .read_model()
            .expect("serve runs")
            .records_applied()
            < shown
        {
            assert!(started.elapsed() < BOUND, "the read model did not catch up");
            std::thread::yield_now();
        }
    }

    /// The records that pages are made of, so far.
    fn records_shown(&mut self) -> u64 {
        loop {
            let reads = self
                .reader
                .poll(10_000, Duration::ZERO)
                .expect("the log is readable");
            if reads.is_empty() {
                return self.written;
            }
            self.written += u64::try_from(reads.len()).expect("a batch is small");
        }
    }

    /// A request, with the loops turning while it waits.
    fn ask(&mut self, request: Request<Body>) -> Answer {
        let router = self.router.clone();
        let task = self.runtime.spawn(async move {
            let response = router
                .oneshot(request)
                .await
                .expect("a router always answers");
            let status = response.status().as_u16();
            let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
                .await
                .expect("the answer has a body");
            (status, bytes)
        });
        let started = service::clock::instant();
        while !task.is_finished() {
            self.turn();
            assert!(started.elapsed() < BOUND, "a request was not answered");
        }
        let (status, bytes) = self
            .runtime
            .block_on(task)
            .expect("a request does not panic");
        Answer {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    fn request(&mut self, method: &str, path: &str, key: &str, body: Option<&Value>) -> Answer {
        let bytes = body.map(ToString::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(bytes))
            .expect("the request is well formed");
        self.ask(request)
    }
}

/// Everything the read model follows.
fn follow(log: &dyn Log) -> Box<dyn Reader> {
    let topics = log.topics().expect("the log names its topics");
    let followed = topics
        .iter()
        .filter(|spec| serve::Service::follows(&spec.topic));
    let all = followed.flat_map(|spec| {
        Partition::all(spec.partitions)
            .map(|partition| TopicPartition::new(spec.topic.clone(), partition))
    });
    log.read(all.map(|at| (at, Offset::START)).collect())
        .expect("the log is readable")
}

fn runner<M: machine::Machine>(
    machine: M,
    binding: Binding<M>,
    log: &SharedLog,
    metrics: &stream::metrics::Metrics,
) -> Runner<M> {
    Runner::new(
        machine,
        binding,
        Arc::clone(log),
        Options::for_simulation(PARTITIONS),
        metrics,
    )
}

impl Stage for VirtualTime {
    fn tell(&mut self, now: Time, source: &str, event: &Map<String, Value>) -> Answer {
        self.settle(now);
        let key = self
            .company
            .keys
            .sources
            .get(source)
            .unwrap_or_else(|| panic!("there is no source {source}"))
            .clone();
        self.request(
            "POST",
            &format!("/v1/sources/{source}/events"),
            &key,
            Some(&Value::Object(event.clone())),
        )
    }

    fn get(&mut self, credential: &str, path: &str) -> Answer {
        let key = self.company.keys.credentials[credential].clone();
        self.request("GET", path, &key, None)
    }

    fn post(&mut self, credential: &str, path: &str, body: &Value) -> Answer {
        let key = self.company.keys.credentials[credential].clone();
        self.request("POST", path, &key, Some(body))
    }

    fn notices(&mut self, department: &str) -> Vec<Value> {
        let topic = Topic::Notice(DepartmentId::new(department).expect("a department's id"));
        let at = TopicPartition::new(topic.clone(), Partition(0));
        let (mut next, end) = (
            self.log.start(&at).expect("it starts"),
            self.log.end(&at, End::Committed).expect("it ends"),
        );
        let mut reader = self.log.read([(at, next)].into()).expect("it is readable");
        let mut notices = Vec::new();
        while next < end {
            let reads = reader.poll(1_000, Duration::ZERO).expect("it is readable");
            if reads.is_empty() {
                break;
            }
            for read in reads {
                next = read.offset.next();
                let value = read.value.expect("notices have values");
                let Record::Notice(notice) =
                    wire::decode(&topic, &value).expect("a notice decodes")
                else {
                    panic!("a topic of notices holds notices");
                };
                notices.push(json!({
                    "why": notice.why.as_str(), "case": notice.case.to_string(), "what": notice.what.as_str(),
                    "from": notice.from.map(|from| from.to_string()),
                }));
            }
        }
        notices
    }

    fn settle(&mut self, now: Time) {
        self.now.fetch_max(now.as_millis(), Ordering::AcqRel);
        self.log.set_time(now);
        self.come_to_rest();
    }
}
