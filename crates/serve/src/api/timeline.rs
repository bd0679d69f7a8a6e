//! One customer's timeline, in order of happening.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::HeaderMap,
};
use event::{CaseId, Event, Time, access::AccessKind, timeline::StepEntry};
use ingest::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Api, Caller, Path, customers, reason_of, refusal::Refusal};
use crate::{
    access,
    model::page::{Cursor, Item, Order, Page},
    personal::{self, Permission, Shown},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// `next` of the answer before.
    #[param(pattern = r"^-?[0-9]{1,19}\.[0-9a-f]{32}$")]
    cursor: Option<String>,
    /// 100 by default.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `oldest` (default) or `newest` first.
    #[param(pattern = "^(oldest|newest)$")]
    order: Option<String>,
}

const LIMIT_MAX: usize = 1_000;
const LIMIT: usize = 100;

#[derive(Serialize, ToSchema)]
pub(super) struct TimelineView {
    entries: Vec<EntryView>,
    /// The `cursor` of the next page; null at the end.
    next: Option<String>,
}

/// An event, or a step of a case among the events.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum EntryView {
    Event(Box<EventView>),
    Step(StepView),
}

/// What happened, and what the unifier says of it.
#[derive(Serialize, ToSchema)]
struct EventView {
    event: String,
    #[schema(value_type = String, format = DateTime)]
    time: Time,
    #[schema(value_type = String, format = DateTime)]
    received: Time,
    kind: &'static str,
    #[serde(rename = "type")]
    name: String,
    channel: &'static str,
    source: String,
    stage: Option<String>,
    touchpoint: Option<String>,
    place: Option<String>,
    product: Option<String>,
    party: Option<String>,
    /// Null until the unifier has placed the event; it is on the page from the start.
    matter: Option<String>,
    case: Option<String>,
    score: Option<ScoreView>,
    amount: Option<AmountView>,
    promise: Option<PromiseView>,
    /// The name the customer gave.
    by: Option<Shown>,
    /// The customer's words.
    text: Option<Shown>,
    language: Option<String>,
    /// Imported.
    history: bool,
}

#[derive(Serialize, ToSchema)]
struct ScoreView {
    metric: String,
    value: f64,
    min: f64,
    max: f64,
}

#[derive(Serialize, ToSchema)]
struct AmountView {
    value: String,
    currency: String,
    #[schema(value_type = String)]
    of: event::event::AmountOf,
}

#[derive(Serialize, ToSchema)]
struct PromiseView {
    what: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Time>,
    by: Option<String>,
    keeper: Option<String>,
    #[schema(value_type = String)]
    state: event::event::PromiseState,
}

/// A step of a case.
#[derive(Serialize, ToSchema)]
#[schema(as = TimelineStepView)]
struct StepView {
    step: u32,
    #[schema(value_type = String, format = DateTime)]
    time: Time,
    what: &'static str,
    case: String,
    matter: String,
    department: Option<String>,
}

