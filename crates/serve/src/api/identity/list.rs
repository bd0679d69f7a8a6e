//! What waits for a person, and what people decided.

use std::str::FromStr;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::HeaderMap,
};
use event::{DecisionId, Token, access::AccessKind};
use ingest::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    NO_DECISION, NOT_YOURS,
    view::{DecisionView, ItemView, Look},
};
use crate::{
    access::Opened,
    api::{Api, Caller, Path, reason_of, refusal::Refusal},
    model::why::{Item, What},
};

/// Which part of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct Part {
    /// `next` of the answer before.
    #[param(pattern = "^(d_)?[0-9a-f]{32}$")]
    cursor: Option<String>,
    /// 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Which items of a review.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct Only {
    /// Of what waits, only this.
    #[param(pattern = "^(conflict|suggestion|shared|ceiling|unowned)$")]
    what: Option<String>,
}

const LIMIT_MAX: usize = 200;
const LIMIT: usize = 50;

#[derive(Serialize, ToSchema)]
pub(in crate::api) struct ReviewView {
    /// The oldest first.
    items: Vec<ItemView>,
    /// How many there are in all that are the caller's business.
    count: usize,
    next: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(in crate::api) struct DecisionsView {
    /// The latest first.
    decisions: Vec<DecisionView>,
    next: Option<String>,
}

/// What waits for a person to decide: conflicts, suggestions, shared values, ceilings, references that nobody owns.
#[utoipa::path(
    get, path = "/v1/identity/review", tag = "identity", security(("bearer" = [])),
    params(Part, Only, ("Polku-Reason" = Option<String>, Header)),
    responses(
        (status = 200, body = ReviewView), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 429, body = Problem), (status = 403, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem),
    )
)]
pub(in crate::api) async fn review(
    State(api): State<Api>,
    Caller(caller): Caller,
    query: Result<Query<Part>, QueryRejection>,
    only: Result<Query<Only>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<ReviewView>, Refusal> {
    if !caller.decides() {
        return Err(NOT_YOURS);
    }
    let reason = reason_of(&headers)?;
    let (cursor, limit) = asked::<Token>(query)?;
    let only = only
        .map_err(|error| Refusal::Unparseable(error.body_text()))?
        .0;
    let what = match &only.what {
        None => None,
        Some(name) => {
            let what = What::ALL.into_iter().find(|what| what.as_str() == name);
            Some(what.ok_or_else(|| Refusal::fault("what", "is no kind of item"))?)
        }
    };
    let opened = Opened::default();
    let view = {
        let state = api.state();
        let now = api.now();
        let mine: Vec<Item> = state
            .review()
            .into_iter()
            .filter(|item| what.is_none_or(|what| what == item.what))
            .filter(|item| {
                let profiles = item.profiles.iter().copied();
                state.may_look_into(&caller, &api.grants, profiles, now)
            })
            .collect();
        let count = mine.len();
        let (part, next) = part(mine, cursor, limit, |item| item.id);
        let look = Look {
            api: &api,
            state: &state,
            caller: &caller,
            opened: &opened,
        };
        ReviewView {
            items: part.into_iter().map(|item| look.item(item)).collect(),
            count,
            next: next.map(|next| next.to_string()),
        }
    };
    api.note_reading(&caller, AccessKind::Profile, opened.customers(), reason)
        .await?;
    Ok(Json(view))
}

/// What people decided, whether it holds or not.
#[utoipa::path(
    get, path = "/v1/identity/decisions", tag = "identity", security(("bearer" = [])),
    params(Part, ("Polku-Reason" = Option<String>, Header)),
    responses(
        (status = 200, body = DecisionsView), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 429, body = Problem), (status = 403, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem),
    )
)]
pub(in crate::api) async fn decisions(
    State(api): State<Api>,
    Caller(caller): Caller,
    query: Result<Query<Part>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<DecisionsView>, Refusal> {
    if !caller.decides() {
        return Err(NOT_YOURS);
    }
    let reason = reason_of(&headers)?;
    let (cursor, limit) = asked::<DecisionId>(query)?;
    let opened = Opened::default();
    let view = {
        let state = api.state();
        let mine = state
            .decisions()
            .into_iter()
            .filter(|decided| state.may_look_at(&caller, &api.grants, decided, api.now()));
        let (part, next) = part(mine.collect(), cursor, limit, |decided| decided.decision.id);
        let look = Look {
            api: &api,
            state: &state,
            caller: &caller,
            opened: &opened,
        };
        DecisionsView {
            decisions: part
                .into_iter()
                .map(|decided| look.decision(decided))
                .collect(),
            next: next.map(|next| next.to_string()),
        }
    };
    api.note_reading(&caller, AccessKind::Profile, opened.customers(), reason)
        .await?;
    Ok(Json(view))
}

/// One decision. 404 until it is carried out.
#[utoipa::path(
    get, path = "/v1/identity/decisions/{id}", tag = "identity", security(("bearer" = [])),
    params(("id" = String, Path), ("Polku-Reason" = Option<String>, Header)),
    responses(
        (status = 200, body = DecisionView), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 429, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem),
    )
)]
pub(in crate::api) async fn decision(
    State(api): State<Api>,
    Caller(caller): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<DecisionView>, Refusal> {
    if !caller.decides() {
        return Err(NOT_YOURS);
    }
    let reason = reason_of(&headers)?;
    let id: DecisionId = id.parse().map_err(|_| NO_DECISION)?;
    let opened = Opened::default();
    let view = {
        let state = api.state();
        let decided = state.decided(id).ok_or(NO_DECISION)?;
        if !state.may_look_at(&caller, &api.grants, &decided, api.now()) {
            return Err(NOT_YOURS);
        }
        let look = Look {
            api: &api,
            state: &state,
            caller: &caller,
            opened: &opened,
        };
        look.decision(decided)
    };
    api.note_reading(&caller, AccessKind::Profile, opened.customers(), reason)
        .await?;
    Ok(Json(view))
}

/// The cursor and how many.
fn asked<T: FromStr>(
    query: Result<Query<Part>, QueryRejection>,
) -> Result<(Option<T>, usize), Refusal> {
    let query = query
        .map_err(|error| Refusal::Unparseable(error.body_text()))?
        .0;
    let cursor = query.cursor.as_deref().map(str::parse).transpose();
    let cursor = cursor.map_err(|_| Refusal::fault("cursor", "is not `next` of an answer"))?;
    let limit = query
        .limit
        .map_or(LIMIT, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    if (1..=LIMIT_MAX).contains(&limit) {
        Ok((cursor, limit))
    } else {
        Err(Refusal::fault("limit", format!("is not 1 to {LIMIT_MAX}")))
    }
}

/// So many after the one that the cursor names, and the cursor of what follows. A list whose cursor is gone begins anew.
fn part<T, C: PartialEq + Copy>(
    all: Vec<T>,
    cursor: Option<C>,
    limit: usize,
    id: impl Fn(&T) -> C,
) -> (Vec<T>, Option<C>) {
    let first = cursor.and_then(|cursor| all.iter().position(|one| id(one) == cursor));
    let rest = all.into_iter().skip(first.map_or(0, |first| first + 1));
    let mut part: Vec<T> = rest.take(limit + 1).collect();
    let more = part.len() > limit;
    part.truncate(limit);
    let next = part.last().map(id).filter(|_| more);
    (part, next)
}
