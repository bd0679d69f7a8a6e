//! A small company, its log, and people with keys.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ::service::{health::Health, shutdown::Shutdown};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, Response, StatusCode, header},
};
use event::{
    CaseId, Channel, Class, Company, DepartmentId, Event, EventId, Kind, Name, Partition,
    Perspective, ProfileId, Record, SourceId, Time, Token, Topic, Value, Version,
    access::Access,
    assignment::Assignment,
    case::{Case, Phase, Severity, State, Step, StepKind},
    config::Config as CompanyText,
    event::{Named, Personal},
    notice::{Notice, Why},
    timeline::{Entry, Timeline},
};
use identifier::{Pepper, Region, Spaces, Vocabulary, event_id};
use prometheus::Registry;
use serde_json::Value as Json;
use stream::{Append, Log, Offset, TopicPartition, log::TopicSpec, simulated::Simulated};
use tokio::time::timeout;
use tower::ServiceExt as _;

use crate::{Config, Doors, Parts, Service, credential, documented};

const PARTITIONS: u32 = 4;
/// A test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) const COMPANY: &str = "
[departments.delivery]
name = 'Delivery & <returns>'
[departments.delivery.units.kamppi]
places = ['store:kamppi']
[departments.delivery.units.itis]
places = ['store:itis*']
[departments.billing]
";

/// The keys are the names. Delivery's people, billing's people, and those above both.
const CREDENTIALS: &str = "
advisor = { role = 'advisor', departments = ['delivery'] }
lead = { role = 'lead', departments = ['delivery'] }
machine = { role = 'machine', departments = ['delivery'] }
kamppi = { role = 'advisor', departments = ['delivery'], units = ['kamppi'] }
stranger = { role = 'advisor', departments = ['billing'] }
front = { role = 'front_line', departments = [], channel = 'store' }
admin = { role = 'admin', departments = [] }
";

pub(crate) struct World {
    pub(crate) log: Simulated,
    pub(crate) service: Service,
    pub(crate) registry: Registry,
    pub(crate) shutdown: Shutdown,
    router: Router,
    spaces: Spaces,
    vocabulary: Vocabulary,
    /// Records written to topics that are followed.
    written: std::sync::atomic::AtomicU64,
    decided: std::sync::atomic::AtomicU64,
}

