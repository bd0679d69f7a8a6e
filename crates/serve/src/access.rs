//! Who may read what, decided in one place, and the records of who did.
//!
//! A department's cases are those that it owns or is offered and, while they are open, those that it owned before, that were
//! escalated to it, or in which it has a promise to keep. A credential with units has only the part of them that is its units'.
//! Its customers are those of its cases, and those of whose promises, where no case handles them, it was told that it is to keep.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use event::{
    DepartmentId, Millis, Name, ProfileId, Record, Time,
    access::{Access, AccessKind},
    case::{self, StepKind},
    notice::Notice,
};

use crate::{
    credential::{Credential, Role},
    model::{
        self,
        decision::{Asked, Decided},
    },
};

impl Credential {
    /// Whether it reads the inbox and the notices of a department: of its own units, where it has some.
    pub(crate) fn acts_for(&self, department: &DepartmentId) -> bool {
        match self.role {
            Role::Admin => true,
            Role::Advisor | Role::Lead | Role::FrontLine | Role::Machine => {
                self.departments.contains(department)
            }
        }
    }

    /// Whether it may ask why events are one customer's; of customers that it may read.
    pub(crate) fn explains(&self) -> bool {
        match self.role {
            Role::Advisor | Role::Lead | Role::Admin => true,
            Role::FrontLine | Role::Machine => false,
        }
    }

    /// Whether it decides who is who; of customers that it may read.
    pub(crate) fn decides(&self) -> bool {
        match self.role {
            Role::Lead | Role::Admin => true,
            Role::Advisor | Role::FrontLine | Role::Machine => false,
        }
    }

    /// Whether what belongs to this part of one of its departments is its business.
    pub(crate) fn acts_for_unit(&self, unit: Option<&Name>) -> bool {
        self.units.is_empty() || unit.is_some_and(|unit| self.units.contains(unit))
    }
}

impl model::State {
    /// Whether the caller reads a case.
    pub(crate) fn may_read_case(&self, caller: &Credential, case: &case::State) -> bool {
        if caller.role == Role::Admin {
            return true;
        }
        let is_theirs = |department: &DepartmentId| {
            caller.acts_for(department) && caller.acts_for_unit(self.unit_in(department, case))
        };
        let was_told = || {
            self.cases.steps(case.case).any(|step| {
                let is_for_others = matches!(
                    step.what,
                    StepKind::Escalated | StepKind::Warned | StepKind::Broken
                );
                is_for_others && step.other.as_ref().is_some_and(is_theirs)
            })
        };
        is_theirs(&case.owner)
            || case.offered_to.as_ref().is_some_and(is_theirs)
            || (case.phase.is_open() && (case.trail.iter().any(is_theirs) || was_told()))
    }

    /// The part of a department that has a case which it owns or is offered.
    pub(crate) fn unit_in<'a>(
        &'a self,
        department: &DepartmentId,
        case: &'a case::State,
    ) -> Option<&'a Name> {
        if case.owner == *department {
            case.unit.as_ref()
        } else {
            self.companies.unit_of(department, case.place.as_ref())
        }
    }

    /// Whether the caller reads a customer: as anybody, as one of its cases' customers, as one whom it has to keep a promise, or
    /// as one it searched for.
    pub(crate) fn may_read_customer(
        &self,
        caller: &Credential,
        grants: &Grants,
        profile: ProfileId,
        now: Time,
    ) -> bool {
        let tokens = self.identity.tokens(profile);
        let keeps_promise = || {
            let is_own = |notice: &Notice| caller.acts_for_unit(notice.unit.as_ref());
            let mut departments = caller.departments.iter();
            departments.any(|own| self.was_told_to_keep(own, &tokens, is_own, now))
        };
        let is_theirs = || {
            self.cases_of(&tokens)
                .any(|case| self.may_read_case(caller, case))
                || keeps_promise()
        };
        match caller.role {
            Role::Admin => true,
            Role::Machine => false,
            Role::Advisor | Role::Lead => is_theirs(),
            Role::FrontLine => {
                // A merge within the hour gives the customer another id; the old one is a value of the profile still.
                let mut ids = tokens.iter().map(|token| ProfileId::new(*token));
                is_theirs() || ids.any(|id| grants.reason(caller, id, now).is_some())
            }
        }
    }
}

