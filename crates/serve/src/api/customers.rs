//! Customers: found by an exact identifier, read by id.

mod state;

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, uri::PathAndQuery},
    response::{IntoResponse as _, Response},
};
use event::{ProfileId, Time, Token, Value, access::AccessKind};
use ingest::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::state::StateView;
use super::{Api, Caller, Path, body::Body, masked, reason_of, refusal::Refusal};
use crate::{
    access,
    credential::{Credential, Role},
    model::{self, page::Customer},
    personal::{self, Permission, Shown},
};

/// Who is looked for, and why.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "it describes the body, which is read field by field"
)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchBody {
    /// `type:value`: `email:aino@example.fi`. A reference is looked for in the same way: `order:A-77`.
    #[schema(pattern = r"\S:.*\S", example = "email:aino@example.fi")]
    identifier: String,
    /// Goes to the access record.
    #[schema(pattern = r"\S", example = "she calls about her sofa")]
    reason: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Found {
    /// Several where sources number their customers on their own.
    customers: Vec<CustomerView>,
}

/// One customer.
#[derive(Serialize, ToSchema)]
pub(crate) struct CustomerView {
    pub(crate) id: String,
    /// The latest name given, for a permitted reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<Shown>,
    /// The strongest first.
    pub(crate) identifiers: Vec<ValueView>,
    pub(crate) references: Vec<ValueView>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) first_seen: Option<Time>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) last_seen: Option<Time>,
    /// How many events the timeline has, for a permitted reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) events: Option<usize>,
    /// What the timeline adds up to, for a permitted reader of this one customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<StateView>,
    pub(crate) open_cases: usize,
    /// Those that the caller may read, newest first.
    cases: Vec<String>,
}

impl CustomerView {
    /// Whether the caller may read the customer.
    pub(crate) fn is_open(&self) -> bool {
        self.events.is_some()
    }
}

/// The customer has another id now: two proved to be one, or somebody decided so.
#[derive(Serialize, ToSchema)]
pub(super) struct MovedView {
    /// The one that was asked for.
    id: String,
    moved_to: String,
    /// Where `Location` leads too.
    link: String,
}

/// An identifier or a reference of a customer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ValueView {
    /// What decisions name it by, for a permitted reader: the id of the customer that it would be alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(flatten)]
    pub(crate) shown: Shown,
}

