//! What people decide about who is who: asked for, tried, and answered.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use event::{DecisionId, ProfileId, Token, access::AccessKind, link::DecisionKind};
use ingest::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    NO_DECISION, NOT_YOURS,
    decide::{self, Denied},
    view::{DecisionView, Look, TrialView},
};
use crate::{
    access::Opened,
    api::{
        Api, Caller, Path,
        body::Body,
        customers::{self, MovedView},
        masked,
        refusal::{Fault as FieldFault, Refusal},
    },
    credential::Credential,
    model::{
        self,
        decision::{Asked, Conflict, Fault},
    },
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
    let customer = customers::asked(&id)?;
    let mut request = Request::read(api, caller, &headers, bytes)?;
    let present = request.permitted(customer)?;
    if present != customer {
        return Ok(customers::moved(customer, present, &uri));
    }
    let leave: Option<Vec<String>> = request.body.required("leave", IDS);
    let leave = values(&mut request.body, "leave", leave);
    let asked = |state: &model::State| state.split(present, &leave);
    request.answer(asked).await
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
    let mut request = Request::read(api, caller, &headers, bytes)?;
    let ids: Option<Vec<String>> = request.body.required("customers", IDS);
    let ids = values(&mut request.body, "customers", ids);
    let ids: Vec<ProfileId> = ids.into_iter().map(ProfileId::new).collect();
    for id in &ids {
        request.permitted(*id)?;
    }
    let asked = |state: &model::State| state.merge(&ids);
    request.answer(asked).await
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
    let mut request = Request::read(api, caller, &headers, bytes)?;
    let body = &mut request.body;
    let kinds = "one of apart, together, block, allow, undo";
    let what: Option<DecisionKind> = body.required("decision", kinds);
    if what == Some(DecisionKind::Unknown) {
        body.fault("decision", format!("is not {kinds}"));
    }
    let mut side = |field| {
        let ids: Option<Vec<String>> = body.optional(field, IDS);
        values(body, field, ids)
    };
    let (one, other) = (side("one"), side("other"));
    let undoes: Option<DecisionId> = body.optional("undoes", "the id of a decision");
    let asked = Asked {
        what: what.unwrap_or(DecisionKind::Unknown),
        one,
        other,
        undoes,
    };
    request.answer(|_| Ok(asked)).await
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

/// A request to decide something, by somebody who decides.
struct Request {
    api: Api,
    caller: Arc<Credential>,
    id: DecisionId,
    body: Body,
}

impl Request {
    fn read(
        api: Api,
        caller: Arc<Credential>,
        headers: &HeaderMap,
        bytes: Result<Bytes, BytesRejection>,
    ) -> Result<Request, Refusal> {
        if !caller.decides() {
            return Err(NOT_YOURS);
        }
        let body = Body::read(headers, bytes)?;
        let key = headers.get("idempotency-key").map(HeaderValue::as_bytes);
        let id = decide::decision_id(&api, &caller, key)?;
        Ok(Request {
            api,
            caller,
            id,
            body,
        })
    }

    /// The present id of a customer whom the caller may read.
    fn permitted(&self, customer: ProfileId) -> Result<ProfileId, Refusal> {
        let state = self.api.state();
        customers::permitted(&self.api, &state, &self.caller, customer)
    }

    /// Tries the decision, or makes it; one that was made before by the same key is answered as it is, whatever is asked.
    async fn answer(
        mut self,
        asked: impl FnOnce(&model::State) -> Result<Asked, Fault>,
    ) -> Result<Response, Refusal> {
        let dry_run: Option<bool> = self.body.optional("dry_run", "true or false");
        let why = "a text that says why";
        if dry_run == Some(true) {
            let reason: Option<String> = self.body.optional("reason", why);
            self.body.finish()?;
            let asked = asked(&self.api.state()).map_err(Denied::Fault)?;
            let trial = decide::trial(&self.api, &self.caller, &asked)?;
            let trial = |look: Look<'_>| AnswerView::Trial(Box::new(look.trial(trial)));
            return shown(&self.api, &self.caller, reason, trial).await;
        }
        let reason: Option<String> = self.body.required("reason", why);
        self.body.finish()?;
        let reason = reason.unwrap_or_default();
        let known = self.api.state().decided(self.id);
        let decided = match known {
            Some(decided) => Some(decided),
            None => {
                let asked = asked(&self.api.state()).map_err(Denied::Fault)?;
                decide::decide(&self.api, &self.caller, self.id, asked, &reason).await?
            }
        };
        let Some(decided) = decided else {
            return Ok(pending(self.id));
        };
        let decided = |look: Look<'_>| AnswerView::Decision(Box::new(look.decision(decided)));
        shown(&self.api, &self.caller, Some(reason), decided).await
    }
}

/// Answers with what a look at the model shows, once it is written down whose values it opened.
async fn shown(
    api: &Api,
    caller: &Credential,
    reason: Option<String>,
    view: impl FnOnce(Look<'_>) -> AnswerView,
) -> Result<Response, Refusal> {
    let opened = Opened::default();
    let view = {
        let state = api.state();
        view(Look {
            api,
            state: &state,
            caller,
            opened: &opened,
        })
    };
    let reason = reason.as_deref().map(masked);
    api.note_reading(caller, AccessKind::Profile, opened.customers(), reason)
        .await?;
    Ok(Json(view).into_response())
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
