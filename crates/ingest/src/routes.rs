//! `POST /v1/sources/{source}/events`.

use axum::{
    body::Body,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use event::SourceId;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    answer::Answer,
    authenticate::Refusal,
    body,
    door::{Door, Error, Permission},
    form::{CloudEventsForm, EventsForm},
    format::{self, Format, Proof},
    parse::{self, Form},
    problem::Problem,
    rate::Excess,
    store::Unavailable,
};

/// The doors of our own form, with their part of the OpenAPI document.
pub fn routes(door: Door) -> OpenApiRouter {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(send_events))
        .with_state(door)
}

#[derive(OpenApi)]
#[openapi(modifiers(&Key))]
struct Description;

struct Key;

impl Modify for Key {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "The key of a source, whose hash is `sources.….key_sha256`",
            ))
            .build();
        document
            .components
            .get_or_insert_with(Default::default)
            .add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

/// Send events
///
/// One event, an array of them, or one a line. The answer comes once everything is safe in the log; a repeat under the same id
/// changes nothing, so a sender that got no answer sends again. Systems that sign what they send are known by their signature
/// and need no key.
#[utoipa::path(
    post,
    path = "/v1/sources/{source}/events",
    tag = "sources",
    params(("source" = String, Path, description = "The configured name of the sender")),
    request_body(
        description = "Events of our own form; CloudEvents carry one as `data`. A source whose `format` is another one sends what its system sends, in whatever content type.",
        content(
            (EventsForm = "application/json"),
            (String = "application/x-ndjson"),
            (CloudEventsForm = "application/cloudevents+json"),
            (CloudEventsForm = "application/cloudevents-batch+json"),
        ),
    ),
    responses(
        (status = 202, description = "All are in the log", body = Answer),
        (status = 207, description = "Some were refused, the others are in the log", body = Answer),
        (status = 400, description = "Cannot be parsed", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No key, a wrong one, or a signature that is not the source's", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key of another source, or nothing that this source may send", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such source", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body came too slowly", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too many bytes or items", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Neither JSON, NDJSON nor CloudEvents", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Every item was refused; faults are named by field", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "This source sends more than it may; send again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The log does not take events now; send again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
async fn send_events(
    State(door): State<Door>,
    wanted: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // What is no text is no source's name, as little as the empty one.
    let wanted = wanted.map_or_else(|_| String::new(), |Path(wanted)| wanted);
    let began = service::clock::instant();
    let (parts, body) = request.into_parts();
    let mut source = None;
    let response = receive(&door, &wanted, &parts, body, &mut source)
        .await
        .map_or_else(Problem::into_response, Answer::into_response);
    door.metrics().count_request(
        source.as_ref(),
        response.status().as_u16(),
        began.elapsed().as_secs_f64(),
    );
    response
}

/// `authenticated` becomes the source once it is sure who sends.
async fn receive(
    door: &Door,
    wanted: &str,
    parts: &Parts,
    body: Body,
    authenticated: &mut Option<SourceId>,
) -> Result<Answer, Problem> {
    let foreign = door.foreign(wanted);
    let proof = foreign.map_or(Proof::Key, |(_, format)| format.proof());
    match (foreign, proof) {
        (Some(_), Proof::Page) => Err(Problem::new(StatusCode::FORBIDDEN)
            .detail("this source is a page that people fill in; it takes no requests")),
        (Some((source, format)), Proof::Signature) => {
            let body = body::read(&parts.headers, body, door.limits()).await?;
            let url = url(door, parts);
            let request = said(door, parts, &url, &body);
            format
                .authenticate(&request, door.secrets(source))
                .map_err(|refusal| {
                    Problem::new(StatusCode::UNAUTHORIZED).detail(refusal.to_string())
                })?;
            *authenticated = Some(source.clone());
            receive_foreign(door, source, format, &request).await
        }
        (Some(_) | None, Proof::Signature | Proof::Key | Proof::Page) => {
            let header = parts.headers.get(header::AUTHORIZATION);
            let source = door
                .authenticate(wanted, header.map(HeaderValue::as_bytes))
                .map_err(refuse)?;
            *authenticated = Some(source.clone());
            let Some((_, format)) = foreign else {
                return receive_own(door, &source, parts, body).await;
            };
            let body = body::read(&parts.headers, body, door.limits()).await?;
            let url = url(door, parts);
            receive_foreign(door, &source, format, &said(door, parts, &url, &body)).await
        }
    }
}

fn said<'a>(door: &Door, parts: &'a Parts, url: &'a str, body: &'a [u8]) -> format::Request<'a> {
    format::Request {
        headers: &parts.headers,
        url,
        body,
        received: door.now(),
    }
}

