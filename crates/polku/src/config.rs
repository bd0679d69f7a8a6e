//! `polku.toml`, the machine side, for ops.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use event::{Channel, Name, SourceId};
use identifier::{Region, Spaces};
use ingest::{Source, config::DESK};
use serde::{Deserialize, Serialize};
use serve::credential::Credentials;

use crate::{exit::Invalid, formats, registry, secrets};

/// What `polku.toml`, the environment and the built-in defaults say together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The address of everything this process answers on.
    pub listen: SocketAddr,
    /// The directory of the embedded log.
    pub data: PathBuf,
    pub log: LogConfig,
    #[serde(default)]
    pub kafka: Option<stream::kafka::Config>,
    /// Whose ids the records bear; without it those of the shipped schemas.
    #[serde(default)]
    pub schema_registry: Option<registry::Config>,
    pub privacy: Privacy,
    pub identity: Identity,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub sources: BTreeMap<SourceId, Source>,
    #[serde(default)]
    pub credentials: BTreeMap<Name, serve::credential::Config>,
    #[serde(default)]
    pub serve: serve::Config,
    /// The canary that `serve` sends through everything; without it none flies.
    #[serde(default)]
    pub canary: Option<serve::canary::Config>,
    /// Where departments are told by webhook.
    #[serde(default)]
    pub subscriptions: notify::Subscriptions,
}

