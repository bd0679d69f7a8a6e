use std::{os::unix::fs::PermissionsExt, sync::mpsc};

use bytes::Bytes;
use event::{Millis, Time};
use proptest::{collection::vec, option, prelude::*};

use super::{
    super::{
        clock,
        compact::NULLS_KEPT,
        group::MemberId,
        storage::{Extent, Image},
    },
    *,
};
use crate::{Severity, log::Commit};

const STATE: Topic = Topic::State(MachineName::Cases);

fn fresh(options: Options) -> (Disk, Arc<Embedded>) {
    let disk = Disk::default();
    let log = on_disk(&disk, options).unwrap();
    log.create_topics(&specs(2)).unwrap();
    (disk, log)
}

/// A clock that stands still until it is set.
#[derive(Clone)]
struct Hands(Arc<Mutex<Time>>);

impl Hands {
    fn at_zero() -> Self {
        Self(Arc::new(Mutex::new(Time::from_millis(0))))
    }

    fn set(&self, time: Time) {
        *self.0.lock().unwrap() = time;
    }

    fn clock(&self) -> super::super::Clock {
        let hands = self.clone();
        Arc::new(move || *hands.0.lock().unwrap())
    }
}

/// What is kept of a partition, as the file says.
fn extent(log: &Embedded, at: &TopicPartition) -> Extent {
    let place = log
        .shared
        .hub
        .lock()
        .place(&at.topic, at.partition)
        .unwrap();
    Image::load(&log.shared.store).unwrap().extents[place.index()]
}

/// Waits until as much is dirty in a partition as is said, and not more than was left clean.
fn wait_until_compacted(log: &Embedded, at: &TopicPartition) {
    for _ in 0..10_000 {
        let extent = extent(log, at);
        if extent.dirty_bytes == 0 || extent.dirty_bytes < extent.clean_bytes {
            return;
        }
        // Gives the writer something to do, and waits for it.
        append(log, vec![put(&self::at(Topic::Access, 0), "key", "value")]).unwrap();
    }
    panic!("{at} is still to be compacted: {:?}", extent(log, at));
}

fn removed(at: &TopicPartition, key: &str) -> Append {
    Append {
        value: None,
        ..put(at, key, "")
    }
}

#[test]
fn a_second_process_is_refused_by_name_and_with_a_remedy() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("a/data");
    let log = Embedded::open(&data, roomy()).unwrap();
    let refused = Embedded::open(&data, roomy()).unwrap_err();
    assert!(matches!(refused, Error::InUse { .. }), "{refused}");
    let text = refused.to_string();
    assert!(
        text.contains(data.to_str().unwrap()) && text.contains("--data"),
        "{text}"
    );
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(data.clone()), 0o700);
    assert_eq!(mode(data.join(FILE)), 0o600);
    // Whoever still reads keeps it open.
    log.create_topics(&specs(1)).unwrap();
    let reader = log
        .read(BTreeMap::from([(at(Topic::Event, 0), Offset::START)]))
        .unwrap();
    drop(log);
    assert!(Embedded::open(&data, roomy()).is_err());
    drop(reader);
    let log = Embedded::open(&data, roomy()).unwrap();
    assert_eq!(log.topics().unwrap().len(), specs(1).len());
}

#[test]
fn a_file_of_something_else_is_refused_and_left_alone() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join(FILE);
    fs::write(&file, "not ours").unwrap();
    let refused = Embedded::open(dir.path(), roomy()).unwrap_err();
    assert_eq!(refused.severity(), Severity::Fatal);
    assert!(refused.to_string().contains(FILE), "{refused}");
    assert_eq!(fs::read(&file).unwrap(), b"not ours");
}

#[test]
fn what_waits_is_made_durable_together() {
    let (disk, log) = fresh(roomy());
    let gate = disk.hold_syncs();
    let event = at(Topic::Event, 0);
    let before = disk.syncs();
    let appends: Vec<_> = (0..500)
        .map(|number| log.append(vec![put(&event, "key", &number.to_string())]))
        .collect();
    drop(gate);
    for appended in appends {
        wait_for(appended).unwrap();
    }
    let syncs = disk.syncs() - before;
    // One for what came first and one for all that waited meanwhile.
    assert!(syncs <= 2, "{syncs}");
    assert_eq!(read_all(&log, &event).len(), 500);
}

