//! `polku topics apply`: makes every topic from its one declaration in `event::topic`.

use anyhow::Context as _;
use event::{Company, Topic};
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
