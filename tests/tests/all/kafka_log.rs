//! The log of a cluster, on a real broker.

#[cfg(test)]
mod layer5 {
    use std::{
        collections::{BTreeMap, BTreeSet},
        slice,
        sync::{
            Arc, Mutex,
            atomic::{AtomicUsize, Ordering},
        },
        thread,
        time::Duration,
    };

    use event::{
        DepartmentId, Partition, Topic,
        time::Millis,
        topic::{Kept, MachineName},
    };
    use stream::{
        Severity,
        conformance::{Fixture, PROMISES, Promise},
        kafka::{Config, Kafka},
        log::{
            Append, Commit, End, Group, Log, Member, Offset, Polled, Read, SharedLog,
            TopicPartition, TopicSpec,
        },
    };
    use tests::broker::{self, Broker};

    /// The brokers' default minimum, since a session that runs out is waited for.
    const SESSION: Duration = Duration::from_millis(6_000);
    const WAIT: Duration = Duration::from_millis(100);
    /// Sixty seconds of waits: more than any test needs on any machine.
    const POLLS: usize = 600;

    #[test]
    fn every_promise_of_the_log_holds() {
        let Some(broker) = broker::or_skip() else {
            return;
        };
        keep(PROMISES, || Shelf {
            broker: Place::Shared(broker.bootstrap()),
            latest: Mutex::default(),
        });
    }

    /// Where the promises speak of a restart it is the broker that is killed.
    #[test]
    fn what_was_promised_to_survive_survives_kill_9_of_the_broker() {
        let Some(broker) = broker::own_or_skip("killed", broker::Kind::One) else {
            return;
        };
        let durable: Vec<_> = PROMISES
            .iter()
            .filter(|promise| promise.name.contains("restart"))
            .copied()
            .collect();
        assert_eq!(durable.len(), 3, "{durable:?}");
        let shelf = Shelf {
            broker: Place::Own(&broker),
            latest: Mutex::default(),
        };
        for promise in durable {
            (promise.check)(&shelf);
        }
    }

