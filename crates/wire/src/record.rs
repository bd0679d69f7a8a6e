//! Every topic's payload, to and from bytes.

use event::{
    DepartmentId, Record, Topic, case::Case, case_input::CaseInput, link::Link, notice::Notice,
    rules::Rules, timeline::Timeline, timeline_input::TimelineInput,
};

use crate::{
    Error,
    catalogue::{Catalogue, Message, SHIPPED},
    payload::Payload,
    rules::Document,
};

/// The record as a message of the Confluent wire format, by the latest schema of its kind.
pub fn encode(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    encode_into(record, &mut bytes);
    bytes
}

/// The same at the end of other bytes.
pub fn encode_into(record: &Record, to: &mut Vec<u8>) {
    match record {
        Record::Event(event) | Record::Claim(event) => SHIPPED.write(event, to),
        Record::Link(Link::Set(set)) => SHIPPED.write(set, to),
        Record::Link(Link::Tick(tick)) => SHIPPED.write(tick, to),
        Record::Link(Link::Decision(decision)) => SHIPPED.write(decision, to),
        Record::Assignment(assignment) => SHIPPED.write(assignment, to),
        Record::TimelineInput(TimelineInput::Digest(digest)) => SHIPPED.write(digest, to),
        Record::TimelineInput(TimelineInput::Move(moved)) => SHIPPED.write(moved, to),
        Record::TimelineInput(TimelineInput::Out(out)) => SHIPPED.write(out, to),
        Record::TimelineInput(TimelineInput::Step(step)) => SHIPPED.write(step, to),
        Record::Timeline(Timeline::Entry(entry)) => SHIPPED.write(entry, to),
        Record::Timeline(Timeline::Step(step)) => SHIPPED.write(step, to),
        Record::Timeline(Timeline::Moved(moved)) => SHIPPED.write(moved, to),
        Record::CaseInput(CaseInput::Signal(signal)) => SHIPPED.write(signal, to),
        Record::CaseInput(CaseInput::Command(command)) => SHIPPED.write(command, to),
        Record::CaseInput(CaseInput::Regroup(regroup)) => SHIPPED.write(regroup, to),
        Record::CaseInput(CaseInput::Absorb(absorb)) => SHIPPED.write(absorb, to),
        Record::Case(Case::State(state)) => SHIPPED.write(state, to),
        Record::Case(Case::Step(step)) => SHIPPED.write(step, to),
        Record::CommandOutcome(outcome) => SHIPPED.write(outcome, to),
        Record::Notice(notice) => SHIPPED.write(notice, to),
        Record::Reject(reject) => SHIPPED.write(reject, to),
        Record::Config(config) => SHIPPED.write(config, to),
        Record::Access(access) => SHIPPED.write(access, to),
        Record::Sent(sent) => SHIPPED.write(sent, to),
        Record::Link(Link::Rules(rules))
        | Record::TimelineInput(TimelineInput::Rules(rules))
        | Record::CaseInput(CaseInput::Rules(rules)) => SHIPPED.write(&Document::from(rules), to),
    }
}

/// The record that the bytes of one message of this topic are, by whichever shipped schema wrote them.
///
/// # Errors
/// When the bytes are cut short or go on too long, name a schema that is not shipped, or are a record that does not belong
/// in the topic. Nothing panics, and no length in the bytes is believed.
pub fn decode(topic: &Topic, bytes: &[u8]) -> Result<Record, Error> {
    decode_by(&SHIPPED, topic, bytes)
}

pub(crate) fn decode_by(
    catalogue: &Catalogue,
    topic: &Topic,
    bytes: &[u8],
) -> Result<Record, Error> {
    let message = Content {
        message: catalogue.open(bytes)?,
        topic,
    };
    Ok(match topic {
        Topic::Event => Record::Event(message.read()?),
        Topic::Claim => Record::Claim(message.read()?),
        Topic::IdentityLink => Record::Link(message.link()?),
        Topic::IdentityAssignment => Record::Assignment(message.read()?),
        Topic::TimelineInput => Record::TimelineInput(message.timeline_input()?),
        Topic::Timeline => Record::Timeline(message.timeline()?),
        Topic::CaseInput => Record::CaseInput(message.case_input()?),
        Topic::Case => Record::Case(message.case()?),
        Topic::CommandOutcome => Record::CommandOutcome(message.read()?),
        Topic::Notice(department) => Record::Notice(message.notice(department)?),
        Topic::Reject => Record::Reject(message.read()?),
        Topic::Access => Record::Access(message.read()?),
        Topic::Sent => Record::Sent(message.read()?),
        Topic::Config => Record::Config(message.read()?),
        Topic::State(_) => return Err(message.misplaced()),
    })
}

/// What a message of one topic holds.
struct Content<'a> {
    message: Message<'a>,
    topic: &'a Topic,
}

impl Content<'_> {
    fn read<T: Payload>(&self) -> Result<T, Error> {
        self.message.read(self.topic)
    }

    fn is<T: Payload>(&self) -> bool {
        self.message.is::<T>()
    }

    fn rules(&self) -> Result<Rules, Error> {
        self.read::<Document>()?.try_into()
    }

    fn misplaced(&self) -> Error {
        self.message.misplaced(self.topic)
    }

    /// A notice for another department would be shown to people whom it is not for.
    fn notice(&self, department: &DepartmentId) -> Result<Notice, Error> {
        let notice: Notice = self.read()?;
        if notice.department == *department {
            Ok(notice)
        } else {
            Err(self.misplaced())
        }
    }

    fn link(&self) -> Result<Link, Error> {
        if self.is::<event::link::Set>() {
            self.read().map(Link::Set)
        } else if self.is::<event::link::Tick>() {
            self.read().map(Link::Tick)
        } else if self.is::<event::link::Decision>() {
            self.read().map(Link::Decision)
        } else {
            self.rules().map(Link::Rules)
        }
    }

    fn timeline_input(&self) -> Result<TimelineInput, Error> {
        use event::timeline_input::{Digest, Move, Out, StepNote};
        if self.is::<Digest>() {
            self.read().map(TimelineInput::Digest)
        } else if self.is::<Move>() {
            self.read().map(TimelineInput::Move)
        } else if self.is::<Out>() {
            self.read().map(TimelineInput::Out)
        } else if self.is::<StepNote>() {
            self.read().map(TimelineInput::Step)
        } else {
            self.rules().map(TimelineInput::Rules)
        }
    }

    fn timeline(&self) -> Result<Timeline, Error> {
        use event::timeline::{Entry, StepEntry};
        if self.is::<Entry>() {
            self.read().map(Timeline::Entry)
        } else if self.is::<StepEntry>() {
            self.read().map(Timeline::Step)
        } else {
            self.read().map(Timeline::Moved)
        }
    }

    fn case_input(&self) -> Result<CaseInput, Error> {
        use event::case_input::{Absorb, Command, Regroup, Signal};
        if self.is::<Signal>() {
            self.read().map(CaseInput::Signal)
        } else if self.is::<Command>() {
            self.read().map(CaseInput::Command)
        } else if self.is::<Regroup>() {
            self.read().map(CaseInput::Regroup)
        } else if self.is::<Absorb>() {
            self.read().map(CaseInput::Absorb)
        } else {
            self.rules().map(CaseInput::Rules)
        }
    }

    fn case(&self) -> Result<Case, Error> {
        if self.is::<event::case::State>() {
            self.read().map(Case::State)
        } else {
            self.read().map(Case::Step)
        }
    }
}
