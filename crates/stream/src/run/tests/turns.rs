//! What one loop does turn by turn.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use event::{Millis, Partition, Topic, reject::Reason, topic::MachineName};
use machine::Outcome;
use proptest::{collection::vec, prelude::*};

use super::{
    bench::{Bench, START},
    counter::{Ask, Counter, Key, Row, ask, binding, raw, reject},
};
use crate::{
    conformance::broken::{self, Broken},
    log::{Append, Commit, End, Group, Log, Offset, Polled, SharedLog, TopicPartition},
    run::{Binding, Clock, Error, Options, Runner, Turn, spawn},
    simulated::Faults,
};

fn count(id: u64) -> Ask {
    Ask::Count { id, customer: 1 }
}

fn wake(id: u64, after_ms: i64) -> Ask {
    Ask::Wake {
        id,
        due: START + Millis::new(after_ms),
    }
}

#[test]
fn records_are_stepped_committed_and_then_part_of_the_state() {
    let mut bench = Bench::quiet();
    bench.ask(&[count(1), count(2), count(1)]);
    let mut runner = bench.runner(bench.options());
    bench.settle(&mut runner);
    assert_eq!(
        bench.outputs(),
        ["customer 1 has 1: 1", "customer 1 has 2: 2"]
    );
    let (_, state) = runner.states().next().unwrap();
    assert_eq!(state.get(&Key::Count(1)), Some(&Row::Number(2)));
    let tally = runner.stats().tally;
    assert_eq!(tally.inputs, 3);
    assert_eq!(tally.outcomes(), 3);
    assert_eq!(tally.of(Outcome::Applied), 2);
    assert_eq!(tally.of(Outcome::Duplicate), 1);
}

#[test]
fn nothing_to_do_is_no_transaction() {
    let mut bench = Bench::quiet();
    let mut runner = bench.runner(bench.options());
    bench.settle(&mut runner);
    bench.settle(&mut runner);
    assert_eq!(bench.log.counts().commits, 0);
}

#[test]
fn state_is_rebuilt_from_the_log_in_slices() {
    let mut bench = Bench::quiet();
    let asks: Vec<_> = (0..100).map(count).collect();
    bench.ask(&asks);
    let mut runner = bench.runner(bench.options());
    bench.settle(&mut runner);
    let before: Vec<_> = runner.states().map(|(_, state)| state.clone()).collect();
    drop(runner);
    bench.log.compact();
    let mut runner = bench.runner(bench.options());
    let mut slices = 0;
    while runner.states().next().is_none() {
        slices += u32::from(runner.turn(bench.clock()).unwrap() == Turn::Restored);
    }
    assert!(slices > 3, "restored in {slices} slices");
    let after: Vec<_> = runner.states().map(|(_, state)| state.clone()).collect();
    assert_eq!(after, before);
    bench.settle(&mut runner);
    assert_eq!(runner.stats().tally.inputs, 0, "nothing is read again");
}

#[test]
fn what_opens_a_partition_is_taken_before_all_else_whatever_fails() {
    for seed in 0..100 {
        let mut bench = Bench::new(seed, Faults::default(), 1);
        bench.ask(&[count(1), count(2)]);
        let opens = |id| Append {
            at: TopicPartition::new(Topic::TimelineInput, Partition(0)),
            ..ask(0, &count(id))
        };
        assert!(bench.append((10..40).map(opens).collect()));
        bench.log.set_faults(Faults {
            abort: 0.3,
            crash_before_commit: 0.1,
            rebalance: 0.1,
            ..Faults::default()
        });
        let opened = Binding {
            inputs: vec![Topic::CaseInput, Topic::TimelineInput],
            ..binding()
        }
        .opened_by(Topic::TimelineInput);
        let mut runner = bench.runner_of(opened, bench.options());
        bench.settle(&mut runner);
        let mut expected: Vec<String> = (10..40)
            .zip(1..)
            .map(|(id, nth)| format!("customer 1 has {nth}: {id}"))
            .collect();
        expected.extend(["customer 1 has 31: 1".into(), "customer 1 has 32: 2".into()]);
        assert_eq!(bench.outputs(), expected, "seed {seed}");
        // From then on all are read alike.
        assert!(bench.append(vec![opens(50)]));
        bench.ask(&[count(3)]);
        bench.settle(&mut runner);
        assert_eq!(bench.outputs().len(), 34, "seed {seed}");
    }
}

