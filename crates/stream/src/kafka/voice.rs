//! What librdkafka's clients say by themselves.

use std::sync::{Mutex, PoisonError};

use rdkafka::{
    ClientContext, config::RDKafkaLogLevel, consumer::ConsumerContext, error::KafkaError,
};

/// Passes a client's log on, and remembers why its last error happened: the error itself carries only a code.
#[derive(Debug, Default)]
pub(super) struct Voice {
    reason: Mutex<Option<String>>,
}

impl Voice {
    /// The reason of the last error, once.
    pub(super) fn take_reason(&self) -> Option<String> {
        self.reason
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    pub(super) fn say(level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error => tracing::error!(kafka.facility = facility, "{message}"),
            RDKafkaLogLevel::Warning => tracing::warn!(kafka.facility = facility, "{message}"),
            // A line for each connection that comes and goes.
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(kafka.facility = facility, "{message}");
            }
        }
    }

    pub(super) fn hear(&self, error: &KafkaError, reason: &str) {
        // The reason of an error that a call returns is logged by whoever handles it; this is for those that no call returns.
        tracing::debug!("{error}: {reason}");
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
    }
}

impl ClientContext for Voice {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        Self::say(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.hear(&error, reason);
    }
}

impl ConsumerContext for Voice {}
