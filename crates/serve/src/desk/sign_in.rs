//! Signing in with a key or by a link that does it once, signing out, and the page that a newcomer sees.

use std::{convert::Infallible, net::IpAddr, net::SocketAddr};

use askama::Template;
use axum::{
    extract::{ConnectInfo, FromRequestParts, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use event::Name;
use serde::Deserialize;

use super::{
    form::{Fields, Posted},
    language::Messages,
    page::{CANARY, Frame, Person, Tone, View, own_path, page_with, see},
    speech::Speech,
    trouble::Trouble,
};
use crate::{
    api::{Api, counts, departments},
    credential::Role,
    model,
};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    frame: Frame,
    /// Where the person wanted to go.
    to: String,
    figures: Option<Figures>,
}

/// The totals, where they are public.
struct Figures {
    rows: Vec<(String, String)>,
    balanced: bool,
    departments: Vec<(String, usize)>,
}

/// `/`: to the person's first inbox, or the way in.
pub(super) async fn front(
    State(api): State<Api>,
    view: View,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    match Person::of(&api, &headers, view.clone()) {
        Some(person) => Ok(see(&person.home(&api.state()))),
        None => sign_in_page(&api, &view, "/", None),
    }
}

#[derive(Deserialize)]
pub(super) struct Asked {
    to: Option<String>,
    /// The code of a link that signs in once.
    once: Option<String>,
}

pub(super) async fn page(
    State(api): State<Api>,
    view: View,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let asked = query.map_err(|_| Trouble::Unreadable)?.0;
    let to = own_path(asked.to.as_deref());
    let Some(code) = asked.once else {
        return sign_in_page(&api, &view, to, None);
    };
    let redeemed = code.parse().ok();
    let who = redeemed.and_then(|code| api.sessions.redeem(code, api.now()));
    match who.and_then(|who| begun(&api, &who, to)) {
        Some(response) => Ok(response),
        None => sign_in_page(&api, &view, to, Some(Failure::Link)),
    }
}

/// Why nobody was signed in.
#[derive(Clone, Copy)]
enum Failure {
    Key,
    Machine,
    TooMany,
    Link,
}

impl Failure {
    const fn status(self) -> StatusCode {
        match self {
            Failure::Key | Failure::Machine | Failure::Link => StatusCode::FORBIDDEN,
            Failure::TooMany => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Failure::Key => "sign-in-wrong-key",
            Failure::Machine => "sign-in-machine",
            Failure::TooMany => "sign-in-too-many",
            Failure::Link => "sign-in-used-link",
        }
    }
}

pub(super) async fn sign_in(
    State(api): State<Api>,
    view: View,
    Address(from): Address,
    fields: Fields,
) -> Result<Response, Trouble> {
    let to = own_path(fields.get("to"));
    let now = api.now();
    let failure = if api.sessions.may_try(from, now) {
        let known = api
            .credentials
            .with_key(fields.get("key").unwrap_or_default());
        match known {
            Some(credential) if credential.role == Role::Machine => Failure::Machine,
            Some(credential) => {
                return begun(&api, &credential.name, to).ok_or(Trouble::Internal);
            }
            None => {
                api.sessions.failed(from, now);
                Failure::Key
            }
        }
    } else {
        Failure::TooMany
    };
    sign_in_page(&api, &view, to, Some(failure))
}

fn begun(api: &Api, who: &Name, to: &str) -> Option<Response> {
    let session = api.sessions.begin(&api.credentials, who, api.now())?;
    let cookie = api.sessions.cookie(&session);
    Some(([(header::SET_COOKIE, cookie)], see(to)).into_response())
}

/// Ends the session here and in every stream it opened.
pub(super) async fn sign_out(State(api): State<Api>, posted: Posted) -> Response {
    api.sessions.end(&posted.person.session, api.now());
    let removed = api.sessions.removed_cookie();
    ([(header::SET_COOKIE, removed)], see("/sign-in")).into_response()
}

fn sign_in_page(
    api: &Api,
    view: &View,
    to: &str,
    failure: Option<Failure>,
) -> Result<Response, Trouble> {
    let messages = Messages::of(view.language);
    let mut frame = Frame::public(view, messages.say("sign-in-title"));
    if let Some(failure) = failure {
        frame.alert(Tone::Bad, messages.say(failure.message()));
    }
    let figures = api
        .config
        .counts_public
        .then(|| figures(&api.state(), view, api));
    let template = SignIn {
        frame,
        to: to.to_owned(),
        figures,
    };
    let status = failure.map_or(StatusCode::OK, Failure::status);
    page_with(status, &template)
}

fn figures(state: &model::State, view: &View, api: &Api) -> Figures {
    let speech = Speech::new(state, view.language, None, api.now());
    let counts = counts::of(state);
    let sum = speech.with(
        "figures-sum",
        [
            ("accepted", counts.events.accepted.into()),
            ("entries", counts.entries.into()),
            ("pending", counts.pending.into()),
            ("anonymous", counts.anonymous.into()),
            ("apart", counts.apart.into()),
        ],
    );
    let rows = [
        ("figures-events", sum),
        ("figures-repeats", counts.events.duplicate.to_string()),
        ("figures-refused-door", counts.events.rejected.to_string()),
        ("figures-refused-machine", counts.events.refused.to_string()),
        ("figures-customers", counts.customers.to_string()),
        (
            "figures-open",
            (counts.cases.open + counts.cases.acknowledged).to_string(),
        ),
        ("figures-resolved", counts.cases.resolved.to_string()),
    ];
    Figures {
        rows: rows
            .into_iter()
            .map(|(key, value)| (speech.say(key), value))
            .collect(),
        balanced: counts.balanced,
        departments: state
            .departments()
            .into_iter()
            .filter(|id| id.as_str() != CANARY)
            .map(|id| (speech.department(&id), departments::open(state, &id)))
            .collect(),
    }
}

/// Whom a request comes from, where the listener tells.
pub(super) struct Address(Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let from = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Address(from.map(|from| from.0.ip())))
    }
}