impl World {
    pub(crate) async fn new() -> World {
        World::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> World {
        World::at(config, ::service::clock::wall()).await
    }

    /// At a time of the test's own.
    pub(crate) async fn at(mut config: Config, clock: ::service::clock::Clock) -> World {
        config
            .public_url
            .get_or_insert_with(|| "http://127.0.0.1:8700".to_owned());
        let log = Simulated::new(1);
        let notices = ["delivery", "billing"].map(|id| Topic::Notice(department(id)));
        let topics: Vec<TopicSpec> = Topic::FIXED.into_iter().chain(notices).map(spec).collect();
        log.create_topics(&topics).unwrap();
        let shutdown = Shutdown::new();
        let registry = Registry::new();
        let service = crate::start(Parts {
            log: Arc::new(log.clone()),
            partitions: PARTITIONS,
            config,
            credentials: credentials(),
            doors: Doors {
                spaces: spaces(),
                regions: vec![Region::new("FI").unwrap()],
            },
            desk: desk(&log, &clock),
            pepper: pepper(),
            registry: registry.clone(),
            health: Health::new(),
            shutdown: shutdown.clone(),
            clock,
        })
        .unwrap();
        let router = documented(service.routes());
        let world = World {
            log,
            service,
            registry,
            shutdown,
            router,
            spaces: spaces(),
            vocabulary: Vocabulary::new(&Company::default()),
            written: 0.into(),
            decided: 0.into(),
        };
        world.write([company(1, COMPANY)]).await;
        world
    }

    /// Writes records as their machines do, and waits until the model has them.
    pub(crate) async fn write(&self, records: impl IntoIterator<Item = Record>) {
        use std::sync::atomic::Ordering;
        let records: Vec<Record> = records.into_iter().collect();
        let count = u64::try_from(records.len()).unwrap();
        let appends = records.iter().map(append).collect();
        self.log.append(appends).await.unwrap();
        let all = self.written.fetch_add(count, Ordering::Relaxed) + count;
        let mut applied = self.service.api.model.applied();
        let waited = timeout(PATIENCE, applied.wait_for(|applied| *applied >= all)).await;
        waited.expect("the model follows the log").unwrap();
    }

    /// So many decisions were written by the service itself, in all: `write` waits for these too.
    pub(crate) fn note_written(&self, decisions: usize) {
        use std::sync::atomic::Ordering;
        let decisions = u64::try_from(decisions).unwrap();
        let before = self.decided.swap(decisions, Ordering::Relaxed);
        self.written
            .fetch_add(decisions - before, Ordering::Relaxed);
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn json(&self, request: Request<Body>) -> (StatusCode, Json) {
        let response = self.send(request).await;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    pub(crate) async fn get(&self, key: &str, path: &str) -> (StatusCode, Json) {
        self.json(get(key, path)).await
    }

    /// Goes to where the answer leads.
    pub(crate) async fn follow(&self, key: &str, path: &str) -> (StatusCode, Json) {
        let response = self.send(get(key, path)).await;
        match response.headers().get(header::LOCATION) {
            Some(location) => self.get(key, location.to_str().unwrap()).await,
            None => self.get(key, path).await,
        }
    }

    pub(crate) async fn post(&self, key: &str, path: &str, body: Json) -> (StatusCode, Json) {
        self.json(post(key, path, &body)).await
    }

    pub(crate) async fn search(&self, key: &str, identifier: &str) -> (StatusCode, Json) {
        let body = serde_json::json!({ "identifier": identifier, "reason": "she calls" });
        self.post(key, "/v1/customers/search", body).await
    }

    /// Everything in a topic, as it says.
    pub(crate) fn records(&self, topic: &Topic) -> Vec<Record> {
        let from: BTreeMap<TopicPartition, Offset> =
            Partition::all(topic.partitions().count(PARTITIONS))
                .map(|partition| (TopicPartition::new(topic.clone(), partition), Offset::START))
                .collect();
        let mut reader = self.log.read(from).unwrap();
        let reads = reader.poll(1_000, Duration::ZERO).unwrap();
        reads
            .iter()
            .map(|read| wire::decode(topic, read.value.as_deref().unwrap()).unwrap())
            .collect()
    }

    pub(crate) fn accesses(&self) -> Vec<Access> {
        let records = self.records(&Topic::Access).into_iter();
        let accesses = records.filter_map(|record| {
            if let Record::Access(access) = record {
                Some(access)
            } else {
                None
            }
        });
        accesses.collect()
    }

    pub(crate) fn value(&self, source: &str, class: Class, kind: &str, raw: &str) -> Value {
        self.written_value(source, class, kind, raw).0
    }

    fn written_value(&self, source: &str, class: Class, kind: &str, raw: &str) -> (Value, String) {
        let space = self.spaces.of(&source_id(source), kind).to_owned();
        let region = Region::new("FI").unwrap();
        self.vocabulary
            .value(&pepper(), class, kind, &space, region, raw)
            .unwrap()
            .unwrap()
    }

    /// An event as a door writes it.
    pub(crate) fn event(&self, told: Told<'_>) -> Event {
        let mut personal = Personal {
            name: told.name.map(str::to_owned),
            text: told.text.map(str::to_owned),
            ..Personal::default()
        };
        let mut values = Vec::new();
        for (class, said) in [
            (Class::Identifier, told.identifiers),
            (Class::Reference, told.references),
        ] {
            for (kind, raw) in said {
                let (value, written) = self.written_value(told.source, class, kind, raw);
                let named = Named {
                    kind: value.kind.clone(),
                    value: written,
                };
                match class {
                    Class::Identifier => personal.identifiers.push(named),
                    Class::Reference => personal.references.push(named),
                }
                values.push(value);
            }
        }
        self.vocabulary.sort(&mut values);
        let id = event_id(&pepper(), &source_id(told.source), told.id);
        Event {
            id,
            source: source_id(told.source),
            channel: told.channel,
            revision: 0,
            kind: Kind::Service,
            name: name(told.what),
            time: at(told.at),
            received: at(told.at + 1),
            time_clamped: false,
            anchor: values
                .first()
                .map_or_else(|| id.token(), |value| value.token),
            values,
            trusted: true,
            perspective: told.perspective,
            history: false,
            score: None,
            language: None,
            place: None,
            product: None,
            stage: None,
            touchpoint: None,
            party: None,
            amount: None,
            promise: None,
            operational: BTreeMap::new(),
            recorded_by: None,
            standing: event::Standing::Final,
            rules_version: 1,
            content: Token::hash("content", &[told.id.as_bytes()]),
            personal: wire::personal::encode(&personal),
        }
    }
}

/// What an event tells, as far as a test says.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) source: &'a str,
    pub(crate) channel: Channel,
    pub(crate) id: &'a str,
    pub(crate) at: i64,
    pub(crate) what: &'a str,
    pub(crate) identifiers: &'a [(&'a str, &'a str)],
    pub(crate) references: &'a [(&'a str, &'a str)],
    pub(crate) name: Option<&'a str>,
    pub(crate) text: Option<&'a str>,
    pub(crate) perspective: Perspective,
}

pub(crate) const TILL: Told<'_> = Told {
    source: "till",
    channel: Channel::Store,
    id: "1",
    at: 0,
    what: "purchase",
    identifiers: &[],
    references: &[],
    name: None,
    text: None,
    perspective: Perspective::Customer,
};

pub(crate) const WEB: Told<'_> = Told {
    source: "web",
    channel: Channel::Web,
    ..TILL
};