#[test]
fn expired_group_offsets_are_taken_from_the_state() {
    let mut bench = Bench::quiet();
    bench.ask(&[count(1), count(2)]);
    let mut runner = bench.runner(bench.options());
    bench.settle(&mut runner);
    drop(runner);
    bench.log.forget_offsets(MachineName::Cases);
    bench.ask(&[count(3)]);
    let mut runner = bench.runner(bench.options());
    bench.settle(&mut runner);
    let tally = runner.stats().tally;
    assert_eq!((tally.inputs, tally.of(Outcome::Applied)), (1, 1));
}

#[test]
fn a_group_offset_that_is_newer_than_the_state_wins() {
    let mut bench = Bench::quiet();
    bench.ask(&[count(1)]);
    let mut runner = bench.runner(bench.options());
    bench.settle(&mut runner);
    drop(runner);
    bench.ask(&[count(2)]);
    let input = TopicPartition::new(Topic::CaseInput, Partition(0));
    let skipped = bench.log.end(&input, End::Written).unwrap();
    let group = Group {
        machine: MachineName::Cases,
        inputs: vec![Topic::CaseInput],
        session: Duration::from_secs(10),
    };
    let mut member = bench.log.join(group).unwrap();
    let assigned = Polled::Assigned(vec![Partition(0)]);
    assert_eq!(member.poll(1, Duration::ZERO).unwrap(), assigned);
    let commit = Commit {
        appends: Arc::default(),
        next: BTreeMap::from([(input, skipped)]),
    };
    member.commit(commit).unwrap();
    drop(member);
    bench.ask(&[count(3)]);
    let mut runner = bench.runner(bench.options());
    bench.settle(&mut runner);
    assert_eq!(
        bench.outputs(),
        ["customer 1 has 1: 1", "customer 1 has 2: 3"]
    );
}

#[test]
fn a_record_that_cannot_be_read_is_rejected_whole_and_blocks_nothing() {
    let mut bench = Bench::quiet();
    bench.ask(&[count(1)]);
    assert!(bench.append(vec![raw(0, b"\xff\xff nonsense")]));
    bench.ask(&[count(2)]);
    let mut runner = bench.runner(bench.options());
    bench.settle(&mut runner);
    assert_eq!(bench.outputs().len(), 2);
    let offset = bench.reads(&Topic::CaseInput)[1].offset;
    let rejects: Vec<_> = bench.reads(&Topic::Reject).iter().map(reject).collect();
    assert_eq!(rejects.len(), 1);
    assert_eq!(rejects[0].reason, Reason::Undecodable);
    assert_eq!(
        rejects[0].record,
        Some(format!("polku.case.input/0@{offset}"))
    );
    assert_eq!(rejects[0].bytes, b"\xff\xff nonsense");
    assert_eq!(rejects[0].length, 11);
    let tally = runner.stats().tally;
    assert_eq!((tally.inputs, tally.outcomes()), (3, 3));
    assert_eq!(tally.of(Outcome::Rejected), 1);
}

#[test]
fn the_record_that_breaks_an_assertion_is_rejected_and_the_rest_of_its_batch_is_not() {
    for (culprit, told) in [
        (Ask::Panic, "this record breaks an assertion"),
        (Ask::PanicAhead, "this look breaks an assertion"),
        (Ask::Bloat, "more than the 1000000 a record may have"),
    ] {
        let mut bench = Bench::quiet();
        bench.ask(&[count(1), count(2), culprit.clone(), count(3)]);
        let options = Options {
            panics_fail: false,
            ..bench.options()
        };
        let mut runner = bench.runner(options);
        bench.settle(&mut runner);
        assert_eq!(
            bench.outputs(),
            [
                "customer 1 has 1: 1",
                "customer 1 has 2: 2",
                "customer 1 has 3: 3"
            ],
            "{culprit:?}"
        );
        let rejects: Vec<_> = bench.reads(&Topic::Reject).iter().map(reject).collect();
        assert_eq!(rejects.len(), 1);
        assert_eq!(rejects[0].reason, Reason::Assertion);
        assert!(rejects[0].detail.contains(told), "{}", rejects[0].detail);
        let (_, state) = runner.states().next().unwrap();
        assert!(!state.contains_key(&Key::Count(255)), "half a step is left");
        let tally = runner.stats().tally;
        assert_eq!((tally.inputs, tally.outcomes()), (4, 4));
        assert_eq!(tally.of(Outcome::Rejected), 1);
    }
}

