use std::fs;

use alerter::cases::Cases;
use anyhow::Context as _;
use serve::credential::Role;
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
    let partitions = process.config.log.partitions;
    process.add_machine(Identify::new(partitions), binding::identify())?;
    process.add_machine(Unify::new(), binding::unify())?;
    process.add_ticks()?;
    process.add_machine(Cases::new(), binding::cases())?;
    process.add_serve()?;
    process.add_notify()?;
    process.add_doors()?;
    show_the_desk(&process);
    process.run()
}

/// Says how to see the desk, for whoever has no key at hand: a link that signs in once, as somebody who sees every department
/// if there is one.
fn show_the_desk(process: &Process) {
    let mut people: Vec<_> = process.config.credentials.iter().collect();
    people.sort_by_key(|(_, credential)| credential.role != Role::Admin);
    let link = people.into_iter().find_map(|(name, _)| {
        let link = process.read_model()?.sign_in_link(name)?;
        Some((name, link))
    });
    if let Some((name, link)) = link {
        println!("Open {link} to see the desk as {name}; the link works once, within an hour.");
    }
}
