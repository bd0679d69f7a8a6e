use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};

use bytes::Bytes;
use event::{Partition, Topic, topic::MachineName};

use super::Fixture;
use crate::{
    error::Error,
    log::{
        Append, Commit, End, Group, Member, Offset, Polled, Read, SharedLog, TopicPartition,
        TopicSpec,
    },
};

pub(super) const PARTITIONS: u32 = 4;

/// How often a wait is divided.
const POLLS: u32 = 50;

/// One log under trial, with the topics of the machine `cases` and of `unify`.
pub(super) struct Trial<'f> {
    pub(super) fixture: &'f dyn Fixture,
    pub(super) log: SharedLog,
}

impl<'f> Trial<'f> {
    pub(super) fn new(fixture: &'f dyn Fixture) -> Self {
        let log = fixture.fresh();
        log.create_topics(&specs(PARTITIONS))
            .expect("topics are made");
        Self { fixture, log }
    }

    pub(super) fn restart(self) -> Self {
        Self {
            log: self.fixture.restart(self.log),
            fixture: self.fixture,
        }
    }

    pub(super) fn append(&self, records: Vec<Append>) -> Result<(), Error> {
        wait_for(self.log.append(records))
    }

    /// Every visible record of a partition, read from its start to its written end.
    pub(super) fn all(&self, at: &TopicPartition) -> Vec<Read> {
        let start = self.log.start(at).expect("the partition exists");
        self.all_from(at, start)
    }

    pub(super) fn all_from(&self, at: &TopicPartition, from: Offset) -> Vec<Read> {
        self.fixture.settle();
        let end = self
            .log
            .end(at, End::Written)
            .expect("the partition exists");
        let mut reader = self
            .log
            .read(BTreeMap::from([(at.clone(), from)]))
            .expect("the partition exists");
        let mut reads = Vec::new();
        for _ in 0..POLLS {
            if reader.position(at).expect("it is read") >= end {
                return reads;
            }
            reads.extend(reader.poll(1_000, self.wait()).expect("it can be read"));
            self.fixture.settle();
        }
        panic!("reading {at} stopped below its end {end}, after {reads:?}");
    }

    pub(super) fn values(&self, at: &TopicPartition) -> Vec<String> {
        values(&self.all(at))
    }

    pub(super) fn wait(&self) -> Duration {
        self.fixture.patience() / POLLS
    }

    pub(super) fn join(&self, machine: MachineName) -> Joined<'_> {
        let inputs = inputs(machine);
        let group = Group {
            machine,
            inputs: inputs.clone(),
            session: self.fixture.patience() / 4,
        };
        Joined {
            trial: self,
            member: self.log.join(group).expect("the inputs exist"),
            inputs,
            held: BTreeSet::new(),
        }
    }

    /// The one member of a machine, with all partitions.
    pub(super) fn join_alone(&self, machine: MachineName) -> Joined<'_> {
        let mut joined = self.join(machine);
        for _ in 0..POLLS {
            if joined.held.len() == all_partitions().len() {
                return joined;
            }
            joined.hear();
        }
        panic!("a member alone holds only {:?}", joined.held);
    }
}

/// A member that notes what it holds.
pub(super) struct Joined<'t> {
    trial: &'t Trial<'t>,
    pub(super) member: Box<dyn Member>,
    inputs: Vec<Topic>,
    pub(super) held: BTreeSet<Partition>,
}

impl Joined<'_> {
    /// Polls once.
    pub(super) fn hear(&mut self) -> Vec<Read> {
        self.trial.fixture.settle();
        match self
            .member
            .poll(1_000, self.trial.wait())
            .expect("the member is in its group")
        {
            Polled::Assigned(numbers) => self.held.extend(numbers),
            Polled::Revoked(numbers) => self.held.retain(|number| !numbers.contains(number)),
            Polled::Records(reads) => return reads,
        }
        Vec::new()
    }

    /// Polls until there are so many records.
    pub(super) fn records(&mut self, count: usize) -> Vec<Read> {
        let mut reads = Vec::new();
        for _ in 0..POLLS {
            if reads.len() >= count {
                return reads;
            }
            reads.extend(self.hear());
        }
        panic!("of {count} records only these came: {reads:?}");
    }

    /// The inputs of a partition, each with the offset to go on from.
    pub(super) fn next(&self, partition: Partition, next: i64) -> BTreeMap<TopicPartition, Offset> {
        self.inputs
            .iter()
            .map(|topic| (TopicPartition::new(topic.clone(), partition), Offset(next)))
            .collect()
    }

    pub(super) fn commit(
        &mut self,
        appends: Vec<Append>,
        next: BTreeMap<TopicPartition, Offset>,
    ) -> Result<(), Error> {
        let appends = appends.into();
        self.member.commit(Commit { appends, next })
    }
}

/// Two members that both poll until each number has one owner and both have some.
pub(super) fn share(first: &mut Joined<'_>, second: &mut Joined<'_>) {
    for _ in 0..2 * POLLS {
        let both: BTreeSet<_> = first.held.union(&second.held).copied().collect();
        let none_twice = first.held.is_disjoint(&second.held);
        if both == all_partitions() && none_twice && !second.held.is_empty() {
            return;
        }
        first.hear();
        second.hear();
    }
    panic!("{:?} and {:?} are not shared out", first.held, second.held);
}

/// Polls one member until it has at least one partition, or all.
pub(super) fn hear_until_assigned(joined: &mut Joined<'_>, all: bool) {
    let wanted = if all { all_partitions().len() } else { 1 };
    for _ in 0..4 * POLLS {
        if joined.held.len() >= wanted {
            return;
        }
        joined.hear();
    }
    panic!("the member holds only {:?}", joined.held);
}

pub(super) fn inputs(machine: MachineName) -> Vec<Topic> {
    match machine {
        MachineName::Unify => vec![
            Topic::Event,
            Topic::IdentityAssignment,
            Topic::TimelineInput,
        ],
        MachineName::Identify => vec![Topic::IdentityLink],
        MachineName::Cases => vec![Topic::CaseInput],
    }
}

pub(super) fn specs(partitions: u32) -> Vec<TopicSpec> {
    Topic::FIXED
        .into_iter()
        .map(|topic| TopicSpec {
            partitions: topic.partitions().count(partitions),
            kept: topic.kept(),
            topic,
        })
        .collect()
}

pub(super) fn all_partitions() -> BTreeSet<Partition> {
    Partition::all(PARTITIONS).collect()
}

pub(super) fn at(topic: Topic, partition: u32) -> TopicPartition {
    TopicPartition::new(topic, Partition(partition))
}

pub(super) fn put(at: &TopicPartition, key: &str, value: &str) -> Append {
    Append {
        at: at.clone(),
        key: Bytes::copy_from_slice(key.as_bytes()),
        value: Some(Bytes::copy_from_slice(value.as_bytes())),
    }
}

pub(super) fn values(reads: &[Read]) -> Vec<String> {
    reads
        .iter()
        .map(|read| match &read.value {
            Some(value) => String::from_utf8_lossy(value).into_owned(),
            None => "null".to_owned(),
        })
        .collect()
}

/// Waits for a future on this thread.
fn wait_for<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
