//! One customer's timeline, in order of happening.

mod feed;

use std::str::FromStr;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, Uri},
    response::{IntoResponse as _, Response},
};
use event::{
    Channel, Event, Kind, Score, Time, access::AccessKind, event::Amount, timeline::StepEntry,
};
use ingest::problem::Problem;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;
use utoipa::{IntoParams, ToSchema};

use self::feed::TimelineEvent;
use super::{
    Api, Caller, Path,
    customers::{self, MovedView},
    reason_of,
    refusal::Refusal,
};
use crate::{
    access,
    model::page::{At, Corrected, Cursor, Filter, Happened, Item, Order, Page, What},
    personal::{self, Permission, Shown},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// `next` of another answer: the page that follows it.
    #[param(pattern = r"^-?[0-9]{1,19}\.[0-9a-f]{32}$")]
    cursor: Option<String>,
    /// `previous` of another answer: the page that leads up to it. Not together with `cursor`.
    #[param(pattern = r"^-?[0-9]{1,19}\.[0-9a-f]{32}$")]
    before: Option<String>,
    /// 100 by default.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `oldest` (default) or `newest` first.
    #[param(pattern = "^(oldest|newest)$")]
    order: Option<String>,
    /// What happened then or later.
    #[param(format = DateTime)]
    from: Option<String>,
    /// What happened earlier than that.
    #[param(format = DateTime)]
    to: Option<String>,
    #[param(pattern = "^(feedback|complaint|service)$")]
    kind: Option<String>,
    #[param(pattern = "^(store|call_centre|web|subcontractor)$")]
    channel: Option<String>,
    #[param(pattern = "^m_[0-9a-f]{32}$")]
    matter: Option<String>,
    #[param(pattern = r"^[a-z0-9][a-z0-9._:-]{0,63}$")]
    party: Option<String>,
    /// Answer with server-sent events: the timeline from `cursor` on, page by page, and then what changes.
    live: Option<bool>,
}

const LIMIT_MAX: usize = 1_000;
const LIMIT: usize = 100;

#[derive(Serialize, ToSchema)]
pub(super) struct TimelineView {
    entries: Vec<EntryView>,
    /// The `cursor` of the next page; null at the end.
    next: Option<String>,
    /// The `before` of the page before this; null at the beginning.
    previous: Option<String>,
    /// The `Last-Event-ID` with which `live=true` goes on from this answer.
    live: String,
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
    /// 0 for what was said first; each correction has a higher one.
    revision: u32,
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
    /// What it said before it was corrected, the first version first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    corrected: Vec<VersionView>,
}

