//! Starts what the subscriptions need: one thread that follows the sent log, and one on which all of them deliver.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use ::service::{
    clock::Clock,
    health::{Condition, Health},
    shutdown::Shutdown,
};
use event::{Name, Partition, Record, Topic};
use prometheus::Registry;
use stream::{
    Log, Offset, Read, TopicPartition,
    log::{End, SharedLog},
};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    Metrics, Subscriptions,
    delivery::{Delivery, Office},
    endpoint::Endpoint,
    ledger::Ledger,
    queue::Limits,
    resolver::{self, Lookup},
    secret::{Secret, SecretError},
};

/// What `notify` needs of the process.
pub struct Parts {
    pub log: SharedLog,
    /// P of the deployment.
    pub partitions: u32,
    /// Without faults.
    pub subscriptions: Subscriptions,
    /// Where people reach the desk; links in notices begin with it.
    pub public_url: String,
    pub registry: Registry,
    pub health: Health,
    pub shutdown: Shutdown,
    pub clock: Clock,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`subscriptions.{subscription}`: `secret_file` {path}")]
    Secret {
        subscription: Name,
        path: PathBuf,
        #[source]
        source: SecretError,
    },
    #[error("making the client of `subscriptions.{subscription}`")]
    Client {
        subscription: Name,
        #[source]
        source: reqwest::Error,
    },
    #[error("registering the metrics of notify")]
    Metrics(#[from] prometheus::Error),
    #[error("starting the threads of notify")]
    Thread(#[source] io::Error),
}

impl Error {
    /// Whether the configuration is what is wrong.
    pub fn is_configuration(&self) -> bool {
        match self {
            Error::Secret { .. } => true,
            Error::Client { .. } | Error::Metrics(_) | Error::Thread(_) => false,
        }
    }
}

/// The subscriptions at work.
#[derive(Debug)]
pub struct Service {
    threads: [JoinHandle<()>; 2],
}

/// Reads the secrets and begins to deliver.
///
/// # Errors
/// When a secret cannot be read, or the process does not allow it; the log is not touched.
pub fn start(parts: Parts) -> Result<Service, Error> {
    start_with(parts, Limits::default(), resolver::system())
}

pub(crate) fn start_with(parts: Parts, limits: Limits, lookup: Lookup) -> Result<Service, Error> {
    let ledger = Arc::new(Ledger::new(parts.subscriptions.keys()));
    let office = Office {
        log: Arc::clone(&parts.log),
        partitions: parts.partitions,
        public_url: parts.public_url,
        ledger: Arc::clone(&ledger),
        metrics: Metrics::new(&parts.registry)?,
        clock: parts.clock,
        shutdown: parts.shutdown.clone(),
        limits,
    };
    let deliveries = deliveries(&office, parts.subscriptions, &lookup)?;
    parts.health.set(
        PART,
        Condition::Starting {
            what: "reading the sent log".to_owned(),
        },
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Thread)?;
    let (read, is_read) = watch::channel(false);
    let follower = Follower {
        log: parts.log,
        ledger,
        metrics: office.metrics,
        shutdown: parts.shutdown.clone(),
        next: BTreeMap::new(),
        read,
    };
    let (health, shutdown) = (parts.health, parts.shutdown);
    let guard = FailOnPanic(health.clone());
    let follows = spawn("notify-sent", move || {
        let _guard = guard;
        follower.run();
    })?;
    let guard = FailOnPanic(health.clone());
    let delivers = spawn("notify", move || {
        let _guard = guard;
        runtime.block_on(deliver(deliveries, is_read, &health, &shutdown));
        // A look-up of a name cannot be called off.
        runtime.shutdown_timeout(LOOKED_UP_WITHIN);
    })?;
    Ok(Service {
        threads: [follows, delivers],
    })
}

impl Service {
    /// Waits until nothing is under way any more, once the process is to stop.
    pub fn join(self) {
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread of notify panicked");
            }
        }
    }
}

/// How long a look-up that nobody waits for any more may hold the process.
const LOOKED_UP_WITHIN: Duration = Duration::from_secs(1);

/// The part of the process's health. An endpoint that fails does not make it less ready.
const PART: &str = "notify";

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(Error::Thread)
}

