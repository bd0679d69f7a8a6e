//! `polku company check | apply | show`: what the people who run customer experience decide, and how it reaches the machines.

mod apply;
mod check;
mod follow;

use std::{collections::BTreeMap, path::Path, time::Duration};

use anyhow::ensure;
use event::{Company, Name, Partition, Record, Topic, config::Config};
use stream::{Log, TopicPartition, log::End};

use self::follow::FOLLOW_WAIT;
pub use self::{
    apply::{Applied, apply},
    check::{knows_sources, warnings},
    follow::Follower,
};
pub(crate) use self::{
    apply::{changed, rewritten},
    check::keeps_strength,
};
use crate::exit::Invalid;

/// Reads a company from its file's text.
///
/// # Errors
/// `Invalid` with every fault, each with its line.
pub fn read(path: &Path, text: &str) -> anyhow::Result<Company> {
    let company: Company = service::config::parse(path, text)?;
    let faults = check::faults(&company, text);
    if faults.is_empty() {
        return Ok(company);
    }
    Err(Invalid {
        path: path.display().to_string(),
        faults,
    }
    .into())
}

fn name() -> Name {
    Name::new("company").expect("`company` is a name")
}

/// The company in force.
///
/// # Errors
/// When the log cannot be read.
pub fn latest(log: &dyn Log) -> anyhow::Result<Option<Config>> {
    let at = TopicPartition::new(Topic::Config, Partition(0));
    let end = log.end(&at, End::Committed)?;
    let mut reader = log.read(BTreeMap::from([(at.clone(), log.start(&at)?)]))?;
    let mut latest = None;
    let started = service::clock::instant();
    while reader.position(&at)? < end {
        for value in reader
            .poll(100, FOLLOW_WAIT)?
            .into_iter()
            .filter_map(|read| read.value)
        {
            if let Record::Config(config) = wire::decode(&Topic::Config, &value)? {
                latest = Some(config);
            }
        }
        ensure!(
            started.elapsed() < READ_WITHIN,
            "{at} could not be read to its end {end} in time"
        );
    }
    Ok(latest)
}

/// How long reading the company in force may take.
const READ_WITHIN: Duration = Duration::from_secs(30);

/// A company as `apply` wrote it down, after it was checked.
fn written(config: &Config) -> anyhow::Result<Company> {
    let mut company: Company =
        service::config::parse(Path::new("the company in force"), &config.text)?;
    company.version = config.version;
    Ok(company)
}

/// The rules in force; those that hold without any file where none was applied.
///
/// # Errors
/// When the log cannot be read.
pub fn in_force(log: &dyn Log) -> anyhow::Result<Company> {
    match latest(log)? {
        Some(config) => written(&config),
        None => Ok(Company::default()),
    }
}
