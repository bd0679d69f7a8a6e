//! Departments and their inboxes.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use event::{
    DepartmentId, Time,
    case::{self, Phase},
};
use ingest::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Api, Caller, Path,
    cases::{self, CaseSummary},
    refusal::Refusal,
    timeline,
};
use crate::{credential::Credential, model, model::page::Cursor};

#[derive(Serialize, ToSchema)]
pub(super) struct DepartmentsView {
    departments: Vec<DepartmentView>,
}

/// A department. Its figures are for those who may read its inbox; its name for whoever hands a case over.
#[derive(Serialize, ToSchema)]
struct DepartmentView {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offered: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct InboxView {
    /// The one that is due first comes first.
    cases: Vec<CaseSummary>,
    next: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// `open`, `acknowledged`, `offered`, `dormant`, `resolved` or `closed`; by default all that waits for the department:
    /// the first three.
    #[param(pattern = "^(open|acknowledged|offered|dormant|resolved|closed)$")]
    state: Option<String>,
    /// Only the cases of this part of the department.
    unit: Option<String>,
    /// `next` of the answer before.
    #[param(pattern = r"^-?[0-9]{1,19}\.[0-9a-f]{32}$")]
    cursor: Option<String>,
    /// 100 by default.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// What of an inbox is asked for.
#[derive(Clone, Copy)]
enum Part {
    Waiting,
    Open,
    Acknowledged,
    Offered,
    Dormant,
    Resolved,
    Closed,
}

/// All departments.
#[utoipa::path(
    get, path = "/v1/departments", tag = "departments", security(("bearer" = [])),
    responses((status = 200, body = DepartmentsView), (status = 401, body = Problem), (status = 429, body = Problem))
)]
pub(super) async fn departments(
    State(api): State<Api>,
    Caller(caller): Caller,
) -> Json<DepartmentsView> {
    let state = api.state();
    let departments = state.departments().into_iter().map(|id| {
        let is_shown = caller.acts_for(&id);
        DepartmentView {
            name: state.companies.name_of(&id),
            open: is_shown.then(|| open(&state, &id)),
            offered: is_shown.then(|| state.cases.offered(&id).count()),
            id: id.to_string(),
        }
    });
    Json(DepartmentsView {
        departments: departments.collect(),
    })
}

/// The cases of a department.
#[utoipa::path(
    get, path = "/v1/departments/{id}/cases", tag = "departments", security(("bearer" = [])),
    params(("id" = String, Path), Asked),
    responses(
        (status = 200, body = InboxView), (status = 400, body = Problem), (status = 401, body = Problem), (status = 429, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem),
    )
)]
pub(super) async fn inbox(
    State(api): State<Api>,
    Caller(caller): Caller,
    Path(id): Path<String>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<InboxView>, Refusal> {
    let state = api.state();
    let department = permitted(&state, &caller, &id)?;
    let query = query
        .map_err(|error| Refusal::Unparseable(error.body_text()))?
        .0;
    let part = part(query.state.as_deref())?;
    let after = timeline::cursor(query.cursor.as_deref())?;
    let limit = timeline::limit(query.limit)?;
    let is_asked = |case: &&case::State| {
        let unit = state.unit_in(&department, case);
        let asked = query.unit.as_deref();
        caller.acts_for_unit(unit)
            && asked.is_none_or(|asked| unit.is_some_and(|unit| unit.as_str() == asked))
    };
    let mut found: Vec<(Cursor, &case::State)> = part_of(&state, &department, part)
        .into_iter()
        .filter(is_asked)
        .map(|case| (place(case), case))
        .filter(|(place, _)| after.is_none_or(|after| *place > after))
        .collect();
    found.sort_unstable_by_key(|(place, _)| *place);
    found.dedup_by_key(|(place, _)| *place);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found
        .last()
        .filter(|_| more)
        .map(|(place, _)| place.to_string());
    let cases = found
        .into_iter()
        .map(|(_, case)| cases::summary(&state, case))
        .collect();
    Ok(Json(InboxView { cases, next }))
}

/// By what is due first; what is never due comes last.
fn place(case: &case::State) -> Cursor {
    Cursor::new(case.deadline.unwrap_or(Time::MAX), case.case.token())
}

pub(crate) fn open(state: &model::State, department: &DepartmentId) -> usize {
    [Part::Open, Part::Acknowledged]
        .into_iter()
        .map(|part| part_of(state, department, part).len())
        .sum()
}

/// The department, if it is there and the caller may read its inbox. Who may read none but its own is not told which
/// others there are.
pub(crate) fn permitted(
    state: &model::State,
    caller: &Credential,
    id: &str,
) -> Result<DepartmentId, Refusal> {
    let department = DepartmentId::new(id).ok();
    let Some(department) = department.filter(|department| caller.acts_for(department)) else {
        return Err(Refusal::Forbidden("this is not one of your departments"));
    };
    if state.departments().contains(&department) {
        Ok(department)
    } else {
        Err(Refusal::NotFound("there is no such department"))
    }
}

fn part(text: Option<&str>) -> Result<Part, Refusal> {
    Ok(match text {
        None => Part::Waiting,
        Some("open") => Part::Open,
        Some("acknowledged") => Part::Acknowledged,
        Some("offered") => Part::Offered,
        Some("dormant") => Part::Dormant,
        Some("resolved") => Part::Resolved,
        Some("closed") => Part::Closed,
        Some(_) => {
            return Err(Refusal::fault(
                "state",
                "is not `open`, `acknowledged`, `offered`, `dormant`, `resolved` or `closed`",
            ));
        }
    })
}

fn part_of<'a>(
    state: &'a model::State,
    department: &DepartmentId,
    part: Part,
) -> Vec<&'a case::State> {
    let owned = |phase, dormant| {
        let cases = state.cases.owned(department, phase);
        cases.filter(move |case| case.dormant == dormant)
    };
    match part {
        Part::Waiting => owned(Phase::Open, false)
            .chain(owned(Phase::Acknowledged, false))
            .chain(state.cases.offered(department))
            .collect(),
        Part::Open => owned(Phase::Open, false).collect(),
        Part::Acknowledged => owned(Phase::Acknowledged, false).collect(),
        Part::Offered => state.cases.offered(department).collect(),
        Part::Dormant => owned(Phase::Open, true)
            .chain(owned(Phase::Acknowledged, true))
            .collect(),
        Part::Resolved => state.cases.owned(department, Phase::Resolved).collect(),
        Part::Closed => state.cases.owned(department, Phase::Closed).collect(),
    }
}
