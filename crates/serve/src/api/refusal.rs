//! Why a request is not answered as asked.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use ingest::problem::Problem;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

#[derive(Debug)]
pub(crate) enum Refusal {
    Unparseable(String),
    NoKey,
    Forbidden(&'static str),
    NotFound(&'static str),
    /// The case is not as the command supposes; how it is now.
    Conflict {
        detail: String,
        present: Present,
    },
    /// Who is who is not as the decision supposes.
    Decided {
        detail: &'static str,
        /// The decisions to undo first.
        undo: Vec<String>,
    },
    /// The path is there, but not for this method.
    Method,
    MediaType,
    TooLarge,
    /// The caller asks more often than it may.
    TooMany {
        after_s: u32,
    },
    Faults(Vec<Fault>),
    /// Nothing was done; the same request may succeed later.
    Unavailable(&'static str),
    Internal(&'static str),
}

/// A fault of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub field: String,
    pub detail: String,
}

/// How a case stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Present {
    pub case: String,
    pub version: Option<u32>,
    pub state: Option<&'static str>,
    /// For a reader of the case only.
    pub owner: Option<String>,
}

impl Refusal {
    /// One field's fault.
    pub(crate) fn fault(field: &str, detail: impl Into<String>) -> Refusal {
        Refusal::Faults(vec![Fault {
            field: field.to_owned(),
            detail: detail.into(),
        }])
    }

    fn problem(self) -> Problem {
        match self {
            Refusal::Unparseable(detail) => Problem::new(StatusCode::BAD_REQUEST).detail(detail),
            Refusal::NoKey => Problem::new(StatusCode::UNAUTHORIZED)
                .detail("send `Authorization: Bearer` with a known key"),
            Refusal::Forbidden(detail) => Problem::new(StatusCode::FORBIDDEN).detail(detail),
            Refusal::NotFound(detail) => Problem::new(StatusCode::NOT_FOUND).detail(detail),
            Refusal::Conflict { detail, present } => Problem::new(StatusCode::CONFLICT)
                .detail(detail)
                .with("present", present),
            Refusal::Decided { detail, undo } => Problem::new(StatusCode::CONFLICT)
                .detail(detail)
                .with("undo", undo),
            Refusal::Method => Problem::new(StatusCode::METHOD_NOT_ALLOWED)
                .detail("`/openapi.json` says which methods the path has"),
            Refusal::MediaType => Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                .detail("send `Content-Type: application/json`"),
            Refusal::TooLarge => Problem::new(StatusCode::PAYLOAD_TOO_LARGE)
                .detail("the body is larger than any command or search can be"),
            Refusal::TooMany { after_s } => Problem::new(StatusCode::TOO_MANY_REQUESTS)
                .detail("you ask more often than one credential may")
                .retry_after(after_s),
            Refusal::Faults(faults) => {
                let faults: Map<String, Value> = faults
                    .into_iter()
                    .map(|fault| (fault.field, Value::from(fault.detail)))
                    .collect();
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY)
                    .detail("every fault stands under its field in `faults`")
                    .with("faults", faults)
            }
            Refusal::Unavailable(detail) => Problem::new(StatusCode::SERVICE_UNAVAILABLE)
                .detail(detail)
                .retry_after(1),
            Refusal::Internal(detail) => {
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR).detail(detail)
            }
        }
    }
}

impl From<Present> for Value {
    fn from(present: Present) -> Value {
        serde_json::json!({
            "case": present.case,
            "version": present.version,
            "state": present.state,
            "owner": present.owner,
        })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.problem().into_response()
    }
}
