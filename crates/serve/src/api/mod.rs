//! The HTTP API, one file per resource.
//!
//! Invariants: nobody without a known key reads anything but `/openapi.json` and, where allowed, the counts; what a caller
//! may see is decided from the same look at the model that is answered from; a read of a customer or a case is in topic
//! `access` before it is answered; nobody asks more often than its bucket allows.

mod body;
pub(crate) mod cases;
pub(crate) mod commands;
pub(crate) mod counts;
pub(crate) mod customers;
pub(crate) mod departments;
mod document;
pub(crate) mod identity;
mod layers;
pub(crate) mod live;
pub(crate) mod rate;
pub(crate) mod refusal;
mod timeline;

use std::sync::Arc;

use ::service::{clock::Clock, shutdown::Shutdown};
use axum::{
    extract::{self, DefaultBodyLimit, FromRequestParts},
    http::{HeaderMap, request::Parts},
    middleware,
};
use event::{ProfileId, Record, Time, access::AccessKind};
use identifier::Pepper;
use serde::de::DeserializeOwned;
use stream::{Append, log::SharedLog};
use tokio::sync::Semaphore;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use self::document::documented;
use self::{
    identity::{decision, explanation, list},
    rate::Rates,
    refusal::Refusal,
};
use crate::{
    Config, Doors,
    access::{self, Grants},
    credential::{Credential, Credentials},
    desk::{self, Sessions},
    metrics::Metrics,
    model::{Model, State},
};

/// What every handler has; cheap to clone.
#[derive(Clone)]
pub(crate) struct Api(Arc<Parties>);

pub(crate) struct Parties {
    pub(crate) model: Arc<Model>,
    pub(crate) log: SharedLog,
    pub(crate) partitions: u32,
    pub(crate) credentials: Credentials,
    pub(crate) sessions: Sessions,
    pub(crate) grants: Grants,
    pub(crate) rates: Rates,
    pub(crate) doors: Doors,
    /// Takes in what people record.
    pub(crate) desk: ingest::Door,
    pub(crate) pepper: Pepper,
    pub(crate) config: Config,
    pub(crate) metrics: Metrics,
    pub(crate) shutdown: Shutdown,
    pub(crate) clock: Clock,
    /// Permits for live streams.
    pub(crate) streams: Arc<Semaphore>,
}

impl std::ops::Deref for Api {
    type Target = Parties;
    fn deref(&self) -> &Parties {
        &self.0
    }
}

/// The largest body of a request; a command is far smaller.
const BODY_BYTES_MAX: usize = 16 * 1024;

impl Api {
    pub(crate) fn new(parties: Parties) -> Self {
        Self(Arc::new(parties))
    }

    pub(crate) fn routes(self) -> OpenApiRouter {
        OpenApiRouter::new()
            .routes(routes!(customers::search))
            .routes(routes!(customers::customer))
            .routes(routes!(timeline::timeline))
            .routes(routes!(explanation::explain_of))
            .routes(routes!(decision::split))
            .routes(routes!(decision::merge))
            .routes(routes!(explanation::explain))
            .routes(routes!(list::review))
            .routes(routes!(list::decisions))
            .routes(routes!(decision::decide))
            .routes(routes!(list::decision))
            .routes(routes!(departments::departments))
            .routes(routes!(departments::inbox))
            .routes(routes!(live::live))
            .routes(routes!(cases::case))
            .routes(routes!(commands::give))
            .routes(routes!(commands::outcome))
            .routes(routes!(counts::counts))
            .merge(desk::routes(&self).into())
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .layer(middleware::from_fn_with_state(self.clone(), layers::answer))
            .with_state(self)
    }

    pub(crate) fn state(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.model.read()
    }

    pub(crate) fn now(&self) -> Time {
        Time::from_millis((self.clock)())
    }

    /// Appends records and waits until the log has them.
    pub(crate) async fn append(&self, records: Vec<Record>) -> Result<(), Refusal> {
        let appends = records
            .into_iter()
            .map(|record| {
                let value = wire::encode(&record);
                Append::keyed(record.topic(), record.key(), Some(value), self.partitions)
            })
            .collect();
        self.log.append(appends).await.map_err(|error| {
            tracing::error!(error = %error, "appending to the log");
            Refusal::Unavailable("the log does not take records now; nothing was answered or done")
        })
    }
}

impl Api {
    /// Writes down that customers were read, if any were.
    pub(crate) async fn note_reading(
        &self,
        caller: &Credential,
        what: AccessKind,
        read: impl IntoIterator<Item = ProfileId>,
        reason: Option<String>,
    ) -> Result<(), Refusal> {
        let read: Vec<ProfileId> = read.into_iter().collect();
        if read.is_empty() {
            return Ok(());
        }
        let records = access::records(caller, self.now(), what, &read, reason);
        self.append(records).await
    }
}

/// The caller of a request. Without a known key there is none, and the answer is 401.
pub(crate) struct Caller(Arc<Credential>);

impl FromRequestParts<Api> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refusal> {
        let credential = api.credentials.of(&parts.headers).ok_or(Refusal::NoKey)?;
        api.rates
            .take(&credential.name)
            .map_err(|after_s| Refusal::TooMany { after_s })?;
        Ok(Caller(credential))
    }
}

/// What stands for the variables of a path. What is no text names nothing.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match extract::Path::from_request_parts(parts, state).await {
            Ok(extract::Path(variables)) => Ok(Path(variables)),
            Err(_) => Err(document::NOTHING),
        }
    }
}

/// The caller, or nobody where the counts are public.
pub(crate) struct Anybody;

impl FromRequestParts<Api> for Anybody {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refusal> {
        if api.config.counts_public || api.credentials.of(&parts.headers).is_some() {
            Ok(Anybody)
        } else {
            Err(Refusal::NoKey)
        }
    }
}

/// Why somebody reads a customer, where the request has no body to say it: header `Polku-Reason`, UTF-8.
fn reason_of(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(reason) = headers.get("polku-reason") else {
        return Ok(None);
    };
    let reason = std::str::from_utf8(reason.as_bytes())
        .map_err(|_| Refusal::Unparseable("header Polku-Reason is not UTF-8".to_owned()))?;
    let reason = reason.trim();
    Ok((!reason.is_empty()).then(|| masked(reason)))
}

/// Free text as it may be stored: personal identity codes, cards and IBANs masked, of a bounded length.
pub(crate) fn masked(text: &str) -> String {
    let short: String = text.chars().take(REASON_CHARS_MAX).collect();
    ingest::mask::text(&short).0.into_owned()
}

const REASON_CHARS_MAX: usize = 1_000;
