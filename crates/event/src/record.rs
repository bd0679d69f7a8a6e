//! The payloads of all topics as one closed enum: what a machine puts out and what `wire` turns into bytes.

use crate::{
    Partition, Token, Topic, access::Access, assignment::Assignment, case::Case,
    case_input::CaseInput, command_outcome::CommandOutcome, config::Config, event::Event,
    link::Link, notice::Notice, reject::Reject, sent::Sent, timeline::Timeline,
    timeline_input::TimelineInput,
};

#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    Event(Event),
    /// An event whose sender may correct it, on its way to `event`.
    Claim(Event),
    Link(Link),
    Assignment(Assignment),
    TimelineInput(TimelineInput),
    Timeline(Timeline),
    CaseInput(CaseInput),
    Case(Case),
    CommandOutcome(CommandOutcome),
    Notice(Notice),
    Reject(Reject),
    Sent(Sent),
    Config(Config),
    Access(Access),
}

impl Record {
    pub fn topic(&self) -> Topic {
        match self {
            Record::Event(_) => Topic::Event,
            Record::Claim(_) => Topic::Claim,
            Record::Link(_) => Topic::IdentityLink,
            Record::Assignment(_) => Topic::IdentityAssignment,
            Record::TimelineInput(_) => Topic::TimelineInput,
            Record::Timeline(_) => Topic::Timeline,
            Record::CaseInput(_) => Topic::CaseInput,
            Record::Case(_) => Topic::Case,
            Record::CommandOutcome(_) => Topic::CommandOutcome,
            Record::Notice(notice) => Topic::Notice(notice.department.clone()),
            Record::Reject(_) => Topic::Reject,
            Record::Sent(_) => Topic::Sent,
            Record::Config(_) => Topic::Config,
            Record::Access(_) => Topic::Access,
        }
    }

    pub fn key(&self) -> Vec<u8> {
        match self {
            Record::Event(event) => event.anchor.as_bytes().to_vec(),
            Record::Claim(event) => event.id.as_bytes().to_vec(),
            Record::Link(Link::Set(set)) => set.anchor.as_bytes().to_vec(),
            Record::Link(Link::Tick(_) | Link::Decision(_)) => Partition(0).key().to_vec(),
            Record::Link(Link::Rules(rules)) => rules.partition.key().to_vec(),
            Record::Assignment(assignment) => assignment.value.token.as_bytes().to_vec(),
            Record::TimelineInput(TimelineInput::Digest(digest)) => {
                digest.profile.as_bytes().to_vec()
            }
            Record::TimelineInput(TimelineInput::Move(moved)) => moved.from.as_bytes().to_vec(),
            Record::TimelineInput(TimelineInput::Out(out)) => out.partition.key().to_vec(),
            Record::TimelineInput(TimelineInput::Step(step)) => step.profile.as_bytes().to_vec(),
            Record::TimelineInput(TimelineInput::Rules(rules)) => rules.partition.key().to_vec(),
            Record::Timeline(Timeline::Entry(entry)) => {
                pair(entry.profile.as_bytes(), entry.event.as_bytes())
            }
            Record::Timeline(Timeline::Step(step)) => {
                pair(step.profile.as_bytes(), step.id.as_bytes())
            }
            Record::Timeline(Timeline::Moved(moved)) => {
                pair(moved.profile.as_bytes(), moved.entry.as_bytes())
            }
            Record::CaseInput(CaseInput::Signal(signal)) => signal.case.as_bytes().to_vec(),
            Record::CaseInput(CaseInput::Command(command)) => command.case.as_bytes().to_vec(),
            Record::CaseInput(CaseInput::Regroup(regroup)) => regroup.from.as_bytes().to_vec(),
            Record::CaseInput(CaseInput::Absorb(absorb)) => absorb.to.as_bytes().to_vec(),
            Record::CaseInput(CaseInput::Rules(rules)) => rules.partition.key().to_vec(),
            Record::Case(Case::State(state)) => pair(state.case.as_bytes(), &0_u32.to_be_bytes()),
            Record::Case(Case::Step(step)) => pair(step.case.as_bytes(), &step.step.to_be_bytes()),
            Record::CommandOutcome(outcome) => {
                pair(outcome.asked.as_bytes(), outcome.result.command.as_bytes())
            }
            Record::Notice(notice) => notice.case.as_bytes().to_vec(),
            Record::Reject(reject) => reject.id.as_bytes().to_vec(),
            Record::Sent(sent) => match sent.notice {
                Some(notice) => notice.as_bytes().to_vec(),
                None => Token::hash("subscription", &[sent.subscription.as_str().as_bytes()])
                    .as_bytes()
                    .to_vec(),
            },
            Record::Config(config) => Token::hash("config", &[config.name.as_str().as_bytes()])
                .as_bytes()
                .to_vec(),
            Record::Access(access) => {
                Token::hash("credential", &[access.credential.as_str().as_bytes()])
                    .as_bytes()
                    .to_vec()
            }
        }
    }
}

fn pair(first: &[u8], second: &[u8]) -> Vec<u8> {
    [first, second].concat()
}