/// The unifier's entry for an event on a profile's timeline.
pub(crate) fn entry(event: &Event, profile: ProfileId, version: u64) -> Entry {
    let matter = event::MatterId::of_reference(event.anchor);
    Entry {
        profile,
        event: event.id,
        revision: event.revision,
        anchor: event.anchor,
        route: event.anchor,
        version: Version {
            epoch: 0,
            counter: version,
        },
        time: event.time,
        received: event.received,
        source: event.source.clone(),
        channel: event.channel,
        kind: event.kind,
        name: event.name.clone(),
        perspective: event.perspective,
        history: event.history,
        score: None,
        place: None,
        product: None,
        stage: Some(name("delivery")),
        touchpoint: None,
        party: Some(name("posti")),
        matter,
        case: Some(matter.own_case()),
        content: event.content,
        promise: None,
    }
}

pub(crate) fn placed(entry: Entry) -> Record {
    Record::Timeline(Timeline::Entry(entry))
}

pub(crate) fn assigned(value: &Value, profile: ProfileId, version: u64) -> Record {
    Record::Assignment(Assignment {
        value: value.clone(),
        profile,
        version: Version {
            epoch: 0,
            counter: version,
        },
        out: false,
    })
}

pub(crate) fn case_id(text: &str) -> CaseId {
    CaseId::new(Token::hash("test.case", &[text.as_bytes()]))
}

/// A case of delivery about these customers.
pub(crate) fn case(id: CaseId, profiles: &[ProfileId]) -> State {
    State {
        case: id,
        version: 1,
        phase: Phase::Open,
        owner: department("delivery"),
        offered_to: None,
        offer_due: None,
        matters: vec![id.matter()],
        profiles: profiles.to_vec(),
        what: name("delivery.late"),
        place: None,
        product: None,
        party: Some(name("posti")),
        unit: None,
        severity: Severity::Normal,
        happened: at(0),
        opened: at(1),
        contacts: 1,
        channels: vec![Channel::Web],
        deadline: Some(at(600)),
        final_deadline: Some(at(6_000)),
        escalations: 0,
        hand_offs: 0,
        trail: vec![department("delivery")],
        acknowledged: None,
        contacted: None,
        resolved: None,
        claimed_by: None,
        waiting_on: None,
        waiting_since: None,
        waiting_until: None,
        proposed: None,
        dormant: false,
        test: false,
        absorbed_by: None,
        acted: None,
        route: vec![name("root"), name("late-parcels")],
    }
}

pub(crate) fn stands(state: State) -> Record {
    Record::Case(Case::State(state))
}

