//! What an event costs, and what a customer weighs, from some hundred thousand to some million customers: `unify` alone, with customers
//! whose values it knows the owners of.
//!
//! Each trial is a process of its own, so that the memory is that of one state. The decider's memory is measured at the smallest scale.

use std::{fmt::Write as _, hint::black_box, process::Command, time::Duration};

use anyhow::{Context as _, ensure};
use event::{
    ProfileId, Record, Time, Version, assignment::Assignment, link::Link,
    timeline_input::TimelineInput,
};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use serde::{Deserialize, Serialize};
use unifier::{
    identify::{self, Identify},
    unify::{self, Unify},
};

use crate::{
    company::Company,
    crowd::{self, Crowd, Named},
    engine::Stage,
    host,
    meter::thread_cpu,
    report::grouped,
    sample::median,
    suite::{self, Options},
    workload::Workload,
};

const BATCH: u64 = 2_000;

/// More than an event leaves. The host of a virtual machine may give memory only when it is touched, and small processes touch what
/// others had before: what that costs says nothing of the scale.
const TOUCHED_AN_EVENT: usize = 4_000;

/// What a process of its own measured.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Trial {
    customers: u64,
    identifiers: u64,
    events: u64,
    cpu_us: f64,
    /// How much the process grew by its customers.
    bytes: u64,
    /// The same with the decider beside, where it was.
    deciding: bool,
}

/// All scales in turn, in rounds, as a table.
pub(crate) fn measure(options: &Options) -> anyhow::Result<String> {
    let before = host::load();
    let mut rounds: Vec<Vec<Trial>> = vec![Vec::new(); options.scales.len()];
    let mut decider = None;
    let repeated = if options.quick {
        1
    } else {
        options.rounds.clamp(1, 3)
    };
    for round in 1..=repeated {
        for (place, customers) in options.scales.iter().enumerate() {
            eprintln!("round {round} of {repeated}: scale of {customers} customers");
            rounds[place].push(trial(options, *customers, false)?);
        }
    }
    if let Some(smallest) = options.scales.iter().min() {
        decider = Some(trial(options, *smallest, true)?);
    }
    Ok(table(&rounds, decider, &before))
}

fn table(rounds: &[Vec<Trial>], decider: Option<Trial>, before: &str) -> String {
    let mut page = String::from(
        "| customers known to unify | us of CPU an event | to the smallest | resident MiB | bytes an identifier |\n|--:|--:|--:|--:|--:|\n",
    );
    let middle =
        |trials: &[Trial], of: fn(&Trial) -> f64| median(trials.iter().map(of)).unwrap_or(f64::NAN);
    for trials in rounds {
        let Some(first) = trials.first() else {
            continue;
        };
        // Within each round, as other ratios are.
        let ratios = trials.iter().zip(&rounds[0]);
        let ratio = median(ratios.map(|(one, smallest)| one.cpu_us / smallest.cpu_us));
        let bytes = middle(trials, |trial| trial.bytes as f64);
        writeln!(
            page,
            "| {} | {:.2} | {:.2} | {:.0} | {:.0} |",
            grouped(first.customers as f64),
            middle(trials, |trial| trial.cpu_us),
            ratio.unwrap_or(f64::NAN),
            bytes / 1_048_576.0,
            bytes / first.identifiers as f64,
        )
        .expect("a text takes whatever is written to it");
    }
    let alone = decider.and_then(|both| {
        let same = |trials: &&Vec<Trial>| trials[0].customers == both.customers;
        let unify = rounds.iter().find(same)?;
        Some((both, middle(unify, |trial| trial.bytes as f64)))
    });
    if let Some((both, unify)) = alone {
        let decider = (both.bytes as f64 - unify).max(0.0) / both.identifiers as f64;
        write!(
            page,
            "\nA customer has two identifiers and one event at rest. The decider holds another {decider:.0} bytes an identifier: a million \
             identifiers are {:.0} MiB in all. Load average before: {before}; after: {}.\n",
            both.bytes as f64 / both.identifiers as f64 * 1e6 / 1_048_576.0,
            host::load(),
        )
        .expect("a text takes whatever is written to it");
    }
    page
}

