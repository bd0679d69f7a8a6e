//! What the sender is told.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use event::reject::Reason;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;

/// How a request ended, item by item; given only once the log has acknowledged everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Answer {
    /// A payload of a sender's own format counts once for each event in it.
    pub received: u64,
    pub accepted: u64,
    /// Repeats within the request and of what this door accepted lately.
    pub duplicate: u64,
    /// What this source sends and Polku has no use for; only formats other than our own have any.
    pub filtered: u64,
    pub rejected: u64,
    /// The refused ones, in order.
    pub items: Vec<Item>,
}

/// One refused item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Item {
    /// Its place in the request, from 0.
    pub index: u64,
    pub outcome: Outcome,
    /// `schema`, `not_allowed`, `conflict`, `too_large` or `unparseable`.
    #[schema(value_type = String)]
    pub reason: Reason,
    /// What is wrong, each fault with its field, one a line.
    pub detail: String,
}

/// How an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Accepted,
    Duplicate,
    Filtered,
    Rejected,
    /// The log did not take the request; the sender repeats it.
    Unavailable,
}

impl Outcome {
    pub(crate) const ALL: [Outcome; 5] = [
        Outcome::Accepted,
        Outcome::Duplicate,
        Outcome::Filtered,
        Outcome::Rejected,
        Outcome::Unavailable,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Accepted => "accepted",
            Outcome::Duplicate => "duplicate",
            Outcome::Filtered => "filtered",
            Outcome::Rejected => "rejected",
            Outcome::Unavailable => "unavailable",
        }
    }
}

impl Answer {
    /// 202 when all are in the log or need not be, 207 when some were refused, 422 when all were; 403 when none may be sent by this source.
    pub fn status(&self) -> StatusCode {
        if self.rejected == 0 {
            StatusCode::ACCEPTED
        } else if self.rejected < self.received {
            StatusCode::MULTI_STATUS
        } else if self
            .items
            .iter()
            .all(|item| item.reason == Reason::NotAllowed)
        {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_success() {
            return (status, Json(self)).into_response();
        }
        let detail = match self.items.as_slice() {
            [only] => only.detail.clone(),
            items => format!("all {} items were refused", items.len()),
        };
        let items = serde_json::to_value(&self.items).expect("items are plain JSON");
        Problem::new(status)
            .detail(detail)
            .with("received", self.received)
            .with("accepted", self.accepted)
            .with("duplicate", self.duplicate)
            .with("filtered", self.filtered)
            .with("rejected", self.rejected)
            .with("items", items)
            .into_response()
    }
}
