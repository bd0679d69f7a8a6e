//! The read model: what the log says, in memory.
//!
//! Invariants: a record is applied once, in its partition's order; records of different partitions may be applied in any
//! order and come to the same; readers see the model between two batches, never within one.

mod annotations;
mod cases;
mod company;
pub(crate) mod decision;
mod events;
pub(crate) mod figures;
pub(crate) mod follow;
pub(crate) mod handling;
mod identity;
pub(crate) mod notices;
mod outcomes;
pub(crate) mod page;
pub(crate) mod promised;
mod rejects;
mod summary;
#[cfg(test)]
mod tests;
mod told;
pub(crate) mod why;

use std::{
    collections::BTreeSet,
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use event::{DepartmentId, Event, EventId, Record, Standing, Topic, timeline::Timeline};
use stream::{Offset, Read};
use tokio::sync::watch;

use crate::replica::Replica;

use self::{
    annotations::StepChange,
    events::{Change, Placement},
    identity::Naming,
};
pub(crate) use self::{
    annotations::{Annotations, Note},
    cases::Cases,
    company::Companies,
    events::Events,
    figures::Figures,
    identity::Identity,
    notices::Notices,
    outcomes::Outcomes,
    rejects::Rejects,
    told::Told,
};

pub(crate) struct Model {
    state: RwLock<State>,
    /// The records applied; who waits for something to become visible waits on it.
    applied: watch::Sender<u64>,
    /// Another at each start: a place in the sequence of changes means nothing to another process.
    run: u64,
}

pub(crate) struct State {
    pub(crate) events: Events,
    pub(crate) identity: Identity,
    pub(crate) annotations: Annotations,
    pub(crate) cases: Cases,
    pub(crate) notices: Notices,
    pub(crate) outcomes: Outcomes,
    pub(crate) companies: Companies,
    pub(crate) rejects: Rejects,
    pub(crate) figures: Figures,
    pub(crate) replica: Replica,
    /// Events of customers that have no entry on a timeline yet.
    pending: u64,
    /// How many records were applied: the place in the sequence of changes.
    sequence: u64,
}

impl Model {
    pub(crate) fn new(notices_kept_max: usize) -> Self {
        let state = State {
            events: Events::default(),
            identity: Identity::default(),
            annotations: Annotations::default(),
            cases: Cases::default(),
            notices: Notices::new(notices_kept_max),
            outcomes: Outcomes::default(),
            companies: Companies::default(),
            rejects: Rejects::default(),
            figures: Figures::default(),
            replica: Replica::default(),
            pending: 0,
            sequence: 0,
        };
        Self {
            state: RwLock::new(state),
            applied: watch::Sender::new(0),
            run: rand::random(),
        }
    }

    pub(crate) fn run(&self) -> u64 {
        self.run
    }

    /// A consistent look. Never held over an await: the follower waits for it.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        // A panic while applying ends the follower and fails the process's health; what was applied before it still stands.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies one batch and tells those who wait.
    pub(crate) fn apply(&self, records: Vec<Decoded>) {
        let count = u64::try_from(records.len()).expect("a batch is small");
        {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            for decoded in records {
                state.apply(decoded);
            }
        }
        self.applied.send_modify(|applied| *applied += count);
    }

    pub(crate) fn begin_notices(&self, department: &event::DepartmentId, start: Offset) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.notices.begin(department, start);
    }

    /// Changes with every batch.
    pub(crate) fn applied(&self) -> watch::Receiver<u64> {
        self.applied.subscribe()
    }
}

/// A record as the log had it, and what it says.
pub(crate) struct Decoded {
    pub(crate) read: Read,
    pub(crate) record: Record,
}

