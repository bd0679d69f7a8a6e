//! Many loops on one log on which everything goes wrong: what they put out equals a run on which nothing does.

use std::collections::{BTreeMap, BTreeSet};

use event::Partition;
use machine::Outcome;
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

use super::{
    bench::Bench,
    counter::{Ask, Counter, Key, Row, ask},
};
use crate::{
    log::Append,
    run::{Runner, Turn},
    simulated::{Counts, Faults},
};

const SEEDS: u64 = 200;

/// What a run left behind. Counts are in order by partition; timers and queues fire between them at any point.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    counts: Vec<String>,
    others: BTreeSet<String>,
    states: BTreeMap<Partition, BTreeMap<Key, Row>>,
}

struct Run {
    left: Left,
    counts: Counts,
    inputs: u64,
    /// How often a partition's rows were all written anew.
    rounds: u64,
}

/// Everything the senders have to say, each partition's in order.
fn story(seed: u64, partitions: u32) -> Vec<Append> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut appends = Vec::new();
    for id in 0..120 {
        let partition = rng.random_range(0..partitions);
        // A customer belongs to one partition, so that counts do not depend on who is first.
        let customer = u8::try_from(partition * 4 + rng.random_range(0..4)).unwrap();
        let due = 1_000_000 + rng.random_range(0..3_000);
        let told = match rng.random_range(0..10) {
            0 => Ask::Wake {
                id,
                due: event::Time::from_millis(due),
            },
            1 => Ask::Queue {
                id,
                outputs: rng.random_range(1..20),
            },
            _ => Ask::Count { id, customer },
        };
        appends.push(ask(partition, &told));
    }
    appends
}

/// Tells the story to so many loops, then lets everything come to rest without faults.
fn run(seed: u64, partitions: u32, loops: usize, faults: Faults) -> Run {
    let kills = if faults == Faults::default() {
        0.0
    } else {
        0.01
    };
    let mut rng = SmallRng::seed_from_u64(seed ^ 0x5eed);
    let mut bench = Bench::new(seed, faults, partitions);
    let mut runners: Vec<_> = (0..loops).map(|_| bench.runner(bench.options())).collect();
    let mut told = story(seed, partitions).into_iter().peekable();
    let mut inputs = 0;
    let mut rounds = 0;
    let mut rest = 0;
    for _ in 0..100_000 {
        bench.pass(rng.random_range(0..30));
        if rng.random_bool(0.3)
            && let Some(append) = told.peek()
            && bench.append(vec![append.clone()])
        {
            told.next();
        }
        if told.peek().is_none() {
            bench.log.set_faults(Faults::default());
        } else if rng.random_bool(kills) {
            let killed = rng.random_range(0..loops);
            balanced(&runners[killed], seed);
            rounds += runners[killed].stats().rounds;
            runners[killed] = bench.runner(bench.options());
        }
        let turning = rng.random_range(0..loops);
        let turn = runners[turning].turn(bench.clock());
        match turn.unwrap_or_else(|error| panic!("seed {seed}: {error}")) {
            Turn::Committed { inputs: more } => inputs += more,
            Turn::Idle if told.peek().is_none() => {
                rest += 1;
                let due = bench.passed.as_millis() > 4_000;
                if due && rest > 40 * loops {
                    return Run {
                        left: left(&bench, &runners, seed),
                        counts: bench.log.counts(),
                        inputs,
                        rounds: rounds + runners.iter().map(|it| it.stats().rounds).sum::<u64>(),
                    };
                }
                continue;
            }
            Turn::Idle => continue,
            Turn::Moved | Turn::Restored | Turn::Aborted | Turn::Lost | Turn::Waiting { .. } => {}
        }
        rest = 0;
    }
    panic!("seed {seed}: the loops do not come to rest");
}

fn balanced(runner: &Runner<Counter>, seed: u64) {
    let tally = runner.stats().tally;
    assert_eq!(tally.inputs, tally.outcomes(), "seed {seed}");
    assert_eq!(tally.of(Outcome::Rejected), 0, "seed {seed}");
}

fn left(bench: &Bench, runners: &[Runner<Counter>], seed: u64) -> Left {
    let mut states = BTreeMap::new();
    for runner in runners {
        balanced(runner, seed);
        for (partition, state) in runner.states() {
            let rows = state.iter().map(|(key, row)| (key.clone(), row.clone()));
            let twice = states.insert(partition, rows.collect());
            assert!(twice.is_none(), "seed {seed}: {partition} has two owners");
        }
    }
    let outputs = bench.outputs();
    let (mut counts, others): (Vec<_>, Vec<_>) = outputs
        .into_iter()
        .partition(|output| output.starts_with("customer"));
    // All go to one partition, in which those of one customer are in order.
    counts.sort_by_key(|output| output.split(' ').nth(1).map(str::to_owned));
    let unique: BTreeSet<_> = others.iter().cloned().collect();
    assert_eq!(unique.len(), others.len(), "seed {seed}: one fired twice");
    Left {
        counts,
        others: unique,
        states,
    }
}

fn outputs_equal_a_run_without_faults(partitions: u32, loops: usize) {
    let mut sum = Counts::default();
    let mut rounds = 0;
    for seed in 0..SEEDS {
        let calm = run(seed, partitions, 1, Faults::default());
        let stormy = run(seed, partitions, loops, Faults::all());
        assert_eq!(stormy.left, calm.left, "seed {seed}");
        assert!(stormy.inputs >= 120 || stormy.counts.crashes_after_commit > 0);
        add(&mut sum, &stormy.counts);
        rounds += stormy.rounds;
    }
    for (what, happened, at_least) in [
        ("commits", sum.commits, 5_000),
        ("rounds", rounds, 50),
        ("crashes before commit", sum.crashes_before_commit, 100),
        ("crashes during commit", sum.crashes_during_commit, 100),
        ("crashes after commit", sum.crashes_after_commit, 100),
        ("aborts", sum.aborts, 100),
        ("retries", sum.retries, 100),
        ("fenced", sum.fenced, 100),
        ("rebalances", sum.rebalances, 100),
        ("doubtful appends", sum.appends_unknown, 500),
        ("lost appends", sum.appends_lost, 500),
        ("compactions", sum.compactions, 500),
    ] {
        assert!(happened >= at_least, "only {happened} {what}");
    }
}

fn add(sum: &mut Counts, more: &Counts) {
    sum.commits += more.commits;
    sum.crashes_before_commit += more.crashes_before_commit;
    sum.crashes_during_commit += more.crashes_during_commit;
    sum.crashes_after_commit += more.crashes_after_commit;
    sum.aborts += more.aborts;
    sum.retries += more.retries;
    sum.fenced += more.fenced;
    sum.rebalances += more.rebalances;
    sum.appends_unknown += more.appends_unknown;
    sum.appends_lost += more.appends_lost;
    sum.compactions += more.compactions;
}

#[test]
fn one_partition_two_loops() {
    outputs_equal_a_run_without_faults(1, 2);
}

#[test]
fn four_partitions_three_loops() {
    outputs_equal_a_run_without_faults(4, 3);
}
