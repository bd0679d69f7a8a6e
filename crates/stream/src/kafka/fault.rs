//! What a Kafka error means. Nothing else in Polku looks at codes.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use crate::{Error, Severity};

/// What was being done: the same code means something else to a question than to the end of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Connecting, asking, reading: nothing changes.
    Ask,
    /// An append outside of any transaction.
    Append,
    /// Anything within a transaction, its end included.
    Transaction,
}

/// Nothing will make these work but a person.
const FATAL: &[Code] = &[
    Code::Authentication,
    Code::SSL,
    Code::UnsupportedFeature,
    Code::UnsupportedVersion,
    Code::UnsupportedSASLMechanism,
    Code::SaslAuthenticationFailed,
    Code::TopicAuthorizationFailed,
    Code::GroupAuthorizationFailed,
    Code::ClusterAuthorizationFailed,
    Code::TransactionalIdAuthorizationFailed,
    Code::SecurityDisabled,
    Code::UnknownTopic,
    Code::UnknownPartition,
    Code::UnknownTopicOrPartition,
    Code::InvalidTopic,
    Code::InvalidPartitions,
    Code::InvalidReplicationFactor,
    Code::InvalidConfig,
    Code::InvalidSessionTimeout,
    Code::InvalidTransactionTimeout,
    Code::InconsistentGroupProtocol,
    Code::PolicyViolation,
    Code::MessageSizeTooLarge,
];

/// A newer owner exists, or the group has forgotten this member.
const FENCED: &[Code] = &[
    Code::Fenced,
    Code::FencedInstanceId,
    Code::InvalidProducerEpoch,
    Code::ProducerFenced,
    Code::TransactionCoordinatorFenced,
    Code::UnknownMemberId,
];

/// The client is of no more use (librdkafka needs a new instance after a fatal error), or what was read is gone.
const LOST: &[Code] = &[
    Code::Fatal,
    Code::AssignmentLost,
    Code::AutoOffsetReset,
    Code::InvalidProducerIdMapping,
    Code::InvalidTransactionalState,
    Code::OffsetOutOfRange,
    Code::PollExceeded,
    Code::State,
];

/// No answer, or one that says "not now". A question is asked again. Within a transaction it is unknown what happened: a delayed
/// commit or abort may even hit the next transaction, since librdkafka does not speak the second part of KIP-890. So the
/// producer is dropped and everything is rebuilt from what the broker holds.
const UNKNOWN: &[Code] = &[
    Code::AllBrokersDown,
    Code::BrokerNotAvailable,
    Code::BrokerTransportFailure,
    Code::ConcurrentTransactions,
    Code::CoordinatorLoadInProgress,
    Code::CoordinatorNotAvailable,
    Code::DestroyBroker,
    Code::InProgress,
    Code::LeaderNotAvailable,
    Code::MessageTimedOut,
    Code::NetworkException,
    Code::NotCoordinator,
    Code::NotEnoughReplicas,
    Code::NotEnoughReplicasAfterAppend,
    Code::NotLeaderForPartition,
    Code::OperationTimedOut,
    Code::PreviousInProgress,
    Code::PurgeInflight,
    Code::PurgeQueue,
    Code::QueueFull,
    Code::RequestTimedOut,
    Code::Resolve,
    Code::Retry,
    Code::ThrottlingQuotaExceeded,
    Code::TimedOutQueue,
    Code::UnstableOffsetCommit,
    Code::WaitCache,
    Code::WaitingForCoordinator,
];

pub(super) fn severity(error: &KafkaError, call: Call) -> Severity {
    // The flags say more than the code: a fatal one may carry any.
    let flags = if let KafkaError::Transaction(flags) = error {
        Some(flags)
    } else {
        None
    };
    let Some(code) = code(error) else {
        let misuse = matches!(
            error,
            KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_) | KafkaError::Nul(_)
        );
        return if misuse {
            Severity::Fatal
        } else {
            Severity::Abort
        };
    };
    if FATAL.contains(&code) {
        Severity::Fatal
    } else if FENCED.contains(&code)
        || LOST.contains(&code)
        || flags.is_some_and(|flags| flags.is_fatal())
    {
        Severity::Lost
    } else if UNKNOWN.contains(&code) || flags.is_some_and(|flags| flags.is_retriable()) {
        match call {
            Call::Ask | Call::Append => Severity::Retry,
            Call::Transaction => Severity::Lost,
        }
    } else {
        // A transaction that has to be aborted, such as one whose generation was overtaken by a rebalance, and all that is
        // not known here.
        Severity::Abort
    }
}

pub(super) fn is_fenced(error: &KafkaError) -> bool {
    code(error).is_some_and(|code| FENCED.contains(&code))
}

/// Whether a consumer's error is only that one broker went away: librdkafka connects again by itself, and says so with
/// another code when none is left. (Builds by `CMake` never do, librdkafka #5282; ours is not one, and a question fails anyway.)
pub(super) fn is_one_broker(error: &KafkaError) -> bool {
    matches!(
        code(error),
        Some(Code::BrokerTransportFailure | Code::Resolve | Code::OperationTimedOut)
    )
}

