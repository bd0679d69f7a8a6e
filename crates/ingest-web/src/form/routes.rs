//! `GET` and `POST /feedback/{source}`.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use askama::Template;
use axum::{
    Router,
    extract::{ConnectInfo, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use event::SourceId;
use ingest::{
    Door, Problem, Source,
    format::{form_fields, look},
};
use serde_json::{Value, json};

use super::{
    FeedbackForm,
    given::{Fault, Given},
    headers,
    language::{Language, Messages},
    page::{Form, Said, Trouble},
    rate::Limits,
};

const STYLE: &str = include_str!("../../static/form.css");

/// How many seconds a person waits before the log may take something again.
const UNAVAILABLE_S: u32 = 30;

#[derive(Clone)]
struct Forms {
    door: Door,
    limits: Arc<Limits>,
    proxies: u8,
}

/// The forms of all sources that have one. So many of our own `proxies` stand before the process: who asks is that many places from
/// the end of `X-Forwarded-For`.
pub fn routes(door: Door, proxies: u8) -> Router {
    let limits = Arc::new(Limits::of(door.sources()));
    Router::new()
        .route("/feedback/form.css", get(style))
        .route("/feedback/{source}", get(show).post(take))
        .route("/feedback/{source}/thanks", get(thank))
        .with_state(Forms {
            door,
            limits,
            proxies,
        })
}

async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, STYLE).into_response()
}

async fn show(
    State(forms): State<Forms>,
    Path(wanted): Path<String>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let query = query(&parts);
    let say = messages(&query, &parts.headers);
    let Some((id, source)) = forms.source(&wanted) else {
        return gone(say);
    };
    let given = Given::of_link(&query, &forms.door, id);
    let sheet = Sheet {
        say,
        id,
        source,
        given: &given,
    };
    sheet.answer(StatusCode::OK, &[], None)
}

async fn take(
    State(forms): State<Forms>,
    Path(wanted): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Some((id, source)) = forms.source(&wanted) else {
        return gone(messages(&query(&parts), &parts.headers));
    };
    let door = &forms.door;
    let fields = match door.read_body(&parts.headers, body).await {
        Ok(body) => form_fields(&body),
        Err(problem) => return problem.into_response(),
    };
    let fields = match fields {
        Ok(fields) => fields,
        Err(detail) => {
            return Problem::new(StatusCode::BAD_REQUEST)
                .detail(detail)
                .into_response();
        }
    };
    let say = messages(&fields, &parts.headers);
    let given = Given::read(&fields, door, id);
    let sheet = Sheet {
        say,
        id,
        source,
        given: &given,
    };
    if let Err(seconds) = forms.limits.check(id, forms.address(&parts)) {
        let answer = sheet.answer(StatusCode::TOO_MANY_REQUESTS, &[], Some(Trouble::TooMany));
        return retry_after(answer, seconds);
    }
    let faults = given.faults(door, id);
    if !faults.is_empty() {
        return sheet.answer(StatusCode::UNPROCESSABLE_ENTITY, &faults, None);
    }
    let payload = given.payload(say.language);
    match door.accept_payloads(id, vec![payload]).await {
        Ok(answer) if answer.rejected == 0 => {
            let thanks = format!("{id}/thanks?lang={}", say.language.as_str());
            (StatusCode::SEE_OTHER, [(header::LOCATION, thanks)]).into_response()
        }
        Ok(answer) => {
            let details: Vec<&str> = answer
                .items
                .iter()
                .map(|item| item.detail.as_str())
                .collect();
            tracing::warn!(source = %id, detail = details.join("; "), "a feedback form was refused");
            sheet.answer(
                StatusCode::UNPROCESSABLE_ENTITY,
                &[],
                Some(Trouble::Refused),
            )
        }
        Err(error) => {
            tracing::warn!(source = %id, %error, "a feedback form was not taken");
            let answer = sheet.answer(
                StatusCode::SERVICE_UNAVAILABLE,
                &[],
                Some(Trouble::Unavailable),
            );
            retry_after(answer, UNAVAILABLE_S)
        }
    }
}

async fn thank(
    State(forms): State<Forms>,
    Path(wanted): Path<String>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let say = messages(&query(&parts), &parts.headers);
    let Some((id, source)) = forms.source(&wanted) else {
        return gone(say);
    };
    let form = format!("../{id}?lang={}", say.language.as_str());
    let page = Said {
        say,
        company: company(source),
        root: "../",
        title: say.say("thanks-title"),
        text: say.say("thanks-text"),
        again: Some((form, say.say("thanks-again"))),
    };
    html(StatusCode::OK, Some(source), &page)
}

fn gone(say: &'static Messages) -> Response {
    let page = Said {
        say,
        company: None,
        root: "",
        title: say.say("gone-title"),
        text: say.say("gone-text"),
        again: None,
    };
    html(StatusCode::NOT_FOUND, None, &page)
}

/// A form as one person sees it.
struct Sheet<'a> {
    say: &'static Messages,
    id: &'a SourceId,
    source: &'a Source,
    given: &'a Given,
}

impl Sheet<'_> {
    fn answer(&self, status: StatusCode, faults: &[Fault], trouble: Option<Trouble>) -> Response {
        let page = Form {
            say: self.say,
            company: company(self.source),
            source: self.id.as_str(),
            given: self.given,
            faults,
            trouble,
        };
        html(status, Some(self.source), &page)
    }
}

fn company(source: &Source) -> Option<&str> {
    source.form.as_ref()?.company.as_deref()
}

fn html(status: StatusCode, source: Option<&Source>, page: &impl Template) -> Response {
    let text = match page.render() {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(%error, "rendering a page");
            return Problem::new(StatusCode::INTERNAL_SERVER_ERROR).into_response();
        }
    };
    let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    let mut response = (status, html, text).into_response();
    headers::protect(response.headers_mut(), source);
    response
}

fn retry_after(mut response: Response, seconds: u32) -> Response {
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// A link's query; one that cannot be read says nothing.
fn query(parts: &Parts) -> Value {
    let query = parts.uri.query().unwrap_or_default();
    form_fields(query.as_bytes()).unwrap_or_else(|_| json!({}))
}

fn messages(fields: &Value, headers: &HeaderMap) -> &'static Messages {
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|accepted| accepted.to_str().ok());
    Messages::of(Language::of(look::text(fields, "lang"), accepted))
}

impl Forms {
    fn source(&self, wanted: &str) -> Option<(&SourceId, &Source)> {
        self.door.sources().iter().find(|(id, source)| {
            id.as_str() == wanted && source.format.as_str() == FeedbackForm::NAME
        })
    }

    /// Who asks: the peer, or whom our own proxies name.
    fn address(&self, parts: &Parts) -> IpAddr {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        if self.proxies == 0 {
            return peer;
        }
        let forwarded: Vec<&str> = parts
            .headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        let place = forwarded.len().checked_sub(self.proxies.into());
        place
            .and_then(|place| forwarded[place].trim().parse().ok())
            .unwrap_or(peer)
    }
}