fn deliveries(
    office: &Office,
    subscriptions: Subscriptions,
    lookup: &Lookup,
) -> Result<Vec<Delivery>, Error> {
    let mut deliveries = Vec::new();
    for (name, subscription) in subscriptions {
        let mut secrets = Vec::new();
        for path in &subscription.secret_file {
            secrets.push(Secret::read(path).map_err(|source| Error::Secret {
                subscription: name.clone(),
                path: path.clone(),
                source,
            })?);
        }
        let fingerprint = subscription.fingerprint(&secrets);
        let within = office.limits.answered_within;
        let endpoint = Endpoint::new(&subscription, secrets, Arc::clone(lookup), within);
        let endpoint = endpoint.map_err(|source| Error::Client {
            subscription: name.clone(),
            source,
        })?;
        deliveries.push(Delivery::new(
            office.clone(),
            name,
            subscription,
            endpoint,
            fingerprint,
        ));
    }
    Ok(deliveries)
}

async fn deliver(
    deliveries: Vec<Delivery>,
    mut is_read: watch::Receiver<bool>,
    health: &Health,
    shutdown: &Shutdown,
) {
    tokio::select! {
        read = is_read.wait_for(|read| *read) => {
            if read.is_err() {
                return;
            }
        }
        () = shutdown.stopping() => return,
    }
    health.set(PART, Condition::Ready);
    let mut running = JoinSet::new();
    for delivery in deliveries {
        running.spawn(delivery.run());
    }
    while let Some(ended) = running.join_next().await {
        if let Err(error) = ended {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

/// Reads the sent log from its start, and goes on: other instances write to it too.
struct Follower {
    log: SharedLog,
    ledger: Arc<Ledger>,
    metrics: Metrics,
    shutdown: Shutdown,
    next: BTreeMap<TopicPartition, Offset>,
    read: watch::Sender<bool>,
}

const BATCH_RECORDS_MAX: usize = 2_000;
const POLL_WAIT: Duration = Duration::from_millis(250);
/// How long after a fault of the log it is read again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

impl Follower {
    fn run(mut self) {
        while !self.shutdown.is_stopping() {
            if let Err(error) = self.follow() {
                tracing::warn!(error = %error, "following the sent log; trying again");
                self.metrics.faults.inc();
                thread::park_timeout(AGAIN_AFTER);
            }
        }
    }

    fn follow(&mut self) -> Result<(), stream::Error> {
        let ends = self.positions()?;
        let mut reader = self.log.read(self.next.clone())?;
        while !self.shutdown.is_stopping() {
            for read in reader.poll(BATCH_RECORDS_MAX, POLL_WAIT)? {
                self.note(&read);
            }
            if !*self.read.borrow() {
                let mut is_read = true;
                for (at, end) in &ends {
                    is_read &= reader.position(at)? >= *end;
                }
                self.read.send_replace(is_read);
            }
        }
        Ok(())
    }

    /// Sets where to go on, and answers where each partition ends now.
    fn positions(&mut self) -> Result<BTreeMap<TopicPartition, Offset>, stream::Error> {
        let log: &dyn Log = self.log.as_ref();
        let mut ends = BTreeMap::new();
        for partition in Partition::all(partitions(log)?) {
            let at = TopicPartition::new(Topic::Sent, partition);
            let next = self.next.get(&at).copied().unwrap_or_default();
            ends.insert(at.clone(), log.end(&at, End::Committed)?);
            self.next.insert(at.clone(), next.max(log.start(&at)?));
        }
        Ok(ends)
    }

    fn note(&mut self, read: &Read) {
        self.next.insert(read.at.clone(), read.offset.next());
        let Some(value) = &read.value else { return };
        match wire::decode(&read.at.topic, value) {
            Ok(Record::Sent(sent)) => self.ledger.note(&sent),
            Ok(other) => unreachable!("{} does not hold {}", read.at.topic, other.topic()),
            // At worst a notice is sent again.
            Err(error) => tracing::error!(
                kafka.topic = %read.at.topic, kafka.partition = read.at.partition.0, kafka.offset = read.offset.0,
                error = %error, "leaving out a record of the sent log that does not decode"
            ),
        }
    }
}

fn partitions(log: &dyn Log) -> Result<u32, stream::Error> {
    let topics = log.topics()?;
    let found = topics.into_iter().find(|spec| spec.topic == Topic::Sent);
    found
        .map(|spec| spec.partitions)
        .ok_or_else(|| stream::Error::Topic {
            topic: Topic::Sent.name(),
            problem: "does not exist".to_owned(),
            remedy: "run `polku topics apply`".to_owned(),
        })
}

struct FailOnPanic(Health);

impl Drop for FailOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            let why = "the delivery of notices broke an assertion".to_owned();
            self.0.set(PART, Condition::Failed { why });
        }
    }
}
