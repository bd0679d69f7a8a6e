//! What was told of a case: the events of its matters, and what they leave overdue.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use event::{
    EventId, ProfileId, Time,
    case::{State as CaseState, StepKind},
};

use super::State;

/// An event of a case.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) id: EventId,
    pub(crate) time: Time,
    pub(crate) bytes: Arc<[u8]>,
}

impl State {
    /// The events of the case's matters, in order of happening: those that its steps name, and those that its customers'
    /// timelines have of them.
    pub(crate) fn told_of(&self, case: &CaseState) -> Vec<Told> {
        let mut ids: BTreeSet<EventId> = self
            .cases
            .steps(case.case)
            .filter_map(|step| step.event)
            .collect();
        let profiles = case
            .profiles
            .iter()
            .map(|profile| self.identity.resolve(*profile).unwrap_or(*profile));
        let profiles: BTreeSet<ProfileId> = profiles.collect();
        for token in profiles
            .into_iter()
            .flat_map(|profile| self.identity.tokens(profile))
        {
            let named = self.identity.get(token).into_iter();
            ids.extend(named.flat_map(|known| &known.events).filter(|event| {
                self.annotations
                    .note(**event)
                    .is_some_and(|note| case.matters.contains(&note.matter))
            }));
        }
        let mut told: Vec<Told> = ids
            .into_iter()
            .filter_map(|id| {
                let row = self.events.get(id)?;
                Some(Told {
                    id,
                    time: row.time,
                    bytes: Arc::clone(&row.bytes),
                })
            })
            .collect();
        told.sort_by_key(|told| (told.time, told.id));
        told
    }

    /// Since when the owner owes the customer or us something: the earliest deadline that was missed and not made good since, or
    /// the present one, if it has passed. A missed deadline is set anew, so that the case's own does not tell.
    pub(crate) fn overdue_since(&self, case: &CaseState, now: Time) -> Option<Time> {
        if !case.phase.is_open() || case.dormant {
            return None;
        }
        let mut missed: BTreeMap<&str, Time> = BTreeMap::new();
        for step in self.cases.steps(case.case) {
            match step.what {
                StepKind::Missed => {
                    for what in step.reason.as_deref().unwrap_or_default().split(", ") {
                        missed.entry(what).or_insert(step.time);
                    }
                }
                StepKind::Contacted => missed.retain(|what, _| *what == FINAL),
                StepKind::Acknowledged | StepKind::Offered | StepKind::Claimed => {
                    missed.remove(ACKNOWLEDGE);
                }
                // Another owner begins anew.
                StepKind::Accepted | StepKind::Reopened => missed.retain(|what, _| *what == FINAL),
                StepKind::Opened
                | StepKind::Heard
                | StepKind::Declined
                | StepKind::Returned
                | StepKind::Escalated
                | StepKind::Resolved
                | StepKind::Released
                | StepKind::Noted
                | StepKind::Proposed
                | StepKind::Waiting
                | StepKind::Resumed
                | StepKind::Joined
                | StepKind::Absorbed
                | StepKind::Parted
                | StepKind::OpenedInError
                | StepKind::Noticed
                | StepKind::Warned
                | StepKind::Broken
                | StepKind::Unknown => {}
            }
        }
        if case.waiting_on.is_some() {
            // Whoever waits for somebody else owes nothing meanwhile, but for the end.
            missed.retain(|what, _| *what == FINAL);
        }
        let passed = case.deadline.filter(|deadline| *deadline <= now);
        missed.into_values().chain(passed).min()
    }
}

/// As the machine writes what was missed.
const ACKNOWLEDGE: &str = "acknowledge";
const FINAL: &str = "final";
