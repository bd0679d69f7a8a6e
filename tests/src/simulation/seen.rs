//! What readers of the committed log have seen so far.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    CaseId, CommandId, Event, EventId, NoticeId, Partition, ProfileId, Record, Standing, Time,
    Token, Topic,
    assignment::Assignment,
    case::{Case, State, Step},
    command_outcome::CommandOutcome,
    link::{Link, Set},
    notice::{Notice, Why},
    reject::Reject,
    timeline::Timeline,
};
use stream::{Log, Read, Reader, TopicPartition};

use super::{
    company::{DEPARTMENTS, department},
    oracle,
};

const POLL_RECORDS: usize = 500;

pub(super) struct Seen {
    reader: Box<dyn Reader>,
    pub(super) events: BTreeMap<EventId, Event>,
    /// Readable records of `event`, repeats included, and the others.
    pub(super) event_records: u64,
    pub(super) event_poison: u64,
    /// All that identify heard, in order.
    pub(super) links: Vec<Link>,
    /// How often who belongs to whom changed; how often a value came to stand alone again, and how often one went out.
    pub(super) moves: u64,
    pub(super) splits: u64,
    pub(super) outs: u64,
    pub(super) ever_out: BTreeSet<Token>,
    /// Corrections that are in `event`.
    pub(super) corrections: u64,
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
            links: Vec::new(),
            moves: 0,
            splits: 0,
            outs: 0,
            ever_out: BTreeSet::new(),
            corrections: 0,
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
                self.event(event)?;
            }
            Record::Link(link) => self.links.push(link),
            Record::Assignment(assignment) => self.assignment(assignment)?,
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

    /// The newest revision holds, in whatever order the partitions show them.
    fn event(&mut self, event: Event) -> Result<(), String> {
        let known = self.events.get(&event.id);
        if let Some(known) =
            known.filter(|known| known.revision == event.revision && **known != event)
        {
            return Err(format!(
                "two events of one revision: {known:?} and {event:?}"
            ));
        }
        self.corrections +=
            u64::from(event.standing == Standing::Correctable && event.revision > 0);
        if known.is_none_or(|known| known.revision < event.revision) {
            self.events.insert(event.id, event);
        }
        Ok(())
    }

    fn assignment(&mut self, assignment: Assignment) -> Result<(), String> {
        let token = assignment.token();
        if assignment.out {
            self.ever_out.insert(token);
        }
        let known = self.assignments.insert(token, assignment.clone());
        let Some(known) = known else {
            self.outs += u64::from(assignment.out);
            return Ok(());
        };
        if known.version >= assignment.version {
            return Err(format!(
                "an older decision came after a newer one: {assignment:?}"
            ));
        }
        let alone = ProfileId::new(token);
        self.moves += u64::from(known.profile != assignment.profile);
        self.splits += u64::from(known.profile != alone && assignment.profile == alone);
        self.outs += u64::from(assignment.out && !known.out);
        Ok(())
    }

    /// The events that belong on somebody's page.
    pub(super) fn live(&self) -> impl Iterator<Item = &Event> {
        let live =
            |event: &&Event| event.standing != Standing::Withdrawn && oracle::has_profile(event);
        self.events.values().filter(live)
    }

    pub(super) fn sets(&self) -> impl Iterator<Item = &Set> {
        self.links.iter().filter_map(|link| match link {
            Link::Set(set) => Some(set),
            Link::Tick(_) | Link::Decision(_) | Link::Rules(_) => None,
        })
    }

    /// Each customer's timeline, in the order in which it happened.
    pub(super) fn timelines(&self) -> BTreeMap<ProfileId, Vec<(Time, EventId, Token)>> {
        let mut timelines: BTreeMap<ProfileId, Vec<_>> = BTreeMap::new();
        for row in self.timeline.values() {
            if let Timeline::Entry(entry) = row {
                let entries = timelines.entry(entry.profile).or_default();
                entries.push((entry.time, entry.event, entry.content));
            }
        }
        for entries in timelines.values_mut() {
            entries.sort_unstable();
        }
        timelines
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
