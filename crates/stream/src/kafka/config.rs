use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rdkafka::ClientConfig;
use serde::{Deserialize, Serialize};

use crate::{Error, Severity};

/// How a cluster is reached. Secrets come from files; no client configuration made of this is ever logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `host:port`, several separated by commas.
    pub bootstrap: String,
    pub security: Security,
    /// Lets the personal data of customers cross a network unencrypted. Loopback needs no permission.
    pub allow_plaintext: bool,
    /// The authorities that a broker's certificate may come from; by default the system's.
    pub ca_file: Option<PathBuf>,
    pub certificate_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
    pub key_password_file: Option<PathBuf>,
    pub sasl: Option<Sasl>,
    /// Put before the name of every topic, group and transactional id, so that deployments can share a cluster.
    pub namespace: String,
    /// How records are compressed on their way to the brokers and there.
    pub compression: Compression,
    /// Copies of each partition; by default what the brokers are set to.
    pub replication: Option<u16>,
    /// How long a member may work between two polls before it loses its partitions: more than the longest batch and its commit.
    pub poll_interval_ms_max: u32,
    /// How long a transaction may stay open. A hung one holds every reader up for that long; a session must be longer.
    pub transaction_ms_max: u32,
    /// How long an append may take before its sender hears that it is unknown whether it was taken.
    pub append_ms_max: u32,
    /// How long a question to the cluster may take.
    pub answer_ms_max: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    #[default]
    Plaintext,
    Ssl,
    SaslPlaintext,
    SaslSsl,
}

/// `lz4` costs about a thirtieth of a role's processor time, and saves most of what crosses the network and lies on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    None,
    #[default]
    Lz4,
    Zstd,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sasl {
    /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    pub mechanism: String,
    pub username: String,
    pub password_file: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bootstrap: String::new(),
            security: Security::default(),
            allow_plaintext: false,
            ca_file: None,
            certificate_file: None,
            key_file: None,
            key_password_file: None,
            sasl: None,
            namespace: String::new(),
            compression: Compression::default(),
            replication: None,
            poll_interval_ms_max: 300_000,
            transaction_ms_max: 10_000,
            append_ms_max: 30_000,
            answer_ms_max: 10_000,
        }
    }
}

impl Config {
    /// A cluster that is reached without encryption or credentials, as on loopback.
    pub fn plaintext(bootstrap: impl Into<String>) -> Self {
        Self {
            bootstrap: bootstrap.into(),
            ..Self::default()
        }
    }

