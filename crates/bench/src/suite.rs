//! Which parts are measured, how large, and in which order.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use event::{Record, Topic};
use stream::{Log, Offset, TopicPartition, simulated::Simulated};

use crate::{
    codec,
    company::Company,
    disk, engine, floor, host, ingest,
    report::{self, Frame},
    sample::{Figure, Results, Sample},
    whole,
    workload::Workload,
};

/// Measures Polku's parts, and says each as a ratio to another measured in the same rounds.
#[derive(Clone, Debug, Parser)]
pub(crate) struct Options {
    /// How many events there are. The engine and its floor take the first half unmeasured
    #[arg(long, default_value_t = 200_000)]
    pub(crate) events: usize,
    /// Of how many customers
    #[arg(long, default_value_t = 40_000)]
    pub(crate) customers: usize,
    /// How often everything is measured
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Only these parts
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) only: Vec<Part>,
    /// One small round: shows that everything can be measured, and measures nothing well
    #[arg(long)]
    pub(crate) quick: bool,
    /// The directory for what lies on disk; by default that of the binary
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    /// Put the tables into this page, between its two marks
    #[arg(long)]
    pub(crate) write: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Floor,
    Engine,
    Wire,
    Log,
    Loop,
    Ingest,
}

impl Part {
    const ALL: [Part; 6] = [
        Part::Floor,
        Part::Engine,
        Part::Wire,
        Part::Log,
        Part::Loop,
        Part::Ingest,
    ];
}

/// How much is measured in one round.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    events: usize,
    customers: usize,
    rounds: usize,
    disk: disk::Sizes,
    ingest: ingest::Sizes,
}

impl Sizes {
    fn of(options: &Options) -> Sizes {
        if options.quick {
            return Sizes {
                events: 300,
                customers: 60,
                rounds: 1,
                disk: disk::Sizes {
                    fsyncs: 3,
                    appends: 3,
                    records: 2_000,
                },
                ingest: ingest::Sizes {
                    alone: 3,
                    together: 70,
                    batches: 3,
                },
            };
        }
        Sizes {
            events: options.events.max(2),
            customers: options.customers.max(1),
            rounds: options.rounds.max(1),
            disk: disk::Sizes {
                fsyncs: 300,
                appends: 500,
                records: 200_000,
            },
            ingest: ingest::Sizes {
                alone: 500,
                together: 20_000,
                batches: 300,
            },
        }
    }
}

/// Measures, and says it in Markdown.
pub(crate) fn run(options: &Options) -> anyhow::Result<String> {
    let (results, frame) = measure(options)?;
    Ok(report::render(&results, &frame))
}

fn measure(options: &Options) -> anyhow::Result<(Results, Frame)> {
    let sizes = Sizes::of(options);
    let data = match &options.data {
        Some(data) => data.clone(),
        // The system's directory for such things is often in memory, where fsync costs nothing.
        None => {
            let binary = std::env::current_exe().context("finding the binary")?;
            let parent = binary.parent().context("the binary is in a directory")?;
            parent.to_owned()
        }
    };
    let company = Company::new(&data)?;
    let workload = Workload::new(&company, options.seed, sizes.events, sizes.customers)
        .context("making the workload")?;
    let rules = rules(&company)?;
    let load_before = host::load();
    let mut results = Results::default();
    // In turn, so that whatever else the machine does meets all parts alike.
    for round in 1..=sizes.rounds {
        for part in Part::ALL {
            if options.only.is_empty() || options.only.contains(&part) {
                eprintln!("round {round} of {}: {part:?}", sizes.rounds);
                let samples = one(part, options, sizes, &company, &workload, &rules)
                    .with_context(|| format!("measuring {part:?}"))?;
                results.add(samples);
            }
        }
    }
    let frame = Frame {
        date: event::Time::from_millis(service::clock::now_ms()),
        shape: host::shape(&data),
        load_before,
        load_after: host::load(),
        debug: cfg!(debug_assertions),
        rounds: sizes.rounds,
        events: workload.events.len(),
        customers: workload.customers,
    };
    Ok((results, frame))
}

fn one(
    part: Part,
    options: &Options,
    sizes: Sizes,
    company: &Company,
    workload: &Workload,
    rules: &[Record],
) -> anyhow::Result<Vec<(Figure, Sample)>> {
    match part {
        Part::Floor => Ok(floor::measure(&workload.events)),
        Part::Engine => engine::measure(workload, rules.to_vec()),
        Part::Wire => codec::measure(workload),
        Part::Log => disk::measure(company, workload, sizes.disk),
        Part::Loop => whole::measure(company, workload),
        Part::Ingest => ingest::measure(company, options.seed, sizes.customers, sizes.ingest),
    }
}

/// What a company tells its machines before any event, where there is one partition.
fn rules(company: &Company) -> anyhow::Result<Vec<Record>> {
    let log = Simulated::new(1);
    company.prepare(&log, 1)?;
    let mut rules = Vec::new();
    for topic in [Topic::IdentityLink, Topic::TimelineInput, Topic::CaseInput] {
        let at = TopicPartition::new(topic.clone(), event::Partition(0));
        let mut reader = log.read([(at, Offset::START)].into())?;
        for read in reader.poll(10, std::time::Duration::ZERO)? {
            let value = read.value.context("rules have a value")?;
            rules.push(wire::decode(&topic, &value)?);
        }
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_run_measures_everything() {
        let options = Options::parse_from(["bench", "--quick"]);
        let (results, frame) = measure(&options).unwrap();
        for figure in Figure::ALL {
            let samples = results.of(figure);
            assert_eq!(samples.len(), 1, "{figure:?}");
            assert!(samples[0].count > 0, "{figure:?}");
            assert!(!samples[0].spent.wall.is_zero(), "{figure:?}");
        }
        let page = report::render(&results, &frame);
        for figure in Figure::ALL {
            assert!(page.contains(figure.as_str()), "{figure:?} in {page}");
        }
    }
}
