mod claims;
mod disk;
mod power;

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};

use event::{
    Partition, Topic,
    topic::{Kept, MachineName},
};
use futures::{FutureExt, future::BoxFuture};
use rand::{SeedableRng, rngs::SmallRng};
use tempfile::TempDir;

use self::disk::Disk;
use super::{Embedded, FILE, Options, Space};
use crate::{
    Append, Error, Log, Offset, Read, TopicPartition, conformance,
    log::{End, Group, Polled, SharedLog, TopicSpec},
};

const PATIENCE: Duration = Duration::from_secs(10);

/// Options that never find the disk full.
fn roomy() -> Options {
    let space = Space {
        total_bytes: 1 << 40,
        free_bytes: 1 << 40,
    };
    Options {
        space: Arc::new(move |_| Ok(space)),
        cache_bytes: 4 << 20,
        ..Options::default()
    }
}

/// Compacts whatever there is, a row at a time, and reads nothing from memory.
fn compacting() -> Options {
    Options {
        tail_bytes_max: 0,
        compact_bytes_min: 0,
        compact_step_bytes: 1,
        ..roomy()
    }
}

fn on_disk(disk: &Disk, options: Options) -> Result<Arc<Embedded>, Error> {
    let file = PathBuf::from(FILE);
    Embedded::open_with(&file, file.clone(), disk.opener(), options, None)
}

fn specs(partitions: u32) -> Vec<TopicSpec> {
    let specs = Topic::FIXED.into_iter().map(|topic| TopicSpec {
        partitions: topic.partitions().count(partitions),
        kept: topic.kept(),
        topic,
    });
    specs.collect()
}

fn at(topic: Topic, partition: u32) -> TopicPartition {
    TopicPartition::new(topic, Partition(partition))
}

fn put(at: &TopicPartition, key: &str, value: &str) -> Append {
    Append {
        at: at.clone(),
        key: key.to_owned().into(),
        value: Some(value.to_owned().into()),
    }
}

fn values(reads: &[Read]) -> Vec<String> {
    let value = |read: &Read| String::from_utf8_lossy(read.value.as_deref().unwrap()).into_owned();
    reads.iter().map(value).collect()
}

/// Everything in a partition, from an offset to the end.
fn read_from(log: &Embedded, at: &TopicPartition, from: Offset) -> Vec<Read> {
    let end = log.end(at, End::Written).unwrap();
    let mut reader = log.read(BTreeMap::from([(at.clone(), from)])).unwrap();
    let mut reads = Vec::new();
    while reader.position(at).unwrap() < end {
        reads.extend(reader.poll(100, Duration::ZERO).unwrap());
    }
    reads
}

fn read_all(log: &Embedded, at: &TopicPartition) -> Vec<Read> {
    read_from(log, at, log.start(at).unwrap())
}

/// The member of a machine that owns everything.
fn join(log: &Embedded, machine: MachineName, inputs: &[Topic]) -> Box<dyn crate::Member> {
    let group = Group {
        machine,
        inputs: inputs.to_vec(),
        session: PATIENCE,
    };
    let mut member = log.join(group).unwrap();
    let polled = member.poll(1, PATIENCE).unwrap();
    assert!(matches!(polled, Polled::Assigned(_)), "{polled:?}");
    member
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait_for<T>(mut future: BoxFuture<'static, T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.poll_unpin(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park_timeout(PATIENCE),
        }
    }
}

fn append(log: &Embedded, records: Vec<Append>) -> Result<(), Error> {
    wait_for(log.append(records))
}

/// Real files. A restart goes on with a copy made while the log is open, as kill -9 would leave it.
#[derive(Default)]
struct Files(Mutex<Option<TempDir>>);

impl conformance::Fixture for Files {
    fn fresh(&self) -> SharedLog {
        let dir = TempDir::new().unwrap();
        let log = Embedded::open(dir.path(), roomy()).unwrap();
        *self.0.lock().unwrap() = Some(dir);
        log
    }

    fn restart(&self, log: SharedLog) -> SharedLog {
        let held = self.0.lock().unwrap();
        let dir = held.as_ref().unwrap().path();
        let (file, copy) = (dir.join(FILE), dir.join("copy"));
        fs::copy(&file, &copy).unwrap();
        drop(log);
        fs::rename(copy, file).unwrap();
        Embedded::open(dir, roomy()).unwrap()
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(4)
    }
}

/// A disk that keeps nothing over a restart but what was synced. Everything is read from it, and compacted all the time.
#[derive(Default)]
struct Forgetful(Mutex<Disk>);

impl conformance::Fixture for Forgetful {
    fn fresh(&self) -> SharedLog {
        let disk = Disk::default();
        let log = on_disk(&disk, compacting()).unwrap();
        *self.0.lock().unwrap() = disk;
        log
    }

    fn restart(&self, log: SharedLog) -> SharedLog {
        let disk = self.0.lock().unwrap();
        disk.power_off();
        drop(log);
        disk.power_on(&mut SmallRng::seed_from_u64(0), 0.0);
        on_disk(&disk, compacting()).unwrap()
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(4)
    }
}

#[test]
fn the_log_keeps_every_promise_on_files() {
    conformance::run(&Files::default());
}

#[test]
fn the_log_keeps_every_promise_on_a_disk_that_forgets() {
    conformance::run(&Forgetful::default());
}
