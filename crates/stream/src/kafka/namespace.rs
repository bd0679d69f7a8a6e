use std::hash::{BuildHasher, RandomState};

use event::{Topic, topic::MachineName};

/// The names that Polku uses on a cluster: those of the design, behind a prefix of the deployment.
#[derive(Clone, Debug)]
pub(super) struct Namespace(String);

impl Namespace {
    pub(super) fn new(prefix: &str) -> Self {
        Self(prefix.to_owned())
    }

    pub(super) fn topic(&self, topic: &Topic) -> String {
        format!("{}{topic}", self.0)
    }

    /// The topic of that name, if it is one of this deployment.
    pub(super) fn parse(&self, name: &str) -> Option<Topic> {
        Topic::parse(name.strip_prefix(&self.0)?)
    }

    pub(super) fn group(&self, machine: MachineName) -> String {
        format!("{}polku.{}", self.0, machine.as_str())
    }

    /// A group in name only: librdkafka assigns nothing without one. It is never joined and nothing is committed to it.
    pub(super) fn reader(&self) -> String {
        format!("{}polku.reader", self.0)
    }

    /// Another one for every member: who is fenced is decided by the group's generation, which travels with the offsets, so
    /// that a partition may move between members without one producer per partition.
    pub(super) fn transactional_id(&self, machine: MachineName) -> String {
        // The keys of a new hasher are random.
        let instance = RandomState::new().hash_one(std::process::id());
        format!("{}.{instance:016x}", self.group(machine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_reads_back_from_its_name_on_the_cluster() {
        for prefix in ["", "staging."] {
            let names = Namespace::new(prefix);
            for topic in Topic::FIXED {
                let name = names.topic(&topic);
                assert_eq!(name, format!("{prefix}{topic}"));
                assert_eq!(names.parse(&name), Some(topic));
            }
            assert_eq!(names.parse("other.polku.event"), None);
            assert_eq!(names.parse("__consumer_offsets"), None);
        }
    }

    #[test]
    fn no_two_members_share_a_transactional_id() {
        let names = Namespace::new("");
        let first = names.transactional_id(MachineName::Unify);
        assert!(first.starts_with("polku.unify."), "{first}");
        assert_ne!(first, names.transactional_id(MachineName::Unify));
    }
}