/// Find customers by an exact identifier or reference.
///
/// The role `front_line` finds anybody, and may read for an hour whom it found. The roles `advisor` and `lead` see the customers
/// of their departments' cases; of others only that there is one, masked, and how many cases are open.
#[utoipa::path(
    post, path = "/v1/customers/search", tag = "customers", security(("bearer" = [])),
    request_body = SearchBody,
    responses(
        (status = 200, body = Found), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 429, body = Problem), (status = 403, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn search(
    State(api): State<Api>,
    Caller(caller): Caller,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Found>, Refusal> {
    if caller.role == Role::Machine {
        return Err(Refusal::Forbidden("the role machine reads no customer"));
    }
    let mut body = Body::read(&headers, bytes)?;
    let identifier: Option<String> = body.required("identifier", "a text, `type:value`");
    let reason: Option<String> = body.required("reason", "a text that says why");
    if reason
        .as_ref()
        .is_some_and(|reason| reason.trim().is_empty())
    {
        body.fault("reason", "is empty: say why".to_owned());
    }
    body.finish()?;
    let tokens = tokens_of(&api, &identifier.unwrap_or_default())?;
    let reason = reason.map(|reason| masked(&reason));

    let customers = look_up(&api, &caller, &tokens, reason).await?;
    Ok(Json(Found { customers }))
}

/// The customers that the tokens name. Leaves the records of the search first, and grants what it is to be granted.
pub(crate) async fn look_up(
    api: &Api,
    caller: &Credential,
    tokens: &BTreeSet<Token>,
    reason: Option<String>,
) -> Result<Vec<CustomerView>, Refusal> {
    let now = api.now();
    let customers = find(api, tokens);
    let ids: Vec<ProfileId> = customers.iter().map(|customer| customer.id).collect();
    let records = access::records(caller, now, AccessKind::Search, &ids, reason.clone());
    api.append(records).await?;
    api.grants.give(caller, &ids, reason.as_deref(), now);
    let customers = customers.into_iter();
    Ok(customers
        .map(|customer| view(api, caller, customer))
        .collect())
}

/// One customer, by its present id. An old one leads to it.
///
/// Header `Polku-Reason` says why; by default it is the reason of the search that found the customer.
#[utoipa::path(
    get, path = "/v1/customers/{id}", tag = "customers", security(("bearer" = [])),
    params(("id" = String, Path), ("Polku-Reason" = Option<String>, Header)),
    responses(
        (status = 200, body = CustomerView), (status = 308, body = MovedView),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 429, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn customer(
    State(api): State<Api>,
    Caller(caller): Caller,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let asked = asked(&id)?;
    let reason = reason_of(&headers)?;
    let (customer, summary) = {
        let state = api.state();
        let profile = permitted(&api, &state, &caller, asked)?;
        if profile != asked {
            return Ok(moved(asked, profile, &uri));
        }
        let summary = StateView::new(state.profile(profile).figures(api.now()), |case| {
            let case = state.cases.get(case);
            case.is_some_and(|case| state.may_read_case(&caller, case))
        });
        (state.customer(profile), summary)
    };
    let reason = reason.or_else(|| api.grants.reason(&caller, customer.id, api.now()));
    let read = [customer.id];
    api.append(access::records(
        &caller,
        api.now(),
        AccessKind::Profile,
        &read,
        reason,
    ))
    .await?;
    let mut view = view(&api, &caller, customer);
    view.state = Some(summary);
    Ok(Json(view).into_response())
}

/// Leads from an old id to the same path under the present one.
pub(super) fn moved(asked: ProfileId, present: ProfileId, uri: &Uri) -> Response {
    let here = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let link = here.replacen(&asked.to_string(), &present.to_string(), 1);
    let location =
        HeaderValue::from_str(&link).expect("a part of an address may stand in a header");
    let view = MovedView {
        id: asked.to_string(),
        moved_to: present.to_string(),
        link,
    };
    let status = StatusCode::PERMANENT_REDIRECT;
    (status, [(header::LOCATION, location)], Json(view)).into_response()
}

pub(crate) fn asked(id: &str) -> Result<ProfileId, Refusal> {
    id.parse().map_err(|_| NOBODY)
}

const NOBODY: Refusal = Refusal::NotFound("there is no such customer");

/// The profile an id stands for, if the caller may read it.
pub(crate) fn permitted(
    api: &Api,
    state: &model::State,
    caller: &Credential,
    asked: ProfileId,
) -> Result<ProfileId, Refusal> {
    let not_yours = match caller.role {
        Role::Machine => "the role machine reads no customer",
        Role::FrontLine => {
            "search for the customer by an exact identifier first, and say why: what you found can be read for an hour"
        }
        Role::Advisor | Role::Lead | Role::Admin => {
            "no case of your departments concerns this customer"
        }
    };
    let profile = state.identity.resolve(asked);
    match profile {
        Some(profile) if state.may_read_customer(caller, &api.grants, profile, api.now()) => {
            Ok(profile)
        }
        None if caller.role == Role::Admin => Err(NOBODY),
        // Whether somebody is a customer is not told to who may not read the customer.
        Some(_) | None => Err(Refusal::Forbidden(not_yours)),
    }
}

/// The tokens that a text may stand for: one for each space that its type has at some door.
fn tokens_of(api: &Api, identifier: &str) -> Result<BTreeSet<Token>, Refusal> {
    let form = || Refusal::fault("identifier", "is not of the form `type:value`");
    let (kind, value) = identifier.split_once(':').ok_or_else(form)?;
    let company = api.state().companies.current();
    crate::search::tokens(&company, &api.doors, &api.pepper, kind.trim(), value.trim())
        .map_err(|fault| Refusal::fault("identifier", fault.to_string()))
}

fn find(api: &Api, tokens: &BTreeSet<Token>) -> Vec<Customer> {
    let state = api.state();
    let found: BTreeSet<ProfileId> = tokens
        .iter()
        .filter_map(|token| state.identity.resolve(ProfileId::new(*token)))
        .collect();
    found
        .into_iter()
        .map(|profile| state.customer(profile))
        .collect()
}

pub(crate) fn view(api: &Api, caller: &Credential, customer: Customer) -> CustomerView {
    let cases = &customer.cases;
    let (is_permitted, mut readable) = {
        let state = api.state();
        let readable: Vec<_> = cases
            .iter()
            .filter(|case| state.may_read_case(caller, case))
            .map(|case| (std::cmp::Reverse(case.opened), case.case))
            .collect();
        let now = api.now();
        let may_read = state.may_read_customer(caller, &api.grants, customer.id, now);
        (may_read, readable)
    };
    readable.sort_unstable();
    let permission = if is_permitted {
        Permission::Open
    } else {
        Permission::Masked
    };
    let (identifiers, references) = values(api, &customer.values, permission);
    CustomerView {
        id: customer.id.to_string(),
        name: name(&customer, permission),
        identifiers,
        references,
        first_seen: customer.first_seen.filter(|_| is_permitted),
        last_seen: customer.last_seen.filter(|_| is_permitted),
        events: is_permitted.then_some(customer.events),
        state: None,
        open_cases: cases.iter().filter(|case| case.phase.is_open()).count(),
        cases: readable
            .into_iter()
            .map(|(_, case)| case.to_string())
            .collect(),
    }
}

fn name(customer: &Customer, permission: Permission) -> Option<Shown> {
    match permission {
        Permission::Masked => None,
        Permission::Open => customer
            .latest
            .iter()
            .find_map(|bytes| personal::open(&personal::event(bytes))?.name)
            .map(|name| Shown::new(Some(&name), permission)),
    }
}

/// Identifiers and references, each in the company's order of strength.
fn values(
    api: &Api,
    values: &[(Value, Vec<Arc<[u8]>>)],
    permission: Permission,
) -> (Vec<ValueView>, Vec<ValueView>) {
    let types = api.state().companies.current().types();
    let strength = |value: &Value| {
        types
            .iter()
            .position(|known| known.class == value.class && known.name == value.kind)
            .unwrap_or(types.len())
    };
    let mut values: Vec<_> = values.iter().collect();
    values.sort_by_key(|(value, _)| (strength(value), value.token));
    let (identifiers, references): (Vec<_>, Vec<_>) = values
        .into_iter()
        .partition(|(value, _)| value.is_identifier());
    let shown = |values: Vec<&(Value, Vec<Arc<[u8]>>)>| {
        values
            .into_iter()
            .map(|(value, witnesses)| ValueView {
                id: (permission == Permission::Open)
                    .then(|| ProfileId::new(value.token).to_string()),
                kind: value.kind.to_string(),
                shown: Shown::new(
                    personal::written(value, witnesses, &api.pepper, &api.doors.spaces).as_deref(),
                    permission,
                ),
            })
            .collect()
    };
    (shown(identifiers), shown(references))
}