#[test]
fn every_append_and_commit_leaves_a_gap() {
    let (_, log) = fresh(roomy());
    let event = at(Topic::Event, 0);
    let both = [
        log.append(vec![put(&event, "a", "1"), put(&event, "b", "2")]),
        log.append(vec![put(&event, "c", "3")]),
    ];
    for appended in both {
        wait_for(appended).unwrap();
    }
    append(&log, vec![put(&event, "d", "4")]).unwrap();
    let offsets: Vec<i64> = read_all(&log, &event)
        .iter()
        .map(|read| read.offset.0)
        .collect();
    assert_eq!(offsets, [1, 2, 4, 6]);
    assert_eq!(log.end(&event, End::Committed).unwrap(), Offset(7));
}

#[test]
fn compaction_leaves_the_last_record_of_each_key_and_nulls_for_a_while() {
    let hands = Hands::at_zero();
    let (_, log) = fresh(Options {
        clock: hands.clock(),
        ..compacting()
    });
    let (state, other) = (at(STATE, 1), at(STATE, 0));
    // The same key in another partition is another one.
    append(&log, vec![put(&other, "a", "other")]).unwrap();
    for round in 0..30 {
        let number = round.to_string();
        let records = vec![
            put(&state, "a", &number),
            put(&state, "b", "once more"),
            put(&state, "b", &number),
            put(&state, &format!("only {round}"), &number),
        ];
        append(&log, records).unwrap();
    }
    append(&log, vec![removed(&state, "b"), removed(&state, "c")]).unwrap();
    let pad = |times: usize| {
        for _ in 0..times {
            append(&log, vec![put(&state, "pad", &"x".repeat(5_000))]).unwrap();
        }
        wait_until_compacted(&log, &state);
        let keys = read_all(&log, &state)
            .into_iter()
            .filter(|read| !read.key.starts_with(b"only") && read.key != "pad");
        keys.map(|read| (read.key, read.value)).collect::<Vec<_>>()
    };
    let a = (Bytes::from("a"), Some(Bytes::from("29")));
    let nulls = [(Bytes::from("b"), None), (Bytes::from("c"), None)];
    assert_eq!(pad(3), [&[a.clone()][..], &nulls].concat());
    hands.set(Time::from_millis(0) + NULLS_KEPT);
    assert_eq!(pad(3), [a]);
    assert_eq!(values(&read_all(&log, &other)), ["other"]);
    // Only gaps lead to the end now, and a reader comes there.
    let from = Offset(log.end(&state, End::Written).unwrap().0 - 1);
    read_from(&log, &state, from);
}

#[test]
fn records_older_than_their_topic_keeps_them_go_by_themselves() {
    let hands = Hands::at_zero();
    let (_, log) = fresh(Options {
        clock: hands.clock(),
        ..roomy()
    });
    let outcome = at(Topic::CommandOutcome, 0);
    let Kept::For(kept) = Topic::CommandOutcome.kept() else {
        panic!("outcomes are kept for some days")
    };
    append(&log, vec![put(&outcome, "key", "old")]).unwrap();
    hands.set(Time::from_millis(0) + kept);
    append(&log, vec![put(&outcome, "key", "young")]).unwrap();
    assert_eq!(values(&read_all(&log, &outcome)), ["old", "young"]);
    hands.set(Time::from_millis(1) + kept + Millis::from_secs(60));
    // The writer looks by itself; what is appended elsewhere only says when it has.
    for _ in 0..1_000 {
        append(&log, vec![put(&at(Topic::Event, 0), "key", "value")]).unwrap();
        if log.start(&outcome).unwrap() > Offset::START {
            break;
        }
    }
    assert_eq!(values(&read_all(&log, &outcome)), ["young"]);
}

