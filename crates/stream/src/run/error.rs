use event::{Millis, Partition, topic::MachineName};

/// Why a loop ended. What can be mended by trying again was tried again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the wall clock left the monotonic one by {by}; correct the clock and start again")]
    Clock { by: Millis },
    #[error("a tick of {} in partition {partition} broke an assertion: {text}", machine.as_str())]
    Tick {
        machine: MachineName,
        partition: Partition,
        text: String,
    },
    /// Only where panics are to fail: elsewhere the record is rejected.
    #[error("a step of {} broke an assertion: {text}", machine.as_str())]
    Step { machine: MachineName, text: String },
    #[error("a row of {at} cannot be read: {text}")]
    Row { at: String, text: String },
    #[error("{} lost its partitions {losses} times in a row", machine.as_str())]
    Lost {
        machine: MachineName,
        losses: u32,
        #[source]
        source: crate::Error,
    },
    #[error(transparent)]
    Log(#[from] crate::Error),
}

impl Error {
    /// The exit code of the process that ends for it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Row { .. } | Error::Log(_) => 1,
            Error::Tick { .. } | Error::Step { .. } => 70,
            Error::Clock { .. } | Error::Lost { .. } => 75,
        }
    }
}
