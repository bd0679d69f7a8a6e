//! What readers of the committed log have seen so far.

use std::collections::BTreeMap;

use event::{
    CaseId, CommandId, Event, EventId, NoticeId, Partition, ProfileId, Record, Time, Token, Topic,
    assignment::Assignment,
    case::{Case, State, Step},
    command_outcome::CommandOutcome,
    link::{Link, Set},
    notice::{Notice, Why},
    reject::Reject,
    timeline::Timeline,
};
use stream::{Log, Read, Reader, TopicPartition};

use super::company::{DEPARTMENTS, department};

const POLL_RECORDS: usize = 500;

pub(super) struct Seen {
    reader: Box<dyn Reader>,
    pub(super) events: BTreeMap<EventId, Event>,
    /// Readable records of `event`, repeats included, and the others.
    pub(super) event_records: u64,
    pub(super) event_poison: u64,
    pub(super) sets: Vec<Set>,
    pub(super) assignments: BTreeMap<Token, Assignment>,
    /// By profile and event or step.
    pub(super) timeline: BTreeMap<(ProfileId, Token), Timeline>,
    pub(super) states: BTreeMap<CaseId, State>,
    pub(super) steps: BTreeMap<(CaseId, u32), Step>,
    pub(super) outcomes: BTreeMap<(CaseId, CommandId), CommandOutcome>,
    pub(super) notices: BTreeMap<NoticeId, Notice>,
    pub(super) rejects: BTreeMap<Token, Reject>,
    pub(super) reject_records: u64,
    /// When the log took the last event.
    pub(super) last: Time,
}

impl Seen {
    pub(super) fn of(log: &dyn Log, partitions: u32) -> Result<Self, String> {
        let notices = DEPARTMENTS.iter().map(|id| Topic::Notice(department(id)));
        let topics = [
            Topic::Event,
            Topic::IdentityLink,
            Topic::IdentityAssignment,
            Topic::Timeline,
            Topic::Case,
            Topic::CommandOutcome,
            Topic::Reject,
        ];
        let mut from = BTreeMap::new();
        for topic in topics.into_iter().chain(notices) {
            for partition in Partition::all(topic.partitions().count(partitions)) {
                let at = TopicPartition::new(topic.clone(), partition);
                let start = log.start(&at).map_err(|error| error.to_string())?;
                from.insert(at, start);
            }
        }
        Ok(Self {
            reader: log.read(from).map_err(|error| error.to_string())?,
            events: BTreeMap::new(),
            event_records: 0,
            event_poison: 0,
            sets: Vec::new(),
            assignments: BTreeMap::new(),
            timeline: BTreeMap::new(),
            states: BTreeMap::new(),
            steps: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            notices: BTreeMap::new(),
            rejects: BTreeMap::new(),
            reject_records: 0,
            last: Time::MIN,
        })
    }

    /// Reads what has become visible. Nothing may be taken back, and nothing may go back.
    pub(super) fn catch_up(&mut self) -> Result<(), String> {
        loop {
            let reads = self
                .reader
                .poll(POLL_RECORDS, std::time::Duration::ZERO)
                .map_err(|error| error.to_string())?;
            if reads.is_empty() {
                return Ok(());
            }
            for read in reads {
                self.take(&read)?;
            }
        }
    }

    fn take(&mut self, read: &Read) -> Result<(), String> {
        let bytes = read.value.as_deref().ok_or("an output has no value")?;
        let record = match wire::decode(&read.at.topic, bytes) {
            Ok(record) => record,
            Err(_) if read.at.topic == Topic::Event => {
                self.event_poison += 1;
                return Ok(());
            }
            // What was poisoned is counted by its reject.
            Err(_) if read.at.topic == Topic::IdentityLink => return Ok(()),
            Err(error) => return Err(format!("{} cannot be read: {error}", read.at)),
        };
        match record {
            Record::Event(event) => {
                self.event_records += 1;
                self.last = read.time;
                self.events.insert(event.id, event);
            }
            Record::Link(Link::Set(set)) if set.withdrawn => {}
            Record::Link(Link::Set(set)) => self.sets.push(set),
            Record::Link(Link::Tick(_) | Link::Decision(_) | Link::Rules(_)) => {}
            Record::Assignment(assignment) => {
                let known = self
                    .assignments
                    .insert(assignment.token(), assignment.clone());
                if known.is_some_and(|known| known.version >= assignment.version) {
                    return Err(format!(
                        "an older decision came after a newer one: {assignment:?}"
                    ));
                }
            }
            Record::Timeline(row) => {
                let (profile, entry) = match &row {
                    Timeline::Entry(entry) => (entry.profile, entry.event.token()),
                    Timeline::Step(step) => (step.profile, step.id),
                    Timeline::Moved(moved) => (moved.profile, moved.entry),
                };
                self.timeline.insert((profile, entry), row);
            }
            Record::Case(Case::State(state)) => {
                let known = self.states.get(&state.case);
                if known.is_some_and(|known| known.version > state.version) {
                    return Err(format!(
                        "case {} went back to version {}",
                        state.case, state.version
                    ));
                }
                self.states.insert(state.case, state);
            }
            Record::Case(Case::Step(step)) => {
                if let Some(known) = self.steps.insert((step.case, step.step), step.clone()) {
                    return Err(format!("a step was written twice: {known:?}, {step:?}"));
                }
            }
            Record::CommandOutcome(outcome) => {
                let key = (outcome.asked, outcome.result.command);
                let result = outcome.result.clone();
                if let Some(known) = self.outcomes.insert(key, outcome)
                    && known.result != result
                {
                    return Err(format!(
                        "a command came to {:?} and then to {result:?}",
                        known.result
                    ));
                }
            }
            Record::Notice(notice) => {
                // Thanks are passed on again, in the same words, when their matter comes back to a case.
                let thanks = notice.why == Why::Praise;
                if let Some(known) = self.notices.insert(notice.id, notice.clone())
                    && !(thanks && known == notice)
                {
                    return Err(format!(
                        "a department was told twice: {known:?}, {notice:?}"
                    ));
                }
            }
            Record::Reject(reject) => {
                self.reject_records += 1;
                self.rejects.insert(reject.id, reject);
            }
            other @ (Record::Claim(_)
            | Record::TimelineInput(_)
            | Record::CaseInput(_)
            | Record::Config(_)
            | Record::Sent(_)
            | Record::Access(_)) => {
                return Err(format!("a record of {} is no output", other.topic()));
            }
        }
        Ok(())
    }

    /// The profile on whose page an event is: that of its strongest value that is not out.
    pub(super) fn page(&self, event: &Event) -> ProfileId {
        let is_out = |token| {
            self.assignments
                .get(&token)
                .is_some_and(|assignment| assignment.out)
        };
        let route = event
            .values
            .iter()
            .map(|value| value.token)
            .find(|token| !is_out(*token));
        self.owner(route.unwrap_or(event.anchor))
    }

    pub(super) fn owner(&self, value: Token) -> ProfileId {
        let assignment = self.assignments.get(&value);
        assignment.map_or_else(|| ProfileId::new(value), |assignment| assignment.profile)
    }
}
