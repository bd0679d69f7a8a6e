//! `polku topics apply`: makes every topic from its one declaration in `event::topic`.

use std::sync::LazyLock;

use anyhow::Context as _;
use event::{DepartmentId, Topic};
use stream::{Log, log::TopicSpec};

/// The departments that get notices whatever `company.toml` says: who receives when nothing is configured, and who watches tests.
pub static BUILT_IN_DEPARTMENTS: LazyLock<Vec<DepartmentId>> = LazyLock::new(|| {
    ["customer-care", "canary"]
        .iter()
        .map(|id| DepartmentId::new(id).expect("the built-in departments have good ids"))
        .collect()
});

pub fn spec(topic: Topic, partitions: u32) -> TopicSpec {
    TopicSpec {
        partitions: topic.partitions().count(partitions),
        kept: topic.kept(),
        topic,
    }
}

/// Makes what is missing; what exists is left as it is.
///
/// # Errors
/// When a topic exists with another number of partitions: co-partitioned topics must agree.
pub fn apply(log: &dyn Log, partitions: u32) -> anyhow::Result<Vec<TopicSpec>> {
    let notices = BUILT_IN_DEPARTMENTS.iter().cloned().map(Topic::Notice);
    let specs: Vec<TopicSpec> = Topic::FIXED
        .into_iter()
        .chain(notices)
        .map(|topic| spec(topic, partitions))
        .collect();
    log.create_topics(&specs).context("making the topics")?;
    Ok(specs)
}
