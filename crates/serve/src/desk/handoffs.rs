//! Hand-offs: from which department to which, and what became of them.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    response::Response,
};
use event::{CaseId, DepartmentId, Millis, Time};
use serde::Deserialize;

use super::{
    page::{Frame, Person, Place, page},
    path::Tab,
    row::{Reader, Row},
    speech::{Moment, Speech},
    trouble::Trouble,
};
use crate::{
    api::Api,
    model::{
        self,
        handling::{HandOff, Outcome},
    },
    personal::Permission,
};

#[derive(Template)]
#[template(path = "hand_offs.html")]
struct MatrixPage {
    frame: Frame,
    periods: Vec<Tab>,
    columns: Vec<String>,
    rows: Vec<Line>,
    /// What each department was offered.
    received: Vec<u64>,
    total: u64,
}

/// What one department handed over.
struct Line {
    name: String,
    cells: Vec<Cell>,
    total: u64,
}

/// From one department to another.
struct Cell {
    to: String,
    count: u64,
    /// "2 palautui, 1 torjuttiin".
    detail: Option<String>,
    /// Of one that the person may look at.
    address: Option<String>,
    /// 0 to 4: how much of the most.
    heat: u64,
    is_self: bool,
}

#[derive(Template)]
#[template(path = "hand_offs_list.html")]
struct ListPage {
    frame: Frame,
    periods: Vec<Tab>,
    cases: Vec<Handed>,
    back: String,
}

/// A case that went from one to the other.
struct Handed {
    /// `None` when only its steps are known.
    row: Option<Row>,
    id: String,
    is_readable: bool,
    owner: Option<String>,
    phase: Option<String>,
    steps: Vec<(String, Moment)>,
}

/// How far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    Week,
    Month,
    Always,
}

impl Period {
    const ALL: [Period; 3] = [Period::Week, Period::Month, Period::Always];

    const fn as_str(self) -> &'static str {
        match self {
            Period::Week => "7",
            Period::Month => "30",
            Period::Always => "all",
        }
    }

    fn of(text: Option<&str>) -> Result<Period, Trouble> {
        let Some(text) = text else {
            return Ok(Period::Month);
        };
        let known = Period::ALL
            .into_iter()
            .find(|period| period.as_str() == text);
        known.ok_or(Trouble::NotFound)
    }

    fn since(self, now: Time) -> Time {
        match self {
            Period::Week => now - Millis::from_days(7),
            Period::Month => now - Millis::from_days(30),
            Period::Always => Time::MIN,
        }
    }

    fn tabs(self, speech: &Speech, path: &str) -> Vec<Tab> {
        let tabs = Period::ALL.map(|period| Tab {
            text: speech.named("hand-offs-days", period.as_str()),
            address: format!("{path}?days={}", period.as_str()),
            is_here: period == self,
        });
        tabs.into()
    }
}

#[derive(Deserialize)]
pub(super) struct Asked {
    days: Option<String>,
}

/// How often each thing became of what one department offered another.
#[derive(Clone, Copy, Default)]
struct Counts {
    offered: u64,
    accepted: u64,
    declined: u64,
    returned: u64,
}

impl Counts {
    fn of(hand_offs: &[HandOff], since: Time) -> Counts {
        let mut counts = Counts::default();
        for hand_off in hand_offs.iter().filter(|hand_off| hand_off.time >= since) {
            *match hand_off.outcome {
                Outcome::Offered => &mut counts.offered,
                Outcome::Accepted => &mut counts.accepted,
                Outcome::Declined => &mut counts.declined,
                Outcome::Returned => &mut counts.returned,
            } += 1;
        }
        counts
    }

