use std::io;

/// What to do about an error. Kafka's codes are classified here and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The same call may succeed later; nothing happened.
    Retry,
    /// This commit did not happen: undo the batch, rewind, go on.
    Abort,
    /// Ownership is gone, or it is unknown whether the commit happened: drop the member, join anew, rebuild.
    Lost,
    /// Nothing will make this work; say so and end the process.
    Fatal,
}

impl Severity {
    /// The metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Retry => "retry",
            Severity::Abort => "abort",
            Severity::Lost => "lost",
            Severity::Fatal => "fatal",
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{doing}: {source}")]
    Io {
        doing: String,
        #[source]
        source: io::Error,
    },
    #[error("{doing}: {text}")]
    Log {
        doing: String,
        text: String,
        severity: Severity,
    },
    /// A newer owner of the partition exists.
    #[error("fenced at {at}: a newer owner commits there")]
    Fenced { at: String },
    #[error("the free space under {path} is below the reserve of {reserve_bytes} bytes")]
    DiskFull { path: String, reserve_bytes: u64 },
    #[error("topic {topic} {problem}; {remedy}")]
    Topic {
        topic: String,
        problem: String,
        remedy: String,
    },
    #[error("{path} is in use by another process; stop that one first or choose another --data")]
    InUse { path: String },
}

impl Error {
    pub fn severity(&self) -> Severity {
        match self {
            Error::Io { .. } | Error::Topic { .. } | Error::InUse { .. } => Severity::Fatal,
            Error::DiskFull { .. } => Severity::Retry,
            Error::Fenced { .. } => Severity::Lost,
            Error::Log { severity, .. } => *severity,
        }
    }
}