/// The door's address as the sender knows it.
fn url(door: &Door, parts: &Parts) -> String {
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    match door.public_url() {
        Some(public) => format!("{}{path}", public.trim_end_matches('/')),
        None => {
            let host = parts.headers.get(header::HOST);
            let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
            format!("http://{host}{path}")
        }
    }
}

async fn receive_own(
    door: &Door,
    source: &SourceId,
    parts: &Parts,
    body: Body,
) -> Result<Answer, Problem> {
    let form = form(&parts.headers)?;
    let body = body::read(&parts.headers, body, door.limits()).await?;
    door.metrics().count_bytes(source, body.len());
    let items = match parse::items(form, &parts.headers, &body) {
        Ok(items) => items,
        Err(detail) => return Err(unreadable(door, source, &body, detail).await),
    };
    check_number(door, source, items.len())?;
    door.take(source, items.into_iter().enumerate(), Permission::default())
        .await
        .map_err(|error| unavailable(source, &error))
}

async fn receive_foreign(
    door: &Door,
    source: &SourceId,
    format: &dyn Format,
    request: &format::Request<'_>,
) -> Result<Answer, Problem> {
    door.metrics().count_bytes(source, request.body.len());
    let payloads = match format.parse(request) {
        Ok(payloads) => payloads,
        Err(detail) => return Err(unreadable(door, source, request.body, detail).await),
    };
    check_number(door, source, payloads.len())?;
    door.accept_payloads(source, payloads)
        .await
        .map_err(|error| unavailable(source, &error))
}

async fn unreadable(door: &Door, source: &SourceId, body: &[u8], detail: String) -> Problem {
    if let Err(problem) = check_number(door, source, 1) {
        return problem;
    }
    match door.refuse(source, body, &detail).await {
        Ok(()) => Problem::new(StatusCode::BAD_REQUEST).detail(detail),
        Err(error) => unavailable(source, &error),
    }
}

fn check_number(door: &Door, source: &SourceId, items: usize) -> Result<(), Problem> {
    let most = door.limits().items_max;
    if items > most {
        return Err(too_many(most));
    }
    door.spend(source, items).map_err(|excess| match excess {
        Excess::Wait { seconds } => Problem::new(StatusCode::TOO_MANY_REQUESTS)
            .detail("this source sends more than it may; nothing of this request was taken")
            .retry_after(seconds),
        Excess::Never { most_at_once } => too_many(most_at_once as usize),
    })
}

fn too_many(most: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE).detail(format!(
        "a request of this source has at most {most} items; send several"
    ))
}

fn form(headers: &HeaderMap) -> Result<Form, Problem> {
    Form::of(headers).ok_or_else(|| {
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).detail(
            "Content-Type must be application/json, application/x-ndjson or application/cloudevents+json, in UTF-8",
        )
    })
}

fn refuse(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::NoKey => Problem::new(StatusCode::UNAUTHORIZED)
            .detail("send the source's key as `Authorization: Bearer …`"),
        Refusal::OtherSource => {
            Problem::new(StatusCode::FORBIDDEN).detail("this key belongs to another source")
        }
        Refusal::UnknownSource => {
            Problem::new(StatusCode::NOT_FOUND).detail("there is no source of this name")
        }
    }
}

fn unavailable(source: &SourceId, error: &Error) -> Problem {
    match error {
        Error::UnknownSource(_) => refuse(Refusal::UnknownSource),
        Error::Unavailable(cause) => {
            tracing::warn!(source = %source, error = %chain(error), "the log takes no events");
            let (detail, seconds) = match cause {
                Unavailable::Log(stream::Error::DiskFull { .. }) => {
                    ("the disk of the log is full; nothing was taken", 30)
                }
                Unavailable::Log(
                    stream::Error::Io { .. }
                    | stream::Error::Log { .. }
                    | stream::Error::Fenced { .. }
                    | stream::Error::Topic { .. }
                    | stream::Error::InUse { .. },
                ) => ("the log takes no events now; send all again", 5),
                Unavailable::TimedOut(_) => ("the log did not acknowledge; send all again", 5),
            };
            Problem::new(StatusCode::SERVICE_UNAVAILABLE)
                .detail(detail)
                .retry_after(seconds)
        }
    }
}

/// An error with all its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
