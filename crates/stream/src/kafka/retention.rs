//! How long topics are kept, in Kafka's settings.

use event::{
    Topic,
    time::Millis,
    topic::{Kept, MachineName},
};
use rdkafka::admin::ConfigResource;

/// The machine whose committed offset a topic that is kept until read waits for.
pub(super) fn reader(topic: &Topic) -> Option<MachineName> {
    match topic {
        Topic::TimelineInput => Some(MachineName::Unify),
        Topic::CaseInput => Some(MachineName::Cases),
        Topic::Event
        | Topic::Claim
        | Topic::IdentityLink
        | Topic::IdentityAssignment
        | Topic::Timeline
        | Topic::Case
        | Topic::CommandOutcome
        | Topic::Notice(_)
        | Topic::Reject
        | Topic::Sent
        | Topic::Access
        | Topic::Config
        | Topic::State(_) => None,
    }
}

/// The settings of a topic that is kept so. What is kept until read is let go of by request alone.
pub(super) fn settings(kept: Kept) -> Vec<(&'static str, String)> {
    let policy = match kept {
        Kept::Compacted => "compact",
        Kept::Always | Kept::UntilRead | Kept::For(_) => "delete",
    };
    let retention = match kept {
        Kept::Compacted | Kept::Always | Kept::UntilRead => -1,
        Kept::For(length) => length.as_millis(),
    };
    vec![
        ("cleanup.policy", policy.to_owned()),
        ("retention.ms", retention.to_string()),
        ("retention.bytes", "-1".to_owned()),
    ]
}

/// How a topic was found to be kept.
pub(super) fn kept(topic: &Topic, found: &ConfigResource) -> Kept {
    let value = |name| {
        found
            .get(name)
            .and_then(|entry| entry.value.as_deref())
            .unwrap_or_default()
    };
    let retention = value("retention.ms").parse::<i64>().unwrap_or(-1);
    match value("cleanup.policy") {
        "compact" => Kept::Compacted,
        // Compacted, and cut off by time as well: what is cut off is gone.
        _ if retention >= 0 => Kept::For(Millis::new(retention)),
        // Who trims it is not the brokers' affair, so that their settings are those of a topic that is always kept.
        _ if topic.kept() == Kept::UntilRead => Kept::UntilRead,
        _ => Kept::Always,
    }
}
