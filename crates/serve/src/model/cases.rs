//! The cases with their histories, by department and by customer.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use event::{
    CaseId, DepartmentId, MatterId, ProfileId,
    case::{Case, Phase, State, Step},
};

use super::handling::Handling;

#[derive(Debug, Default)]
pub(crate) struct Cases {
    rows: HashMap<CaseId, Row>,
    by_owner: BTreeSet<(DepartmentId, Phase, CaseId)>,
    by_offer: BTreeSet<(DepartmentId, CaseId)>,
    by_profile: HashMap<ProfileId, BTreeSet<CaseId>>,
    by_matter: HashMap<MatterId, CaseId>,
    counts: Counts,
    handling: Handling,
    revisions: BTreeMap<DepartmentId, u64>,
}

/// A step may be read before the state that it led to, and the other way round.
#[derive(Debug, Default)]
struct Row {
    state: Option<State>,
    steps: BTreeMap<u32, Step>,
}

/// Cases of customers; those of perspective `test` count nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub open: u64,
    pub acknowledged: u64,
    pub resolved: u64,
    pub closed: u64,
    /// Open at the end of imported history and untouched since.
    pub dormant: u64,
    pub unknown: u64,
}

impl Cases {
    pub(crate) fn apply(&mut self, case: Case) {
        match case {
            Case::State(state) => self.stand(state),
            Case::Step(step) => {
                let row = self.rows.entry(step.case).or_default();
                let is_new = !row.steps.contains_key(&step.step);
                if let Some(state) = row.state.as_ref().filter(|_| is_new) {
                    self.handling.count(state, &step);
                }
                row.steps.insert(step.step, step);
            }
        }
    }

    fn stand(&mut self, state: State) {
        let id = state.case;
        let row = self.rows.entry(id).or_default();
        match row.state.take() {
            Some(before) => self.unlist(&before),
            // The steps that were read before it could not be counted: only the state says whether it is a test.
            None => row
                .steps
                .values()
                .for_each(|step| self.handling.count(&state, step)),
        }
        self.list(&state);
        self.rows.entry(id).or_default().state = Some(state);
    }

    fn list(&mut self, state: &State) {
        self.revise(state);
        self.by_owner
            .insert((state.owner.clone(), state.phase, state.case));
        if let Some(department) = &state.offered_to {
            self.by_offer.insert((department.clone(), state.case));
        }
        for profile in &state.profiles {
            self.by_profile
                .entry(*profile)
                .or_default()
                .insert(state.case);
        }
        for matter in &state.matters {
            self.by_matter.insert(*matter, state.case);
        }
        if let Some(count) = self.counts.of(state) {
            *count += 1;
        }
    }

    fn unlist(&mut self, state: &State) {
        self.revise(state);
        self.by_owner
            .remove(&(state.owner.clone(), state.phase, state.case));
        if let Some(department) = &state.offered_to {
            self.by_offer.remove(&(department.clone(), state.case));
        }
        for profile in &state.profiles {
            if let Some(cases) = self.by_profile.get_mut(profile) {
                cases.remove(&state.case);
                if cases.is_empty() {
                    self.by_profile.remove(profile);
                }
            }
        }
        for matter in &state.matters {
            // The case that has the matter now may have said so before this one let go of it.
            if self.by_matter.get(matter) == Some(&state.case) {
                self.by_matter.remove(matter);
            }
        }
        if let Some(count) = self.counts.of(state) {
            *count -= 1;
        }
    }

    fn revise(&mut self, state: &State) {
        for department in std::iter::once(&state.owner).chain(&state.offered_to) {
            *self.revisions.entry(department.clone()).or_default() += 1;
        }
    }

    /// Changes whenever a case comes to the department, changes there, or leaves it.
    pub(crate) fn revision(&self, department: &DepartmentId) -> u64 {
        self.revisions.get(department).copied().unwrap_or_default()
    }

    pub(crate) fn get(&self, case: CaseId) -> Option<&State> {
        self.rows.get(&case)?.state.as_ref()
    }

    pub(crate) fn steps(&self, case: CaseId) -> impl Iterator<Item = &Step> {
        self.rows
            .get(&case)
            .into_iter()
            .flat_map(|row| row.steps.values())
    }

    pub(crate) fn of_matter(&self, matter: MatterId) -> Option<CaseId> {
        self.by_matter.get(&matter).copied()
    }

    pub(crate) fn of_profile(&self, profile: ProfileId) -> impl Iterator<Item = &State> {
        let cases = self.by_profile.get(&profile);
        cases
            .into_iter()
            .flatten()
            .filter_map(|case| self.get(*case))
    }

    /// The cases that the department owns, in one phase.
    pub(crate) fn owned(
        &self,
        department: &DepartmentId,
        phase: Phase,
    ) -> impl Iterator<Item = &State> {
        let first = CaseId::new(event::Token::new([0; 16]));
        let last = CaseId::new(event::Token::new([0xff; 16]));
        self.by_owner
            .range((department.clone(), phase, first)..=(department.clone(), phase, last))
            .filter_map(|(_, _, case)| self.get(*case))
    }

    /// The cases that are offered to the department and not answered yet.
    pub(crate) fn offered(&self, department: &DepartmentId) -> impl Iterator<Item = &State> {
        let first = CaseId::new(event::Token::new([0; 16]));
        let last = CaseId::new(event::Token::new([0xff; 16]));
        self.by_offer
            .range((department.clone(), first)..=(department.clone(), last))
            .filter_map(|(_, case)| self.get(*case))
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    pub(crate) fn handling(&self) -> &Handling {
        &self.handling
    }

    /// The cases that the department owns and somebody still has to do something for.
    pub(crate) fn open(&self, department: &DepartmentId) -> impl Iterator<Item = &State> {
        self.owned(department, Phase::Open)
            .chain(self.owned(department, Phase::Acknowledged))
    }
}

impl Counts {
    fn of(&mut self, state: &State) -> Option<&mut u64> {
        if state.test {
            return None;
        }
        Some(match state.phase {
            Phase::Open | Phase::Acknowledged if state.dormant => &mut self.dormant,
            Phase::Open => &mut self.open,
            Phase::Acknowledged => &mut self.acknowledged,
            Phase::Resolved => &mut self.resolved,
            Phase::Closed => &mut self.closed,
            Phase::Unknown => &mut self.unknown,
        })
    }
}