/// How much may come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Of each source that names no limit itself; none: as much as it can.
    pub events_per_second: Option<NonZeroU32>,
    /// How many proxies of our own stand before this process: who asks is that many places from the end of `X-Forwarded-For`.
    pub proxies: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogKind {
    Embedded,
    Kafka,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    pub kind: LogKind,
    /// P: fixed for the life of a deployment.
    pub partitions: u32,
    /// After which silence of a role another takes over what it worked on.
    pub session_ms: u32,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Privacy {
    /// By default `pepper` under `data`.
    #[serde(default)]
    pub pepper_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The country of phone numbers without one, where a source names no other.
    pub region: Region,
    /// Type -> the space its values are numbered in, for all sources.
    #[serde(default)]
    pub spaces: BTreeMap<Name, Name>,
}

/// `group.min.session.timeout.ms` and `group.max.session.timeout.ms` of a broker that says nothing else.
const SESSION_MS_MIN: u32 = 6_000;
const SESSION_MS_MAX: u32 = 1_800_000;

const DEFAULTS: &str = include_str!("default.toml");

impl Config {
    /// Reads the file (none: only defaults and environment) and checks what one field alone cannot tell.
    ///
    /// # Errors
    /// Every fault, with file and line where the file has one.
    pub fn read(file: Option<&Path>) -> anyhow::Result<Config> {
        let mut config: Config = service::config::load(DEFAULTS, file, std::env::vars_os())?;
        config.add_desk();
        let faults = config.faults();
        if faults.is_empty() {
            return Ok(config);
        }
        let path = file.map_or_else(
            || "the configuration".to_owned(),
            |path| path.display().to_string(),
        );
        Err(Invalid { path, faults }.into())
    }

    /// The source of what people record by hand is always there. Where the file does not say whose numbers they mean, it is those
    /// that all sources which name a type's space agree on.
    fn add_desk(&mut self) {
        let desk = SourceId::new(DESK).expect("`desk` is a source's id");
        let named = self.sources.iter().filter(|(id, _)| **id != desk);
        let mut agreed: BTreeMap<Name, Option<Name>> = BTreeMap::new();
        for (kind, space) in named.flat_map(|(_, source)| &source.spaces) {
            let common = agreed
                .entry(kind.clone())
                .or_insert_with(|| Some(space.clone()));
            if common.as_ref() != Some(space) {
                *common = None;
            }
        }
        let desk = self
            .sources
            .entry(desk)
            .or_insert_with(|| Source::at(Channel::CallCentre));
        for (kind, space) in agreed {
            if let Some(space) = space {
                desk.spaces.entry(kind).or_insert(space);
            }
        }
    }

    /// What senders sign with, where this process takes events in.
    ///
    /// # Errors
    /// Every secret file that cannot be used.
    pub fn secrets(&self) -> anyhow::Result<ingest::Secrets> {
        secrets::read(&self.sources).map_err(|faults| {
            let path = "the configuration".to_owned();
            Invalid { path, faults }.into()
        })
    }

    /// # Errors
    /// Every secret file that the configuration names and that cannot be used.
    pub fn check_secrets(&self) -> anyhow::Result<()> {
        let faults = secrets::faults(self);
        if faults.is_empty() {
            return Ok(());
        }
        let path = "the configuration".to_owned();
        Err(Invalid { path, faults }.into())
    }

    pub fn pepper_file(&self) -> PathBuf {
        self.privacy
            .pepper_file
            .clone()
            .unwrap_or_else(|| self.data.join("pepper"))
    }

    /// Which numbers mean the same in which sources.
    pub fn spaces(&self) -> Spaces {
        Spaces {
            all: self.identity.spaces.clone(),
            sources: self
                .sources
                .iter()
                .map(|(id, source)| (id.clone(), source.spaces.clone()))
                .collect(),
        }
    }

    /// The countries whose national phone numbers come in.
    pub fn regions(&self) -> Vec<Region> {
        let mut regions = vec![self.identity.region];
        for region in self.sources.values().filter_map(|source| source.region) {
            if !regions.contains(&region) {
                regions.push(region);
            }
        }
        regions
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.log.partitions == 0 || self.log.partitions > 1_024 {
            faults.push(format!(
                "`log.partitions` is {}; it must be between 1 and 1024",
                self.log.partitions
            ));
        }
        if !(SESSION_MS_MIN..=SESSION_MS_MAX).contains(&self.log.session_ms) {
            faults.push(format!(
                "`log.session_ms` is {}; it must be between {SESSION_MS_MIN} and {SESSION_MS_MAX}, which brokers allow by default",
                self.log.session_ms
            ));
        }
        if self.log.kind == LogKind::Kafka && self.kafka.is_none() {
            faults.push("`log.kind` is `kafka` and there is no table `kafka`; name at least `kafka.bootstrap`".to_owned());
        }
        let formats = formats::all();
        for (id, source) in &self.sources {
            faults.extend(
                source
                    .faults(&formats)
                    .into_iter()
                    .map(|fault| format!("`sources.{id}`: {fault}")),
            );
        }
        if let Some(registry) = &self.schema_registry {
            faults.extend(
                registry
                    .faults()
                    .into_iter()
                    .map(|fault| format!("`schema_registry`: {fault}")),
            );
        }
        for (name, subscription) in &self.subscriptions {
            faults.extend(
                subscription
                    .faults()
                    .into_iter()
                    .map(|fault| format!("`subscriptions.{name}`: {fault}")),
            );
        }
        if let Err(error) = Credentials::new(&self.credentials) {
            faults.push(error.to_string());
        }
        if let Some(kafka) = &self.kafka {
            faults.extend(
                kafka
                    .faults()
                    .into_iter()
                    .map(|fault| format!("`kafka`: {fault}")),
            );
        }
        faults
    }

    /// The configuration as it is in force, without secrets: keys are shown as the hashes they are kept as, files by their paths.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn show(file: Option<&Path>) -> anyhow::Result<String> {
        let table: toml::Table = service::config::load(DEFAULTS, file, std::env::vars_os())?;
        Ok(toml::to_string_pretty(&hidden(table))?)
    }
}

/// Fields that may hold a secret in clear.
const SECRET_WORDS: [&str; 3] = ["password", "secret", "token"];

fn hidden(table: toml::Table) -> toml::Table {
    table
        .into_iter()
        .map(|(key, value)| {
            let secret =
                SECRET_WORDS.iter().any(|word| key.contains(word)) && !key.ends_with("_file");
            let shown = if let toml::Value::Table(inner) = value {
                toml::Value::Table(hidden(inner))
            } else if secret {
                toml::Value::String("(hidden)".to_owned())
            } else {
                value
            };
            (key, shown)
        })
        .collect()
}
