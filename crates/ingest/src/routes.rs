//! `POST /v1/sources/{source}/events`.

use axum::{
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use event::SourceId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    answer::Answer,
    authenticate::Refusal,
    body,
    door::{Door, Error, Permission},
    form::EventForm,
    parse::{self, Form},
    problem::Problem,
    store::Unavailable,
};

/// The doors of our own form, with their part of the OpenAPI document.
pub fn routes(door: Door) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(send_events))
        .with_state(door)
}

/// Send events
///
/// One event, an array of them, or one a line. The answer comes once everything is safe in the log; a repeat under the same id
/// changes nothing, so a sender that got no answer sends again.
#[utoipa::path(
    post,
    path = "/v1/sources/{source}/events",
    tag = "sources",
    params(("source" = String, Path, description = "The configured name of the sender")),
    request_body(
        description = "Events of our own form; CloudEvents carry one as `data`.",
        content(
            (EventForm = "application/json"),
            (String = "application/x-ndjson"),
            (Object = "application/cloudevents+json"),
        ),
    ),
    responses(
        (status = 202, description = "All are in the log", body = Answer),
        (status = 207, description = "Some were refused, the others are in the log", body = Answer),
        (status = 400, description = "Cannot be parsed", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No key, or a wrong one", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key of another source, or nothing that this source may send", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such source", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body came too slowly", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too many bytes or items", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Neither JSON, NDJSON nor CloudEvents", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Every item was refused; faults are named by field", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The log does not take events now; send again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
async fn send_events(
    State(door): State<Door>,
    Path(wanted): Path<String>,
    request: Request,
) -> Response {
    let began = service::clock::instant();
    let authorization = request.headers().get(header::AUTHORIZATION);
    let authenticated = door.authenticate(&wanted, authorization.map(|value| value.as_bytes()));
    let source = authenticated.as_ref().ok().cloned();
    let response = match authenticated {
        Ok(source) => receive(&door, &source, request)
            .await
            .map_or_else(Problem::into_response, Answer::into_response),
        Err(refusal) => refuse(refusal).into_response(),
    };
    door.metrics().count_request(
        source.as_ref(),
        response.status().as_u16(),
        began.elapsed().as_secs_f64(),
    );
    response
}

async fn receive(door: &Door, source: &SourceId, request: Request) -> Result<Answer, Problem> {
    let (parts, body) = request.into_parts();
    let form = form(&parts.headers)?;
    let body = body::read(&parts.headers, body, door.limits()).await?;
    door.metrics().count_bytes(source, body.len());
    let items = match parse::items(form, &body) {
        Ok(items) => items,
        Err(detail) => {
            door.refuse_body(source, &body, &detail)
                .await
                .map_err(|error| unavailable(source, &error))?;
            return Err(Problem::new(StatusCode::BAD_REQUEST).detail(detail));
        }
    };
    if items.len() > door.limits().items_max {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE).detail(format!(
            "a request has at most {} items; send several",
            door.limits().items_max
        )));
    }
    door.take(source, items, Permission::default())
        .await
        .map_err(|error| unavailable(source, &error))
}

fn form(headers: &HeaderMap) -> Result<Form, Problem> {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(Form::of)
        .ok_or_else(|| {
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
