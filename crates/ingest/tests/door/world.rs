//! A door over a quiet log in memory, and what is read behind it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use event::{
    Company, Event, Partition, Record, Topic, event::Personal, reject::Reject, topic::Kept,
};
use futures::future::BoxFuture;
use identifier::{Pepper, Region, Spaces};
use ingest::{Door, Limits, Metrics, Options, Secrets, Sources, format::Formats};
use prometheus::Registry;
use serde_json::{Value, json};
use stream::{
    Append, Error, Log, Offset, TopicPartition,
    log::{End, Group, Member, Reader, SharedLog, TopicSpec},
    simulated::Simulated,
};
use tower::ServiceExt as _;

pub(crate) const PARTITIONS: u32 = 4;

/// In place of the words in capitals stand the hashes of `till-key`, `till-new-key`, `web-key`, `crm-key` and `import-key`.
const SOURCES: &str = r#"
[till]
channel = "store"
key_sha256 = [
    "OLD",
    "NEW",
]
trusted = true
kinds = ["service", "complaint"]
operational = ["till"]
spaces = { order = "shop" }

[web]
channel = "web"
key_sha256 = ["WEB"]
spaces = { order = "shop" }

[crm]
channel = "call_centre"
key_sha256 = ["CRM"]
corrects = true
spaces = { order = "shop" }

[archive]
channel = "web"
key_sha256 = ["ARCHIVE"]
history = true

[desk]
channel = "call_centre"
"#;

pub(crate) struct World {
    pub(crate) door: Door,
    pub(crate) registry: Registry,
    log: SharedLog,
    router: Router,
}

/// What sources speak beside our own form.
#[derive(Default)]
pub(crate) struct Spoken {
    pub(crate) formats: Formats,
    pub(crate) secrets: Secrets,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

impl World {
    pub(crate) fn new() -> World {
        World::over(quiet())
    }

    /// The sources of these tests over another log.
    pub(crate) fn over(log: SharedLog) -> World {
        let hash = |key: &str| hex::encode(<sha2::Sha256 as sha2::Digest>::digest(key));
        let sources = SOURCES
            .replace("OLD", &hash("till-key"))
            .replace("NEW", &hash("till-new-key"))
            .replace("WEB", &hash("web-key"))
            .replace("CRM", &hash("crm-key"))
            .replace("ARCHIVE", &hash("import-key"));
        let company = Company {
            version: 3,
            ..Company::default()
        };
        let spoken = Spoken::default();
        World::of(toml::from_str(&sources).unwrap(), spoken, company, log)
    }

    pub(crate) fn with(sources: Sources, company: &Company) -> World {
        World::of(sources, Spoken::default(), company.clone(), quiet())
    }

    /// Sources that speak formats of their own.
    pub(crate) fn speaking(sources: &str, spoken: Spoken) -> World {
        let sources = toml::from_str(sources).unwrap();
        World::of(sources, spoken, Company::default(), quiet())
    }

    fn of(sources: Sources, spoken: Spoken, company: Company, log: SharedLog) -> World {
        let registry = Registry::new();
        let spaces = Spaces {
            all: BTreeMap::new(),
            sources: sources
                .iter()
                .map(|(id, source)| (id.clone(), source.spaces.clone()))
                .collect(),
        };
        let door = Door::new(Options {
            sources,
            formats: spoken.formats,
            secrets: spoken.secrets,
            public_url: Some("https://polku.example/".to_owned()),
            pepper: Pepper::from_bytes(&[7; 32]).unwrap(),
            region: Region::new("FI").unwrap(),
            spaces,
            company,
            log: Arc::clone(&log),
            partitions: PARTITIONS,
            metrics: Metrics::new(&registry).unwrap(),
            limits: Limits::default(),
            clock: service::clock::wall(),
        });
        let (router, _) = ingest::routes(door.clone()).split_for_parts();
        World {
            door,
            registry,
            log,
            router,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 22).await.unwrap();
        Reply {
            status: parts.status,
            headers: parts
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            body: if bytes.is_empty() {
                Value::Null
            } else {
                serde_json::from_slice(&bytes).unwrap()
            },
        }
    }

    /// Sends JSON from the till.
    pub(crate) async fn till(&self, body: &Value) -> Reply {
        self.send(post(
            "till",
            "till-key",
            "application/json",
            body.to_string(),
        ))
        .await
    }

    /// Sends JSON from a source that corrects what it said.
    pub(crate) async fn crm(&self, body: &Value) -> Reply {
        self.send(post("crm", "crm-key", "application/json", body.to_string()))
            .await
    }

    /// Sends JSON from the web.
    pub(crate) async fn web(&self, body: &Value) -> Reply {
        self.send(post("web", "web-key", "application/json", body.to_string()))
            .await
    }

