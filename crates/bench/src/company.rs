//! The company of `polku dev`, on a log of the caller's choice.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use event::{Channel, SourceId};
use identifier::Pepper;
use ingest::{Door, Source};
use polku::{
    company,
    config::Config,
    demo::{self, Home},
    simulate::Keys,
    topics,
};
use stream::{Log, SharedLog};
use tempfile::TempDir;

/// Whose events are measured: all speak our own form.
const SOURCES: [(&str, Channel); 4] = [
    ("till", Channel::Store),
    ("call-centre", Channel::CallCentre),
    ("web-shop", Channel::Web),
    ("courier", Channel::Subcontractor),
];

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
        let mut config = Config::read(Some(&home.config()))?;
        let mut keys = Keys::read(&home.keys())?;
        for (name, channel) in SOURCES {
            let key = demo::random_hex::<16>();
            let mut source = Source::at(channel);
            source.key_sha256 = vec![demo::hash(&key)];
            source.trusted = channel != Channel::Subcontractor;
            config.sources.insert(SourceId::new(name)?, source);
            keys.sources.insert(name.to_owned(), key);
        }
        Ok(Company {
            config,
            pepper: Pepper::from_hex(&"5a".repeat(32))?,
            keys,
            home: directory,
        })
    }

    /// The same, but it promises nothing and waits for nothing: what is done about that has no counterpart in the program that Polku is
    /// compared with.
    pub(crate) fn without_promises(self) -> anyhow::Result<Company> {
        let (path, text) = self.rules()?;
        let mut rules: toml::Table = text.parse().context("reading the company")?;
        rules.remove("promises");
        let signs = toml::toml! {
            contacts = 0
            two_channels = false
            another_complaint = false
            score_drop = 0.0
            silence = "0s"
        };
        rules.insert("signs".to_owned(), toml::Value::Table(signs));
        fs::write(&path, rules.to_string()).context("writing the company")?;
        Ok(self)
    }

    /// The same, over topics of so many partitions.
    pub(crate) fn over(mut self, partitions: u32) -> Company {
        self.config.log.partitions = partitions;
        self
    }

    /// A directory that did not exist before, on the disk that is measured.
    pub(crate) fn directory(&self) -> anyhow::Result<TempDir> {
        tempfile::tempdir_in(self.home.path()).context("making a directory for a log")
    }

    /// P: of `polku dev`, unless it was told otherwise.
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
