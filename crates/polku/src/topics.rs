//! `polku topics apply`: makes every topic from its one declaration in `event::topic`.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use event::{Company, Topic};
use service::shutdown::Shutdown;
use stream::{Log, log::TopicSpec};

use crate::company;

pub fn spec(topic: Topic, partitions: u32) -> TopicSpec {
    TopicSpec {
        partitions: topic.partitions().count(partitions),
        kept: topic.kept(),
        topic,
    }
}

/// One topic for each department that can be told something.
pub fn notices(company: &Company) -> impl Iterator<Item = Topic> + use<> {
    alerter::route::departments(company)
        .into_iter()
        .map(Topic::Notice)
}

/// Makes what is missing; what exists is left as it is. Departments of the company in force get their topics too.
///
/// # Errors
/// When a topic exists with another number of partitions: co-partitioned topics must agree.
pub fn apply(log: &dyn Log, partitions: u32) -> anyhow::Result<Vec<TopicSpec>> {
    let fixed = Topic::FIXED.into_iter().chain(notices(&Company::default()));
    let mut specs: Vec<TopicSpec> = fixed.map(|topic| spec(topic, partitions)).collect();
    log.create_topics(&specs).context("making the topics")?;
    let company = company::in_force(log)?;
    let own: Vec<TopicSpec> = notices(&company)
        .map(|topic| spec(topic, partitions))
        .filter(|own| !specs.contains(own))
        .collect();
    log.create_topics(&own)
        .context("making the topics of the departments")?;
    specs.extend(own);
    Ok(specs)
}

/// Waits until every topic that does not hang on a company is there; false when told to stop before. For whoever starts the
/// roles and `apply` at the same time.
///
/// # Errors
/// When a topic exists with another number of partitions, or the log cannot be asked.
pub async fn wait(log: &dyn Log, partitions: u32, shutdown: &Shutdown) -> anyhow::Result<bool> {
    loop {
        let there = log.topics().context("asking for the topics")?;
        let mut missing = Vec::new();
        for wanted in Topic::FIXED.map(|topic| spec(topic, partitions)) {
            match there.iter().find(|found| found.topic == wanted.topic) {
                None => missing.push(wanted.topic),
                Some(found) => ensure!(
                    found.partitions == wanted.partitions,
                    "topic {} has {} partitions and `log.partitions` asks for {}: set it to the number the topics were made with",
                    found.topic,
                    found.partitions,
                    wanted.partitions
                ),
            }
        }
        let Some(first) = missing.first() else {
            return Ok(true);
        };
        tracing::info!(kafka.topic = %first, missing = missing.len(), "waiting for topics; `polku topics apply` makes them");
        tokio::select! { () = tokio::time::sleep(ASK_EVERY) => {}, () = shutdown.stopping() => return Ok(false) }
    }
}

const ASK_EVERY: Duration = Duration::from_secs(1);
