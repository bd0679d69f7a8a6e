//! What a member left open: its transaction holds up every reader, and whoever asks for the offsets it was about to commit.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use event::{
    Name, Partition, Record, Time, Token, Topic,
    access::{Access, AccessKind},
    topic::MachineName,
};
use futures::executor::block_on;
use machine::{Effects, Input, Machine, Outcome, Overlay, Shard};
use prometheus::Registry;
use rand::{RngCore as _, SeedableRng as _, rngs::StdRng};
use serde::{Deserialize, Serialize};
use stream::{
    Append, Binding, Metrics, Options, Runner,
    kafka::{Config, Kafka},
    log::{Commit, End, Group, Log, Member, Offset, Polled, TopicPartition, TopicSpec},
    run,
};
use tests::{
    broker::{self, Broker, Kind},
    wait,
};

/// Three quarters of it a transaction may stay open.
const LONG_SESSION: Duration = Duration::from_secs(120);
/// Shorter than that by far.
const SOON: Duration = Duration::from_secs(45);
/// The brokers' default minimum.
const SESSION: Duration = Duration::from_secs(6);
/// The coordinator looks every ten seconds for transactions that were open too long; the rest is what a busy machine takes.
const BOUND: Duration = Duration::from_secs(120);
/// How often the broker may die between two transactions before the test says that it never meets one.
const TRIES: usize = 10;
const INPUTS: u64 = 100;

#[test]
fn what_a_member_left_open_is_ended_by_the_next_of_its_process() {
    let Some(broker) = broker::or_skip() else {
        return;
    };
    let log = prepared(broker);
    let mut first = joined(&log);
    // The last of its records has nowhere to go, so that the others wait for the end of a transaction that never ends.
    let mut appends: Vec<_> = (0..10).map(|number| put(&out(), number)).collect();
    appends.push(put(&TopicPartition::new(out().topic, Partition(99)), 0));
    let appends = appends.into();
    let next = BTreeMap::from([(input(), Offset(1))]);
    first
        .commit(Commit { appends, next })
        .expect_err("one of its partitions does not exist");
    let (written, committed) = ends(&log).expect("the broker answers");
    assert!(written > committed, "nothing was left open");
    drop(first);
    let mut second = joined(&log);
    wait::until("readers go on", SOON, || {
        let (written, committed) = ends(&log)?;
        (written == committed).then_some(())
    });
    second
        .committed(Partition(0))
        .expect("no transaction is under way");
}

#[test]
fn a_loop_goes_on_whose_transaction_was_left_open_by_kill_9_of_the_broker() {
    let Some(broker) = broker::own_or_skip("outage", Kind::One) else {
        return;
    };
    let log = prepared(&broker);
    let options = Options {
        session: SESSION,
        batch_bytes_max: usize::MAX,
        ..Options::new(1)
    };
    let registry = Registry::new();
    let metrics = Metrics::new(&registry).expect("the metrics have names of their own");
    let stop = Arc::new(AtomicBool::new(false));
    let runner = Runner::new(Loud, binding(), log.clone(), options, &metrics);
    let running = run::spawn(runner, Arc::clone(&stop)).expect("there is a thread");
    let met = (0..TRIES).any(|_| {
        block_on(log.append((0..INPUTS).map(|number| put(&input(), number)).collect()))
            .expect("the broker takes it");
        wait::until("a transaction is open", BOUND, || {
            let (written, committed) = ends(&log)?;
            (written > committed).then_some(())
        });
        broker.kill_and_start();
        let before = commits(&registry);
        let (written, committed) = wait::until("the broker answers", BOUND, || ends(&log));
        wait::until("the loop commits", BOUND, || {
            assert!(!running.is_finished(), "the loop has ended");
            (commits(&registry) > before).then_some(())
        });
        written > committed
    });
    assert!(met, "the broker never died within a transaction");
    stop.store(true, Ordering::Relaxed);
    running
        .join()
        .expect("the loop does not panic")
        .expect("the loop ends well");
}

fn prepared(broker: &Broker) -> Arc<Kafka> {
    let log = Kafka::connect(Config {
        namespace: format!("outage-{}.", std::process::id()),
        transaction_ms_max: 600_000,
        poll_interval_ms_max: 700_000,
        ..Config::plaintext(broker.bootstrap())
    });
    let log = log.expect("the broker answers");
    let specs = Topic::FIXED.into_iter().map(|topic| TopicSpec {
        partitions: 1,
        kept: topic.kept(),
        topic,
    });
    log.create_topics(&specs.collect::<Vec<_>>())
        .expect("the topics can be made");
    log
}

fn joined(log: &Arc<Kafka>) -> Box<dyn Member> {
    let group = Group {
        machine: MachineName::Cases,
        inputs: vec![Topic::CaseInput],
        session: LONG_SESSION,
    };
    let mut member = log.join(group).expect("there is a place in the group");
    wait::until("the member holds its partition", SOON, || {
        let polled = member.poll(1, Duration::ZERO).expect("the broker answers");
        matches!(polled, Polled::Assigned(_)).then_some(())
    });
    member
}

fn input() -> TopicPartition {
    TopicPartition::new(Topic::CaseInput, Partition(0))
}

fn out() -> TopicPartition {
    TopicPartition::new(Topic::Access, Partition(0))
}

fn put(at: &TopicPartition, number: u64) -> Append {
    Append {
        at: at.clone(),
        key: number.to_be_bytes().to_vec().into(),
        value: Some(number.to_be_bytes().to_vec().into()),
    }
}

/// How far it is written, and how far readers see.
fn ends(log: &Arc<Kafka>) -> Option<(Offset, Offset)> {
    let end = |end: End| log.end(&out(), end).ok();
    Some((end(End::Written)?, end(End::Committed)?))
}

fn commits(registry: &Registry) -> f64 {
    let families = registry.gather();
    let counters = families
        .iter()
        .filter(|family| family.name() == "polku_loop_commits_total")
        .flat_map(|family| family.get_metric());
    counters
        .map(|metric| metric.get_counter().get_value())
        .sum()
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Unused;

impl machine::Key for Unused {}

/// A machine whose output is so large that its transactions take their time.
struct Loud;

impl Machine for Loud {
    type Record = u64;
    type Key = Unused;
    type Row = u64;

    fn step(
        &self,
        now: Time,
        _shard: Shard,
        _input: Input<u64>,
        _state: &mut Overlay<'_, Unused, u64>,
        effects: &mut Effects,
    ) -> Outcome {
        effects.emit(Record::Access(Access {
            credential: Name::new("loud").expect("a name"),
            time: now,
            what: AccessKind::Search,
            profile: None,
            reason: None,
        }));
        Outcome::Applied
    }

    fn next_due(&self, _state: &Overlay<'_, Unused, u64>) -> Option<Time> {
        None
    }
}

fn binding() -> Binding<Loud> {
    Binding::new(
        MachineName::Cases,
        vec![Topic::CaseInput],
        1,
        |read| {
            let value = read.value.as_deref().ok_or("it has no value")?;
            let number = value.try_into().map_err(|_| "it is no number")?;
            Ok(u64::from_be_bytes(number))
        },
        |_, partitions, to| {
            // What cannot be made smaller.
            let mut noise = vec![0; 500_000];
            StdRng::seed_from_u64(1).fill_bytes(&mut noise);
            let key = Token::hash("loud", &[]).as_bytes().to_vec();
            run::Written::copy(
                &Append::keyed(Topic::Access, key, Some(noise), partitions),
                to,
            )
        },
    )
}
