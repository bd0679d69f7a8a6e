//! One case: what is kept of it, and one change to it.

use std::collections::BTreeSet;

use event::{
    CaseId, Company, DepartmentId, EventId, MatterId, Time, Version,
    case::{Phase, Severity, State, Step, StepKind},
    case_input::{ContactFact, Signal},
    notice::Why,
};
use serde::{Deserialize, Serialize};

use crate::{
    route::Decision,
    signal::{self, Figures},
};

/// A case with what it needs to remember besides the state that it publishes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    pub(crate) state: State,
    pub(crate) figures: Figures,
    /// The signal, and its revision, that its description and first owner were decided by.
    pub(crate) decided_by: Option<(EventId, u32)>,
    /// When the owner has to have acknowledged it.
    pub(crate) acknowledge_due: Option<Time>,
    /// When the customer has to have been contacted.
    pub(crate) contact_due: Option<Time>,
    /// So often in a row something was missed, and nobody did anything.
    pub(crate) missed: u32,
    /// The final deadline has passed and was escalated.
    pub(crate) final_missed: bool,
    /// It was resolved by the word of the owner's own system.
    pub(crate) by_system: bool,
    /// What the owner's systems said before this is past: a person took it over, or reopened it.
    pub(crate) heeded_from: Option<Time>,
    pub(crate) contacts: Vec<ContactFact>,
    /// The departments that were told of it.
    pub(crate) told: BTreeSet<DepartmentId>,
    /// Matters that an absorbed case announced and whose opening signals are on their way.
    pub(crate) awaited: BTreeSet<MatterId>,
    /// The matter it left with when it was absorbed, and the version of that decision.
    pub(crate) absorbed: Option<(MatterId, Version)>,
}

impl Case {
    /// A case that is not open yet.
    pub(crate) fn new(id: CaseId, opener: &Signal, owner: DepartmentId) -> Self {
        Self::from_state(State {
            case: id,
            version: 0,
            phase: Phase::Closed,
            owner,
            offered_to: None,
            offer_due: None,
            matters: Vec::new(),
            profiles: Vec::new(),
            what: opener.name.clone(),
            place: None,
            product: None,
            party: None,
            unit: None,
            severity: Severity::Low,
            happened: opener.time,
            opened: opener.time,
            contacts: 0,
            channels: Vec::new(),
            deadline: None,
            final_deadline: None,
            escalations: 0,
            hand_offs: 0,
            trail: Vec::new(),
            acknowledged: None,
            contacted: None,
            resolved: None,
            claimed_by: None,
            waiting_on: None,
            waiting_since: None,
            waiting_until: None,
            proposed: None,
            dormant: false,
            test: false,
            absorbed_by: None,
            acted: None,
            route: Vec::new(),
        })
    }

    pub(crate) fn from_state(state: State) -> Self {
        Self {
            state,
            figures: Figures::default(),
            decided_by: None,
            acknowledge_due: None,
            contact_due: None,
            missed: 0,
            final_missed: false,
            by_system: false,
            heeded_from: None,
            contacts: Vec::new(),
            told: BTreeSet::new(),
            awaited: BTreeSet::new(),
            absorbed: None,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state.phase.is_open()
    }

    /// Nothing is left here to be handled and nothing is on its way: the case belongs where its last matter went.
    pub(crate) fn goes_along(&self) -> bool {
        let is_empty = self.figures.matters.is_empty();
        let untouched = self.state.acted.is_none() && self.figures.opener.is_none();
        self.state.phase != Phase::Closed && self.awaited.is_empty() && (is_empty || untouched)
    }

    /// Says what it is about by the signal that opened it and by where the routes sent it.
    pub(crate) fn describe(&mut self, company: &Company, opener: &Signal, decision: &Decision) {
        let severity = decision.severity;
        self.decided_by = Some((opener.event, opener.revision));
        self.state.what = opener.name.clone();
        self.state.place = opener.place.clone();
        self.state.product = opener.product.clone();
        self.state.party = opener.party.clone();
        self.state.test = opener.perspective == event::Perspective::Test;
        self.state.severity = severity.unwrap_or_else(|| signal::severity(&company.cases, opener));
        self.state.route = decision.names.clone();
    }

    /// Brings what is published up to what the signals say.
    pub(crate) fn count(&mut self) {
        let Figures {
            contacts,
            channels,
            matters,
            happened,
            opener: _,
            live: _,
            asked: _,
            spoken: _,
            broken: _,
            said: _,
        } = &self.figures;
        self.state.contacts = *contacts;
        self.state.channels = channels.iter().copied().collect();
        self.state.matters = matters.iter().take(SHOWN_MAX).copied().collect();
        self.state.happened = happened.unwrap_or(self.state.happened);
    }
}

/// The most matters and profiles that the published state lists, so that it never outgrows a record.
pub(crate) const SHOWN_MAX: usize = 500;

/// One change to a case: the steps it takes and the departments it tells, all of which leave together.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) case: Case,
    pub(crate) steps: Vec<Step>,
    pub(crate) told: Vec<Told>,
}

/// Somebody to be told once the change is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) department: DepartmentId,
    pub(crate) why: Why,
    pub(crate) from: Option<DepartmentId>,
    pub(crate) step: u32,
    pub(crate) time: Time,
}

impl Change {
    pub(crate) fn of(case: Case) -> Self {
        Self {
            case,
            steps: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Adds the next step. What it changes of the case has to be changed before.
    pub(crate) fn step(&mut self, what: StepKind, time: Time) -> &mut Step {
        self.case.state.version += 1;
        self.steps.push(Step {
            case: self.case.state.case,
            step: self.case.state.version,
            time,
            what,
            actor: None,
            owner: self.case.state.owner.clone(),
            other: None,
            whom: None,
            reason: None,
            how: None,
            reached: None,
            command: None,
            event: None,
            matter: None,
            deadline: None,
            route: Vec::new(),
            sign: None,
        });
        self.steps.last_mut().expect("a step was just added")
    }

    /// Tells a department of the last step. Nobody is told of a dormant case.
    pub(crate) fn tell(
        &mut self,
        department: &DepartmentId,
        why: Why,
        from: Option<&DepartmentId>,
    ) {
        if self.case.state.dormant {
            return;
        }
        let last = self.steps.last().expect("a department is told of a step");
        let told = Told {
            department: department.clone(),
            why,
            from: from.cloned(),
            step: last.step,
            time: last.time,
        };
        self.case.told.insert(department.clone());
        if !self.told.contains(&told) {
            self.told.push(told);
        }
    }

    pub(crate) fn tell_owner(&mut self, why: Why, from: Option<&DepartmentId>) {
        let owner = self.case.state.owner.clone();
        self.tell(&owner, why, from);
    }
}