    /// What is wrong with it, each with its field and a remedy.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.bootstrap.trim().is_empty() {
            faults.push("`bootstrap` is empty; name at least one broker as `host:port`".to_owned());
        }
        let near = self.bootstrap.is_empty() || is_loopback(&self.bootstrap);
        if !self.security.encrypts() && !self.allow_plaintext && !near {
            faults.push(format!(
                "`security` is `{}` and `bootstrap` ({}) is not on loopback, so that customers' data would cross the network \
                 unencrypted; set `security` to `ssl` or `sasl_ssl`, or `allow_plaintext = true`",
                self.security.as_str(),
                self.bootstrap
            ));
        }
        if self.security.authenticates() != self.sasl.is_some() {
            faults.push(format!(
                "`security` is `{}` and the table `sasl` is {}; one needs the other",
                self.security.as_str(),
                if self.sasl.is_some() {
                    "given"
                } else {
                    "missing"
                }
            ));
        }
        if self.certificate_file.is_some() != self.key_file.is_some() {
            faults.push(
                "`certificate_file` and `key_file` belong together; give both or none".to_owned(),
            );
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        if !self.namespace.chars().all(allowed) || self.namespace.len() > 100 {
            faults.push(format!(
                "`namespace` is `{}`; at most 100 letters, digits, `.`, `-` and `_` may stand in a topic's name",
                self.namespace
            ));
        }
        if self.replication == Some(0) {
            faults.push("`replication` is 0; leave it out or give at least 1".to_owned());
        }
        if !(1_000..=900_000).contains(&self.transaction_ms_max) {
            faults.push(format!(
                "`transaction_ms_max` is {}; it must be between 1000 and 900000, the most that brokers allow by default",
                self.transaction_ms_max
            ));
        }
        if self.poll_interval_ms_max <= self.transaction_ms_max {
            faults.push(format!(
                "`poll_interval_ms_max` is {} and must be more than `transaction_ms_max`, {}: a commit happens between two polls",
                self.poll_interval_ms_max, self.transaction_ms_max
            ));
        }
        faults
    }

    pub(super) fn answer(&self) -> Duration {
        Duration::from_millis(self.answer_ms_max.into())
    }

    /// What every client is made of.
    pub(super) fn client(&self) -> Result<ClientConfig, Error> {
        if let Some(fault) = self.faults().into_iter().next() {
            return Err(refused(fault));
        }
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", &self.bootstrap)
            .set("security.protocol", self.security.as_str())
            .set("client.id", format!("{}polku", self.namespace))
            // A topic that is missing is an error to be named, not one to be made with a broker's defaults.
            .set("allow.auto.create.topics", "false")
            .set("socket.keepalive.enable", "true")
            // A broker that comes back is found within a second, not within ten.
            .set("reconnect.backoff.max.ms", "1000");
        for (name, file) in [
            ("ssl.ca.location", &self.ca_file),
            ("ssl.certificate.location", &self.certificate_file),
            ("ssl.key.location", &self.key_file),
        ] {
            if let Some(file) = file {
                client.set(name, file.display().to_string());
            }
        }
        if let Some(file) = &self.key_file {
            // librdkafka reads it itself; here it is only seen that nobody else does.
            secret(file)?;
        }
        if let Some(file) = &self.key_password_file {
            client.set("ssl.key.password", secret(file)?);
        }
        if let Some(sasl) = &self.sasl {
            client
                .set("sasl.mechanism", &sasl.mechanism)
                .set("sasl.username", &sasl.username)
                .set("sasl.password", secret(&sasl.password_file)?);
        }
        Ok(client)
    }

    /// A consumer that reads partitions it is told to, from offsets it is told.
    pub(super) fn consumer(&self, isolation: Isolation) -> Result<ClientConfig, Error> {
        let mut consumer = self.client()?;
        consumer
            .set("isolation.level", isolation.as_str())
            // Offsets leave only in transactions: stored ones would pass over the transaction, and a client dropped after
            // storing can hang (librdkafka #453).
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // An offset that is gone must not quietly become the start (double) or the end (skip).
            .set("auto.offset.reset", "error")
            // A partition resumed while a fetch waits at the broker is fetched only after it.
            .set("fetch.wait.max.ms", "50")
            // By default a second passes before a full queue is filled again.
            .set("fetch.queue.backoff.ms", "20")
            .set("queued.max.messages.kbytes", "32768");
        Ok(consumer)
    }

    /// A producer whose records are acknowledged by all in-sync replicas, each once and in order.
    pub(super) fn producer(&self) -> Result<ClientConfig, Error> {
        let mut producer = self.client()?;
        producer
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("compression.type", self.compression.as_str())
            .set("linger.ms", "2")
            .set("batch.size", "1000000")
            // Room for the largest record and what surrounds it, still below the brokers' 1048588.
            .set("message.max.bytes", "1048576")
            .set("queue.buffering.max.messages", "1000000")
            .set("queue.buffering.max.kbytes", "262144")
            // The next transaction meets the last one's markers still on their way, and waits this long before it asks
            // again: with the default of 100 a commit takes 104 ms, with this 9.
            .set("retry.backoff.ms", "5")
            // How long a topic may be unknown before its records fail; topics are made before anything is sent to them.
            .set("topic.metadata.propagation.max.ms", "5000");
        Ok(producer)
    }
}