impl model::State {
    /// Whether the caller may decide this: of a customer that it may not read it does not know enough. What it decided itself it may
    /// undo, also where the decision put customers out of its sight.
    pub(crate) fn may_decide(
        &self,
        caller: &Credential,
        grants: &Grants,
        asked: &Asked,
        now: Time,
    ) -> bool {
        let undone = asked.undoes.and_then(|id| self.decided(id));
        let is_its_own = undone.is_some_and(|undone| undone.decision.actor == caller.name);
        let mut concerned = self.concerned(asked).into_iter();
        let may_read = |customer| self.may_read_customer(caller, grants, customer, now);
        caller.decides() && (is_its_own || concerned.all(may_read))
    }

    /// Whether a decision is the caller's business: its own, and those about customers of whom it may read one.
    pub(crate) fn may_look_at(
        &self,
        caller: &Credential,
        grants: &Grants,
        decided: &Decided,
        now: Time,
    ) -> bool {
        let concerned = self.concerned(&Asked::of(&decided.decision)).into_iter();
        decided.decision.actor == caller.name || self.may_look_into(caller, grants, concerned, now)
    }

    /// Whether what waits for a decision is the caller's business: it may read one of the customers.
    pub(crate) fn may_look_into(
        &self,
        caller: &Credential,
        grants: &Grants,
        mut customers: impl Iterator<Item = ProfileId>,
        now: Time,
    ) -> bool {
        caller.role == Role::Admin
            || customers.any(|customer| self.may_read_customer(caller, grants, customer, now))
    }
}

/// The customers of whom something was opened while an answer was made: before it is given, each is written down.
#[derive(Debug, Default)]
pub(crate) struct Opened(RefCell<BTreeSet<ProfileId>>);

impl Opened {
    pub(crate) fn add(&self, customer: ProfileId) {
        self.0.borrow_mut().insert(customer);
    }

    pub(crate) fn customers(self) -> BTreeSet<ProfileId> {
        self.0.into_inner()
    }
}

/// What people who meet customers first may read after they looked for it: the customers that a search found, for an hour,
/// each with the reason that was given. Held by this process alone.
#[derive(Debug, Default)]
pub(crate) struct Grants(Mutex<BTreeMap<(Name, ProfileId), Grant>>);

#[derive(Debug)]
struct Grant {
    until: Time,
    reason: String,
}

/// How long a customer that was found may be read.
const GRANTED_FOR: Millis = Millis::from_hours(1);
/// More than all people of a large company find in an hour; beyond it somebody collects.
const GRANTS_MAX: usize = 100_000;

impl Grants {
    /// Follows a search. Only the role that is bound to searches needs it.
    pub(crate) fn give(
        &self,
        caller: &Credential,
        found: &[ProfileId],
        reason: Option<&str>,
        now: Time,
    ) {
        let Some(reason) = reason.filter(|_| caller.role == Role::FrontLine) else {
            return;
        };
        let mut grants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if grants.len() + found.len() > GRANTS_MAX {
            grants.retain(|_, grant| grant.until > now);
        }
        let until = now + GRANTED_FOR;
        for profile in found.iter().take(GRANTS_MAX - grants.len().min(GRANTS_MAX)) {
            let reason = reason.to_owned();
            grants.insert((caller.name.clone(), *profile), Grant { until, reason });
        }
    }

    /// Why the caller looked for the customer, if it did within the hour.
    pub(crate) fn reason(
        &self,
        caller: &Credential,
        profile: ProfileId,
        now: Time,
    ) -> Option<String> {
        let grants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let grant = grants.get(&(caller.name.clone(), profile))?;
        (grant.until > now).then(|| grant.reason.clone())
    }
}

/// One record for each profile read, or one that says nobody was found.
pub(crate) fn records(
    reader: &Credential,
    time: Time,
    what: AccessKind,
    profiles: &[ProfileId],
    reason: Option<String>,
) -> Vec<Record> {
    let record = |profile| {
        Record::Access(Access {
            credential: reader.name.clone(),
            time,
            what,
            profile,
            reason: reason.clone(),
        })
    };
    if profiles.is_empty() {
        return vec![record(None)];
    }
    let profiles: BTreeSet<&ProfileId> = profiles.iter().collect();
    profiles
        .into_iter()
        .map(|profile| record(Some(*profile)))
        .collect()
}
