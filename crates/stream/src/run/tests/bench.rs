//! A log, loops on it, and the time, all in the hands of a test.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use event::{Millis, Partition, Time, Topic};
use futures::FutureExt as _;
use prometheus::Registry;

use super::counter::{Ask, Counter, ask, binding};
use crate::{
    log::{Append, Log, Read, SharedLog, TopicPartition, TopicSpec},
    metrics::Metrics,
    run::{Binding, Clock, Error, Options, Runner, Turn},
    simulated::{Faults, Simulated},
};

pub(super) const START: Time = Time::from_millis(1_000_000);

/// A log, a loop on it, and the time.
pub(super) struct Bench {
    pub(super) log: Simulated,
    pub(super) registry: Registry,
    pub(super) metrics: Metrics,
    pub(super) passed: Duration,
    partitions: u32,
}

impl Bench {
    pub(super) fn new(seed: u64, faults: Faults, partitions: u32) -> Self {
        let log = Simulated::with_faults(seed, faults);
        log.create_topics(&specs(partitions)).unwrap();
        log.set_time(START);
        let registry = Registry::new();
        Self {
            log,
            metrics: Metrics::new(&registry).unwrap(),
            registry,
            passed: Duration::ZERO,
            partitions,
        }
    }

    pub(super) fn quiet() -> Self {
        Self::new(1, Faults::default(), 1)
    }

    /// A batch is full after some ten records, so that of what was polled some stays for the next.
    pub(super) fn options(&self) -> Options {
        Options {
            batch_bytes_max: 200,
            ..Options::for_simulation(self.partitions)
        }
    }

    pub(super) fn runner(&self, options: Options) -> Runner<Counter> {
        self.runner_of(binding(), options)
    }

    pub(super) fn runner_of(&self, binding: Binding<Counter>, options: Options) -> Runner<Counter> {
        let log: SharedLog = Arc::new(self.log.clone());
        Runner::new(Counter, binding, log, options, &self.metrics)
    }

    pub(super) fn clock(&self) -> Clock {
        Clock {
            now: START + Millis::new(i64::try_from(self.passed.as_millis()).unwrap()),
            monotonic: self.passed,
        }
    }

    /// Lets time pass, for the clocks and the log.
    pub(super) fn pass(&mut self, millis: u64) {
        self.passed += Duration::from_millis(millis);
        self.log.set_time(self.clock().now);
        self.log.advance(1);
    }

    /// Whether it was taken. A sender that hears no repeats.
    pub(super) fn append(&self, records: Vec<Append>) -> bool {
        self.log.append(records).now_or_never().unwrap().is_ok()
    }

    pub(super) fn ask(&self, asks: &[Ask]) {
        assert!(self.append(asks.iter().map(|one| ask(0, one)).collect()));
    }

    /// Turns until there is nothing to do.
    pub(super) fn settle(&mut self, runner: &mut Runner<Counter>) {
        let mut idle = 0;
        for _ in 0..1_000 {
            let turn = runner.turn(self.clock()).unwrap();
            idle = if turn == Turn::Idle { idle + 1 } else { 0 };
            if idle == 5 {
                return;
            }
            self.pass(1);
        }
        panic!("the loop does not come to rest: {:?}", runner.stats());
    }

    /// Turns until the loop ends.
    pub(super) fn fail(&mut self, runner: &mut Runner<Counter>) -> Error {
        for _ in 0..10_000 {
            self.pass(5);
            if let Err(error) = runner.turn(self.clock()) {
                return error;
            }
        }
        panic!("the loop does not end: {:?}", runner.stats());
    }

    pub(super) fn reads(&self, topic: &Topic) -> Vec<Read> {
        let mut reads = Vec::new();
        for number in 0..topic.partitions().count(self.partitions) {
            let at = TopicPartition::new(topic.clone(), Partition(number));
            let start = self.log.start(&at).unwrap();
            let mut reader = self.log.read(BTreeMap::from([(at, start)])).unwrap();
            reads.extend(reader.poll(usize::MAX >> 1, Duration::ZERO).unwrap());
        }
        reads
    }

    pub(super) fn outputs(&self) -> Vec<String> {
        let text = |read: &Read| String::from_utf8(read.value.as_deref().unwrap().to_vec());
        let reads = self.reads(&Topic::Access);
        reads.iter().map(|read| text(read).unwrap()).collect()
    }
}

fn specs(partitions: u32) -> Vec<TopicSpec> {
    let specs = Topic::FIXED.into_iter().map(|topic| TopicSpec {
        partitions: topic.partitions().count(partitions),
        kept: topic.kept(),
        topic,
    });
    specs.collect()
}
