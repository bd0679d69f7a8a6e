//! What was promised to customers, and which departments were told of it where no case handles the matter.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    CaseId, DepartmentId, Millis, Name, ProfileId, Time, Token,
    case::State as CaseState,
    notice::{Notice, Why},
};
use unifier::unify::profile::figures::{Outcome, Promised};

use super::State;

/// Whoever was told of a promise to keep reads the customer for so long, as with what it keeps of notices.
const TOLD_FOR: Millis = Millis::from_days(30);

/// Of what a department was told, the latest are looked at.
const NOTICES_MAX: usize = 200;

/// A promise that a department was told it has to keep, of a matter that no case handles.
#[derive(Clone, Debug)]
pub(crate) struct ToKeep {
    pub(crate) customer: ProfileId,
    pub(crate) promised: Promised,
    /// The part of the department that it is for.
    pub(crate) unit: Option<Name>,
}

/// Of one promise the same, whatever is told of it.
type About<'n> = (CaseId, &'n Name, Option<Time>);

fn about(notice: &Notice) -> About<'_> {
    (notice.case, &notice.what, notice.answer_by)
}

fn is_of_promise(notice: &Notice) -> bool {
    matches!(notice.why, Why::PromiseDue | Why::PromiseBroken)
}

impl State {
    /// What was promised to the customers of a case, the first due first: what its events name, wherever it was promised, and what rules
    /// promise in its matters.
    pub(crate) fn promised(
        &self,
        case: &CaseState,
        is_named: impl Fn(Token) -> bool,
        now: Time,
    ) -> Vec<Promised> {
        let profiles = case.profiles.iter();
        let profiles: BTreeSet<ProfileId> = profiles
            .map(|profile| self.identity.resolve(*profile).unwrap_or(*profile))
            .collect();
        let is_of_case = |promised: &Promised| match promised.id {
            Some(id) => is_named(id),
            None => self.cases.of_matter(promised.matter) == Some(case.case),
        };
        let mut promised: Vec<Promised> = profiles
            .into_iter()
            .flat_map(|profile| self.profile(profile).promised(now))
            .filter(is_of_case)
            .collect();
        promised.sort_by_key(|promised| promised.due.unwrap_or(Time::MAX));
        promised
    }

    /// What a department still has to keep, or did not, of what it was told without a case; the first due first.
    pub(crate) fn to_keep(&self, department: &DepartmentId, now: Time) -> Vec<ToKeep> {
        let mut known: BTreeMap<ProfileId, Vec<Promised>> = BTreeMap::new();
        let mut to_keep = Vec::new();
        let mut told = BTreeSet::new();
        let newest = self.notices.newest(department);
        let newest = newest.filter(|notice| notice.customer.is_some());
        for notice in newest.take(NOTICES_MAX) {
            let is_news = told.insert(about(notice));
            let customer = notice.customer.and_then(|id| self.identity.resolve(id));
            let (Some(customer), true) = (customer, is_news && is_of_promise(notice)) else {
                continue;
            };
            let promises = known
                .entry(customer)
                .or_insert_with(|| self.profile(customer).promised(now));
            let is_it = |promised: &&Promised| {
                notice.what.as_str().strip_prefix("promise.") == Some(promised.what.as_str())
                    && promised.due == notice.answer_by
                    && matches!(promised.outcome, Outcome::Open | Outcome::Broken)
            };
            if let Some(promised) = promises.iter().find(is_it) {
                to_keep.push(ToKeep {
                    customer,
                    promised: promised.clone(),
                    unit: notice.unit.clone(),
                });
            }
        }
        to_keep.sort_by_key(|one| one.promised.due);
        to_keep
    }

    /// Whether a department was told lately of a promise to the customer, by one of its values, that was not taken back.
    pub(crate) fn was_told_to_keep(
        &self,
        department: &DepartmentId,
        tokens: &BTreeSet<Token>,
        is_own: impl Fn(&Notice) -> bool,
        now: Time,
    ) -> bool {
        let notices = tokens.iter().flat_map(|token| {
            self.notices
                .without_case(department, ProfileId::new(*token))
        });
        let mut last: BTreeMap<About<'_>, &Notice> = BTreeMap::new();
        for notice in notices.filter(|notice| is_own(notice)) {
            last.insert(about(notice), notice);
        }
        last.into_values()
            .any(|notice| is_of_promise(notice) && now - notice.time <= TOLD_FOR)
    }
}
