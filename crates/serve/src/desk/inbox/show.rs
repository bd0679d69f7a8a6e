//! Which cases each list of an inbox shows, and in which order.

use std::collections::BTreeSet;

use event::{
    Time,
    case::{Phase, State as CaseState},
};

use super::Inbox;
use crate::{
    desk::{
        page::Person,
        row::{self, Urgency},
    },
    model::{self, page::Cursor},
};

/// Which of an inbox's cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Show {
    /// All that waits for the department.
    All,
    New,
    DueSoon,
    Overdue,
    Mine,
    Unclaimed,
    /// For an outside party.
    Waiting,
    /// By another department.
    Offered,
    /// In the last days.
    Resolved,
    /// Open since imported history, and untouched.
    Dormant,
    /// What it was told that it has to keep, of matters without a case.
    Promises,
    /// Thanks.
    Praise,
}

impl Show {
    pub(super) const EVERY: [Show; 12] = [
        Show::All,
        Show::New,
        Show::DueSoon,
        Show::Overdue,
        Show::Mine,
        Show::Unclaimed,
        Show::Waiting,
        Show::Offered,
        Show::Resolved,
        Show::Dormant,
        Show::Promises,
        Show::Praise,
    ];

    /// As in the address, and of the messages `show-…`.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Show::All => "all",
            Show::New => "new",
            Show::DueSoon => "due-soon",
            Show::Overdue => "overdue",
            Show::Mine => "mine",
            Show::Unclaimed => "unclaimed",
            Show::Waiting => "waiting",
            Show::Offered => "offered",
            Show::Resolved => "resolved",
            Show::Dormant => "dormant",
            Show::Promises => "promises",
            Show::Praise => "praise",
        }
    }

    pub(super) fn of(name: Option<&str>) -> Option<Show> {
        let Some(name) = name else {
            return Some(Show::All);
        };
        Show::EVERY.into_iter().find(|show| show.as_str() == name)
    }
}

impl Inbox {
    /// The lists that show the case.
    pub(super) fn shows(
        &self,
        state: &model::State,
        person: &Person,
        case: &CaseState,
        now: Time,
    ) -> BTreeSet<Show> {
        if case.phase == Phase::Resolved {
            return [Show::Resolved].into();
        }
        if case.dormant {
            return [Show::Dormant].into();
        }
        let is_owned = case.owner == self.department;
        let is_offered = case.offered_to.as_ref() == Some(&self.department);
        let urgency = row::urgency(state, case, Some(&self.department), now);
        let urgency = urgency.map(|(urgency, _)| urgency);
        let claimed = case.claimed_by.as_ref();
        let of = [
            (Show::All, true),
            (Show::New, is_owned && case.phase == Phase::Open),
            (Show::DueSoon, urgency == Some(Urgency::Soon)),
            (Show::Overdue, urgency == Some(Urgency::Overdue)),
            (Show::Mine, claimed == Some(&person.credential.name)),
            (Show::Unclaimed, is_owned && claimed.is_none()),
            (Show::Waiting, is_owned && case.waiting_on.is_some()),
            (Show::Offered, is_offered),
        ];
        let of = of.into_iter().filter(|(_, is)| *is);
        of.map(|(show, _)| show).collect()
    }

    /// What is due first comes first, and what was missed before it; of resolved ones the latest.
    pub(super) fn place(&self, state: &model::State, case: &CaseState, now: Time) -> Cursor {
        let at = match case.resolved.filter(|_| self.show == Show::Resolved) {
            Some(resolved) => Time::from_millis(-resolved.as_millis()),
            None => row::urgency(state, case, Some(&self.department), now)
                .map_or(Time::MAX, |(_, at)| at),
        };
        Cursor::new(at, case.case.token())
    }
}
