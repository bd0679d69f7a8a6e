//! Every topic, declared once, and the partition of a key.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{DepartmentId, time::Millis};

/// The number of a partition within its topic.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Partition(pub u32);

impl Partition {
    /// The partition of a key: its first eight bytes, big-endian, modulo the topic's partition count. Shorter keys are
    /// padded with zeros at the end. Always set explicitly, since clients' default partitioners differ.
    pub fn of(key: &[u8], partitions: u32) -> Partition {
        assert!(partitions > 0, "a topic has at least one partition");
        let mut head = [0; 8];
        let length = key.len().min(8);
        head[..length].copy_from_slice(&key[..length]);
        let number = u64::from_be_bytes(head) % u64::from(partitions);
        Partition(u32::try_from(number).expect("a remainder is smaller than its divisor"))
    }

    /// The eight bytes that lead a key to this partition, whatever the count (as long as it is greater).
    pub fn key(self) -> [u8; 8] {
        u64::from(self.0).to_be_bytes()
    }

    pub fn all(partitions: u32) -> impl Iterator<Item = Partition> {
        (0..partitions).map(Partition)
    }

    pub fn index(self) -> usize {
        usize::try_from(self.0).expect("a partition number fits the address space")
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The machines that run in the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MachineName {
    Unify,
    Identify,
    Cases,
}

impl MachineName {
    pub const ALL: [MachineName; 3] = [
        MachineName::Unify,
        MachineName::Identify,
        MachineName::Cases,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            MachineName::Unify => "unify",
            MachineName::Identify => "identify",
            MachineName::Cases => "cases",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    Event,
    Claim,
    IdentityLink,
    IdentityAssignment,
    TimelineInput,
    Timeline,
    CaseInput,
    Case,
    CommandOutcome,
    Notice(DepartmentId),
    Reject,
    Sent,
    Access,
    Config,
    State(MachineName),
}

/// How many partitions a topic has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partitions {
    One,
    /// As many as the deployment's P.
    P,
}

impl Partitions {
    pub fn count(self, p: u32) -> u32 {
        match self {
            Partitions::One => 1,
            Partitions::P => p,
        }
    }
}

/// How long a topic keeps its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Always,
    /// The last record of each key.
    Compacted,
    /// Trimmed by request, below the committed offset.
    UntilRead,
    For(Millis),
}

const PREFIX: &str = "polku.";

impl Topic {
    /// The topics that do not depend on the company.
    pub const FIXED: [Topic; 16] = [
        Topic::Event,
        Topic::Claim,
        Topic::IdentityLink,
        Topic::IdentityAssignment,
        Topic::TimelineInput,
        Topic::Timeline,
        Topic::CaseInput,
        Topic::Case,
        Topic::CommandOutcome,
        Topic::Reject,
        Topic::Sent,
        Topic::Access,
        Topic::Config,
        Topic::State(MachineName::Unify),
        Topic::State(MachineName::Identify),
        Topic::State(MachineName::Cases),
    ];

    pub fn name(&self) -> String {
        match self {
            Topic::Event => format!("{PREFIX}event"),
            Topic::Claim => format!("{PREFIX}claim"),
            Topic::IdentityLink => format!("{PREFIX}identity.link"),
            Topic::IdentityAssignment => format!("{PREFIX}identity.assignment"),
            Topic::TimelineInput => format!("{PREFIX}timeline.input"),
            Topic::Timeline => format!("{PREFIX}timeline"),
            Topic::CaseInput => format!("{PREFIX}case.input"),
            Topic::Case => format!("{PREFIX}case"),
            Topic::CommandOutcome => format!("{PREFIX}command.outcome"),
            Topic::Notice(department) => format!("{PREFIX}notice.{department}"),
            Topic::Reject => format!("{PREFIX}reject"),
            Topic::Sent => format!("{PREFIX}sent"),
            Topic::Access => format!("{PREFIX}access"),
            Topic::Config => format!("{PREFIX}config"),
            Topic::State(machine) => format!("{PREFIX}state.{}", machine.as_str()),
        }
    }

    /// The topic of that name, if it is one of ours.
    pub fn parse(name: &str) -> Option<Topic> {
        if let Some(department) = name.strip_prefix(PREFIX)?.strip_prefix("notice.") {
            return DepartmentId::new(department).ok().map(Topic::Notice);
        }
        Topic::FIXED.into_iter().find(|topic| topic.name() == name)
    }

    pub fn partitions(&self) -> Partitions {
        match self {
            Topic::IdentityLink
            | Topic::Notice(_)
            | Topic::Config
            | Topic::State(MachineName::Identify) => Partitions::One,
            Topic::Event
            | Topic::Claim
            | Topic::IdentityAssignment
            | Topic::TimelineInput
            | Topic::Timeline
            | Topic::CaseInput
            | Topic::Case
            | Topic::CommandOutcome
            | Topic::Reject
            | Topic::Sent
            | Topic::Access
            | Topic::State(MachineName::Unify | MachineName::Cases) => Partitions::P,
        }
    }

    pub fn kept(&self) -> Kept {
        match self {
            Topic::Event | Topic::IdentityLink => Kept::Always,
            Topic::IdentityAssignment
            | Topic::Timeline
            | Topic::Case
            | Topic::Config
            | Topic::State(_) => Kept::Compacted,
            Topic::TimelineInput | Topic::CaseInput => Kept::UntilRead,
            Topic::CommandOutcome => Kept::For(Millis::from_days(7)),
            Topic::Claim => Kept::For(Millis::from_days(35)),
            Topic::Notice(_) | Topic::Reject | Topic::Sent => Kept::For(Millis::from_days(30)),
            Topic::Access => Kept::For(Millis::from_days(730)),
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_reads_back_from_its_name() {
        let notice = Topic::Notice(DepartmentId::new("delivery").unwrap());
        for topic in Topic::FIXED.into_iter().chain([notice]) {
            assert_eq!(Topic::parse(&topic.name()), Some(topic));
        }
        assert_eq!(Topic::parse("polku.nothing"), None);
        assert_eq!(Topic::parse("event"), None);
    }

    #[test]
    fn a_partition_is_the_keys_first_eight_bytes_modulo_the_count() {
        for (key, partitions, expected) in [
            (&[0, 0, 0, 0, 0, 0, 0, 5, 99][..], 4, 1),
            (&[1, 0, 0, 0, 0, 0, 0, 0][..], 8, 0),
            (&[0xff; 16][..], 16, 15),
            (&[][..], 3, 0),
        ] {
            assert_eq!(
                Partition::of(key, partitions),
                Partition(expected),
                "{key:?}"
            );
        }
        assert_eq!(Partition::of(&Partition(3).key(), 4), Partition(3));
    }
}
