//! Polku's side: a log with notices, and the service over it. The endpoints' side: a server on loopback that answers by a script.

use std::{
    collections::BTreeMap,
    fs, io,
    net::{IpAddr, SocketAddr},
    os::unix::fs::PermissionsExt as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, Uri},
};
use event::{Name, Partition, Record, Topic, notice::Notice, sent::Sent, time::Millis};
use prometheus::Registry;
use service::{health::Health, shutdown::Shutdown};
use stream::{Append, Log, Offset, TopicPartition, log::TopicSpec, simulated::Simulated};
use tokio::{net::TcpListener, sync::watch, time::timeout};

use super::sample;
use crate::{
    Parts, Service, Subscription,
    backoff::Backoff,
    queue::Limits,
    resolver::{self, Lookup},
    service::start_with,
};

pub(super) const PARTITIONS: u32 = 2;
/// Nothing here takes as long, however busy the machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The log and the directory of secrets outlive the services over them.
pub(super) struct Office {
    pub(super) log: Simulated,
    directory: tempfile::TempDir,
    subscriptions: BTreeMap<Name, Subscription>,
    lookup: Lookup,
}

impl Office {
    pub(super) fn new() -> Office {
        let log = Simulated::new(1);
        let spec = |topic: Topic| TopicSpec {
            partitions: topic.partitions().count(PARTITIONS),
            kept: topic.kept(),
            topic,
        };
        let topics = [Topic::Sent, Topic::Notice(sample::department())];
        log.create_topics(&topics.map(spec)).unwrap();
        let now = service::clock::now_ms();
        log.set_time(event::Time::from_millis(now));
        Office {
            log,
            directory: tempfile::tempdir().unwrap(),
            subscriptions: BTreeMap::new(),
            lookup: resolver::system(),
        }
    }

    /// Every name leads to this address.
    pub(super) fn resolving_to(mut self, address: IpAddr) -> Office {
        self.lookup = Arc::new(move |_| Box::pin(async move { Ok::<_, io::Error>(vec![address]) }));
        self
    }

    pub(super) fn subscribe(&mut self, name: &str, url: &str) -> &mut Subscription {
        let secret = self.secret(name, SECRET);
        let subscription = Subscription {
            department: sample::department(),
            url: url.to_owned(),
            secret_file: vec![secret],
            allow_private: true,
            units: None,
            why: None,
            generation: 0,
        };
        self.subscriptions
            .entry(Name::new(name).unwrap())
            .insert_entry(subscription)
            .into_mut()
    }

    pub(super) fn subscription(&mut self, name: &str) -> &mut Subscription {
        self.subscriptions
            .get_mut(&Name::new(name).unwrap())
            .unwrap()
    }

    /// A file that holds the secret.
    pub(super) fn secret(&self, name: &str, secret: &str) -> std::path::PathBuf {
        let path = self.directory.path().join(format!("{name}.secret"));
        fs::write(&path, secret).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub(super) fn open(&self) -> Running {
        self.open_with(Limits {
            answered_within: Duration::from_millis(300),
            backoff: Backoff {
                first: Millis::new(4),
                cap: Millis::new(40),
            },
            ..Limits::default()
        })
    }

    pub(super) fn open_with(&self, limits: Limits) -> Running {
        for (name, subscription) in &self.subscriptions {
            let faults = subscription.faults();
            assert!(faults.is_empty(), "{name}: {faults:?}");
        }
        let (registry, shutdown) = (Registry::new(), Shutdown::new());
        let parts = Parts {
            log: Arc::new(self.log.clone()),
            partitions: PARTITIONS,
            subscriptions: self.subscriptions.clone(),
            public_url: "https://polku.example".to_owned(),
            registry: registry.clone(),
            health: Health::new(),
            shutdown: shutdown.clone(),
            clock: service::clock::wall(),
        };
        Running {
            service: Some(start_with(parts, limits, Arc::clone(&self.lookup)).unwrap()),
            registry,
            shutdown,
        }
    }

    pub(super) async fn tell(&self, notices: impl IntoIterator<Item = Notice>) {
        let appends = notices
            .into_iter()
            .map(|notice| {
                let record = Record::Notice(notice);
                Append::keyed(
                    record.topic(),
                    record.key(),
                    Some(wire::encode(&record)),
                    PARTITIONS,
                )
            })
            .collect();
        self.log.append(appends).await.unwrap();
    }

    /// The whole sent log.
    pub(super) fn sent(&self) -> Vec<Sent> {
        let from = Partition::all(PARTITIONS)
            .map(|partition| (TopicPartition::new(Topic::Sent, partition), Offset::START))
            .collect();
        let mut reader = self.log.read(from).unwrap();
        let mut sent = Vec::new();
        loop {
            let reads = reader.poll(1_000, Duration::ZERO).unwrap();
            if reads.is_empty() {
                return sent;
            }
            for read in reads {
                let record = wire::decode(&read.at.topic, &read.value.unwrap());
                let Ok(Record::Sent(one)) = record else {
                    panic!("{record:?}")
                };
                sent.push(one);
            }
        }
    }

    /// Waits until the sent log says this.
    pub(super) async fn until_sent(&self, what: &str, mut seen: impl FnMut(&[Sent]) -> bool) {
        until(what, || seen(&self.sent())).await;
    }
}

/// The secret of every subscription, unless a test says otherwise.
pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// One instance of the service. Dropped, it ends as a process that is told to.
pub(super) struct Running {
    service: Option<Service>,
    registry: Registry,
    shutdown: Shutdown,
}

impl Running {
    /// The sum of a metric's series that carry all of these labels.
    pub(super) fn metric(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name);
        let series = family.unwrap().get_metric().iter();
        series
            .filter(|metric| {
                labels.iter().all(|(label, value)| {
                    let mut pairs = metric.get_label().iter();
                    pairs.any(|pair| pair.name() == *label && pair.value() == *value)
                })
            })
            .map(|metric| metric.get_counter().get_value() + metric.get_gauge().get_value())
            .sum()
    }

