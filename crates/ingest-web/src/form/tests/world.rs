//! Forms over a quiet log in memory, and what is read behind them.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode, header},
};
use event::{Company, Event, Partition, Record, Topic, event::Personal, topic::Kept};
use identifier::{Pepper, Region, Spaces};
use ingest::{Door, Limits, Metrics, Options, Secrets};
use prometheus::Registry;
use stream::{
    Log as _, Offset, TopicPartition,
    log::{SharedLog, TopicSpec},
    simulated::Simulated,
};
use tower::ServiceExt as _;

use crate::routes;

const PARTITIONS: u32 = 2;

const SOURCES: &str = r#"
[web-form]
channel = "web"
format = "feedback-form"
[web-form.form]
company = "Koti & Oy"
answers_per_minute = 5

[kiosk]
channel = "store"
format = "feedback-form"
[kiosk.form]
embed_from = ["https://shop.example", "https://kauppa.example:8443"]
[kiosk.defaults]
place = "store:kamppi"

[survey]
channel = "web"
format = "typeform"
secret_file = "unread"
"#;

pub(super) struct World {
    log: SharedLog,
    router: Router,
}

pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl World {
    pub(super) fn new() -> World {
        World::behind(0)
    }

    /// Behind so many proxies of our own.
    pub(super) fn behind(proxies: u8) -> World {
        let log = Simulated::new(7);
        let specs = [Topic::Event, Topic::Claim, Topic::Reject].map(|topic| TopicSpec {
            topic,
            partitions: PARTITIONS,
            kept: Kept::Always,
        });
        log.create_topics(&specs).unwrap();
        World::over(Arc::new(log), proxies)
    }

    /// A log without topics takes nothing.
    pub(super) fn broken() -> World {
        World::over(Arc::new(Simulated::new(7)), 0)
    }

    fn over(log: SharedLog, proxies: u8) -> World {
        let door = Door::new(Options {
            sources: toml::from_str(SOURCES).unwrap(),
            formats: crate::formats().into_iter().collect(),
            secrets: Secrets::default(),
            public_url: None,
            pepper: Pepper::from_bytes(&[7; 32]).unwrap(),
            region: Region::new("FI").unwrap(),
            spaces: Spaces::default(),
            company: Company::default(),
            log: Arc::clone(&log),
            partitions: PARTITIONS,
            metrics: Metrics::new(&Registry::new()).unwrap(),
            limits: Limits::default(),
            clock: service::clock::wall(),
        });
        World {
            log,
            router: routes(door, proxies),
        }
    }

    pub(super) async fn send(&self, mut request: Request<Body>, address: &str) -> Reply {
        let peer: SocketAddr = format!("{address}:4000").parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        let request = Request::get(path).body(Body::empty()).unwrap();
        self.send(request, "10.0.0.1").await
    }

    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.send(filled(path, fields), "10.0.0.1").await
    }

    pub(super) fn events(&self) -> Vec<(Event, Personal)> {
        let records = self.records(&Topic::Event).into_iter();
        let events = records.map(|record| {
            let Record::Event(event) = record else {
                panic!("the topic holds events")
            };
            let personal = wire::personal::decode(&event.personal).unwrap();
            (event, personal)
        });
        events.collect()
    }

    pub(super) fn rejects(&self) -> usize {
        self.records(&Topic::Reject).len()
    }

    fn records(&self, topic: &Topic) -> Vec<Record> {
        let from: BTreeMap<TopicPartition, Offset> = Partition::all(PARTITIONS)
            .map(|partition| (TopicPartition::new(topic.clone(), partition), Offset::START))
            .collect();
        let mut reader = self.log.read(from).unwrap();
        let mut records = Vec::new();
        loop {
            let reads = reader.poll(10_000, Duration::ZERO).unwrap();
            if reads.is_empty() {
                return records;
            }
            let values = reads.into_iter().map(|read| read.value.unwrap());
            records.extend(values.map(|value| wire::decode(topic, &value).unwrap()));
        }
    }
}

/// A form as a browser sends it.
pub(super) fn filled(path: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let encode = |text: &str| {
        let set = percent_encoding::NON_ALPHANUMERIC;
        percent_encoding::utf8_percent_encode(text, set).to_string()
    };
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(pairs.join("&")))
        .unwrap()
}

/// The hidden fields of a page, as a browser would send them back.
pub(super) fn hidden(page: &str) -> Vec<(String, String)> {
    page.split("<input type=\"hidden\" name=\"")
        .skip(1)
        .map(|rest| {
            let (name, rest) = rest.split_once('"').unwrap();
            let (_, rest) = rest.split_once("value=\"").unwrap();
            let (value, _) = rest.split_once('"').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}
