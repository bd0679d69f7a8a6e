//! Polku's unifier against a program of Kafka Streams that does the same job, both on a real broker.
//!
//! Each round starts with fresh topics and empty state. A fifth of the events comes first and is not measured: it warms the other's
//! compiler up. The rest lies in the topic before anybody reads it; what a process costs is asked of the system, the broker's cost is
//! apart. Then events come at a fixed rate, and it is measured how long each takes to its timeline. No figure counts unless both
//! programs put every event on the same customer's timeline, and told cases of the same events with the same customers. A round of
//! fewer events comes before all others and is not counted: it warms the broker up.

mod broker;
mod observer;
mod process;
mod sender;
mod shared;
mod table;
mod transactionless;
mod trial;

use std::time::Duration;

use anyhow::{Context as _, bail};

pub(crate) use self::process::role;
use self::{
    broker::Broker,
    process::{Peer, Program, Role},
    trial::{Outcome, Trial},
};
use crate::{company::Company, host, suite::Options, workload::Workload};

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Compared {
    Polku,
    /// Polku's loops without transactions
    Transactionless,
    KafkaStreams,
}

impl Compared {
    pub(crate) const ALL: [Compared; 3] = [
        Compared::Polku,
        Compared::Transactionless,
        Compared::KafkaStreams,
    ];
}

/// How much is measured in one round.
#[derive(Clone, Copy)]
struct Sizes<'a> {
    rounds: usize,
    programs: &'a [Compared],
    /// Events that are there before anybody reads them, and of how many customers.
    events: usize,
    customers: usize,
    partitions: u32,
    /// Events a second.
    rates: &'a [usize],
    /// By how many customers one value is shared.
    sharing: usize,
}

/// What there is to be measured on.
pub(crate) struct Place<'a> {
    pub(crate) company: &'a Company,
    pub(crate) broker: &'a Broker,
}

/// All rounds of one thing.
#[derive(Default)]
pub(crate) struct Rounds {
    pub(crate) polku: Vec<Outcome>,
    pub(crate) transactionless: Vec<Outcome>,
    pub(crate) peer: Vec<Outcome>,
    /// Without and with a value that everybody shares.
    pub(crate) alone: Vec<Outcome>,
    pub(crate) beside_shared: Vec<Outcome>,
}

/// How long events come at one rate.
const PACED: Duration = Duration::from_secs(18);
/// What is not counted of it: the pace changes, and the senders' connections are new.
const LEAD: Duration = Duration::from_secs(3);

/// How many events lie ready in the round that is not counted.
const WARMING: usize = 50_000;

/// How many events come at a rate in such a time.
fn at_rate(rate: usize, time: Duration) -> usize {
    (time.as_secs_f64() * rate as f64) as usize
}

/// The page's part about the peer; or why there is none.
pub(crate) fn measure(options: &Options) -> anyhow::Result<String> {
    let data = options.directory()?;
    let peer = match Peer::build(&data) {
        Ok(peer) => peer,
        Err(why) => return Ok(format!("The peer was not measured: {why}.\n")),
    };
    let sizes = Sizes {
        rounds: options.peer_rounds.max(1),
        programs: &options.programs,
        events: options.events,
        customers: options.customers.max(1),
        partitions: options.partitions.max(1),
        rates: &options.rates,
        sharing: options.sharing,
    };
    let broker = Broker::start()?;
    let company = Company::new(&data)?
        .without_promises()?
        .over(sizes.partitions);
    let load_before = host::load();
    let paced: usize = sizes.rates.iter().map(|rate| at_rate(*rate, PACED)).sum();
    let workload = Workload::new(
        &company,
        options.seed,
        sizes.events + paced,
        sizes.customers,
    )
    .context("making the workload of the peer")?;
    let place = Place {
        company: &company,
        broker: &broker,
    };
    eprintln!("a round that is not counted: Polku and the peer");
    let few = Sizes {
        events: sizes.events.min(WARMING),
        sharing: 0,
        ..sizes
    };
    one(&place, &peer, &few, &workload, &mut Rounds::default()).context("warming up")?;
    let mut rounds = Rounds::default();
    for round in 1..=sizes.rounds {
        eprintln!("round {round} of {}: Polku and the peer", sizes.rounds);
        one(&place, &peer, &sizes, &workload, &mut rounds)
            .with_context(|| format!("round {round} with the peer"))?;
    }
    Ok(table::render(&rounds, &sizes, &load_before, &host::load()))
}

fn one(
    place: &Place<'_>,
    peer: &Peer,
    sizes: &Sizes<'_>,
    workload: &Workload,
    rounds: &mut Rounds,
) -> anyhow::Result<()> {
    let whole = Trial {
        place,
        records: &workload.records,
        ready: sizes.events,
        rates: sizes.rates,
        counts: |_| true,
    };
    let catching_up = Trial {
        records: &workload.records[..sizes.events],
        rates: &[],
        ..whole
    };
    let wants = |program| sizes.programs.contains(&program);
    let mut shown = None;
    if wants(Compared::Polku) {
        let polku = whole.run(&Program::Polku(Role::ExactlyOnce))?;
        shown = Some(polku.shown.clone());
        rounds.polku.push(polku);
    }
    if wants(Compared::KafkaStreams) {
        let theirs = whole.run(&Program::Peer(peer))?;
        if let Some(difference) = shown.and_then(|ours| ours.difference(&theirs.shown)) {
            bail!("Polku and the peer do not show the same: {difference}");
        }
        rounds.peer.push(theirs);
    }
    if wants(Compared::Transactionless) {
        let transactionless = catching_up.run(&Program::Polku(Role::AtLeastOnce))?;
        rounds.transactionless.push(transactionless);
    }
    if sizes.sharing > 0 {
        let (alone, beside) = shared::measure(place, sizes, workload)?;
        rounds.alone.push(alone);
        rounds.beside_shared.push(beside);
    }
    Ok(())
}
