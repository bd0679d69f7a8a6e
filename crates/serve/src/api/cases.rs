//! One case: how it stands, why it is where it is, and all that happened to it.

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use event::{
    CaseId, ProfileId, Time,
    access::AccessKind,
    case::{self, Step},
};
use ingest::problem::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Api, Caller, Path, refusal::Refusal};
use crate::{access, model};

/// A case as it stands.
#[derive(Serialize, ToSchema)]
pub(super) struct CaseSummary {
    id: String,
    version: u32,
    /// `open`, `acknowledged`, `resolved` or `closed`.
    state: &'static str,
    owner: String,
    /// A hand-off that waits for its answer.
    offered_to: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    offer_due: Option<Time>,
    what: String,
    place: Option<String>,
    product: Option<String>,
    party: Option<String>,
    /// The unit of the owner that the place belongs to.
    unit: Option<String>,
    severity: &'static str,
    contacts: u32,
    channels: Vec<&'static str>,
    customers: Vec<String>,
    /// The names of the routes that led to the first owner, from the root: why it came there.
    why: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    opened: Time,
    #[schema(value_type = Option<String>, format = DateTime)]
    deadline: Option<Time>,
    #[schema(value_type = Option<String>, format = DateTime)]
    final_deadline: Option<Time>,
    escalations: u32,
    hand_offs: u32,
    /// The credential of the person who has it in hand.
    claimed_by: Option<String>,
    /// The outside party that the owner waits for: its own clocks stand still.
    waiting_on: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    waiting_since: Option<Time>,
    #[schema(value_type = Option<String>, format = DateTime)]
    waiting_until: Option<Time>,
    /// When the owner's own system said that it is solved; the owner is to confirm it.
    #[schema(value_type = Option<String>, format = DateTime)]
    proposed: Option<Time>,
    /// Open since imported history, and untouched.
    dormant: bool,
    test: bool,
}

/// A case with its history.
#[derive(Serialize, ToSchema)]
pub(super) struct CaseView {
    #[serde(flatten)]
    summary: CaseSummary,
    matters: Vec<String>,
    clocks: Clocks,
    #[schema(value_type = Option<String>, format = DateTime)]
    acknowledged: Option<Time>,
    /// The last time the customer was reached.
    #[schema(value_type = Option<String>, format = DateTime)]
    contacted: Option<Time>,
    #[schema(value_type = Option<String>, format = DateTime)]
    resolved: Option<Time>,
    /// The departments that have owned it, in order.
    trail: Vec<String>,
    /// The case that handles its matters now.
    absorbed_by: Option<String>,
    history: Vec<StepView>,
}

/// Since when each of the three waits, in calendar time.
#[derive(Serialize, ToSchema)]
struct Clocks {
    /// The customer: since it happened.
    #[schema(value_type = String, format = DateTime)]
    waiting_since: Time,
    /// The present owner: since it became the owner.
    #[schema(value_type = String, format = DateTime)]
    owner_since: Time,
    /// The outside party named as the cause: since the case was opened; null when none is named.
    #[schema(value_type = Option<String>, format = DateTime)]
    party_since: Option<Time>,
}

#[derive(Serialize, ToSchema)]
struct StepView {
    step: u32,
    #[schema(value_type = String, format = DateTime)]
    time: Time,
    what: &'static str,
    /// The credential; null when a rule or a clock did it.
    actor: Option<String>,
    /// The owner after the step.
    owner: String,
    /// The other department: offered to, returned from, escalated to.
    other: Option<String>,
    /// The other person or party: who had it in hand before, who is waited for.
    whom: Option<String>,
    reason: Option<String>,
    how: Option<&'static str>,
    reached: Option<bool>,
    command: Option<String>,
    event: Option<String>,
    /// `noticed`, `warned`, `broken`, `opened`: what the customer's timeline showed.
    sign: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    deadline: Option<Time>,
    /// `opened`: the names of the routes that matched, from the root.
    why: Vec<String>,
}

