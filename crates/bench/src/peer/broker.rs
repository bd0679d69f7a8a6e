//! A real broker on loopback, as layer 5 starts it.

use std::process::Command;

use anyhow::{Context as _, bail};
use stream::{SharedLog, kafka};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/dev/kafka/kafka");

/// It ends with this process, however that ends, and its data with it.
#[derive(Debug)]
pub(crate) struct Broker {
    bootstrap: String,
    name: String,
}

impl Broker {
    pub(crate) fn start() -> anyhow::Result<Broker> {
        let name = format!("bench-{}", std::process::id());
        let output = script(&name, &["up", "1"])?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let Some(bootstrap) = said
            .lines()
            .find_map(|line| line.strip_prefix("KAFKA_BOOTSTRAP="))
        else {
            let why = String::from_utf8_lossy(&output.stderr);
            bail!("the broker did not start: {}", why.trim());
        };
        Ok(Broker {
            bootstrap: bootstrap.to_owned(),
            name,
        })
    }

    pub(crate) fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// The topics under a prefix of their own.
    pub(crate) fn log(&self, namespace: &str) -> anyhow::Result<SharedLog> {
        let config = kafka::Config {
            namespace: namespace.to_owned(),
            // On a busy machine a broker takes its time over new topics.
            answer_ms_max: 60_000,
            ..kafka::Config::plaintext(&self.bootstrap)
        };
        Ok(kafka::Kafka::connect(config).context("connecting to the broker")?)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Err(error) = script(&self.name, &["down"]) {
            eprintln!("the broker was not stopped: {error}");
        }
    }
}

fn script(name: &str, arguments: &[&str]) -> anyhow::Result<std::process::Output> {
    Command::new(SCRIPT)
        .args(arguments)
        .env("KAFKA_NAME", name)
        .env("KAFKA_PORT", "0")
        .env("KAFKA_HEAP", "1g")
        .env("KAFKA_OWNER", std::process::id().to_string())
        .output()
        .with_context(|| format!("running {SCRIPT}"))
}
