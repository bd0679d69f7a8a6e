//! How each machine hangs on the log: which topics it reads, and how their bytes become what it takes.

use alerter::cases::{self, Cases};
use event::{Record, Topic, topic::MachineName};
use stream::{Append, Read, run::Binding};
use unifier::{
    identify::{self, Identify},
    unify::{self, Unify},
};

/// Raised when the rows of a machine change their shape; its state is then rebuilt from its inputs.
const ROW_VERSION: u8 = 1;

/// What the doors wrote, who its values belong to, and what other partitions send to its profiles.
pub fn unify() -> Binding<Unify> {
    let inputs = vec![
        Topic::Event,
        Topic::IdentityAssignment,
        Topic::TimelineInput,
    ];
    let take = |record: Record| match record {
        Record::Event(event) => Ok(unify::Record::Event(event)),
        Record::Assignment(assignment) => Ok(unify::Record::Assignment(assignment)),
        Record::TimelineInput(input) => Ok(unify::Record::Timeline(input)),
        other => Err(other),
    };
    Binding::new(
        MachineName::Unify,
        inputs,
        ROW_VERSION,
        move |read| decode(read, take),
        encode,
    )
}

/// Everything the single decision maker hears.
pub fn identify() -> Binding<Identify> {
    let take = |record: Record| match record {
        Record::Link(link) => Ok(identify::Record::Link(link)),
        other => Err(other),
    };
    Binding::new(
        MachineName::Identify,
        vec![Topic::IdentityLink],
        ROW_VERSION,
        move |read| decode(read, take),
        encode,
    )
}

/// Signals from the timelines, commands from people.
pub fn cases() -> Binding<Cases> {
    let take = |record: Record| match record {
        Record::CaseInput(input) => Ok(cases::Record::Input(input)),
        other => Err(other),
    };
    Binding::new(
        MachineName::Cases,
        vec![Topic::CaseInput],
        ROW_VERSION,
        move |read| decode(read, take),
        encode,
    )
}

fn decode<T>(read: &Read, take: impl Fn(Record) -> Result<T, Record>) -> Result<T, String> {
    let value = read.value.as_deref().ok_or("the record has no value")?;
    let record = wire::decode(&read.at.topic, value).map_err(|error| error.to_string())?;
    take(record).map_err(|other| format!("a record of {} is no input", other.topic()))
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
