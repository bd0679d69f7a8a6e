//! Layer 3: stories told by seeds, played over the real loop, all machines and a log in which everything goes wrong.
//!
//! `POLKU_SEEDS=1000` plays more of them; `POLKU_SEED=17` plays one again.

use std::{collections::BTreeMap, thread};

use event::{case::StepKind, command_outcome::Verdict};
use tests::simulation::{Played, Spoil, run};

const SEEDS: u64 = 300;
const THREADS: u64 = 2;
/// How many seeds that fail are told of.
const FAILURES_MAX: usize = 3;
/// Wrong machines and logs show within so many seeds.
const SEEDS_UNTIL_SHOWN: u64 = 40;

#[expect(
    clippy::disallowed_methods,
    reason = "a person replays a seed by naming it"
)]
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable)
        .ok()
        .filter(|text| !text.is_empty())?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable}={text} is no number")),
    )
}

/// What happened over many seeds.
#[derive(Debug, Default)]
struct Happened {
    seeds: u64,
    counts: BTreeMap<&'static str, u64>,
    steps: BTreeMap<StepKind, u64>,
    verdicts: BTreeMap<Verdict, u64>,
}

impl Happened {
    fn add(&mut self, played: &Played) {
        self.seeds += 1;
        let counts = played.counts;
        for (what, times) in [
            ("commits", counts.commits),
            ("crashes before a commit", counts.crashes_before_commit),
            ("crashes in a commit", counts.crashes_during_commit),
            ("crashes after a commit", counts.crashes_after_commit),
            ("aborts", counts.aborts),
            ("retries", counts.retries),
            ("commits of members that were fenced", counts.fenced),
            ("members expelled", counts.expelled),
            ("rebalances", counts.rebalances),
            ("appends lost", counts.appends_lost),
            ("appends repeated", counts.appends_unknown),
            ("compactions", counts.compactions),
            ("trims", counts.trims),
            ("loops killed", played.kills),
            ("restarts of the log", played.restarts),
            ("offsets forgotten", played.offsets_forgotten),
            ("records poisoned", played.poisoned()),
            ("links refused", played.refusals()),
            ("entries moved", played.moves()),
            ("moments looked at", played.samples),
            ("timelines restored", played.restored),
        ]
        .into_iter()
        .chain(played.identity())
        {
            *self.counts.entry(what).or_default() += times;
        }
        for (what, times) in played.steps() {
            *self.steps.entry(what).or_default() += times;
        }
        for (what, times) in played.verdicts() {
            *self.verdicts.entry(what).or_default() += times;
        }
    }

    fn unite(mut self, other: Happened) -> Happened {
        self.seeds += other.seeds;
        add(&mut self.counts, other.counts);
        add(&mut self.steps, other.steps);
        add(&mut self.verdicts, other.verdicts);
        self
    }
}

fn add<K: Ord>(all: &mut BTreeMap<K, u64>, more: BTreeMap<K, u64>) {
    for (what, times) in more {
        *all.entry(what).or_default() += times;
    }
}

/// Plays every `THREADS`th seed.
fn play(seeds: impl Iterator<Item = u64>) -> (Happened, Vec<String>) {
    let mut happened = Happened::default();
    let mut failures = Vec::new();
    for seed in seeds {
        match run(seed, Spoil::Nothing) {
            Ok(played) => happened.add(&played),
            Err(text) => failures.push(format!("POLKU_SEED={seed}: {text}")),
        }
        if failures.len() == FAILURES_MAX {
            break;
        }
    }
    (happened, failures)
}

#[test]
fn a_run_with_faults_comes_to_what_a_run_without_comes_to() {
    if let Some(seed) = number("POLKU_SEED") {
        let (_, failures) = play(seed..=seed);
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        return;
    }
    let seeds = number("POLKU_SEEDS").unwrap_or(SEEDS);
    let (happened, failures) = thread::scope(|scope| {
        let plays: Vec<_> = (0..THREADS)
            .map(|nth| scope.spawn(move || play((nth..seeds).step_by(THREADS as usize))))
            .collect();
        plays.into_iter().map(|play| play.join().unwrap()).fold(
            (Happened::default(), Vec::new()),
            |(happened, mut failures), (more, mut others)| {
                failures.append(&mut others);
                (happened.unite(more), failures)
            },
        )
    });
    println!("{happened:#?}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    enough(&happened);
}

/// A simulation in which little happens shows little.
fn enough(happened: &Happened) {
    for (what, per_hundred_seeds) in [
        ("commits", 8_000),
        ("crashes before a commit", 60),
        ("crashes in a commit", 60),
        ("crashes after a commit", 60),
        ("aborts", 50),
        ("retries", 50),
        ("commits of members that were fenced", 50),
        ("members expelled", 200),
        ("rebalances", 100),
        ("appends lost", 50),
        ("appends repeated", 50),
        ("compactions", 100),
        ("trims", 100),
        ("loops killed", 50),
        ("restarts of the log", 5),
        ("offsets forgotten", 5),
        ("records poisoned", 50),
        ("links refused", 25),
        ("entries moved", 200),
        ("moments looked at", 1_000),
        ("timelines restored", 5),
        ("values moved", 200),
        ("values parted", 50),
        ("values gone out", 50),
        ("corrections", 50),
        ("sets withdrawn", 20),
        ("decisions", 50),
        ("sets expired", 50),
    ] {
        let times = happened.counts.get(what).copied().unwrap_or_default();
        assert!(
            times * 100 >= per_hundred_seeds * happened.seeds,
            "too few {what}: {times} in {} seeds",
            happened.seeds
        );
    }
    for what in [
        StepKind::Opened,
        StepKind::Heard,
        StepKind::Acknowledged,
        StepKind::Contacted,
        StepKind::Offered,
        StepKind::Accepted,
        StepKind::Declined,
        StepKind::Returned,
        StepKind::Escalated,
        StepKind::Missed,
        StepKind::Resolved,
        StepKind::Reopened,
        StepKind::Joined,
        StepKind::Absorbed,
        StepKind::Claimed,
        StepKind::Released,
        StepKind::Noted,
        StepKind::Waiting,
        StepKind::Resumed,
    ] {
        assert!(
            happened.steps.contains_key(&what),
            "no case was ever {}",
            what.as_str()
        );
    }
    for verdict in [
        Verdict::Applied,
        Verdict::NotYours,
        Verdict::WrongPhase,
        Verdict::NoOffer,
    ] {
        assert!(
            happened.verdicts.contains_key(&verdict),
            "no command came to {}",
            verdict.as_str()
        );
    }
}

#[test]
fn whatever_is_wrong_with_a_machine_or_the_log_shows() {
    for spoil in Spoil::ALL {
        let shown = (0..SEEDS_UNTIL_SHOWN).find(|seed| run(*seed, spoil).is_err());
        assert!(
            shown.is_some(),
            "{spoil:?} does not show in {SEEDS_UNTIL_SHOWN} seeds"
        );
    }
}

#[test]
fn a_seed_plays_the_same_again() {
    for seed in 0..4 {
        let [one, two] = [(), ()].map(|()| run(seed, Spoil::Nothing).unwrap());
        assert_eq!(one.counts, two.counts, "seed {seed}");
        assert_eq!(one.samples, two.samples, "seed {seed}");
    }
}