/// Whether a member was too long between two polls. It has left the group; a revocation follows.
pub(super) fn is_late(error: &KafkaError) -> bool {
    code(error) == Some(Code::PollExceeded)
}

pub(super) fn is_full(error: &KafkaError) -> bool {
    code(error) == Some(Code::QueueFull)
}

pub(super) fn is_missing(error: &KafkaError) -> bool {
    matches!(
        code(error),
        Some(Code::UnknownTopic | Code::UnknownPartition | Code::UnknownTopicOrPartition)
    )
}

/// An error of ours.
pub(super) fn error(
    doing: impl Into<String>,
    error: &KafkaError,
    reason: Option<&str>,
    call: Call,
) -> Error {
    Error::Log {
        doing: doing.into(),
        text: text(error, reason),
        severity: severity(error, call),
    }
}

/// What happened, why, and the remedy where there is one.
pub(super) fn text(error: &KafkaError, reason: Option<&str>) -> String {
    let mut text = if let KafkaError::ClientConfig(_, problem, name, _) = error {
        // The error's own text holds the value, which may be a secret.
        format!("{problem} ({name})")
    } else {
        error.to_string()
    };
    if let Some(reason) = reason {
        text = format!("{text}: {reason}");
    }
    if let Some(remedy) = code(error).and_then(remedy) {
        text = format!("{text}; {remedy}");
    }
    text
}

const REMEDIES: &[(Code, &str)] = &[
    (
        Code::TopicAuthorizationFailed,
        "grant the user READ, WRITE, DESCRIBE and DESCRIBE_CONFIGS on the topics `polku.*`, DELETE on `polku.*.input`, and CREATE for \
         `polku topics apply`",
    ),
    (
        Code::GroupAuthorizationFailed,
        "grant the user READ on the groups `polku.*`",
    ),
    (
        Code::TransactionalIdAuthorizationFailed,
        "grant the user WRITE and DESCRIBE on the transactional ids `polku.*`",
    ),
    (
        Code::ClusterAuthorizationFailed,
        "grant the user IDEMPOTENT_WRITE on the cluster, and CREATE for `polku topics apply`",
    ),
    (
        Code::Authentication,
        "check `kafka.sasl` and its password file",
    ),
    (
        Code::SaslAuthenticationFailed,
        "check `kafka.sasl` and its password file",
    ),
    (
        Code::SSL,
        "check `kafka.ca_file` and `kafka.certificate_file`",
    ),
    (
        Code::InvalidReplicationFactor,
        "set `kafka.replication` to at most the number of brokers",
    ),
    (
        Code::InvalidTransactionTimeout,
        "lower `kafka.transaction_ms_max` or raise the brokers' transaction.max.timeout.ms",
    ),
];

fn remedy(code: Code) -> Option<&'static str> {
    let found = REMEDIES.iter().find(|(of, _)| *of == code)?;
    Some(found.1)
}

fn code(error: &KafkaError) -> Option<Code> {
    // `rdkafka_error_code` leaves this one out.
    if let KafkaError::AdminOp(code) = error {
        return Some(*code);
    }
    error.rdkafka_error_code()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_classified_by_its_code_and_by_what_was_being_done() {
        use Call::{Append, Ask, Transaction};
        use Severity::{Abort, Fatal, Lost, Retry};
        for (code, call, expected) in [
            (Code::OperationTimedOut, Ask, Retry),
            (Code::OperationTimedOut, Append, Retry),
            (Code::OperationTimedOut, Transaction, Lost),
            (Code::MessageTimedOut, Transaction, Lost),
            (Code::QueueFull, Append, Retry),
            (Code::IllegalGeneration, Transaction, Abort),
            (Code::UnknownMemberId, Transaction, Lost),
            (Code::ProducerFenced, Transaction, Lost),
            (Code::Fatal, Append, Lost),
            (Code::TopicAuthorizationFailed, Ask, Fatal),
            (Code::TopicAuthorizationFailed, Transaction, Fatal),
            (Code::OffsetOutOfRange, Ask, Lost),
            (Code::Unknown, Transaction, Abort),
            (Code::InvalidRecord, Transaction, Abort),
        ] {
            let error = KafkaError::Global(code);
            assert_eq!(severity(&error, call), expected, "{code:?} in {call:?}");
        }
        // The admin client wraps its codes in another way.
        let admin = KafkaError::AdminOp(Code::ClusterAuthorizationFailed);
        assert_eq!(severity(&admin, Ask), Fatal);
    }

    #[test]
    fn a_secret_in_a_rejected_setting_is_not_shown() {
        let mut client = rdkafka::ClientConfig::new();
        client.set("sasl.passwort", "correct horse");
        let problem = client.create_native_config().err().unwrap();
        let shown = error("connect", &problem, None, Call::Ask).to_string();
        assert!(shown.contains("sasl.passwort"), "{shown}");
        assert!(!shown.contains("correct horse"), "{shown}");
    }
}