#[test]
fn what_comes_before_a_culprit_is_committed_without_it() {
    let mut bench = Bench::quiet();
    let mut asked = vec![count(1); 1_200];
    asked[900] = Ask::Panic;
    bench.ask(&asked);
    let options = Options {
        batch_records_max: 2_000,
        batch_bytes_max: usize::MAX,
        panics_fail: false,
        ..bench.options()
    };
    let mut runner = bench.runner(options);
    bench.settle(&mut runner);
    let stats = runner.stats();
    assert_eq!(stats.tally.of(Outcome::Rejected), 1);
    assert_eq!(stats.tally.inputs, 1_200);
    // Nine hundred, and the rest with the culprit.
    assert_eq!(stats.commits, 2);
}

fn good_or_culprit() -> impl Strategy<Value = Option<Ask>> {
    prop_oneof![
        30 => Just(None),
        1 => Just(Some(Ask::Panic)),
        1 => Just(Some(Ask::PanicAhead)),
        1 => Just(Some(Ask::Bloat)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn whatever_breaks_assertions_all_else_is_taken_once_and_in_order(
        kinds in vec(good_or_culprit(), 0..700),
        batch_records_max in 1..1_000_usize,
    ) {
        let mut bench = Bench::quiet();
        let asked = (0..).zip(&kinds).map(|(id, kind)| kind.clone().unwrap_or_else(|| count(id)));
        bench.ask(&asked.collect::<Vec<_>>());
        let options = Options {
            batch_records_max,
            batch_bytes_max: usize::MAX,
            panics_fail: false,
            ..bench.options()
        };
        let mut runner = bench.runner(options);
        bench.settle(&mut runner);
        let good = (0..).zip(&kinds).filter(|(_, kind)| kind.is_none());
        let expected: Vec<String> = (1..)
            .zip(good)
            .map(|(number, (id, _))| format!("customer 1 has {number}: {id}"))
            .collect();
        let culprits = kinds.len() - expected.len();
        prop_assert_eq!(bench.outputs(), expected);
        prop_assert_eq!(bench.reads(&Topic::Reject).len(), culprits);
        prop_assert_eq!(runner.stats().tally.inputs, kinds.len() as u64);
    }
}

#[test]
fn in_simulation_any_broken_assertion_ends_the_loop() {
    let mut bench = Bench::quiet();
    bench.ask(&[Ask::Panic]);
    let mut runner = bench.runner(bench.options());
    assert_eq!(bench.fail(&mut runner).exit_code(), 70);
    assert_eq!(bench.log.counts().commits, 0);
}

#[test]
fn an_assertion_broken_in_a_tick_ends_the_loop() {
    let mut bench = Bench::quiet();
    bench.ask(&[Ask::PanicInTick]);
    let options = Options {
        panics_fail: false,
        ..bench.options()
    };
    let mut runner = bench.runner(options);
    let error = bench.fail(&mut runner);
    assert!(matches!(error, Error::Tick { .. }), "{error}");
    assert_eq!(error.exit_code(), 70);
}

#[test]
fn a_timer_fires_once_when_it_is_due_and_puts_out_its_own_time() {
    let mut bench = Bench::quiet();
    bench.ask(&[wake(1, 500), wake(2, 300)]);
    let mut runner = bench.runner(bench.options());
    bench.settle(&mut runner);
    assert_eq!(bench.outputs(), Vec::<String>::new());
    let left = 299 - u64::try_from(bench.passed.as_millis()).unwrap();
    bench.pass(left);
    runner.turn(bench.clock()).unwrap();
    assert_eq!(bench.outputs(), Vec::<String>::new());
    bench.pass(1);
    runner.turn(bench.clock()).unwrap();
    assert_eq!(bench.outputs(), ["timer 2 at 1000300"]);
    bench.pass(5_000);
    bench.settle(&mut runner);
    assert_eq!(
        bench.outputs(),
        ["timer 2 at 1000300", "timer 1 at 1000500"]
    );
    let tally = runner.stats().tally;
    assert_eq!((tally.inputs, tally.of(Outcome::Ticked)), (4, 2));
}

/// The cancellation is in the log before the timer is due, and becomes visible only after.
#[test]
fn a_timer_does_not_overtake_a_record_that_is_already_in_the_log() {
    let mut bench = Bench::quiet();
    bench.ask(&[wake(1, 500)]);
    let mut runner = bench.runner(bench.options());
    bench.settle(&mut runner);
    let hidden = Faults {
        hidden_turns_max: 1_000,
        ..Faults::default()
    };
    bench.log.set_faults(hidden);
    let cancel = Ask::Cancel {
        id: 1,
        due: START + Millis::new(500),
    };
    bench.ask(&[cancel]);
    let input = TopicPartition::new(Topic::CaseInput, Partition(0));
    let is_hidden = |bench: &Bench| {
        let visible = bench.log.end(&input, End::Committed).unwrap();
        visible < bench.log.end(&input, End::Written).unwrap()
    };
    assert!(is_hidden(&bench), "another seed hides it");
    bench.passed += Duration::from_secs(1);
    let mut turns = 0;
    while is_hidden(&bench) {
        bench.pass(1);
        runner.turn(bench.clock()).unwrap();
        turns += 1;
    }
    assert!(turns > 10, "it was hidden for only {turns} turns");
    bench.settle(&mut runner);
    bench.log.advance(1_000);
    assert_eq!(bench.outputs(), Vec::<String>::new());
}

#[test]
fn queued_work_goes_out_in_order_over_several_batches() {
    let mut bench = Bench::quiet();
    bench.ask(&[Ask::Queue { id: 7, outputs: 12 }]);
    let mut runner = bench.runner(bench.options());
    bench.settle(&mut runner);
    let mut outputs = bench.outputs();
    assert_eq!(outputs.len(), 12);
    outputs.sort();
    outputs.dedup();
    assert_eq!(outputs.len(), 12);
    assert_eq!(runner.stats().tally.of(Outcome::Ticked), 3);
}

#[test]
fn a_wall_clock_that_jumps_is_never_committed() {
    let mut bench = Bench::quiet();
    let mut runner = bench.runner(bench.options());
    bench.settle(&mut runner);
    bench.ask(&[count(1)]);
    let jumped = Clock {
        now: bench.clock().now + Millis::from_hours(1),
        ..bench.clock()
    };
    let error = runner.turn(jumped).unwrap_err();
    assert!(matches!(error, Error::Clock { .. }), "{error}");
    assert_eq!(error.exit_code(), 75);
    assert_eq!(bench.log.counts().commits, 0);
}

#[test]
fn a_commit_that_may_be_tried_again_is_the_same_commit() {
    let mut bench = Bench::quiet();
    let mut runner = bench.runner(bench.options());
    bench.settle(&mut runner);
    bench.ask(&[count(1)]);
    bench.log.set_faults(Faults {
        retry: 1.0,
        ..Faults::default()
    });
    assert!(matches!(
        runner.turn(bench.clock()).unwrap(),
        Turn::Waiting { .. }
    ));
    bench.log.set_faults(Faults::default());
    bench.pass(100);
    assert_eq!(
        runner.turn(bench.clock()).unwrap(),
        Turn::Committed { inputs: 1 }
    );
    assert_eq!(bench.outputs(), ["customer 1 has 1: 1"]);
    assert_eq!(runner.stats().retries, 1);
}

#[test]
fn an_aborted_batch_is_dropped_and_read_again() {
    let mut bench = Bench::quiet();
    let mut runner = bench.runner(bench.options());
    bench.settle(&mut runner);
    bench.ask(&[count(1), count(2)]);
    bench.log.set_faults(Faults {
        abort: 1.0,
        ..Faults::default()
    });
    assert_eq!(runner.turn(bench.clock()).unwrap(), Turn::Aborted);
    assert_eq!(bench.outputs(), Vec::<String>::new());
    assert!(runner.states().all(|(_, state)| state.is_empty()));
    bench.log.set_faults(Faults::default());
    bench.settle(&mut runner);
    assert_eq!(bench.outputs().len(), 2);
    assert_eq!(runner.stats().aborts, 1);
}

#[test]
fn a_member_whose_commit_is_in_doubt_restores_and_neither_doubles_nor_skips() {
    for (name, faults) in [
        (
            "before",
            Faults {
                crash_before_commit: 1.0,
                ..Faults::default()
            },
        ),
        (
            "during",
            Faults {
                crash_during_commit: 1.0,
                ..Faults::default()
            },
        ),
        (
            "after",
            Faults {
                crash_after_commit: 1.0,
                ..Faults::default()
            },
        ),
        (
            "fenced",
            Faults {
                expel_at_commit: 1.0,
                ..Faults::default()
            },
        ),
    ] {
        for seed in 0..20 {
            let mut bench = Bench::new(seed, Faults::default(), 1);
            let mut runner = bench.runner(bench.options());
            bench.ask(&[count(1)]);
            bench.settle(&mut runner);
            bench.ask(&[count(2), count(3)]);
            bench.log.set_faults(faults.clone());
            assert_eq!(runner.turn(bench.clock()).unwrap(), Turn::Lost, "{name}");
            bench.log.set_faults(Faults::default());
            bench.settle(&mut runner);
            assert_eq!(bench.outputs().len(), 3, "{name}, seed {seed}");
            let (_, state) = runner.states().next().unwrap();
            assert_eq!(
                state.get(&Key::Count(1)),
                Some(&Row::Number(3)),
                "{name}, seed {seed}"
            );
        }
    }
}

#[test]
fn a_member_that_is_lost_again_and_again_ends_the_process_for_another_to_start() {
    let mut bench = Bench::quiet();
    bench.ask(&[count(1)]);
    bench.log.set_faults(Faults {
        crash_before_commit: 1.0,
        ..Faults::default()
    });
    let mut runner = bench.runner(bench.options());
    let error = bench.fail(&mut runner);
    assert!(matches!(error, Error::Lost { .. }), "{error}");
    assert_eq!(error.exit_code(), 75);
}

#[test]
fn a_full_disk_is_waited_for_however_long_it_takes() {
    let mut bench = Bench::quiet();
    let full = Broken::new(bench.log.clone(), broken::Fault::DiskFull);
    let full_disk = full.disk_full();
    let mut runner = Runner::new(
        Counter,
        binding(),
        Arc::new(full),
        bench.options(),
        &bench.metrics,
    );
    bench.ask(&[count(1)]);
    for _ in 0..500 {
        bench.pass(20);
        runner.turn(bench.clock()).unwrap();
    }
    assert!(runner.stats().retries > 20);
    assert_eq!(runner.stats().losses, 0);
    full_disk.store(false, Ordering::Relaxed);
    bench.pass(20);
    bench.settle(&mut runner);
    assert_eq!(bench.outputs(), ["customer 1 has 1: 1"]);
}

#[test]
fn what_was_read_is_trimmed_and_not_missed() {
    let mut bench = Bench::quiet();
    let mut runner = bench.runner(bench.options());
    for id in 0..30 {
        bench.ask(&[count(id)]);
        bench.settle(&mut runner);
    }
    assert!(runner.stats().trims >= 2);
    let kept = bench.reads(&Topic::CaseInput);
    assert!(kept.len() < 30, "{} records are kept", kept.len());
    let mut runner = {
        drop(runner);
        bench.runner(bench.options())
    };
    bench.ask(&[count(100)]);
    bench.settle(&mut runner);
    assert_eq!(bench.outputs().len(), 31);
}

#[test]
fn rows_of_another_version_are_not_guessed_at() {
    let mut bench = Bench::quiet();
    bench.ask(&[count(1)]);
    let mut runner = bench.runner(bench.options());
    bench.settle(&mut runner);
    drop(runner);
    let mut newer = binding();
    newer.row_version = 2;
    let log: SharedLog = Arc::new(bench.log.clone());
    let mut runner = Runner::new(Counter, newer, log, bench.options(), &bench.metrics);
    let error = bench.fail(&mut runner);
    assert!(matches!(error, Error::Row { .. }), "{error}");
    assert!(error.to_string().contains("version 1"), "{error}");
}

#[test]
fn a_partition_that_stands_still_though_records_wait_is_read_anew() {
    let mut bench = Bench::quiet();
    let silent = Broken::new(bench.log.clone(), broken::Fault::GoesSilent);
    let options = Options {
        watch_every: Duration::from_secs(1),
        stall: Duration::from_secs(10),
        ..bench.options()
    };
    let mut runner = Runner::new(
        Counter,
        binding(),
        Arc::new(silent),
        options,
        &bench.metrics,
    );
    bench.settle(&mut runner);
    bench.ask(&[count(1)]);
    for _ in 0..5 {
        bench.pass(1_000);
        runner.turn(bench.clock()).unwrap();
    }
    assert_eq!(bench.outputs(), Vec::<String>::new());
    for _ in 0..10 {
        bench.pass(1_000);
        runner.turn(bench.clock()).unwrap();
    }
    assert_eq!(bench.outputs(), ["customer 1 has 1: 1"]);
    assert_eq!(runner.stats().stalls, 1);
}

#[test]
fn metrics_balance_and_say_when_the_loop_is_ready() {
    let mut bench = Bench::quiet();
    bench.ask(&[count(1), count(2), count(1), wake(3, 1)]);
    let mut runner = bench.runner(bench.options());
    let ready = runner.ready();
    assert!(!ready.load(Ordering::Relaxed));
    bench.settle(&mut runner);
    bench.pass(20);
    bench.settle(&mut runner);
    assert!(ready.load(Ordering::Relaxed));
    let sum = |name: &str| -> f64 {
        let families = bench.registry.gather();
        let family = families.iter().find(|family| family.name() == name);
        let metrics = family.unwrap_or_else(|| panic!("no {name}")).get_metric();
        metrics
            .iter()
            .map(|metric| metric.get_counter().get_value() + metric.get_gauge().get_value())
            .sum()
    };
    assert_eq!(sum("polku_loop_inputs_total"), 5.0);
    assert_eq!(sum("polku_loop_outcomes_total"), 5.0);
    assert_eq!(sum("polku_loop_ready"), 1.0);
    assert!(sum("polku_loop_commits_total") >= 1.0);
    assert!(sum("polku_loop_progress_timestamp_seconds") >= 1_000.0);
    let asked = TopicPartition::new(Topic::CaseInput, Partition(0));
    assert!(bench.log.start(&asked).unwrap() == Offset::START);
}

#[test]
fn whoever_loses_its_last_partition_is_not_ready_before_a_session_has_passed_without() {
    let mut bench = Bench::quiet();
    let mut runner = bench.runner(bench.options());
    let ready = runner.ready();
    bench.settle(&mut runner);
    let session_ms = u64::try_from(bench.options().session.as_millis()).unwrap();
    bench.pass(2 * session_ms);
    bench.settle(&mut runner);
    assert!(ready.load(Ordering::Relaxed));
    let mut other = bench.runner(bench.options());
    bench.settle(&mut other);
    bench.log.rebalance(MachineName::Cases);
    while runner.turn(bench.clock()).unwrap() != Turn::Moved {
        bench.pass(1);
    }
    assert!(!ready.load(Ordering::Relaxed));
    bench.pass(session_ms + 1);
    bench.settle(&mut runner);
    assert!(ready.load(Ordering::Relaxed));
}

#[test]
fn a_loop_on_a_thread_of_its_own_runs_by_the_real_clock_until_it_is_stopped() {
    let bench = Bench::quiet();
    let options = Options {
        poll_wait: Duration::from_millis(5),
        ..Options::new(1)
    };
    let stop = Arc::new(AtomicBool::new(false));
    let running = spawn(bench.runner(options), Arc::clone(&stop)).unwrap();
    bench.ask(&[count(1), Ask::Wake { id: 2, due: START }]);
    for _ in 0..2_000 {
        if bench.outputs().len() == 2 {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    stop.store(true, Ordering::Relaxed);
    let stats = running.join().unwrap().unwrap();
    assert_eq!(
        bench.outputs(),
        ["customer 1 has 1: 1", "timer 2 at 1000000"]
    );
    assert_eq!(stats.tally.inputs, 3);
}