/// One customer's timeline: events of all channels and steps of cases, in order of happening.
///
/// Complete at every moment. Header `Polku-Reason` says why; by default it is the reason of the search.
#[utoipa::path(
    get, path = "/v1/customers/{id}/timeline", tag = "customers", security(("bearer" = [])),
    params(("id" = String, Path), Asked, ("Polku-Reason" = Option<String>, Header)),
    responses(
        (status = 200, body = TimelineView), (status = 400, body = Problem), (status = 401, body = Problem), (status = 429, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn timeline(
    State(api): State<Api>,
    Caller(caller): Caller,
    Path(id): Path<String>,
    query: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<TimelineView>, Refusal> {
    let asked = customers::asked(&id)?;
    let reason = reason_of(&headers)?;
    let query = query
        .map_err(|error| Refusal::Unparseable(error.body_text()))?
        .0;
    let after = cursor(query.cursor.as_deref())?;
    let order = order(query.order.as_deref())?;
    let limit = limit(query.limit)?;
    let (profile, page) = {
        let state = api.state();
        let profile = customers::permitted(&api, &state, &caller, asked)?;
        (profile, state.page(profile, after, order, limit))
    };
    let reason = reason.or_else(|| api.grants.reason(&caller, profile, api.now()));
    let read = [profile];
    api.append(access::records(
        &caller,
        api.now(),
        AccessKind::Timeline,
        &read,
        reason,
    ))
    .await?;
    Ok(Json(view(page)))
}

pub(super) fn cursor(text: Option<&str>) -> Result<Option<Cursor>, Refusal> {
    text.map(str::parse)
        .transpose()
        .map_err(|error| Refusal::fault("cursor", format!("{error}")))
}

pub(super) fn limit(asked: Option<u32>) -> Result<usize, Refusal> {
    let limit = asked.map_or(LIMIT, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    if (1..=LIMIT_MAX).contains(&limit) {
        Ok(limit)
    } else {
        Err(Refusal::fault("limit", format!("is not 1 to {LIMIT_MAX}")))
    }
}

fn order(text: Option<&str>) -> Result<Order, Refusal> {
    match text {
        None | Some("oldest") => Ok(Order::OldestFirst),
        Some("newest") => Ok(Order::NewestFirst),
        Some(_) => Err(Refusal::fault("order", "is not `oldest` or `newest`")),
    }
}

/// Who may read a timeline may read the words on it.
fn view(page: Page) -> TimelineView {
    let entries = page.items.into_iter().map(|item| match item {
        Item::Event { bytes, note, case } => {
            let event = personal::event(&bytes);
            EntryView::Event(Box::new(event_view(event, note, case)))
        }
        Item::Step(step) => EntryView::Step(step_view(&step)),
    });
    TimelineView {
        entries: entries.collect(),
        next: page.next.map(|next| next.to_string()),
    }
}

fn event_view(event: Event, note: Option<crate::model::Note>, case: Option<CaseId>) -> EventView {
    let words = personal::open(&event);
    let shown = |words: Option<String>| words.map(|text| Shown::new(Some(&text), Permission::Open));
    let (by, text) = match words {
        Some(personal) => (shown(personal.name), shown(personal.text)),
        // Sealed: the page says that there may be words, not which.
        None => (None, Some(Shown::new(None, Permission::Open))),
    };
    let (stage, touchpoint, party, matter) = match note {
        Some(note) => (note.stage, note.touchpoint, note.party, Some(note.matter)),
        None => (event.stage, event.touchpoint, event.party, None),
    };
    let name = |name: Option<event::Name>| name.map(|name| name.to_string());
    EventView {
        event: event.id.to_string(),
        time: event.time,
        received: event.received,
        kind: event.kind.as_str(),
        name: event.name.to_string(),
        channel: event.channel.as_str(),
        source: event.source.to_string(),
        stage: name(stage),
        touchpoint: name(touchpoint),
        place: name(event.place),
        product: name(event.product),
        party: name(party),
        matter: matter.map(|matter| matter.to_string()),
        case: case.map(|case| case.to_string()),
        score: event.score.map(|score| ScoreView {
            metric: score.metric.to_string(),
            value: score.value,
            min: score.min,
            max: score.max,
        }),
        amount: event.amount.map(|amount| AmountView {
            value: amount.value,
            currency: amount.currency,
            of: amount.of,
        }),
        promise: event.promise.map(|promise| PromiseView {
            what: promise.what.to_string(),
            due: promise.due,
            by: promise.by.map(|by| by.to_string()),
            keeper: promise.keeper.map(|keeper| keeper.to_string()),
            state: promise.state,
        }),
        by,
        text,
        language: name(event.language),
        history: event.history,
    }
}

fn step_view(step: &StepEntry) -> StepView {
    StepView {
        step: step.step,
        time: step.time,
        what: step.what.as_str(),
        case: step.case.to_string(),
        matter: step.matter.to_string(),
        department: step.department.as_ref().map(ToString::to_string),
    }
}
