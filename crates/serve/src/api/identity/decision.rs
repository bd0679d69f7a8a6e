//! What people decide about who is who: asked for, tried, and answered.

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use event::{DecisionId, ProfileId, Token, link::DecisionKind};
use ingest::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    NO_DECISION, NOT_YOURS,
    decide::{self, Denied},
    view::{DecisionView, Look, TrialView},
};
use crate::{
    api::{
        Api, Caller, Path,
        body::Body,
        customers::{self, MovedView},
        refusal::{Fault as FieldFault, Refusal},
    },
    credential::Credential,
    model::decision::{Asked, Conflict, Decided, Fault},
};

/// Values that are somebody else's.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "it describes the body, which is read field by field"
)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct SplitBody {
    /// The `id`s of the customer's values that leave it.
    leave: Vec<String>,
    /// Required unless `dry_run`.
    reason: Option<String>,
    /// Only say what would move.
    dry_run: Option<bool>,
}

/// Customers that are one.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "it describes the body, which is read field by field"
)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct MergeBody {
    customers: Vec<String>,
    /// Required unless `dry_run`.
    reason: Option<String>,
    /// Only say what would move.
    dry_run: Option<bool>,
}

/// A decision about values.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "it describes the body, which is read field by field"
)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct DecisionBody {
    /// `apart`: no value of `one` is ever one person's with one of `other`. `together`: all are one person's. `block`: the values of
    /// `one` connect nobody. `allow`: no limit keeps them from it. `undo`: the decision `undoes` no longer holds.
    #[schema(pattern = "^(apart|together|block|allow|undo)$")]
    decision: String,
    /// The `id`s of values.
    one: Option<Vec<String>>,
    other: Option<Vec<String>>,
    #[schema(pattern = "^d_[0-9a-f]{32}$")]
    undoes: Option<String>,
    /// Required unless `dry_run`.
    reason: Option<String>,
    /// Only say what would move.
    dry_run: Option<bool>,
}

/// What would move, or the decision.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::api) enum AnswerView {
    Trial(Box<TrialView>),
    Decision(Box<DecisionView>),
}

/// The decision is written down, and not carried out yet.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct PendingView {
    id: String,
    /// Where to ask again.
    link: String,
}

/// Decide that values of a customer are somebody else's.
///
/// It holds against whatever names them together, before and after, until it is undone. Role `lead` or `admin`, and a reader of
/// the customer.
#[utoipa::path(
    post, path = "/v1/customers/{id}/split", tag = "identity", security(("bearer" = [])),
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255)),
    request_body = SplitBody,
    responses(
        (status = 200, body = AnswerView), (status = 202, body = PendingView), (status = 308, body = MovedView),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 429, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem),
    )
)]
pub(in crate::api) async fn split(
    State(api): State<Api>,
    Caller(caller): Caller,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    if !caller.decides() {
        return Err(NOT_YOURS);
    }
    let customer = customers::asked(&id)?;
    let mut body = Body::read(&headers, bytes)?;
    let leave: Option<Vec<String>> = body.required("leave", IDS);
    let leave = values(&mut body, "leave", leave);
    let how = How::read(&api, &caller, &headers, &mut body)?;
    body.finish()?;
    if let Some(repeat) = how.repeat(&api, &caller) {
        return Ok(repeat);
    }
    let asked = {
        let state = api.state();
        let present = customers::permitted(&api, &state, &caller, customer)?;
        if present != customer {
            return Ok(customers::moved(customer, present, &uri));
        }
        state.split(present, &leave).map_err(Denied::Fault)?
    };
    how.answer(&api, &caller, asked).await
}

/// Decide that customers are one.
///
/// It goes over what the rules forbid to the values it names: two customer numbers, the word of an untrusted source, a ceiling. A
/// decision that keeps them apart is to be undone first. Role `lead` or `admin`, and a reader of all the customers.
#[utoipa::path(
    post, path = "/v1/customers/merge", tag = "identity", security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255)),
    request_body = MergeBody,
    responses(
        (status = 200, body = AnswerView), (status = 202, body = PendingView),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 429, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem),
    )
)]
pub(in crate::api) async fn merge(
    State(api): State<Api>,
    Caller(caller): Caller,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    if !caller.decides() {
        return Err(NOT_YOURS);
    }
    let mut body = Body::read(&headers, bytes)?;
    let ids: Option<Vec<String>> = body.required("customers", IDS);
    let tokens = values(&mut body, "customers", ids);
    let how = How::read(&api, &caller, &headers, &mut body)?;
    body.finish()?;
    if let Some(repeat) = how.repeat(&api, &caller) {
        return Ok(repeat);
    }
    let asked = {
        let state = api.state();
        let ids: Vec<ProfileId> = tokens.into_iter().map(ProfileId::new).collect();
        for id in &ids {
            customers::permitted(&api, &state, &caller, *id)?;
        }
        state.merge(&ids).map_err(Denied::Fault)?
    };
    how.answer(&api, &caller, asked).await
}