impl Compression {
    const fn as_str(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        }
    }
}

impl Security {
    pub const fn as_str(self) -> &'static str {
        match self {
            Security::Plaintext => "plaintext",
            Security::Ssl => "ssl",
            Security::SaslPlaintext => "sasl_plaintext",
            Security::SaslSsl => "sasl_ssl",
        }
    }

    fn encrypts(self) -> bool {
        match self {
            Security::Ssl | Security::SaslSsl => true,
            Security::Plaintext | Security::SaslPlaintext => false,
        }
    }

    pub(super) fn authenticates(self) -> bool {
        match self {
            Security::SaslPlaintext | Security::SaslSsl => true,
            Security::Plaintext | Security::Ssl => false,
        }
    }
}

/// What a consumer may see, and up to where its questions for the end of a partition look.
#[derive(Clone, Copy, Debug)]
pub(super) enum Isolation {
    Committed,
    Uncommitted,
}

impl Isolation {
    fn as_str(self) -> &'static str {
        match self {
            Isolation::Committed => "read_committed",
            Isolation::Uncommitted => "read_uncommitted",
        }
    }
}

fn is_loopback(bootstrap: &str) -> bool {
    bootstrap.split(',').all(|broker| {
        let host = broker
            .trim()
            .rsplit_once(':')
            .map_or(broker, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    })
}

fn secret(file: &Path) -> Result<String, Error> {
    service::secret::read_text(file).map_err(|error| refused(format!("{} {error}", file.display())))
}

fn refused(text: String) -> Error {
    Error::Log {
        doing: "configure Kafka".to_owned(),
        text,
        severity: Severity::Fatal,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn check(config: Config, expected: &[&str]) {
        let faults = config.faults();
        assert_eq!(faults.len(), expected.len(), "{faults:?}");
        for (fault, part) in faults.iter().zip(expected) {
            assert!(fault.contains(part), "`{fault}` does not say `{part}`");
        }
    }

    #[test]
    fn a_configuration_says_what_is_wrong_with_it() {
        for bootstrap in ["127.0.0.1:9092", "localhost:1,[::1]:2", "127.8.0.1:9092"] {
            check(Config::plaintext(bootstrap), &[]);
        }
        for bootstrap in ["kafka:9092", "127.0.0.1:9092,10.0.0.7:9092"] {
            check(Config::plaintext(bootstrap), &["allow_plaintext = true"]);
        }
        let far = Config::plaintext("kafka:9092");
        check(
            Config {
                allow_plaintext: true,
                ..far.clone()
            },
            &[],
        );
        check(
            Config {
                security: Security::Ssl,
                ..far.clone()
            },
            &[],
        );
        check(
            Config {
                security: Security::SaslSsl,
                ..far
            },
            &["`sasl` is missing"],
        );
        check(
            Config {
                transaction_ms_max: 10,
                namespace: "a b".to_owned(),
                replication: Some(0),
                key_file: Some(PathBuf::from("key")),
                ..Config::default()
            },
            &[
                "`bootstrap`",
                "`key_file`",
                "`namespace`",
                "`replication`",
                "`transaction_ms_max`",
            ],
        );
    }

    #[test]
    fn a_secret_is_read_from_its_file_without_the_line_end() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        fs::write(&file, "correct horse\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let config = Config {
            security: Security::SaslSsl,
            sasl: Some(Sasl {
                mechanism: "SCRAM-SHA-512".to_owned(),
                username: "polku".to_owned(),
                password_file: file.clone(),
            }),
            ..Config::plaintext("127.0.0.1:9092")
        };
        let client = config.client().unwrap();
        assert_eq!(client.get("sasl.password"), Some("correct horse"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let open = config.client().unwrap_err().to_string();
        assert!(open.contains("chmod 600"), "{open}");
        fs::remove_file(&file).unwrap();
        let missing = config.client().unwrap_err().to_string();
        assert!(missing.contains("password"), "{missing}");
    }
}