impl State {
    fn apply(&mut self, Decoded { read, record }: Decoded) {
        self.sequence += 1;
        self.identity.at = self.sequence;
        match record {
            Record::Event(event) => self.counting_pending(event.id, |state| {
                state.apply_event(&event, read.value.as_deref().unwrap_or_default());
            }),
            Record::Link(link) => self.replica.apply(link),
            Record::Assignment(assignment) => self.identity.assign(&assignment),
            Record::Timeline(timeline) => {
                let event = match &timeline {
                    Timeline::Entry(entry) => entry.event,
                    Timeline::Moved(moved) => EventId::new(moved.entry),
                    Timeline::Step(step) => EventId::new(step.id),
                };
                let sequence = self.sequence;
                let mut left = None;
                self.counting_pending(event, |state| {
                    left = state.annotations.apply(timeline, sequence);
                });
                self.touch(event, left);
            }
            Record::Case(case) => self.cases.apply(case),
            Record::Notice(notice) => self.notices.apply(read.offset, notice),
            Record::CommandOutcome(outcome) => self.outcomes.apply(outcome),
            Record::Reject(reject) => self.rejects.apply(&reject),
            Record::Config(config) => self.companies.apply(&config),
            // Inputs of machines and access records are not followed.
            Record::Claim(_)
            | Record::TimelineInput(_)
            | Record::CaseInput(_)
            | Record::Sent(_)
            | Record::Access(_) => {}
        }
    }

    /// The departments of the company's rules, and those that have a topic of notices.
    pub(crate) fn departments(&self) -> BTreeSet<DepartmentId> {
        let company = self.companies.current();
        let configured = company.departments.keys();
        configured
            .chain(self.notices.departments())
            .cloned()
            .collect()
    }

    pub(crate) fn pending(&self) -> u64 {
        self.pending
    }

    fn counting_pending(&mut self, event: EventId, change: impl FnOnce(&mut State)) {
        let before = self.is_pending(event);
        change(self);
        let after = self.is_pending(event);
        self.pending = self.pending + u64::from(after) - u64::from(before);
    }

    /// What the unifier says of an entry changed; `step` came to a profile's page or left it.
    fn touch(&mut self, event: EventId, step: Option<StepChange>) {
        match step {
            Some(StepChange::Came(profile)) => self.identity.touch(profile.token()),
            Some(StepChange::Left(profile)) => self.identity.lose(profile.token()),
            None => {}
        }
        self.events.touch(event, self.sequence);
        if let Some(row) = self.events.get(event) {
            let route = row.route(|value| self.identity.is_out(value));
            self.identity.touch(route);
        }
    }

    /// The place in the sequence of changes.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    fn is_pending(&self, event: EventId) -> bool {
        let row = self.events.get(event);
        row.is_some_and(|row| row.place == Placement::Owned)
            && self.annotations.note(event).is_none()
    }

    fn apply_event(&mut self, event: &Event, bytes: &[u8]) {
        let before = match self.events.apply(event, bytes, self.sequence) {
            Change::None => return,
            Change::Added => None,
            Change::Replaced(row) => Some(row),
        };
        if let Some(row) = &before
            && row.place != Placement::Withdrawn
        {
            self.figures.take(&crate::personal::event(&row.bytes));
        }
        if event.standing != Standing::Withdrawn {
            self.figures.add(event);
        }
        let named = before.as_ref().map_or(&[][..], events::Row::on_page);
        let values = events::values_on_page(event);
        for token in named {
            if values.iter().all(|value| value.token != *token) {
                let counted = before.as_ref().is_some_and(events::Row::is_counted);
                self.identity.unname(*token, counted);
            }
        }
        for value in values {
            let is_new = !named.contains(&value.token);
            let was_counted = !is_new && before.as_ref().is_some_and(events::Row::is_counted);
            let naming = Naming {
                event: event.id,
                is_new,
                counted: i32::from(event.is_customers()) - i32::from(was_counted),
            };
            self.identity.name(value, naming);
        }
    }
}

/// Whether the read model follows a topic.
pub(crate) fn is_followed(topic: &Topic) -> bool {
    match topic {
        Topic::Event
        | Topic::IdentityLink
        | Topic::IdentityAssignment
        | Topic::Timeline
        | Topic::Case
        | Topic::CommandOutcome
        | Topic::Notice(_)
        | Topic::Reject
        | Topic::Config => true,
        Topic::Claim
        | Topic::TimelineInput
        | Topic::CaseInput
        | Topic::Sent
        | Topic::Access
        | Topic::State(_) => false,
    }
}
