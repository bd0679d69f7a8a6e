use std::{fs, time::UNIX_EPOCH};

use alerter::cases::Cases;
use anyhow::Context as _;
use event::{Time, config::Config};
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
    apply_company(&process)?;
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

/// Brings the company beside the data into force, unless somebody applied another one after that file was last changed.
fn apply_company(process: &Process) -> anyhow::Result<()> {
    let path = Home::new(&process.config.data).company();
    if !path.exists() {
        return Ok(());
    }
    let reading = || format!("reading {}", path.display());
    let text = fs::read_to_string(&path).with_context(reading)?;
    let written = fs::metadata(&path).and_then(|metadata| metadata.modified());
    let written = written.with_context(reading)?.duration_since(UNIX_EPOCH);
    let written = Time::from_millis(i64::try_from(written.unwrap_or_default().as_millis())?);
    let log = process.log.as_ref();
    let latest = company::latest(log)?;
    if let Some(version) = newer(latest.as_ref(), &text, written) {
        tracing::warn!(
            "version {version} of the company was applied after {path} was last changed, and stays in force; `polku company apply \
             {path}` goes back to the file",
            path = path.display()
        );
        return Ok(());
    }
    let applied = company::apply(log, &path, &text, &process.config, &process.pepper)?;
    tracing::info!("{applied}");
    Ok(())
}

/// The version in force, if it is another than this text and came after it was written.
fn newer(latest: Option<&Config>, text: &str, written: Time) -> Option<u64> {
    latest
        .filter(|latest| latest.text != text && latest.time > written)
        .map(|latest| latest.version)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_company_that_was_applied_after_the_file_was_changed_stays_in_force() {
        let in_force = Config {
            name: event::Name::new("company").unwrap(),
            version: 3,
            time: Time::from_millis(1_000),
            text: "name = 'new'".to_owned(),
        };
        for (latest, text, written, expected) in [
            (None, "name = 'old'", 5, None),
            (Some(&in_force), "name = 'old'", 5, Some(3)),
            (Some(&in_force), "name = 'newest'", 2_000, None),
            (Some(&in_force), "name = 'new'", 5, None),
        ] {
            assert_eq!(newer(latest, text, Time::from_millis(written)), expected);
        }
    }
}