/// One case with its history.
#[utoipa::path(
    get, path = "/v1/cases/{id}", tag = "cases", security(("bearer" = [])),
    params(("id" = String, Path)),
    responses(
        (status = 200, body = CaseView), (status = 401, body = Problem), (status = 429, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn case(
    State(api): State<Api>,
    Caller(caller): Caller,
    Path(id): Path<String>,
) -> Result<Json<CaseView>, Refusal> {
    let id = asked(&id)?;
    let (view, profiles) = {
        let state = api.state();
        let case = state.cases.get(id).ok_or(NO_CASE)?;
        if !state.may_read_case(&caller, case) {
            return Err(NOT_YOURS);
        }
        (view(&state, case), customers(&state, case))
    };
    let profiles: Vec<ProfileId> = profiles.into_iter().collect();
    api.append(access::records(
        &caller,
        api.now(),
        AccessKind::Case,
        &profiles,
        None,
    ))
    .await?;
    Ok(Json(view))
}

const NO_CASE: Refusal = Refusal::NotFound("there is no such case");

pub(super) const NOT_YOURS: Refusal = Refusal::Forbidden("this is not a case of your departments");

pub(super) fn asked(id: &str) -> Result<CaseId, Refusal> {
    id.parse().map_err(|_| NO_CASE)
}

/// By the ids they have now.
fn customers(state: &model::State, case: &case::State) -> BTreeSet<ProfileId> {
    case.profiles
        .iter()
        .map(|profile| state.identity.resolve(*profile).unwrap_or(*profile))
        .collect()
}

pub(super) fn summary(state: &model::State, case: &case::State) -> CaseSummary {
    CaseSummary {
        id: case.case.to_string(),
        version: case.version,
        state: case.phase.as_str(),
        owner: case.owner.to_string(),
        offered_to: case.offered_to.as_ref().map(ToString::to_string),
        offer_due: case.offer_due,
        what: case.what.to_string(),
        place: case.place.as_ref().map(ToString::to_string),
        product: case.product.as_ref().map(ToString::to_string),
        party: case.party.as_ref().map(ToString::to_string),
        unit: case.unit.as_ref().map(ToString::to_string),
        severity: case.severity.as_str(),
        contacts: case.contacts,
        channels: case
            .channels
            .iter()
            .map(|channel| channel.as_str())
            .collect(),
        customers: texts(customers(state, case)),
        why: texts(&case.route),
        opened: case.opened,
        deadline: case.deadline,
        final_deadline: case.final_deadline,
        escalations: case.escalations,
        hand_offs: case.hand_offs,
        claimed_by: case.claimed_by.as_ref().map(ToString::to_string),
        waiting_on: case.waiting_on.as_ref().map(ToString::to_string),
        waiting_since: case.waiting_since,
        waiting_until: case.waiting_until,
        proposed: case.proposed,
        dormant: case.dormant,
        test: case.test,
    }
}

fn view(state: &model::State, case: &case::State) -> CaseView {
    let steps: Vec<&Step> = state.cases.steps(case.case).collect();
    CaseView {
        summary: summary(state, case),
        matters: texts(&case.matters),
        clocks: clocks(state, case, &steps),
        acknowledged: case.acknowledged,
        contacted: case.contacted,
        resolved: case.resolved,
        trail: texts(&case.trail),
        absorbed_by: case.absorbed_by.map(|other| other.to_string()),
        history: steps.into_iter().map(step).collect(),
    }
}

fn clocks(state: &model::State, case: &case::State, steps: &[&Step]) -> Clocks {
    let company = state.companies.current();
    let is_outside = |party: &event::Name| {
        company
            .departments
            .keys()
            .all(|department| department.as_str() != party.as_str())
    };
    // The owner has had it since the first step of the last unbroken run of steps that name it.
    let owner_since = steps
        .iter()
        .rev()
        .take_while(|step| step.owner == case.owner)
        .last()
        .map_or(case.opened, |step| step.time);
    Clocks {
        waiting_since: case.happened,
        owner_since,
        party_since: case
            .party
            .as_ref()
            .filter(|party| is_outside(party))
            .map(|_| case.opened),
    }
}

fn step(step: &Step) -> StepView {
    StepView {
        step: step.step,
        time: step.time,
        what: step.what.as_str(),
        actor: step.actor.as_ref().map(ToString::to_string),
        owner: step.owner.to_string(),
        other: step.other.as_ref().map(ToString::to_string),
        whom: step.whom.as_ref().map(ToString::to_string),
        reason: step.reason.clone(),
        how: step.how.map(event::case::ContactHow::as_str),
        reached: step.reached,
        command: step.command.map(|command| command.to_string()),
        event: step.event.map(|event| event.to_string()),
        sign: step.sign.as_ref().map(ToString::to_string),
        deadline: step.deadline,
        why: texts(&step.route),
    }
}

fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}