fn trial(options: &Options, customers: u64, deciding: bool) -> anyhow::Result<Trial> {
    if options.quick {
        return run(options, customers.min(100), deciding);
    }
    let mut command = Command::new(std::env::current_exe().context("finding the binary")?);
    command.arg("--scale").arg(customers.to_string());
    command.arg("--seed").arg(options.seed.to_string());
    // What was touched stays.
    command.env("MIMALLOC_PURGE_DELAY", "-1");
    if deciding {
        command.arg("--deciding");
    }
    let output = command.output().context("starting a trial")?;
    ensure!(
        output.status.success(),
        "the trial of {customers} customers ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).context("reading what a trial measured")
}

/// The process that a trial is.
pub(crate) fn role(options: &Options, customers: u64) -> anyhow::Result<()> {
    let trial = run(options, customers, options.deciding)?;
    println!("{}", serde_json::to_string(&trial)?);
    Ok(())
}

fn run(options: &Options, customers: u64, deciding: bool) -> anyhow::Result<Trial> {
    let data = options.directory()?;
    let company = Company::new(&data)?;
    let crowd = Crowd::like(&Workload::new(&company, options.seed, 100, 10)?);
    let mut population = Population {
        now: crowd::NOW,
        crowd,
        unify: Stage::new(Unify::new()),
        identify: deciding.then(|| Stage::new(Identify::new(1))),
    };
    for record in suite::rules(&company)? {
        population.tell(record);
    }
    let before = resident_bytes()?;
    let mut first = 0;
    while first < customers {
        let some = first..customers.min(first + BATCH);
        first = some.end;
        population.enter(some);
    }
    let bytes = resident_bytes()?.saturating_sub(before);
    let events = if options.quick { 200 } else { 400_000 };
    touch(events as usize * TOUCHED_AN_EVENT);
    let mut rng = SmallRng::seed_from_u64(options.seed);
    let mut spent = Duration::ZERO;
    let mut number = customers;
    while number < customers + events {
        let some = number..(customers + events).min(number + BATCH);
        number = some.end;
        spent += population.hear(some, || rng.random_range(0..customers));
    }
    Ok(Trial {
        customers,
        identifiers: 2 * customers,
        events,
        cpu_us: spent.as_secs_f64() * 1e6 / events as f64,
        bytes,
        deciding,
    })
}

struct Population {
    now: Time,
    crowd: Crowd,
    unify: Stage<Unify>,
    identify: Option<Stage<Identify>>,
}

impl Population {
    fn tell(&mut self, record: Record) {
        if let Record::TimelineInput(input @ TimelineInput::Rules(_)) = record {
            self.unify.waiting.push_back(unify::Record::Timeline(input));
        } else if let Record::Link(link @ (Link::Rules(_) | Link::Set(_))) = record
            && let Some(identify) = &mut self.identify
        {
            identify.waiting.push_back(identify::Record::Link(link));
        }
    }

    fn work(&mut self) {
        for record in self.unify.batch(self.now) {
            self.tell(record);
        }
        if let Some(identify) = &mut self.identify {
            identify.batch(self.now);
        }
    }

    /// New customers: an event of each, and who its values belong to.
    fn enter(&mut self, customers: std::ops::Range<u64>) {
        for customer in customers {
            let event = self.crowd.event(customer, customer, Named::Pair);
            let profile = ProfileId::new(event.anchor);
            for value in event.values.clone() {
                let version = Version {
                    epoch: 0,
                    counter: customer + 1,
                };
                let assignment = Assignment {
                    value,
                    profile,
                    version,
                    out: false,
                };
                let record = unify::Record::Assignment(assignment);
                self.unify.waiting.push_back(record);
            }
            self.unify.waiting.push_back(unify::Record::Event(event));
        }
        self.work();
    }

    /// Events of customers who are known, and the processor time that they cost.
    fn hear(
        &mut self,
        numbers: std::ops::Range<u64>,
        mut customer: impl FnMut() -> u64,
    ) -> Duration {
        for number in numbers {
            let event = self.crowd.event(number, customer(), Named::Pair);
            self.unify.waiting.push_back(unify::Record::Event(event));
        }
        let began = thread_cpu();
        drop(self.unify.batch(self.now));
        thread_cpu().saturating_sub(began)
    }
}

/// Meets so much memory before anything is measured, and gives it back to the allocator.
fn touch(bytes: usize) {
    const BLOCK: usize = 64 << 10;
    let blocks: Vec<Vec<u8>> = (0..bytes / BLOCK).map(|_| vec![1; BLOCK]).collect();
    drop(black_box(blocks));
}

fn resident_bytes() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("reading the process")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: u64 = kib.context("the system tells no memory")?.parse()?;
    Ok(kib * 1_024)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn small_scales_make_a_table() {
        let options = Options::parse_from(["bench", "--quick", "--scales", "20,60"]);
        let page = measure(&options).unwrap();
        assert!(
            page.contains("| 20.0 |") && page.contains("| 60.0 |"),
            "{page}"
        );
        assert!(page.contains("a million identifiers are"), "{page}");
    }
}