    #[test]
    fn each_number_of_all_inputs_has_one_owner_among_three_members() {
        let Some(log) = with_topics(MachineName::Unify) else {
            return;
        };
        let mut members: Vec<_> = (0..3)
            .map(|_| Joined::new(&log, MachineName::Unify))
            .collect();
        for _ in 0..POLLS {
            for member in &mut members {
                member.hear();
            }
            let held: Vec<_> = members.iter().flat_map(|member| &member.held).collect();
            let all: BTreeSet<_> = held.iter().collect();
            if held.len() == 4 && all.len() == 4 && members.iter().all(|one| !one.held.is_empty()) {
                break;
            }
        }
        // A record in every partition of every input comes to the owner of its number, and to nobody else.
        let mut expected = BTreeSet::new();
        let mut records = Vec::new();
        for topic in inputs(MachineName::Unify) {
            for number in Partition::all(4) {
                let at = TopicPartition::new(topic.clone(), number);
                records.push(put(&at, &number.key(), "value"));
                expected.insert(at);
            }
        }
        now(log.append(records)).unwrap();
        let mut found = BTreeMap::new();
        for member in &mut members {
            for number in member.held.clone() {
                member.member.resume(&member.next(number, 0)).unwrap();
            }
        }
        for _ in 0..POLLS {
            for (index, member) in members.iter_mut().enumerate() {
                for read in member.hear() {
                    assert!(member.held.contains(&read.at.partition), "{read:?}");
                    let before = found.insert(read.at.clone(), index);
                    assert_eq!(before, None, "{} came twice", read.at);
                }
            }
            if found.len() == expected.len() {
                break;
            }
        }
        assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), expected);
        for number in Partition::all(4) {
            let owners: BTreeSet<_> = found
                .iter()
                .filter(|(at, _)| at.partition == number)
                .map(|(_, owner)| owner)
                .collect();
            assert_eq!(owners.len(), 1, "number {number} is split: {found:?}");
        }
    }

    /// The generation moves on while a member works on a batch. It still holds its partitions, so that it need not leave.
    #[test]
    fn a_commit_overtaken_by_a_rebalance_is_aborted_and_not_lost() {
        let Some(log) = with_topics(MachineName::Cases) else {
            return;
        };
        let mut first = Joined::alone(&log, MachineName::Cases);
        let mut second = Joined::new(&log, MachineName::Cases);
        let case = TopicPartition::new(Topic::Case, Partition(0));
        let mut taken = Vec::new();
        let mut refused = None;
        for round in 0..POLLS {
            let value = round.to_string();
            match first.commit(
                vec![put(&case, b"key", &value)],
                first.next(Partition(0), 0),
            ) {
                Ok(()) => taken.push(value),
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
            second.hear();
        }
        let refused = refused.expect("the second member changes the generation");
        assert_eq!(refused.severity(), Severity::Abort, "{refused}");
        for _ in 0..POLLS {
            if first.held.len() == 2 && second.held.len() == 2 {
                break;
            }
            first.hear();
            second.hear();
        }
        for member in [&mut first, &mut second] {
            let number = *member.held.first().expect("each has two");
            let case = TopicPartition::new(Topic::Case, number);
            let mut tries = 0;
            while let Err(error) =
                member.commit(vec![put(&case, b"key", "after")], member.next(number, 0))
            {
                assert_eq!(error.severity(), Severity::Abort, "{error}");
                assert!(tries < POLLS, "the generation never settles: {error}");
                tries += 1;
                member.hear();
            }
        }
        let found: Vec<_> = values(&all(&log, &case))
            .into_iter()
            .filter(|value| value != "after")
            .collect();
        assert_eq!(found, taken);
    }

    #[test]
    fn the_committed_end_never_lies_within_a_transaction() {
        const SIZE: usize = 50;
        let Some(log) = with_topics(MachineName::Cases) else {
            return;
        };
        let case = TopicPartition::new(Topic::Case, Partition(1));
        let mut checked = 0;
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut cases = Joined::alone(&log, MachineName::Cases);
                for round in 0..40 {
                    let appends =
                        (0..SIZE).map(|row| put(&case, &row.to_be_bytes(), &round.to_string()));
                    cases
                        .commit(appends.collect(), cases.next(Partition(1), round))
                        .unwrap();
                    // However slow the machine, the group hears of this member.
                    cases.member.poll(1, Duration::ZERO).unwrap();
                }
            });
            let mut reader = log
                .read(BTreeMap::from([(case.clone(), Offset::START)]))
                .unwrap();
            let mut seen = Vec::new();
            for _ in 0..100 * POLLS {
                // Asked for beside others, it is the same as by itself. A topic that was just made may have no leader yet.
                let end = match log.ends(slice::from_ref(&case), End::Committed) {
                    Ok(ends) => ends[&case],
                    Err(error) => {
                        assert_eq!(error.severity(), Severity::Retry, "{error}");
                        continue;
                    }
                };
                while reader.position(&case).unwrap() < end {
                    let reads = reader.poll(1_000, WAIT).unwrap();
                    seen.extend(reads.iter().map(|read| read.offset));
                    let now = log.end(&case, End::Committed).unwrap();
                    assert!(
                        seen.iter().all(|offset| *offset < now),
                        "an open transaction was read"
                    );
                }
                let below = seen.iter().filter(|offset| **offset < end).count();
                assert_eq!(below % SIZE, 0, "at {end}");
                checked += 1;
                if seen.len() == 40 * SIZE {
                    break;
                }
            }
            assert_eq!(seen.len(), 40 * SIZE);
        });
        assert!(
            checked > 1,
            "the reader never looked while there were commits"
        );
    }

    /// The committed offsets are stable before the end is asked for, and that is the written one: with the committed end the last
    /// commit of the owner before could be missed, while its marker is on its way.
    #[test]
    fn a_restore_reaches_the_last_commit_of_the_owner_before() {
        let Some(log) = with_topics(MachineName::Cases) else {
            return;
        };
        let state = TopicPartition::new(Topic::State(MachineName::Cases), Partition(2));
        for round in 0..6 {
            let mut cases = Joined::alone(&log, MachineName::Cases);
            let committed = cases.member.committed(Partition(2)).unwrap();
            let restored = values(&all(&log, &state));
            if round > 0 {
                assert_eq!(committed, cases.next(Partition(2), round));
                assert_eq!(restored.last(), Some(&round.to_string()));
            }
            for commit in 0..=round {
                let value = (round + 1).to_string();
                let appends = vec![put(
                    &state,
                    &[0; 8],
                    if commit == round { &value } else { "earlier" },
                )];
                let next = cases.next(
                    Partition(2),
                    if commit == round { round + 1 } else { round },
                );
                cases.commit(appends, next).unwrap();
            }
        }
    }

    #[test]
    fn a_record_lies_in_the_partition_that_its_key_says() {
        let Some(log) = with_topics(MachineName::Cases) else {
            return;
        };
        let keys: Vec<_> = (0_u64..64)
            .map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes())
            .collect();
        let records = keys
            .iter()
            .map(|key| Append::keyed(Topic::Event, key.to_vec(), Some(vec![1]), 4));
        now(log.append(records.collect())).unwrap();
        let mut found = 0;
        for number in Partition::all(4) {
            for read in all(&log, &TopicPartition::new(Topic::Event, number)) {
                assert_eq!(Partition::of(&read.key, 4), number);
                found += 1;
            }
        }
        assert_eq!(found, keys.len());
    }

    #[test]
    fn a_topic_that_is_kept_otherwise_is_refused_with_the_settings_it_needs() {
        let Some(log) = connect() else {
            return;
        };
        let spec = |topic: Topic, kept| TopicSpec {
            topic,
            partitions: 1,
            kept,
        };
        let notice = Topic::Notice(DepartmentId::new("delivery").unwrap());
        log.create_topics(&[
            spec(Topic::Timeline, Kept::Always),
            spec(Topic::Event, Kept::For(Millis::from_days(1))),
            spec(Topic::CaseInput, Kept::For(Millis::from_days(1))),
            spec(notice.clone(), Kept::For(Millis::from_days(1))),
        ])
        .unwrap();
        for (topic, setting) in [
            (Topic::Timeline, "cleanup.policy=compact"),
            (Topic::Event, "retention.ms=-1"),
            (Topic::CaseInput, "retention.ms=-1"),
        ] {
            let kept = topic.kept();
            let refused = log.create_topics(&[spec(topic.clone(), kept)]).unwrap_err();
            let text = refused.to_string();
            assert!(
                text.contains(setting) && text.contains(&topic.name()),
                "{text}"
            );
        }
        let kept = notice.kept();
        log.create_topics(&[spec(notice, kept)])
            .expect("how long notices are kept is the operator's affair");
    }

    #[test]
    fn what_is_missing_is_named() {
        let Some(log) = connect() else {
            return;
        };
        let event = TopicPartition::new(Topic::Event, Partition(0));
        let group = Group {
            machine: MachineName::Cases,
            inputs: inputs(MachineName::Cases),
            session: SESSION,
        };
        for (text, topic) in [
            (
                now(log.append(vec![put(&event, b"key", "value")]))
                    .unwrap_err()
                    .to_string(),
                "polku.event",
            ),
            (log.start(&event).unwrap_err().to_string(), "polku.event"),
            (
                log.join(group).err().unwrap().to_string(),
                "polku.case.input",
            ),
        ] {
            assert!(
                text.contains(topic) && text.contains("polku topics apply"),
                "{text}"
            );
        }
        log.create_topics(&specs(4)).unwrap();
        let beyond = TopicPartition::new(Topic::Event, Partition(4));
        let text = log.end(&beyond, End::Written).unwrap_err().to_string();
        assert!(text.contains("has 4 partitions"), "{text}");
    }

    #[test]
    fn a_broker_that_is_not_there_is_named() {
        // A port that was free a moment ago; the name of the test does not say Kafka is needed, and it is not.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let bootstrap = format!("127.0.0.1:{port}");
        let config = Config {
            answer_ms_max: 1_000,
            ..Config::plaintext(&bootstrap)
        };
        let text = Kafka::connect(config).err().unwrap().to_string();
        assert!(text.contains(&bootstrap), "{text}");
        let far = Kafka::connect(Config::plaintext("kafka.example:9092"))
            .err()
            .unwrap();
        assert!(far.to_string().contains("allow_plaintext"), "{far}");
    }

    /// Tries promises four at a time, each on a shelf of its own, and names those that do not hold.
    fn keep<'b>(promises: &[Promise], shelf: impl Fn() -> Shelf<'b> + Sync) {
        let next = AtomicUsize::new(0);
        let broken = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let Some(promise) = promises.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                            (promise.check)(&shelf());
                        }));
                        if tried.is_err() {
                            broken.lock().unwrap().push(promise.name);
                        }
                    }
                });
            }
        });
        let broken = broken.into_inner().unwrap();
        assert!(broken.is_empty(), "these promises do not hold: {broken:?}");
    }

    fn now<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(future)
    }

    enum Place<'b> {
        Shared(&'b str),
        Own(&'b Broker),
    }

    /// Logs on one broker, each under a namespace of its own.
    struct Shelf<'b> {
        broker: Place<'b>,
        latest: Mutex<Option<Config>>,
    }

    impl Fixture for Shelf<'_> {
        fn fresh(&self) -> SharedLog {
            let bootstrap = match &self.broker {
                Place::Shared(bootstrap) => bootstrap,
                Place::Own(broker) => broker.bootstrap(),
            };
            let config = config(bootstrap);
            let log = Kafka::connect(config.clone()).expect("the broker answers");
            *self.latest.lock().unwrap() = Some(config);
            log
        }

        fn restart(&self, log: SharedLog) -> SharedLog {
            drop(log);
            match &self.broker {
                Place::Shared(_) => {}
                Place::Own(broker) => broker.kill_and_start(),
            }
            let config = self
                .latest
                .lock()
                .unwrap()
                .clone()
                .expect("there was a log before");
            Kafka::connect(config).expect("the broker answers")
        }

        fn patience(&self) -> Duration {
            SESSION * 4
        }
    }

    fn config(bootstrap: &str) -> Config {
        static LOGS: AtomicUsize = AtomicUsize::new(0);
        Config {
            namespace: format!(
                "t{}-{}.",
                std::process::id(),
                LOGS.fetch_add(1, Ordering::Relaxed)
            ),
            // A member that does not poll is forgotten as soon as its session allows.
            poll_interval_ms_max: 6_000,
            transaction_ms_max: 5_000,
            // A busy machine is no fault of the log.
            answer_ms_max: 60_000,
            ..Config::plaintext(bootstrap)
        }
    }

    fn connect() -> Option<Arc<Kafka>> {
        let broker = broker::or_skip()?;
        Some(Kafka::connect(config(broker.bootstrap())).unwrap())
    }

    /// A log with the topics that a machine reads and writes, of four partitions.
    fn with_topics(_machine: MachineName) -> Option<Arc<Kafka>> {
        let log = connect()?;
        log.create_topics(&specs(4)).unwrap();
        Some(log)
    }

    fn specs(partitions: u32) -> Vec<TopicSpec> {
        let spec = |topic: Topic| TopicSpec {
            partitions: topic.partitions().count(partitions),
            kept: topic.kept(),
            topic,
        };
        Topic::FIXED.into_iter().map(spec).collect()
    }

    fn inputs(machine: MachineName) -> Vec<Topic> {
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

    fn put(at: &TopicPartition, key: &[u8], value: &str) -> Append {
        Append {
            at: at.clone(),
            key: key.to_vec().into(),
            value: Some(value.as_bytes().to_vec().into()),
        }
    }

    fn values(reads: &[Read]) -> Vec<String> {
        let text =
            |read: &Read| String::from_utf8(read.value.clone().unwrap_or_default().into()).unwrap();
        reads.iter().map(text).collect()
    }

    /// Every record of a partition, read as a restore does: to the end of what was written.
    fn all(log: &Arc<Kafka>, at: &TopicPartition) -> Vec<Read> {
        let end = log.end(at, End::Written).unwrap();
        let start = log.start(at).unwrap();
        let mut reader = log.read(BTreeMap::from([(at.clone(), start)])).unwrap();
        let mut reads = Vec::new();
        for _ in 0..POLLS {
            if reader.position(at).unwrap() >= end {
                return reads;
            }
            reads.extend(reader.poll(1_000, WAIT).unwrap());
        }
        panic!("reading {at} stopped below its end {end}");
    }

    struct Joined {
        member: Box<dyn Member>,
        inputs: Vec<Topic>,
        held: BTreeSet<Partition>,
    }

    impl Joined {
        fn new(log: &Arc<Kafka>, machine: MachineName) -> Self {
            let inputs = inputs(machine);
            let group = Group {
                machine,
                inputs: inputs.clone(),
                session: SESSION,
            };
            Self {
                member: log.join(group).unwrap(),
                inputs,
                held: BTreeSet::new(),
            }
        }

        fn alone(log: &Arc<Kafka>, machine: MachineName) -> Self {
            let mut joined = Self::new(log, machine);
            for _ in 0..POLLS {
                if joined.held.len() == 4 {
                    return joined;
                }
                joined.hear();
            }
            panic!("a member alone holds only {:?}", joined.held);
        }

        fn hear(&mut self) -> Vec<Read> {
            match self.member.poll(1_000, WAIT).unwrap() {
                Polled::Assigned(numbers) => self.held.extend(numbers),
                Polled::Revoked(numbers) => self.held.retain(|number| !numbers.contains(number)),
                Polled::Records(reads) => return reads,
            }
            Vec::new()
        }

        fn next(&self, number: Partition, next: i64) -> BTreeMap<TopicPartition, Offset> {
            let at = |topic: &Topic| TopicPartition::new(topic.clone(), number);
            self.inputs
                .iter()
                .map(|topic| (at(topic), Offset(next)))
                .collect()
        }

        fn commit(
            &mut self,
            appends: Vec<Append>,
            next: BTreeMap<TopicPartition, Offset>,
        ) -> Result<(), stream::Error> {
            let appends = appends.into();
            self.member.commit(Commit { appends, next })
        }
    }
}
