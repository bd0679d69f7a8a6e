//! A folder in a directory of its own, and a door over a log that may be told to be away.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use event::{Company, Partition, Record, SourceId, Topic, topic::Kept};
use futures::future::BoxFuture;
use identifier::{Pepper, Region, Spaces};
use ingest::{Door, Limits, Options, Source};
use prometheus::Registry;
use stream::{
    Append, Error, Log, Offset, TopicPartition,
    log::{End, Group, Member, Reader, TopicSpec},
    simulated::Simulated,
};

use super::super::{Folder, Metrics, Outcome, inbox::Found};

const PARTITIONS: u32 = 2;

pub(super) struct World {
    pub(super) folder: Folder,
    pub(super) door: Door,
    log: Arc<Moody>,
    metrics: Metrics,
    directory: tempfile::TempDir,
}

impl World {
    pub(super) fn new(more: &str) -> World {
        let directory = tempfile::tempdir().unwrap();
        let log = Arc::new(Moody::new());
        let metrics = Metrics::new(&Registry::new()).unwrap();
        let source = source(directory.path(), more);
        let folder = Folder::open(id(), &source, metrics.clone()).unwrap();
        let door = door(&source, &log);
        World {
            folder,
            door,
            log,
            metrics,
            directory,
        }
    }

    /// A new process on the same disk and the same log.
    pub(super) fn restart(&mut self) {
        self.folder = self.folder.reopened();
        self.door = door(&source(self.directory.path(), ""), &self.log);
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn put(&self, name: &str, text: &str) {
        fs::write(self.path("inbox").join(name), text).unwrap();
    }

    /// The names in a directory, in order.
    pub(super) fn files(&self, directory: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(directory))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub(super) async fn look(&mut self) {
        self.folder.look(&self.door).await;
    }

    /// Looks often enough that what lies there is at rest and taken.
    pub(super) async fn rest(&mut self) {
        for _ in 0..4 {
            self.look().await;
        }
    }

    /// The file in the inbox, once it is at rest.
    pub(super) async fn found(&mut self) -> Found {
        for _ in 0..4 {
            if let Some(found) = self.folder.inbox.look().unwrap().pop() {
                return found;
            }
        }
        panic!("a file lies in the inbox")
    }

    pub(super) async fn until(&self, holds: impl Fn(&World) -> bool) {
        for _ in 0..10_000 {
            if holds(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("it never held")
    }

    pub(super) fn counted(&self, outcome: Outcome) -> u64 {
        self.metrics.counted(&id(), outcome)
    }

    /// The log refuses so many appends.
    pub(super) fn log_is_away(&self, appends: u32) {
        self.log.away.store(appends, Ordering::SeqCst);
    }

    pub(super) fn refusals_left(&self) -> u32 {
        self.log.away.load(Ordering::SeqCst)
    }

    /// What the events call themselves: the order number of each, once for each id that is in the log.
    pub(super) fn ids(&self) -> Vec<String> {
        let mut orders = BTreeMap::new();
        // What is read from files may be corrected.
        for record in self.records(&Topic::Claim) {
            let Record::Claim(event) = record else {
                panic!("the topic holds claims")
            };
            let personal = wire::personal::decode(&event.personal).unwrap();
            orders.insert(event.id, personal.references[0].value.clone());
        }
        let mut orders: Vec<String> = orders.into_values().collect();
        orders.sort();
        orders
    }

    /// How many inputs were refused, each counted once.
    pub(super) fn rejects(&self) -> usize {
        self.records(&Topic::Reject).len()
    }

    /// Why a folder cannot be opened.
    pub(super) fn open(&self, source: &str) -> String {
        let source: Source = toml::from_str(source).unwrap();
        match Folder::open(id(), &source, self.metrics.clone()) {
            Ok(_) => panic!("it opens"),
            Err(error) => error.to_string(),
        }
    }

    fn records(&self, topic: &Topic) -> Vec<Record> {
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
            let decoded = reads
                .into_iter()
                .map(|read| wire::decode(topic, &read.value.unwrap()).unwrap());
            records.extend(decoded);
        }
    }
}

impl Folder {
    /// As a new process opens it.
    pub(super) fn reopened(&self) -> Folder {
        Folder {
            id: self.id.clone(),
            plan: Arc::clone(&self.plan),
            inbox: super::super::Inbox::new(self.inbox_path()),
            shelf: self.shelf.clone(),
            metrics: self.metrics.clone(),
        }
    }

    fn inbox_path(&self) -> PathBuf {
        self.inbox.directory().to_owned()
    }
}

fn id() -> SourceId {
    SourceId::new("shop").unwrap()
}

fn source(directory: &Path, more: &str) -> Source {
    let text = format!(
        "channel = 'store'\n{more}\n\
         [folder]\ninbox = '{}/inbox'\n\
         [mapping.events.seen]\nid = 'seen-{{id}}'\nkind = 'service'\ntype = 'parcel.seen'\ntime = '{{at}}'\n\
         references.order = '{{id}}'\nplace = 'store:{{place|slug}}'\n",
        directory.display()
    );
    toml::from_str(&text).unwrap()
}

fn door(source: &Source, log: &Arc<Moody>) -> Door {
    Door::new(Options {
        sources: BTreeMap::from([(id(), source.clone())]),
        formats: ingest::format::Formats::default(),
        secrets: ingest::Secrets::default(),
        public_url: None,
        pepper: Pepper::from_bytes(&[7; 32]).unwrap(),
        region: Region::new("FI").unwrap(),
        spaces: Spaces {
            all: BTreeMap::new(),
            sources: BTreeMap::new(),
        },
        company: Company::default(),
        log: Arc::clone(log) as Arc<dyn Log>,
        partitions: PARTITIONS,
        metrics: ingest::Metrics::new(&Registry::new()).unwrap(),
        limits: Limits::default(),
        clock: service::clock::wall(),
    })
}

/// A log in memory that refuses appends while it is told to.
pub(super) struct Moody {
    log: Simulated,
    away: AtomicU32,
}

impl Moody {
    fn new() -> Moody {
        let log = Simulated::new(7);
        let specs = [Topic::Event, Topic::Claim, Topic::Reject].map(|topic| TopicSpec {
            topic,
            partitions: PARTITIONS,
            kept: Kept::Always,
        });
        log.create_topics(&specs).unwrap();
        Moody {
            log,
            away: AtomicU32::new(0),
        }
    }
}

impl Log for Moody {
    fn append(&self, records: Vec<Append>) -> BoxFuture<'static, Result<(), Error>> {
        let away = self.away.load(Ordering::SeqCst);
        if away == 0 {
            return self.log.append(records);
        }
        self.away.store(away - 1, Ordering::SeqCst);
        Box::pin(std::future::ready(Err(Error::Log {
            doing: "reaching the broker".to_owned(),
            text: "no broker answers".to_owned(),
            severity: stream::Severity::Retry,
        })))
    }

    fn topics(&self) -> Result<Vec<TopicSpec>, Error> {
        self.log.topics()
    }

    fn create_topics(&self, specs: &[TopicSpec]) -> Result<(), Error> {
        self.log.create_topics(specs)
    }

    fn read(&self, from: BTreeMap<TopicPartition, Offset>) -> Result<Box<dyn Reader>, Error> {
        self.log.read(from)
    }

    fn start(&self, at: &TopicPartition) -> Result<Offset, Error> {
        self.log.start(at)
    }

    fn end(&self, at: &TopicPartition, end: End) -> Result<Offset, Error> {
        self.log.end(at, end)
    }

    fn join(&self, group: Group) -> Result<Box<dyn Member>, Error> {
        self.log.join(group)
    }

    fn trim(&self, at: &TopicPartition, below: Offset) -> Result<(), Error> {
        self.log.trim(at, below)
    }
}
