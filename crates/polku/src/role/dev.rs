use std::fs;

use alerter::cases::Cases;
use anyhow::Context as _;
use unifier::{identify::Identify, unify::Unify};

use super::Place;
use crate::{binding, company, demo::Home, process::Process, topics};

/// Everything in one process. A first start makes the data directory, a pepper, a company and its keys.
pub fn run(place: &Place) -> anyhow::Result<()> {
    let home = Home::new(&place.data());
    if place.file().is_none() {
        home.prepare()?;
    }
    let mut process = Process::whole(place.config()?)?;
    topics::apply(process.log.as_ref(), process.config.log.partitions)?;
    if home.company().exists() {
        let text = fs::read_to_string(home.company())
            .with_context(|| format!("reading {}", home.company().display()))?;
        let applied = company::apply(
            process.log.as_ref(),
            &home.company(),
            &text,
            &process.config,
            &process.pepper,
        )?;
        tracing::info!("{applied}");
    }
    process.add_machine(Identify::new(), binding::identify())?;
    process.add_machine(Unify::new(), binding::unify())?;
    process.add_machine(Cases::new(), binding::cases())?;
    process.add_serve()?;
    process.add_notify()?;
    process.add_doors()?;
    process.run()
}
