//! Why the desk does not show what was asked. A page says it in words; `dress` renders it in the reader's language.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::api::refusal::Refusal;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nobody is signed in: the sign-in page leads back to where they wanted to go.
    SignedOut {
        to: String,
    },
    /// The form is not one of the session's.
    Forged,
    Forbidden,
    NotFound,
    TooLarge,
    /// The person asks more often than anybody clicks.
    TooMany,
    /// A form or an address that no page of ours makes.
    Unreadable,
    Unavailable,
    Internal,
}

impl Trouble {
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Trouble::SignedOut { .. } => StatusCode::SEE_OTHER,
            Trouble::Forged | Trouble::Forbidden => StatusCode::FORBIDDEN,
            Trouble::NotFound => StatusCode::NOT_FOUND,
            Trouble::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Trouble::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Trouble::Unreadable => StatusCode::BAD_REQUEST,
            Trouble::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Trouble::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Of the messages `trouble-…`.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Trouble::SignedOut { .. } => "signed-out",
            Trouble::Forged => "forged",
            Trouble::Forbidden => "forbidden",
            Trouble::NotFound => "not-found",
            Trouble::TooLarge => "too-large",
            Trouble::TooMany => "too-many",
            Trouble::Unreadable => "unreadable",
            Trouble::Unavailable => "unavailable",
            Trouble::Internal => "internal",
        }
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Trouble {
        match refusal {
            Refusal::Forbidden(_) => Trouble::Forbidden,
            Refusal::NotFound(_) => Trouble::NotFound,
            Refusal::TooLarge => Trouble::TooLarge,
            Refusal::Unavailable(_) | Refusal::TooMany { .. } => Trouble::Unavailable,
            Refusal::Unparseable(_) | Refusal::Faults(_) | Refusal::Method | Refusal::MediaType => {
                Trouble::Unreadable
            }
            // The desk asks nothing as nobody, and answers a conflict on its own page.
            Refusal::NoKey
            | Refusal::Conflict { .. }
            | Refusal::Decided { .. }
            | Refusal::Internal(_) => Trouble::Internal,
        }
    }
}

impl From<askama::Error> for Trouble {
    fn from(error: askama::Error) -> Trouble {
        tracing::error!(error = %error, "rendering a page");
        Trouble::Internal
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
