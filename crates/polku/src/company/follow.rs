//! Hears of each company that comes into force.

use std::{collections::BTreeMap, thread, time::Duration};

use anyhow::bail;
use event::{Company, Partition, Record, Topic};
use service::shutdown::Shutdown;
use stream::{Reader, TopicPartition, log::SharedLog};

use super::written;

/// Tells whoever wants to know of each company that comes into force.
pub struct Follower {
    reader: Box<dyn Reader>,
}

impl Follower {
    /// # Errors
    /// When the topic cannot be read.
    pub fn new(log: &SharedLog) -> anyhow::Result<Follower> {
        let at = TopicPartition::new(Topic::Config, Partition(0));
        let start = log.start(&at)?;
        Ok(Follower {
            reader: log.read(BTreeMap::from([(at, start)]))?,
        })
    }

    /// Follows until the process stops. What cannot be read is logged, and the rules stay as they are.
    pub fn run(mut self, shutdown: &Shutdown, tell: impl Fn(&Company)) {
        while !shutdown.is_stopping() {
            let reads = match self.reader.poll(100, FOLLOW_WAIT) {
                Ok(reads) => reads,
                Err(error) => {
                    tracing::warn!(%error, "following the company; trying again");
                    thread::park_timeout(FOLLOW_WAIT);
                    Vec::new()
                }
            };
            for value in reads.into_iter().filter_map(|read| read.value) {
                match understand(&value) {
                    Ok(company) => tell(&company),
                    Err(error) => tracing::error!(
                        error = format!("{error:#}"),
                        "the new company cannot be read"
                    ),
                }
            }
        }
    }
}

/// How soon it is heard of at the latest, where the log can be read.
pub(super) const FOLLOW_WAIT: Duration = Duration::from_millis(500);

fn understand(value: &[u8]) -> anyhow::Result<Company> {
    let record = wire::decode(&Topic::Config, value)?;
    let Record::Config(config) = record else {
        bail!(
            "a record of {} in the topic of configurations",
            record.topic()
        )
    };
    written(&config)
}
