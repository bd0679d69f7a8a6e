//! Which type of ours is which record of the schemas.

use serde::{Serialize, de::DeserializeOwned};

use event::{
    access::Access,
    assignment::Assignment,
    case,
    case_input::{Absorb, Command, Regroup, Signal},
    command_outcome::CommandOutcome,
    config::Config,
    event::{Event, Personal},
    link,
    notice::Notice,
    reject::Reject,
    sent::Sent,
    timeline::{Entry, Moved, StepEntry},
    timeline_input::{Digest, Move, Out, StepNote},
};

use crate::{Kind, rules::Document};

pub(crate) trait Payload: Serialize + DeserializeOwned {
    const KIND: Kind;
}

impl Payload for Event {
    const KIND: Kind = Kind::Event;
}

impl Payload for Personal {
    const KIND: Kind = Kind::Personal;
}

impl Payload for link::Set {
    const KIND: Kind = Kind::LinkSet;
}

impl Payload for link::Tick {
    const KIND: Kind = Kind::LinkTick;
}

impl Payload for Document {
    const KIND: Kind = Kind::Rules;
}

impl Payload for Assignment {
    const KIND: Kind = Kind::Assignment;
}

impl Payload for Digest {
    const KIND: Kind = Kind::Digest;
}

impl Payload for Move {
    const KIND: Kind = Kind::Move;
}

impl Payload for StepNote {
    const KIND: Kind = Kind::StepNote;
}

impl Payload for Entry {
    const KIND: Kind = Kind::Entry;
}

impl Payload for StepEntry {
    const KIND: Kind = Kind::StepEntry;
}

impl Payload for Moved {
    const KIND: Kind = Kind::Moved;
}

impl Payload for Signal {
    const KIND: Kind = Kind::Signal;
}

impl Payload for Command {
    const KIND: Kind = Kind::Command;
}

impl Payload for Regroup {
    const KIND: Kind = Kind::Regroup;
}

impl Payload for Absorb {
    const KIND: Kind = Kind::Absorb;
}

impl Payload for case::State {
    const KIND: Kind = Kind::CaseState;
}

impl Payload for case::Step {
    const KIND: Kind = Kind::CaseStep;
}

impl Payload for CommandOutcome {
    const KIND: Kind = Kind::CommandOutcome;
}

impl Payload for Notice {
    const KIND: Kind = Kind::Notice;
}

impl Payload for Reject {
    const KIND: Kind = Kind::Reject;
}

impl Payload for Config {
    const KIND: Kind = Kind::Config;
}

impl Payload for Access {
    const KIND: Kind = Kind::Access;
}

impl Payload for Sent {
    const KIND: Kind = Kind::Sent;
}

impl Payload for link::Decision {
    const KIND: Kind = Kind::LinkDecision;
}

impl Payload for Out {
    const KIND: Kind = Kind::Out;
}
