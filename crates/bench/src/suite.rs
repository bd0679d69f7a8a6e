//! Which parts are measured, how large, and in which order.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use event::{Record, Topic};
use stream::{Log, Offset, TopicPartition, simulated::Simulated};

use crate::{
    codec,
    company::Company,
    disk, engine, floor, host, ingest, known, peer,
    report::{self, Frame},
    restart,
    sample::{Figure, Results, Sample},
    scale, skew, whole,
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
    /// So many customers, one number after the other
    #[arg(long, value_delimiter = ',', default_values_t = [200_000, 1_000_000, 5_000_000])]
    pub(crate) scales: Vec<u64>,
    /// Measure one scale: what the suite starts of itself, so that the memory is that of one state
    #[arg(long, hide = true)]
    pub(crate) scale: Option<u64>,
    #[arg(long, hide = true, requires = "scale")]
    pub(crate) deciding: bool,
    /// Into how many partitions the topics of Polku and its peer are divided
    #[arg(long, default_value_t = 8)]
    pub(crate) partitions: u32,
    /// How often Polku and its peer are measured in turn
    #[arg(long, default_value_t = 3)]
    pub(crate) peer_rounds: usize,
    /// Events a second, at which the waits of Polku and its peer are measured
    #[arg(long, value_delimiter = ',', default_values_t = [2_000, 5_000])]
    pub(crate) rates: Vec<usize>,
    /// By how many customers one value is shared; 0 leaves that out
    #[arg(long, default_value_t = 300_000)]
    pub(crate) sharing: usize,
    /// Only these of the programs that are compared on a broker
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = peer::Compared::ALL)]
    pub(crate) programs: Vec<peer::Compared>,
    /// Run the role `unify` by this file: what the suite starts of itself, to measure it as a process
    #[arg(long, hide = true)]
    pub(crate) unify: Option<PathBuf>,
    #[arg(long, hide = true, requires = "unify")]
    pub(crate) without_transactions: bool,
}

impl Options {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    pub(crate) fn directory(&self) -> anyhow::Result<PathBuf> {
        if let Some(data) = &self.data {
            return Ok(data.clone());
        }
        // The system's directory for such things is often in memory, where fsync costs nothing.
        let binary = std::env::current_exe().context("finding the binary")?;
        let parent = binary.parent().context("the binary is in a directory")?;
        Ok(parent.to_owned())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Floor,
    Engine,
    /// One customer, or one value, that a fifth of all events is about
    Skew,
    Wire,
    Log,
    Loop,
    /// What a loop does before it goes on where another stopped
    Restart,
    Ingest,
    /// More and more customers
    Scale,
    /// Polku and a program of Kafka Streams on a real broker
    Peer,
}

impl Part {
    const ALL: [Part; 10] = [
        Part::Floor,
        Part::Engine,
        Part::Skew,
        Part::Wire,
        Part::Log,
        Part::Loop,
        Part::Restart,
        Part::Ingest,
        Part::Scale,
        Part::Peer,
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
    let mut page = report::render(&results, &frame);
    if options.wants(Part::Scale) {
        page.push_str(&scale::measure(options)?);
    }
    if !options.quick && options.wants(Part::Peer) {
        page.push_str(&peer::measure(options)?);
    }
    Ok(page)
}

fn measure(options: &Options) -> anyhow::Result<(Results, Frame)> {
    let sizes = Sizes::of(options);
    let data = options.directory()?;
    let company = Company::new(&data)?;
    let workload = Workload::new(&company, options.seed, sizes.events, sizes.customers)
        .context("making the workload")?;
    let rules = rules(&company)?;
    let load_before = host::load();
    let mut results = Results::default();
    // In turn, so that whatever else the machine does meets all parts alike.
    for round in 1..=sizes.rounds {
        for part in Part::ALL {
            if options.wants(part) {
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
        Part::Engine => {
            let mut samples = engine::measure(workload, rules.to_vec())?;
            samples.append(&mut known::measure(workload, rules.to_vec(), options.seed)?);
            Ok(samples)
        }
        Part::Skew => skew::measure(workload, rules, options.seed),
        Part::Restart => restart::measure(company, workload),
        Part::Wire => codec::measure(workload),
        Part::Log => disk::measure(company, workload, sizes.disk),
        Part::Loop => whole::measure(company, workload),
        Part::Ingest => ingest::measure(company, options.seed, sizes.customers, sizes.ingest),
        // In rounds of their own, since they take minutes.
        Part::Peer | Part::Scale => Ok(Vec::new()),
    }
}

/// What a company tells its machines before any event, where there is one partition.
pub(crate) fn rules(company: &Company) -> anyhow::Result<Vec<Record>> {
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
