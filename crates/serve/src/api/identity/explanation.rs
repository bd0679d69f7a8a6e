//! Why two events are on one timeline, or on two.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, Uri},
    response::{IntoResponse as _, Response},
};
use event::{EventId, ProfileId, access::AccessKind};
use ingest::problem::Problem;
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::{ExplanationView, Look};
use crate::{
    access::Opened,
    api::{
        Api, Caller, Path,
        customers::{self, MovedView},
        reason_of,
        refusal::Refusal,
    },
    credential::Credential,
};

/// Two events.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct Two {
    #[param(pattern = "^e_[0-9a-f]{32}$")]
    a: String,
    #[param(pattern = "^e_[0-9a-f]{32}$")]
    b: String,
}

/// Why two events are on this customer's timeline, or one of them on another's.
#[utoipa::path(
    get, path = "/v1/customers/{id}/explain", tag = "identity", security(("bearer" = [])),
    params(("id" = String, Path), Two, ("Polku-Reason" = Option<String>, Header)),
    responses(
        (status = 200, body = ExplanationView), (status = 308, body = MovedView),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 429, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem),
    )
)]
pub(in crate::api) async fn explain_of(
    api: State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    query: Result<Query<Two>, QueryRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let asked = customers::asked(&id)?;
    let present = customers::permitted(&api, &api.state(), &caller.0, asked)?;
    if present != asked {
        return Ok(customers::moved(asked, present, &uri));
    }
    explained(&api.0, &caller.0, Some(present), query, &headers).await
}

/// Why two events are on one timeline, or on two.
#[utoipa::path(
    get, path = "/v1/identity/explain", tag = "identity", security(("bearer" = [])),
    params(Two, ("Polku-Reason" = Option<String>, Header)),
    responses(
        (status = 200, body = ExplanationView), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 429, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem),
    )
)]
pub(in crate::api) async fn explain(
    api: State<Api>,
    caller: Caller,
    query: Result<Query<Two>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    explained(&api.0, &caller.0, None, query, &headers).await
}

async fn explained(
    api: &Api,
    caller: &Credential,
    of: Option<ProfileId>,
    query: Result<Query<Two>, QueryRejection>,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    if !caller.explains() {
        return Err(Refusal::Forbidden(
            "advisors, leads and admins ask why events are one customer's",
        ));
    }
    let reason = reason_of(headers)?;
    let query = query
        .map_err(|error| Refusal::Unparseable(error.body_text()))?
        .0;
    const NO_EVENT: Refusal = Refusal::NotFound("there is no such event on a customer's timeline");
    let event = |id: &str| id.parse::<EventId>().map_err(|_| NO_EVENT);
    let (a, b) = (event(&query.a)?, event(&query.b)?);
    let (view, read, opened) = {
        let state = api.state();
        let opened = Opened::default();
        let explained = state.explain(a, b).ok_or(NO_EVENT)?;
        let read = [explained.a.customer, explained.b.customer];
        for customer in read {
            customers::permitted(api, &state, caller, customer)?;
        }
        if of.is_some_and(|of| !read.contains(&of)) {
            return Err(Refusal::fault("a", "and `b` are events of other customers"));
        }
        let look = Look {
            api,
            state: &state,
            caller,
            opened: &opened,
        };
        (look.explanation(explained), read, opened.customers())
    };
    let others = opened.into_iter().filter(|other| !read.contains(other));
    api.note_reading(caller, AccessKind::Profile, others, reason.clone())
        .await?;
    api.note_reading(caller, AccessKind::Timeline, read, reason)
        .await?;
    Ok(Json(view).into_response())
}