#[test]
fn below_the_reserve_nothing_is_taken_and_it_goes_on_by_itself() {
    let free = Arc::new(AtomicU64::new(100));
    let measured = Arc::clone(&free);
    let (_, log) = fresh(Options {
        reserve_bytes: Some(100),
        space: Arc::new(move |_| {
            Ok(Space {
                total_bytes: 1 << 40,
                free_bytes: measured.load(Ordering::SeqCst),
            })
        }),
        ..roomy()
    });
    let event = at(Topic::Event, 0);
    let mut member = join(&log, MachineName::Cases, &[Topic::CaseInput]);
    let commit = Commit {
        appends: vec![put(&event, "key", "commit")].into(),
        next: BTreeMap::from([(at(Topic::CaseInput, 0), Offset(0))]),
    };
    free.store(99, Ordering::SeqCst);
    for refused in [
        append(&log, vec![put(&event, "key", "refused")]).unwrap_err(),
        member.commit(commit.clone()).unwrap_err(),
    ] {
        assert!(
            matches!(
                refused,
                Error::DiskFull {
                    reserve_bytes: 100,
                    ..
                }
            ),
            "{refused}"
        );
        assert_eq!(refused.severity(), Severity::Retry);
    }
    assert!(read_all(&log, &event).is_empty());
    free.store(100, Ordering::SeqCst);
    append(&log, vec![put(&event, "key", "append")]).unwrap();
    member.commit(commit).unwrap();
    assert_eq!(values(&read_all(&log, &event)), ["append", "commit"]);
}

#[test]
fn a_disk_that_runs_full_refuses_and_loses_nothing_acknowledged() {
    let (disk, log) = fresh(roomy());
    let event = at(Topic::Event, 0);
    let mut member = join(&log, MachineName::Cases, &[Topic::CaseInput]);
    let padding = "x".repeat(100_000);
    let records = |number: u64| vec![put(&event, &padding, &number.to_string())];
    let next = BTreeMap::from([(at(Topic::CaseInput, 0), Offset(0))]);
    let mut acknowledged = Vec::new();
    for fill in 0..3 {
        disk.fill();
        let refused = loop {
            let number = u64::try_from(acknowledged.len()).unwrap();
            match append(&log, records(number)) {
                Ok(()) => acknowledged.push(number.to_string()),
                Err(refused) => break refused,
            }
        };
        assert!(matches!(refused, Error::DiskFull { .. }), "{refused}");
        let commit = Commit {
            appends: records(1_000_000).into(),
            next: next.clone(),
        };
        let refused = member.commit(commit).unwrap_err();
        assert!(matches!(refused, Error::DiskFull { .. }), "{refused}");
        assert_eq!(values(&read_all(&log, &event)), acknowledged, "{fill}");
        disk.free();
        let number = acknowledged.len().to_string();
        append(&log, vec![put(&event, "key", &number)]).unwrap();
        acknowledged.push(number);
    }
    assert_eq!(member.committed(Partition(0)).unwrap(), BTreeMap::new());
    drop((log, member));
    let log = on_disk(&disk, roomy()).unwrap();
    assert_eq!(values(&read_all(&log, &event)), acknowledged);
}

#[test]
fn a_commit_whose_sync_failed_is_lost_and_the_log_goes_on() {
    let (disk, log) = fresh(roomy());
    let event = at(Topic::Event, 0);
    let mut member = join(&log, MachineName::Cases, &[Topic::CaseInput]);
    let input = at(Topic::CaseInput, 0);
    let commit = |value: &str, next| Commit {
        appends: vec![put(&event, "key", value)].into(),
        next: BTreeMap::from([(input.clone(), Offset(next))]),
    };
    disk.fail_next_sync();
    let unknown = member.commit(commit("unknown", 1)).unwrap_err();
    assert_eq!(unknown.severity(), Severity::Lost, "{unknown}");
    drop(member);
    // Whichever it was, records and offset agree.
    let mut member = join(&log, MachineName::Cases, &[Topic::CaseInput]);
    let happened = !member.committed(Partition(0)).unwrap().is_empty();
    let mut expected = if happened {
        vec!["unknown"]
    } else {
        Vec::new()
    };
    assert_eq!(values(&read_all(&log, &event)), expected);
    member.commit(commit("later", 2)).unwrap();
    expected.push("later");
    assert_eq!(values(&read_all(&log, &event)), expected);
}

