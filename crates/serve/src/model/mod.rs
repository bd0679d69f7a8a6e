//! The read model: what the log says, in memory.
//!
//! Invariants: a record is applied once, in its partition's order; records of different partitions may be applied in any
//! order and come to the same; readers see the model between two batches, never within one.

mod annotations;
mod cases;
mod company;
mod events;
pub(crate) mod figures;
pub(crate) mod follow;
pub(crate) mod handling;
mod identity;
pub(crate) mod notices;
mod outcomes;
pub(crate) mod page;
mod rejects;
#[cfg(test)]
mod tests;
mod told;

use std::{
    collections::BTreeSet,
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use event::{DepartmentId, EventId, Record, Topic, timeline::Timeline};
use stream::{Offset, Read};
use tokio::sync::watch;

use self::events::{Change, Placement};
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
    /// Events of customers that have no entry on a timeline yet.
    pending: u64,
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
            pending: 0,
        };
        Self {
            state: RwLock::new(state),
            applied: watch::Sender::new(0),
        }
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
        match record {
            Record::Event(event) => self.counting_pending(event.id, |state| {
                state.apply_event(&event, read.value.as_deref().unwrap_or_default());
            }),
            Record::Assignment(assignment) => self.identity.assign(&assignment),
            Record::Timeline(timeline) => {
                let event = match &timeline {
                    Timeline::Entry(entry) => entry.event,
                    Timeline::Moved(moved) => EventId::new(moved.entry),
                    Timeline::Step(step) => EventId::new(step.id),
                };
                self.counting_pending(event, |state| state.annotations.apply(timeline));
            }
            Record::Case(case) => self.cases.apply(case),
            Record::Notice(notice) => self.notices.apply(read.offset, notice),
            Record::CommandOutcome(outcome) => self.outcomes.apply(outcome),
            Record::Reject(reject) => self.rejects.apply(&reject),
            Record::Config(config) => self.companies.apply(&config),
            // Inputs of machines and access records are not followed.
            Record::Claim(_)
            | Record::Link(_)
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

    fn is_pending(&self, event: EventId) -> bool {
        let row = self.events.get(event);
        row.is_some_and(|row| row.place == Placement::Owned)
            && self.annotations.note(event).is_none()
    }

    fn apply_event(&mut self, event: &event::Event, bytes: &[u8]) {
        match self.events.apply(event, bytes) {
            Change::None => return,
            Change::Added => {}
            Change::Replaced(row) => {
                self.figures.take(&crate::personal::event(&row.bytes));
                let named = if row.place.has_page() {
                    &row.values[..]
                } else {
                    &[]
                };
                for token in named {
                    let counted = row.place == Placement::Owned;
                    self.identity.unname(*token, event.id, counted);
                }
            }
        }
        self.figures.add(event);
        for value in events::values_on_page(event) {
            self.identity.name(value, event.id, event.is_customers());
        }
    }
}

/// Whether the read model follows a topic.
pub(crate) fn is_followed(topic: &Topic) -> bool {
    match topic {
        Topic::Event
        | Topic::IdentityAssignment
        | Topic::Timeline
        | Topic::Case
        | Topic::CommandOutcome
        | Topic::Notice(_)
        | Topic::Reject
        | Topic::Config => true,
        Topic::Claim
        | Topic::IdentityLink
        | Topic::TimelineInput
        | Topic::CaseInput
        | Topic::Sent
        | Topic::Access
        | Topic::State(_) => false,
    }
}
