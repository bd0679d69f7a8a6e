use std::{fmt, time::Duration};

use event::{Topic, topic::MachineName};
use machine::Machine;

use super::journal::Spare;
use crate::log::{Append, Read, TopicPartition};

/// Reads a record of the machine's inputs; the text says why it cannot be read.
pub type Decode<M> = Box<dyn Fn(&Read) -> Result<<M as Machine>::Record, String> + Send>;

/// Writes a record for a deployment of so many partitions to the end of other bytes: its key, then its value.
pub type Encode = Box<dyn Fn(&event::Record, u32, &mut Vec<u8>) -> Written + Send>;

/// A record that was written to the end of other bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub at: TopicPartition,
    pub key_bytes: usize,
}

impl Written {
    /// Writes what was made apart.
    pub fn copy(append: &Append, to: &mut Vec<u8>) -> Written {
        to.extend_from_slice(&append.key);
        to.extend_from_slice(append.value.as_deref().unwrap_or_default());
        Written {
            at: append.at.clone(),
            key_bytes: append.key.len(),
        }
    }
}

/// How a machine hangs on the log.
pub struct Binding<M: Machine> {
    pub machine: MachineName,
    pub inputs: Vec<Topic>,
    /// The input that comes before all others when a partition is taken over: what it holds then, such as the company's rules, is known
    /// when the others bring something.
    pub opening: Option<Topic>,
    pub decode: Decode<M>,
    pub encode: Encode,
    /// Leads every row of `state.<machine>`; raised when keys or rows change their shape.
    pub row_version: u8,
}

impl<M: Machine> Binding<M> {
    pub fn new(
        machine: MachineName,
        inputs: Vec<Topic>,
        row_version: u8,
        decode: impl Fn(&Read) -> Result<M::Record, String> + Send + 'static,
        encode: impl Fn(&event::Record, u32, &mut Vec<u8>) -> Written + Send + 'static,
    ) -> Self {
        assert!(!inputs.is_empty(), "a machine has an input");
        Self {
            machine,
            inputs,
            opening: None,
            decode: Box::new(decode),
            encode: Box::new(encode),
            row_version,
        }
    }

    /// With this input before all others.
    #[must_use]
    pub fn opened_by(self, input: Topic) -> Self {
        assert!(self.inputs.contains(&input), "it is an input");
        Self {
            opening: Some(input),
            ..self
        }
    }
}

impl<M: Machine> fmt::Debug for Binding<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding")
            .field("machine", &self.machine)
            .field("inputs", &self.inputs)
            .field("row_version", &self.row_version)
            .finish_non_exhaustive()
    }
}

/// The limits of a loop.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// P: the partitions of the deployment.
    pub partitions: u32,
    /// A commit costs by the partitions it writes to, hardly by its records: a loop that is behind takes many at once.
    pub batch_records_max: usize,
    /// Of the inputs of a batch, and again of its outputs.
    pub batch_bytes_max: usize,
    /// How long a poll waits for the first record.
    pub poll_wait: Duration,
    /// After which silence the group gives a member's partitions away.
    pub session: Duration,
    /// How many records of state a turn restores.
    pub restore_records_max: usize,
    /// How many superseded rows of state are borne on the log.
    pub spare: Spare,
    /// How often in a row a call is repeated before the member is given up.
    pub retries_max: u32,
    /// How often in a row the member may be lost before the process is.
    pub losses_max: u32,
    pub backoff_min: Duration,
    pub backoff_max: Duration,
    /// How often the ends of the inputs are asked for while a timer waits for them.
    pub end_every: Duration,
    /// How often the lag is measured.
    pub watch_every: Duration,
    /// After which time without progress though records wait a partition is read anew.
    pub stall: Duration,
    /// How many commits lie between trims of the inputs that are kept until read.
    pub trim_every_commits: u64,
    /// Ends the loop at any panic of the machine: for simulation. Otherwise the culprit is rejected.
    pub panics_fail: bool,
}

impl Options {
    pub fn new(partitions: u32) -> Self {
        Self {
            partitions,
            batch_records_max: 20_000,
            batch_bytes_max: 16 << 20,
            poll_wait: Duration::from_millis(50),
            session: Duration::from_secs(30),
            restore_records_max: 100,
            spare: Spare {
                rows: 10_000,
                times: 1,
            },
            retries_max: 10,
            losses_max: 8,
            backoff_min: Duration::from_millis(50),
            backoff_max: Duration::from_secs(5),
            end_every: Duration::from_millis(100),
            watch_every: Duration::from_secs(5),
            stall: Duration::from_secs(60),
            trim_every_commits: 500,
            panics_fail: false,
        }
    }

    /// For a harness that steps the loop itself and has no time to lose.
    pub fn for_simulation(partitions: u32) -> Self {
        Self {
            batch_records_max: 16,
            batch_bytes_max: 4_000,
            poll_wait: Duration::ZERO,
            restore_records_max: 2,
            spare: Spare { rows: 10, times: 0 },
            retries_max: 5,
            losses_max: 50,
            backoff_min: Duration::from_millis(1),
            backoff_max: Duration::from_millis(20),
            end_every: Duration::ZERO,
            trim_every_commits: 10,
            panics_fail: true,
            ..Self::new(partitions)
        }
    }
}