pub(crate) fn step(case: CaseId, number: u32, what: StepKind, owner: &str) -> Step {
    Step {
        case,
        step: number,
        time: at(i64::from(number)),
        what,
        actor: None,
        owner: department(owner),
        other: None,
        whom: None,
        reason: None,
        how: None,
        reached: None,
        command: None,
        event: None,
        matter: None,
        deadline: None,
        route: vec![name("root"), name("late-parcels")],
        sign: None,
    }
}

pub(crate) fn notice(case: CaseId, number: u32) -> Record {
    let number_bytes = number.to_be_bytes();
    Record::Notice(Notice {
        id: event::NoticeId::new(Token::hash("test.notice", &[&number_bytes])),
        department: department("delivery"),
        why: Why::Opened,
        case,
        step: number,
        time: at(i64::from(number)),
        what: name("delivery.late"),
        place: Some(name("store:kamppi")),
        unit: None,
        party: Some(name("posti")),
        severity: Severity::High,
        contacts: 3,
        channels: vec![Channel::Web, Channel::CallCentre],
        from: Some(department("billing")),
        answer_by: Some(at(600)),
        route: vec![name("root")],
        customer: None,
    })
}

pub(crate) fn company(version: u64, text: &str) -> Record {
    Record::Config(CompanyText {
        name: name("company"),
        version,
        time: at(0),
        text: text.to_owned(),
    })
}

/// Minutes after the beginning of the tests' time.
pub(crate) fn at(minute: i64) -> Time {
    "2026-11-20T08:00:00Z".parse::<Time>().unwrap() + event::Millis::from_secs(60 * minute)
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn department(text: &str) -> DepartmentId {
    text.parse().unwrap()
}

fn source_id(text: &str) -> SourceId {
    text.parse().unwrap()
}

pub(crate) fn profile(value: &Value) -> ProfileId {
    ProfileId::new(value.token)
}

pub(crate) fn event_text(id: EventId) -> Json {
    Json::from(id.to_string())
}

pub(crate) fn get(key: &str, path: &str) -> Request<Body> {
    Request::get(path)
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .body(Body::empty())
        .unwrap()
}

pub(crate) fn post(key: &str, path: &str, body: &Json) -> Request<Body> {
    Request::post(path)
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .body(Body::from(body.to_string()))
        .unwrap()
}

fn spec(topic: Topic) -> TopicSpec {
    TopicSpec {
        partitions: topic.partitions().count(PARTITIONS),
        kept: topic.kept(),
        topic,
    }
}

fn append(record: &Record) -> Append {
    let value = Some(wire::encode(record));
    Append::keyed(record.topic(), record.key(), value, PARTITIONS)
}

fn pepper() -> Pepper {
    Pepper::from_bytes(&[7; 32]).unwrap()
}

/// Till and web share the numbers of customers; orders are each source's own.
fn spaces() -> Spaces {
    toml::from_str(
        "[all]\ncustomer_number = 'company'\n[sources.till]\n[sources.web]\n[sources.carrier]\n[sources.desk]\norder = 'web'\n",
    )
    .unwrap()
}

/// The desk names customers by the company's numbers, and orders by those of the web.
fn desk(log: &Simulated, clock: &::service::clock::Clock) -> ingest::Door {
    let sources = "[desk]\nchannel = 'call_centre'\n[desk.spaces]\norder = 'web'\n";
    ingest::Door::new(ingest::Options {
        sources: toml::from_str(sources).unwrap(),
        formats: ingest::format::Formats::default(),
        secrets: ingest::Secrets::default(),
        public_url: None,
        pepper: pepper(),
        region: Region::new("FI").unwrap(),
        spaces: spaces(),
        company: Company::default(),
        log: Arc::new(log.clone()),
        partitions: PARTITIONS,
        metrics: ingest::Metrics::new(&Registry::new()).unwrap(),
        limits: ingest::Limits::default(),
        clock: Arc::clone(clock),
    })
}

fn credentials() -> BTreeMap<Name, credential::Config> {
    let mut table: toml::Table = toml::from_str(CREDENTIALS).unwrap();
    for (name, entry) in &mut table {
        let hash = credential::KeyHash::of(name).to_string();
        let entry = entry.as_table_mut().unwrap();
        entry.insert("key_sha256".to_owned(), hash.into());
    }
    table.try_into().unwrap()
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.stop();
    }
}
