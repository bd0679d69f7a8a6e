#![doc = include_str!("../README.md")]

mod codec;
mod company;
mod crowd;
mod disk;
mod engine;
mod floor;
mod host;
mod ingest;
mod known;
mod meter;
mod peer;
mod report;
mod restart;
mod sample;
mod scale;
mod skew;
mod suite;
mod whole;
mod workload;

use clap::Parser as _;
use mimalloc::MiMalloc;

/// The program's own.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> anyhow::Result<()> {
    let options = suite::Options::parse();
    if let Some(config) = &options.unify {
        return peer::role(config, options.without_transactions);
    }
    if let Some(customers) = options.scale {
        return scale::role(&options, customers);
    }
    let report = suite::run(&options)?;
    println!("{report}");
    if let Some(page) = &options.write {
        report::write(page, &report)?;
    }
    Ok(())
}