/// What an event said before it was corrected.
#[derive(Serialize, ToSchema)]
struct VersionView {
    revision: u32,
    #[schema(value_type = String, format = DateTime)]
    time: Time,
    #[schema(value_type = String, format = DateTime)]
    received: Time,
    kind: &'static str,
    #[serde(rename = "type")]
    name: String,
    place: Option<String>,
    score: Option<ScoreView>,
    amount: Option<AmountView>,
    /// False when it named another customer: then its words are not shown here.
    same_customer: bool,
    by: Option<Shown>,
    text: Option<Shown>,
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
/// Complete at every moment. A cursor is a place in the order, which stays where it is while entries come and go. Header
/// `Polku-Reason` says why; by default it is the reason of the search. With `live=true` the answer is a stream of `entry` (a new
/// one, or another version of a known one), `gone` (an event that no longer fits), `reset` (something left the timeline: read it
/// anew) and `moved` (the customer has another id now; the stream ends).
#[utoipa::path(
    get, path = "/v1/customers/{id}/timeline", tag = "customers", security(("bearer" = [])),
    params(
        ("id" = String, Path), Asked,
        ("Polku-Reason" = Option<String>, Header), ("Last-Event-ID" = Option<String>, Header),
    ),
    responses(
        (status = 200, content((TimelineView = "application/json"), (TimelineEvent = "text/event-stream"))),
        (status = 308, body = MovedView),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 429, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn timeline(
    State(api): State<Api>,
    Caller(caller): Caller,
    Path(id): Path<String>,
    query: Result<Query<Asked>, QueryRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let asked = customers::asked(&id)?;
    let reason = reason_of(&headers)?;
    let query = query
        .map_err(|error| Refusal::Unparseable(error.body_text()))?
        .0;
    let wanted = wanted(&query)?;
    let (profile, ready) = {
        let state = api.state();
        let profile = customers::permitted(&api, &state, &caller, asked)?;
        if profile != asked {
            return Ok(customers::moved(asked, profile, &uri));
        }
        let ready = if wanted.live {
            Ready::Feed(feed::permit(&api)?)
        } else {
            let Wanted {
                filter,
                order,
                at,
                limit,
                ..
            } = &wanted;
            let page = state.page(profile, filter, *order, *at, *limit);
            Ready::Page(page, feed::id(&api, state.sequence()))
        };
        (profile, ready)
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
    Ok(match ready {
        Ready::Page(page, live) => Json(view(page, live)).into_response(),
        Ready::Feed(permit) => {
            let last = headers.get("last-event-id");
            feed::open(&api, permit, caller, profile, wanted, last)
        }
    })
}

/// What can be answered once the reading is written down.
enum Ready {
    Page(Page, String),
    Feed(OwnedSemaphorePermit),
}

/// What a query asks for.
pub(super) struct Wanted {
    pub(super) filter: Filter,
    pub(super) order: Order,
    pub(super) at: At,
    pub(super) limit: usize,
    live: bool,
}

fn wanted(query: &Asked) -> Result<Wanted, Refusal> {
    let at = match (&query.cursor, &query.before) {
        (Some(_), Some(_)) => {
            return Err(Refusal::fault("before", "cannot go together with `cursor`"));
        }
        (after, None) => cursor(after.as_deref())?.map_or(At::Start, At::After),
        (None, Some(before)) => {
            let before: Result<Cursor, _> = before.parse();
            At::Before(before.map_err(|error| Refusal::fault("before", format!("{error}")))?)
        }
    };
    let live = query.live.unwrap_or_default();
    if live && matches!(at, At::Before(_)) {
        return Err(Refusal::fault("before", "cannot go together with `live`"));
    }
    Ok(Wanted {
        filter: filter(query)?,
        order: order(query.order.as_deref())?,
        at,
        limit: limit(query.limit)?,
        live,
    })
}

fn filter(query: &Asked) -> Result<Filter, Refusal> {
    const KINDS: [Kind; 3] = [Kind::Feedback, Kind::Complaint, Kind::Service];
    const CHANNELS: [Channel; 4] = [
        Channel::Store,
        Channel::CallCentre,
        Channel::Web,
        Channel::Subcontractor,
    ];
    Ok(Filter {
        from: parsed("from", query.from.as_deref(), TIME)?,
        to: parsed("to", query.to.as_deref(), TIME)?,
        kind: one_of("kind", query.kind.as_deref(), &KINDS, Kind::as_str)?,
        channel: one_of(
            "channel",
            query.channel.as_deref(),
            &CHANNELS,
            Channel::as_str,
        )?,
        party: parsed("party", query.party.as_deref(), "the name of a party")?,
        matter: parsed("matter", query.matter.as_deref(), "the id of a matter")?,
    })
}

const TIME: &str = "a time as in RFC 3339, with its offset";

fn parsed<T: FromStr>(field: &str, text: Option<&str>, should: &str) -> Result<Option<T>, Refusal> {
    text.map(str::parse)
        .transpose()
        .map_err(|_| Refusal::fault(field, format!("is not {should}")))
}

fn one_of<T: Copy>(
    field: &str,
    text: Option<&str>,
    all: &[T],
    as_str: fn(T) -> &'static str,
) -> Result<Option<T>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    let found = all.iter().copied().find(|one| as_str(*one) == text);
    found.map(Some).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|one| as_str(*one)).collect();
        Refusal::fault(field, format!("is not one of {}", names.join(", ")))
    })
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
fn view(page: Page, live: String) -> TimelineView {
    TimelineView {
        entries: page.items.into_iter().map(entry).collect(),
        next: page.next.map(|next| next.to_string()),
        previous: page.previous.map(|previous| previous.to_string()),
        live,
    }
}

fn entry(item: Item) -> EntryView {
    match item.what {
        What::Event(happened) => EntryView::Event(Box::new(event_view(*happened))),
        What::Step(step) => EntryView::Step(step_view(&step)),
    }
}

/// The name and the words of an event, as far as somebody may see them.
fn words(event: &Event, permission: Permission) -> (Option<Shown>, Option<Shown>) {
    let shown = |words: Option<String>| words.map(|text| Shown::new(Some(&text), permission));
    match personal::open(event) {
        Some(personal) => (shown(personal.name), shown(personal.text)),
        // Sealed: the page says that there may be words, not which.
        None => (None, Some(Shown::new(None, permission))),
    }
}

fn event_view(happened: Happened) -> EventView {
    let Happened {
        bytes,
        note,
        case,
        corrected,
    } = happened;
    let event = personal::event(&bytes);
    let (by, text) = words(&event, Permission::Open);
    let (stage, touchpoint, party, matter) = match note {
        Some(note) => (note.stage, note.touchpoint, note.party, Some(note.matter)),
        None => (event.stage, event.touchpoint, event.party, None),
    };
    let name = |name: Option<event::Name>| name.map(|name| name.to_string());
    EventView {
        event: event.id.to_string(),
        revision: event.revision,
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
        score: event.score.map(score_view),
        amount: event.amount.map(amount_view),
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
        corrected: corrected.iter().map(version_view).collect(),
    }
}

fn version_view(version: &Corrected) -> VersionView {
    let event = personal::event(&version.bytes);
    let (by, text) = if version.is_theirs {
        words(&event, Permission::Open)
    } else {
        // Not even the mask: what it leaves would be another customer's.
        (None, None)
    };
    VersionView {
        revision: event.revision,
        time: event.time,
        received: event.received,
        kind: event.kind.as_str(),
        name: event.name.to_string(),
        place: event.place.map(|place| place.to_string()),
        score: event.score.map(score_view),
        amount: event.amount.map(amount_view),
        same_customer: version.is_theirs,
        by,
        text,
    }
}

fn score_view(score: Score) -> ScoreView {
    ScoreView {
        metric: score.metric.to_string(),
        value: score.value,
        min: score.min,
        max: score.max,
    }
}

fn amount_view(amount: Amount) -> AmountView {
    AmountView {
        value: amount.value,
        currency: amount.currency,
        of: amount.of,
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
