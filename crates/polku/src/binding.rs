//! How each machine hangs on the log: which topics it reads, and how their bytes become what it takes.

use alerter::cases::{self, Cases};
use event::{Partition, Record, Topic, topic::MachineName};
use stream::{
    Append, Read, TopicPartition,
    run::{Binding, Written},
};
use unifier::{
    identify::{self, Identify},
    unify::{self, Unify},
};

/// Raised when the rows of a machine change their shape; its state is then rebuilt from its inputs.
const ROW_VERSION: u8 = 1;

/// What the doors wrote, what may be corrected first, who its values belong to, and what other partitions send to its profiles. The rules
/// come with the last, so that it opens a partition.
pub fn unify() -> Binding<Unify> {
    let inputs = vec![
        Topic::Event,
        Topic::Claim,
        Topic::IdentityAssignment,
        Topic::TimelineInput,
    ];
    let decode = |read: &Read| {
        let record = decode(read)?;
        if let Record::Event(event) = record {
            Ok(unify::Record::Event(event))
        } else if let Record::Claim(event) = record {
            Ok(unify::Record::Claim(event))
        } else if let Record::Assignment(assignment) = record {
            Ok(unify::Record::Assignment(assignment))
        } else if let Record::TimelineInput(input) = record {
            Ok(unify::Record::Timeline(input))
        } else {
            Err(no_input(&record))
        }
    };
    Binding::new(MachineName::Unify, inputs, ROW_VERSION, decode, write)
        .opened_by(Topic::TimelineInput)
}

/// Everything the single decision maker hears.
pub fn identify() -> Binding<Identify> {
    let inputs = vec![Topic::IdentityLink];
    let decode = |read: &Read| {
        let record = decode(read)?;
        if let Record::Link(link) = record {
            Ok(identify::Record::Link(link))
        } else {
            Err(no_input(&record))
        }
    };
    Binding::new(MachineName::Identify, inputs, ROW_VERSION, decode, write)
}

/// Signals from the timelines, commands from people.
pub fn cases() -> Binding<Cases> {
    let inputs = vec![Topic::CaseInput];
    let decode = |read: &Read| {
        let record = decode(read)?;
        if let Record::CaseInput(input) = record {
            Ok(cases::Record::Input(input))
        } else {
            Err(no_input(&record))
        }
    };
    Binding::new(MachineName::Cases, inputs, ROW_VERSION, decode, write)
}

fn decode(read: &Read) -> Result<Record, String> {
    let value = read.value.as_deref().ok_or("the record has no value")?;
    wire::decode(&read.at.topic, value).map_err(|error| error.to_string())
}

fn no_input(record: &Record) -> String {
    format!("a record of {} is no input", record.topic())
}

/// Writes a record at the end of other bytes: its key, then its value.
fn write(record: &Record, partitions: u32, to: &mut Vec<u8>) -> Written {
    let (topic, key) = (record.topic(), record.key());
    let partition = Partition::of(&key, topic.partitions().count(partitions));
    to.extend_from_slice(&key);
    wire::encode_into(record, to);
    Written {
        at: TopicPartition::new(topic, partition),
        key_bytes: key.len(),
    }
}

/// A record as it is appended, in a deployment of so many partitions.
pub fn encode(record: &Record, partitions: u32) -> Append {
    Append::keyed(
        record.topic(),
        record.key(),
        Some(wire::encode(record)),
        partitions,
    )
}