#[test]
fn a_commit_that_waits_while_its_partition_moves_is_refused() {
    let (disk, log) = fresh(roomy());
    let event = at(Topic::Event, 0);
    let mut member = join(&log, MachineName::Cases, &[Topic::CaseInput]);
    let until = |empty: bool| {
        let deadline = clock::monotonic() + PATIENCE;
        while log.shared.writer.queue.is_empty() != empty {
            assert!(clock::monotonic() < deadline, "the queue stays as it is");
            thread::yield_now();
        }
    };
    let gate = disk.hold_syncs();
    let first = log.append(vec![put(&event, "key", "first")]);
    until(true);
    let committing = thread::spawn(move || {
        member.commit(Commit {
            appends: vec![put(&at(Topic::Event, 0), "key", "refused")].into(),
            next: BTreeMap::from([(at(Topic::CaseInput, 0), Offset(1))]),
        })
    });
    until(false);
    log.shared.hub.change(|visible| {
        let group = visible.groups.get_mut(&MachineName::Cases).unwrap();
        group.leave(MemberId(1));
    });
    let mut newer = join(&log, MachineName::Cases, &[Topic::CaseInput]);
    drop(gate);
    wait_for(first).unwrap();
    let refused = committing.join().unwrap().unwrap_err();
    assert!(matches!(refused, Error::Fenced { .. }), "{refused}");
    assert_eq!(newer.committed(Partition(0)).unwrap(), BTreeMap::new());
    assert_eq!(values(&read_all(&log, &event)), ["first"]);
}

#[test]
fn whoever_waits_is_woken_by_what_is_written() {
    let (_, log) = fresh(roomy());
    let (event, input) = (at(Topic::Event, 0), at(Topic::CaseInput, 0));
    let mut reader = log
        .read(BTreeMap::from([(event.clone(), Offset::START)]))
        .unwrap();
    let mut member = join(&log, MachineName::Cases, &[Topic::CaseInput]);
    member
        .resume(&BTreeMap::from([(input.clone(), Offset::START)]))
        .unwrap();
    let (heard, hears) = mpsc::channel();
    // Both would wait for an hour.
    let hour = Duration::from_secs(3_600);
    let tell = heard.clone();
    let reading = thread::spawn(move || tell.send(reader.poll(10, hour).unwrap().len()));
    let membering = thread::spawn(move || {
        let Polled::Records(reads) = member.poll(10, hour).unwrap() else {
            panic!("nothing else happened")
        };
        heard.send(reads.len())
    });
    append(
        &log,
        vec![put(&event, "key", "value"), put(&input, "key", "value")],
    )
    .unwrap();
    assert_eq!(hears.recv_timeout(PATIENCE), Ok(1));
    assert_eq!(hears.recv_timeout(PATIENCE), Ok(1));
    reading.join().unwrap().unwrap();
    membering.join().unwrap().unwrap();
}

#[test]
fn a_commit_that_changes_nothing_costs_no_sync() {
    let (disk, log) = fresh(roomy());
    let mut member = join(&log, MachineName::Cases, &[Topic::CaseInput]);
    let commit = Commit {
        appends: Arc::default(),
        next: BTreeMap::from([(at(Topic::CaseInput, 0), Offset(0))]),
    };
    member.commit(commit.clone()).unwrap();
    let syncs = disk.syncs();
    member.commit(commit).unwrap();
    assert_eq!(disk.syncs(), syncs);
}