    pub(super) fn deliveries(&self, outcome: &str) -> f64 {
        self.metric("polku_notify_deliveries_total", &[("outcome", outcome)])
    }

    pub(super) fn stop(mut self) {
        self.shutdown.stop();
        self.service.take().unwrap().join();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.stop();
    }
}

/// Looks until it is so.
pub(super) async fn until(what: &str, mut seen: impl FnMut() -> bool) {
    let looking = async {
        while !seen() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = timeout(PATIENCE, looking).await;
    waited.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}

#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Heard {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(super) fn id(&self) -> &str {
        self.header("webhook-id")
    }
}

/// What an endpoint does with the request of this number, from 0.
type Script = Box<dyn FnMut(usize, &Heard) -> Option<Response<Body>> + Send>;

/// A department's endpoint, which answers by its script; without an answer it lets the caller hang.
#[derive(Clone)]
pub(super) struct Endpoint {
    address: SocketAddr,
    heard: watch::Sender<Vec<Heard>>,
    script: Arc<Mutex<Script>>,
}

impl Endpoint {
    pub(super) async fn answering(
        script: impl FnMut(usize, &Heard) -> Option<Response<Body>> + Send + 'static,
    ) -> Endpoint {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint {
            address: listener.local_addr().unwrap(),
            heard: watch::Sender::new(Vec::new()),
            script: Arc::new(Mutex::new(Box::new(script))),
        };
        let router = Router::new().fallback(answer).with_state(endpoint.clone());
        tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        endpoint
    }

    /// Takes everything.
    pub(super) async fn good() -> Endpoint {
        Endpoint::answering(|_, _| Some(status(204))).await
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/polku", self.address)
    }

    pub(super) fn heard(&self) -> Vec<Heard> {
        self.heard.borrow().clone()
    }

    /// Waits until it heard so much.
    pub(super) async fn until(
        &self,
        what: &str,
        seen: impl FnMut(&Vec<Heard>) -> bool,
    ) -> Vec<Heard> {
        let mut heard = self.heard.subscribe();
        let waited = timeout(PATIENCE, heard.wait_for(seen)).await;
        waited
            .unwrap_or_else(|_| panic!("waited in vain: {what}"))
            .unwrap()
            .clone()
    }
}

async fn answer(
    State(endpoint): State<Endpoint>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let heard = Heard {
        path: uri.path().to_owned(),
        headers,
        body,
    };
    let number = endpoint.heard.borrow().len();
    let response = (endpoint.script.lock().unwrap())(number, &heard);
    endpoint.heard.send_modify(|all| all.push(heard));
    match response {
        Some(response) => response,
        None => std::future::pending().await,
    }
}

pub(super) fn status(code: u16) -> Response<Body> {
    Response::builder()
        .status(code)
        .body(Body::empty())
        .unwrap()
}