    pub(crate) fn records(&self, topic: &Topic) -> Vec<(Vec<u8>, Record)> {
        let from = Partition::all(PARTITIONS)
            .map(|partition| (TopicPartition::new(topic.clone(), partition), Offset::START))
            .collect();
        let mut reader = self.log.read(from).unwrap();
        let mut records = Vec::new();
        loop {
            let reads = reader.poll(10_000, Duration::ZERO).unwrap();
            if reads.is_empty() {
                return records;
            }
            records.extend(reads.into_iter().map(|read| {
                let record = wire::decode(topic, &read.value.unwrap()).unwrap();
                assert_eq!(read.key, record.key(), "records stand under their own key");
                (read.key.to_vec(), record)
            }));
        }
    }

    /// Every event that a door wrote, those that may be corrected included.
    pub(crate) fn events(&self) -> Vec<(Event, Personal)> {
        let claims = self.records(&Topic::Claim);
        let mut events: Vec<(Event, Personal)> = claims
            .into_iter()
            .chain(self.records(&Topic::Event))
            .map(|(_, record)| {
                let (Record::Event(event) | Record::Claim(event)) = record else {
                    panic!("the topics hold events")
                };
                let personal = wire::personal::decode(&event.personal).unwrap();
                (event, personal)
            })
            .collect();
        events.sort_by_key(|(event, _)| (event.time, event.id));
        events
    }

    pub(crate) fn rejects(&self) -> Vec<Reject> {
        self.records(&Topic::Reject)
            .into_iter()
            .map(|(_, record)| {
                let Record::Reject(reject) = record else {
                    panic!("the topic holds rejects")
                };
                reject
            })
            .collect()
    }
}

fn quiet() -> SharedLog {
    let log = Simulated::new(7);
    let specs = [Topic::Event, Topic::Claim, Topic::Reject].map(|topic| TopicSpec {
        topic,
        partitions: PARTITIONS,
        kept: Kept::Always,
    });
    log.create_topics(&specs).unwrap();
    Arc::new(log)
}

pub(crate) fn post(
    source: &str,
    key: &str,
    content_type: &str,
    body: impl Into<Body>,
) -> Request<Body> {
    Request::post(format!("/v1/sources/{source}/events"))
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, content_type)
        .body(body.into())
        .unwrap()
}

/// A small good event.
pub(crate) fn event(id: &str) -> Value {
    json!({"id": id, "kind": "complaint", "time": "2026-01-20T09:31:00+02:00", "references": {"order": "A-77"}})
}

/// An event with some fields more, or others.
pub(crate) fn event_with(id: &str, more: Value) -> Value {
    let mut event = event(id);
    let (Value::Object(fields), Value::Object(more)) = (&mut event, more) else {
        panic!("objects")
    };
    fields.extend(more);
    event
}

/// A log whose appends end badly, or never.
pub(crate) struct Broken {
    pub(crate) how: How,
}

#[derive(Clone, Copy)]
pub(crate) enum How {
    Full,
    Away,
    Silent,
}

impl Log for Broken {
    fn append(&self, _records: Vec<Append>) -> BoxFuture<'static, Result<(), Error>> {
        match self.how {
            How::Full => Box::pin(std::future::ready(Err(Error::DiskFull {
                path: "data".to_owned(),
                reserve_bytes: 1,
            }))),
            How::Away => Box::pin(std::future::ready(Err(unreachable_log()))),
            How::Silent => Box::pin(std::future::pending()),
        }
    }

    fn topics(&self) -> Result<Vec<TopicSpec>, Error> {
        Err(unreachable_log())
    }

    fn create_topics(&self, _specs: &[TopicSpec]) -> Result<(), Error> {
        Err(unreachable_log())
    }

    fn read(&self, _from: BTreeMap<TopicPartition, Offset>) -> Result<Box<dyn Reader>, Error> {
        Err(unreachable_log())
    }

    fn start(&self, _at: &TopicPartition) -> Result<Offset, Error> {
        Err(unreachable_log())
    }

    fn end(&self, _at: &TopicPartition, _end: End) -> Result<Offset, Error> {
        Err(unreachable_log())
    }

    fn join(&self, _group: Group) -> Result<Box<dyn Member>, Error> {
        Err(unreachable_log())
    }

    fn trim(&self, _at: &TopicPartition, _below: Offset) -> Result<(), Error> {
        Err(unreachable_log())
    }
}

fn unreachable_log() -> Error {
    Error::Log {
        doing: "reaching the broker".to_owned(),
        text: "no broker answers".to_owned(),
        severity: stream::Severity::Retry,
    }
}
