#![doc = include_str!("../README.md")]

mod codec;
mod company;
mod disk;
mod engine;
mod floor;
mod host;
mod ingest;
mod meter;
mod report;
mod sample;
mod suite;
mod whole;
mod workload;

use clap::Parser as _;

fn main() -> anyhow::Result<()> {
    let options = suite::Options::parse();
    let report = suite::run(&options)?;
    println!("{report}");
    if let Some(page) = &options.write {
        report::write(page, &report)?;
    }
    Ok(())
}