    fn detail(self, speech: &Speech) -> Option<String> {
        let parts = [
            ("hand-offs-accepted", self.accepted),
            ("hand-offs-declined", self.declined),
            ("hand-offs-returned", self.returned),
        ];
        let parts = parts.into_iter().filter(|(_, count)| *count > 0);
        let parts: Vec<String> = parts
            .map(|(key, count)| speech.with(key, [("count", count.into())]))
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

pub(super) async fn matrix(
    State(api): State<Api>,
    person: Person,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let asked = query.map_err(|_| Trouble::Unreadable)?.0;
    let period = Period::of(asked.days.as_deref())?;
    let state = api.state();
    let speech = person.speech(&api, &state, None);
    page(&matrix_page(&state, &speech, &person, period))
}

fn matrix_page(
    state: &model::State,
    speech: &Speech,
    person: &Person,
    period: Period,
) -> MatrixPage {
    let since = period.since(speech.now);
    let counts: BTreeMap<&(DepartmentId, DepartmentId), Counts> = state
        .cases
        .handling()
        .hand_offs()
        .map(|(pair, hand_offs)| (pair, Counts::of(hand_offs, since)))
        .collect();
    let mut departments: BTreeSet<DepartmentId> =
        speech.company().departments.keys().cloned().collect();
    departments.extend(
        counts
            .keys()
            .flat_map(|(from, to)| [from.clone(), to.clone()]),
    );
    let most = counts.values().map(|counts| counts.offered).max();
    let most = most.unwrap_or_default().max(1);
    let count = |from: &DepartmentId, to: &DepartmentId| {
        let pair = (from.clone(), to.clone());
        counts.get(&pair).copied().unwrap_or_default()
    };
    let cell = |from: &DepartmentId, to: &DepartmentId| {
        let counts = count(from, to);
        let is_theirs = person.credential.acts_for(from) || person.credential.acts_for(to);
        let address = format!("/hand-offs/{from}/{to}?days={}", period.as_str());
        Cell {
            to: speech.department(to),
            count: counts.offered,
            detail: counts.detail(speech),
            address: Some(address).filter(|_| is_theirs && counts.offered > 0),
            heat: (counts.offered * 4).div_ceil(most),
            is_self: from == to,
        }
    };
    let rows: Vec<Line> = departments
        .iter()
        .map(|from| {
            let cells: Vec<Cell> = departments.iter().map(|to| cell(from, to)).collect();
            Line {
                name: speech.department(from),
                total: cells.iter().map(|cell| cell.count).sum(),
                cells,
            }
        })
        .collect();
    let received = departments
        .iter()
        .map(|to| departments.iter().map(|from| count(from, to).offered).sum());
    MatrixPage {
        frame: Frame::new(
            state,
            person,
            Place::HandOffs,
            speech.say("hand-offs-title"),
        ),
        periods: period.tabs(speech, "/hand-offs"),
        columns: departments.iter().map(|id| speech.department(id)).collect(),
        received: received.collect(),
        total: rows.iter().map(|row| row.total).sum(),
        rows,
    }
}

pub(super) async fn list(
    State(api): State<Api>,
    person: Person,
    Path((from, to)): Path<(String, String)>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let asked = query.map_err(|_| Trouble::Unreadable)?.0;
    let period = Period::of(asked.days.as_deref())?;
    let read = |id: &str| DepartmentId::new(id).map_err(|_| Trouble::NotFound);
    let (from, to) = (read(&from)?, read(&to)?);
    if !person.credential.acts_for(&from) && !person.credential.acts_for(&to) {
        return Err(Trouble::Forbidden);
    }
    let state = api.state();
    let speech = person.speech(&api, &state, Some(&from));
    page(&list_page(&state, &speech, &person, (from, to), period))
}

/// More than anybody looks through.
const CASES_MAX: usize = 200;

fn list_page(
    state: &model::State,
    speech: &Speech,
    person: &Person,
    pair: (DepartmentId, DepartmentId),
    period: Period,
) -> ListPage {
    let since = period.since(speech.now);
    let mut by_case: BTreeMap<CaseId, Vec<HandOff>> = BTreeMap::new();
    let all = state.cases.handling().hand_offs();
    for (_, hand_offs) in all.filter(|(known, _)| **known == pair) {
        for hand_off in hand_offs.iter().filter(|hand_off| hand_off.time >= since) {
            by_case.entry(hand_off.case).or_default().push(*hand_off);
        }
    }
    let mut cases: Vec<(CaseId, Vec<HandOff>)> = by_case.into_iter().collect();
    for (_, hand_offs) in &mut cases {
        hand_offs.sort_unstable();
    }
    cases.sort_by_key(|(case, hand_offs)| {
        (
            std::cmp::Reverse(hand_offs.last().map(|last| last.time)),
            *case,
        )
    });
    cases.truncate(CASES_MAX);
    let handed = |(id, hand_offs): (CaseId, Vec<HandOff>)| {
        let case = state.cases.get(id);
        let reader = Reader {
            name: &person.credential.name,
            inbox: None,
            permission: Permission::Masked,
        };
        let steps = hand_offs.iter().map(|hand_off| {
            let said = speech.named("hand-offs-step", hand_off.outcome.as_str());
            (said, speech.moment(hand_off.time))
        });
        Handed {
            row: case.map(|case| Row::new(state, speech, case, reader)),
            id: id.to_string(),
            is_readable: case.is_some_and(|case| state.may_read_case(&person.credential, case)),
            owner: case.map(|case| speech.department(&case.owner)),
            phase: case.map(|case| speech.named("phase", case.phase.as_str())),
            steps: steps.collect(),
        }
    };
    let values = [
        ("from", speech.department(&pair.0).into()),
        ("to", speech.department(&pair.1).into()),
    ];
    let title = speech.with("hand-offs-list-title", values);
    ListPage {
        frame: Frame::new(state, person, Place::HandOffs, title),
        periods: period.tabs(speech, &format!("/hand-offs/{}/{}", pair.0, pair.1)),
        cases: cases.into_iter().map(handed).collect(),
        back: format!("/hand-offs?days={}", period.as_str()),
    }
}