/// Decide about values: that they are apart, together, shared or not, or that an earlier decision no longer holds.
///
/// Role `lead` or `admin`, and a reader of all the customers concerned.
#[utoipa::path(
    post, path = "/v1/identity/decisions", tag = "identity", security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255)),
    request_body = DecisionBody,
    responses(
        (status = 200, body = AnswerView), (status = 202, body = PendingView),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 429, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem),
    )
)]
pub(in crate::api) async fn decide(
    State(api): State<Api>,
    Caller(caller): Caller,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    if !caller.decides() {
        return Err(NOT_YOURS);
    }
    let mut body = Body::read(&headers, bytes)?;
    let kinds = "one of apart, together, block, allow, undo";
    let what: Option<DecisionKind> = body.required("decision", kinds);
    if what == Some(DecisionKind::Unknown) {
        body.fault("decision", format!("is not {kinds}"));
    }
    let mut side = |field| {
        let ids: Option<Vec<String>> = body.optional(field, IDS);
        values(&mut body, field, ids)
    };
    let (one, other) = (side("one"), side("other"));
    let undoes: Option<DecisionId> = body.optional("undoes", "the id of a decision");
    let how = How::read(&api, &caller, &headers, &mut body)?;
    body.finish()?;
    if let Some(repeat) = how.repeat(&api, &caller) {
        return Ok(repeat);
    }
    let what = what.unwrap_or(DecisionKind::Unknown);
    let asked = Asked {
        what,
        one,
        other,
        undoes,
    };
    how.answer(&api, &caller, asked).await
}

const IDS: &str = "a list of ids";

/// The values that a list of ids names.
fn values(body: &mut Body, field: &'static str, ids: Option<Vec<String>>) -> Vec<Token> {
    let mut tokens = Vec::new();
    for id in ids.unwrap_or_default() {
        match id.parse::<ProfileId>() {
            Ok(id) => tokens.push(id.token()),
            Err(error) => body.fault(field, format!("has what is no id: {error}")),
        }
    }
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

/// How a decision is asked for.
struct How {
    id: DecisionId,
    reason: Option<String>,
    dry_run: bool,
}

impl How {
    fn read(
        api: &Api,
        caller: &Credential,
        headers: &HeaderMap,
        body: &mut Body,
    ) -> Result<How, Refusal> {
        let key = headers.get("idempotency-key").map(HeaderValue::as_bytes);
        let dry_run: Option<bool> = body.optional("dry_run", "true or false");
        let dry_run = dry_run.unwrap_or_default();
        let why = "a text that says why";
        let reason: Option<String> = if dry_run {
            body.optional("reason", why)
        } else {
            body.required("reason", why)
        };
        Ok(How {
            id: decide::decision_id(api, caller, key)?,
            reason,
            dry_run,
        })
    }

    /// The answer to a request that was carried out before.
    fn repeat(&self, api: &Api, caller: &Credential) -> Option<Response> {
        if self.dry_run {
            return None;
        }
        let state = api.state();
        let decided = state.decided(self.id)?;
        Some(answer(
            Look {
                api,
                state: &state,
                caller,
            },
            decided,
        ))
    }

    async fn answer(
        self,
        api: &Api,
        caller: &Credential,
        asked: Asked,
    ) -> Result<Response, Refusal> {
        if self.dry_run {
            let trial = decide::trial(api, caller, &asked, self.reason.as_deref()).await?;
            let state = api.state();
            let look = Look {
                api,
                state: &state,
                caller,
            };
            let view = AnswerView::Trial(Box::new(look.trial(trial)));
            return Ok(Json(view).into_response());
        }
        let reason = self.reason.unwrap_or_default();
        match decide::decide(api, caller, self.id, asked, &reason).await? {
            Some(decided) => {
                let state = api.state();
                Ok(answer(
                    Look {
                        api,
                        state: &state,
                        caller,
                    },
                    decided,
                ))
            }
            None => Ok(pending(self.id)),
        }
    }
}

fn answer(look: Look<'_>, decided: Decided) -> Response {
    let view = AnswerView::Decision(Box::new(look.decision(decided)));
    Json(view).into_response()
}

fn pending(id: DecisionId) -> Response {
    let link = format!("/v1/identity/decisions/{id}");
    let location = HeaderValue::from_str(&link).expect("ids are hexadecimal digits");
    let headers = [
        (header::LOCATION, location),
        (header::RETRY_AFTER, HeaderValue::from_static("1")),
    ];
    let view = PendingView {
        id: id.to_string(),
        link,
    };
    (StatusCode::ACCEPTED, headers, Json(view)).into_response()
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Refusal {
        match denied {
            Denied::NotYours => NOT_YOURS,
            Denied::Refusal(refusal) => refusal,
            Denied::Fault(Fault::NoDecision) => NO_DECISION,
            Denied::Fault(Fault::Field(field, detail)) => Refusal::Faults(vec![FieldFault {
                field: field.to_owned(),
                detail,
            }]),
            Denied::Fault(Fault::Conflict(conflict)) => {
                let (detail, undo) = match conflict {
                    Conflict::Already => ("it is so already", Vec::new()),
                    Conflict::Undo(ids) => {
                        ("earlier decisions are against it: undo them first", ids)
                    }
                    Conflict::Rules => (
                        "the company's rules are against it: name all identifiers of both, and none that is out",
                        Vec::new(),
                    ),
                    Conflict::Undone => ("the decision does not hold any more", Vec::new()),
                };
                Refusal::Decided {
                    detail,
                    undo: undo.iter().map(ToString::to_string).collect(),
                }
            }
        }
    }
}