/// Records of one append, by partition, with values of these sizes.
fn appends() -> impl Strategy<Value = Vec<Vec<(u32, usize)>>> {
    let size = prop_oneof![0..200_usize, 20_000..70_000_usize];
    vec(vec((0..2_u32, size), 1..5), 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn memory_and_disk_tell_every_reader_the_same(
        appends in appends(), tail_bytes_max in 0..300_000_usize, polls in vec(1..7_usize, 1..10), from in 0..60_i64,
    ) {
        let (_, log) = fresh(Options { tail_bytes_max, ..roomy() });
        let mut expected: BTreeMap<TopicPartition, Vec<(Offset, Bytes, Option<Bytes>)>> = BTreeMap::new();
        for (number, records) in appends.iter().enumerate() {
            let records: Vec<Append> = records
                .iter()
                .map(|(partition, size)| put(&at(Topic::Event, *partition), &number.to_string(), &"x".repeat(*size)))
                .collect();
            let mut called = Vec::new();
            for record in &records {
                let next = expected.entry(record.at.clone()).or_default();
                let last = next.last().map_or(-1, |(Offset(last), ..)| *last);
                let gap = if called.contains(&record.at) { 1 } else { 2 };
                called.push(record.at.clone());
                next.push((Offset(last + gap), record.key.clone(), record.value.clone()));
            }
            append(&log, records).unwrap();
        }
        let starts: BTreeMap<_, _> = expected.keys().map(|at| (at.clone(), Offset(from))).collect();
        let mut reader = log.read(starts).unwrap();
        let mut found: BTreeMap<TopicPartition, Vec<_>> = BTreeMap::new();
        let at_end = |reader: &mut Box<dyn crate::Reader>| {
            expected.keys().all(|at| reader.position(at).unwrap() >= log.end(at, End::Committed).unwrap())
        };
        for records_max in polls.iter().cycle() {
            if at_end(&mut reader) {
                break;
            }
            let reads = reader.poll(*records_max, Duration::ZERO).unwrap();
            prop_assert!(reads.len() <= *records_max);
            for read in reads {
                found.entry(read.at).or_default().push((read.offset, read.key, read.value));
            }
        }
        for (at, mut records) in expected {
            records.retain(|(offset, ..)| *offset >= Offset(from));
            prop_assert_eq!(found.remove(&at).unwrap_or_default(), records);
        }
    }

    #[test]
    fn compaction_never_changes_what_a_partition_says(
        appends in vec(vec((0..12_u8, option::of(0..2_000_usize)), 1..6), 1..60), step in 1..10_000_u64, restart in 0..60_usize,
    ) {
        let hands = Hands::at_zero();
        let options = Options { clock: hands.clock(), compact_step_bytes: step, ..compacting() };
        let (disk, mut log) = fresh(options.clone());
        let state = at(STATE, 0);
        let mut expected: BTreeMap<Bytes, Option<Bytes>> = BTreeMap::new();
        // One follows from the beginning, and is seldom there.
        let mut followed: BTreeMap<Bytes, Option<Bytes>> = BTreeMap::new();
        let mut follower = log.read(BTreeMap::from([(state.clone(), Offset::START)])).unwrap();
        for (number, records) in appends.iter().enumerate() {
            // Nulls written by now may go from here on; who follows was not that slow.
            if number % 7 == 0 {
                follow(&log, &mut *follower, &state, &mut followed);
                let hours = i64::try_from(number).unwrap();
                hands.set(Time::from_millis(hours * NULLS_KEPT.as_millis()));
            }
            if number == restart {
                let position = follower.position(&state).unwrap();
                drop((log, follower));
                log = on_disk(&disk, options.clone()).unwrap();
                follower = log.read(BTreeMap::from([(state.clone(), position)])).unwrap();
            }
            let records: Vec<Append> = records
                .iter()
                .map(|(key, size)| Append {
                    value: size.map(|size| format!("{number} {}", "x".repeat(size)).into()),
                    ..put(&state, &key.to_string(), "")
                })
                .collect();
            expected.extend(records.iter().map(|record| (record.key.clone(), record.value.clone())));
            append(&log, records).unwrap();
            let read = read_all(&log, &state);
            prop_assert!(read.is_sorted_by(|a, b| a.offset < b.offset));
            prop_assert_eq!(rows(read.into_iter().map(|read| (read.key, read.value)).collect()), rows(expected.clone()));
        }
        follow(&log, &mut *follower, &state, &mut followed);
        prop_assert_eq!(rows(followed), rows(expected));
        wait_until_compacted(&log, &state);
        let clean_below = extent(&log, &state).clean_below;
        let mut keys: Vec<Bytes> = read_all(&log, &state)
            .into_iter()
            .filter(|read| read.offset < clean_below)
            .map(|read| read.key)
            .collect();
        keys.sort();
        prop_assert!(keys.is_sorted_by(|a, b| a < b), "twice below {}: {:?}", clean_below, keys);
    }
}

/// The keys that have a value.
fn rows(records: BTreeMap<Bytes, Option<Bytes>>) -> BTreeMap<Bytes, Bytes> {
    let rows = records.into_iter();
    rows.filter_map(|(key, value)| Some((key, value?)))
        .collect()
}

/// Reads on to the end.
fn follow(
    log: &Embedded,
    reader: &mut dyn crate::Reader,
    at: &TopicPartition,
    rows: &mut BTreeMap<Bytes, Option<Bytes>>,
) {
    while reader.position(at).unwrap() < log.end(at, End::Written).unwrap() {
        let reads = reader.poll(100, Duration::ZERO).unwrap();
        rows.extend(reads.into_iter().map(|read| (read.key, read.value)));
    }
}
