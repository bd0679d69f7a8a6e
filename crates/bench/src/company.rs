//! The company of `polku dev`, on a log of the caller's choice.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use identifier::Pepper;
use ingest::Door;
use polku::{company, config::Config, demo::Home, simulate::Keys, topics};
use stream::{Log, SharedLog};
use tempfile::TempDir;

pub(crate) struct Company {
    home: TempDir,
    config: Config,
    pub(crate) pepper: Pepper,
    pub(crate) keys: Keys,
}

impl Company {
    /// Its files, and the logs that are made for it, lie in a directory of its own under `data`.
    pub(crate) fn new(data: &Path) -> anyhow::Result<Company> {
        fs::create_dir_all(data).with_context(|| format!("making {}", data.display()))?;
        let directory = tempfile::tempdir_in(data)
            .with_context(|| format!("making a directory in {}", data.display()))?;
        let home = Home::new(directory.path());
        home.prepare()?;
        Ok(Company {
            config: Config::read(Some(&home.config()))?,
            pepper: Pepper::from_hex(&"5a".repeat(32))?,
            keys: Keys::read(&home.keys())?,
            home: directory,
        })
    }

    /// A directory that did not exist before, on the disk that is measured.
    pub(crate) fn directory(&self) -> anyhow::Result<TempDir> {
        tempfile::tempdir_in(self.home.path()).context("making a directory for a log")
    }

    /// P of `polku dev`.
    pub(crate) fn partitions(&self) -> u32 {
        self.config.log.partitions
    }

    /// Makes the topics, and tells every machine the rules.
    pub(crate) fn prepare(&self, log: &dyn Log, partitions: u32) -> anyhow::Result<()> {
        topics::apply(log, partitions)?;
        let (path, text) = self.rules()?;
        let mut config = self.config.clone();
        config.log.partitions = partitions;
        company::apply(log, &path, &text, &config, &self.pepper)?;
        Ok(())
    }

    /// The door of all sources over a log.
    pub(crate) fn door(&self, log: &SharedLog, partitions: u32) -> anyhow::Result<Door> {
        let (path, text) = self.rules()?;
        Ok(Door::new(ingest::Options {
            sources: self.config.sources.clone(),
            formats: ingest::format::Formats::default(),
            secrets: ingest::Secrets::default(),
            public_url: None,
            pepper: self.pepper.clone(),
            region: self.config.identity.region,
            spaces: self.config.spaces(),
            company: company::read(&path, &text)?,
            log: Arc::clone(log),
            partitions,
            metrics: ingest::Metrics::new(&prometheus::Registry::new())?,
            limits: ingest::Limits::default(),
            clock: service::clock::wall(),
        }))
    }

    fn rules(&self) -> anyhow::Result<(PathBuf, String)> {
        let path = Home::new(self.home.path()).company();
        let text = fs::read_to_string(&path).context("reading the company")?;
        Ok((path, text))
    }
}
