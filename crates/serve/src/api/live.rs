//! A department followed live: its notices as server-sent events.
//!
//! The id of an event is the notice's offset. Whoever comes back with `Last-Event-ID` goes on after it; when some notices
//! after it are no longer held, a `reset` event comes first and the inbox is to be read anew.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use event::{DepartmentId, Time};
use futures::{Stream, stream::unfold};
use ingest::problem::Problem;
use prometheus::IntGauge;
use stream::Offset;
use tokio::sync::{OwnedSemaphorePermit, watch};
use utoipa::ToSchema;

use super::{Api, Caller, Path, departments, refusal::Refusal};
use crate::{credential::Credential, model::notices::Since};

/// What a department is told about a case, or about a matter without one. No personal field and no free text.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "it describes `event::notice::Shown`; a test compares the two"
)]
pub(crate) struct NoticeView {
    id: String,
    why: String,
    /// Null where no case handles the matter.
    case: Option<String>,
    /// Whose matter it is, where no case handles it.
    customer: Option<String>,
    what: String,
    place: Option<String>,
    /// The unit of the department that it is for.
    unit: Option<String>,
    party: Option<String>,
    severity: String,
    contacts: u32,
    channels: Vec<String>,
    from: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    answer_by: Option<Time>,
    /// Where to look at the case, or at what is there without one.
    open: String,
    #[schema(value_type = String, format = DateTime)]
    time: Time,
    /// The names of the routes that led here, from the root.
    route: Vec<String>,
}

/// One server-sent event.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `axum` writes")]
pub(crate) struct StreamEvent {
    /// `notice`; or `reset` when notices were missed and the inbox is to be read anew.
    #[schema(pattern = "^(notice|reset)$")]
    event: String,
    /// A notice's offset, for `Last-Event-ID`.
    id: Option<String>,
    /// Of a `notice` a `NoticeView` as JSON, of a `reset` an empty object.
    #[schema(content_media_type = "application/json")]
    data: String,
}

/// Follow a department's notices live (server-sent events).
///
/// `event: notice` carries a notice; `event: reset` says that notices were missed.
#[utoipa::path(
    get, path = "/v1/departments/{id}/stream", tag = "departments", security(("bearer" = [])),
    params(("id" = String, Path), ("Last-Event-ID" = Option<String>, Header)),
    responses(
        (status = 200, body = StreamEvent, content_type = "text/event-stream"),
        (status = 401, body = Problem), (status = 429, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn live(
    State(api): State<Api>,
    Caller(caller): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let department = departments::permitted(&api.state(), &caller, &id)?;
    let permit = api.streams.clone().try_acquire_owned();
    let permit = permit.map_err(|_| Refusal::Unavailable("too many live streams are open"))?;
    let next = api.state().notices.watch(&department);
    let next = next.ok_or(Refusal::Unavailable("the department has no notices yet"))?;
    let follower = Follower {
        caller,
        from: match headers.get("last-event-id") {
            None => *next.borrow(),
            Some(last) => after(last.to_str().ok()),
        },
        department,
        next,
        ready: VecDeque::new(),
        guard: Guard::new(&api, permit),
        api: api.clone(),
    };
    let heartbeat = Duration::from_millis(api.config.heartbeat_ms);
    let sse = Sse::new(events(follower)).keep_alive(KeepAlive::new().interval(heartbeat));
    Ok(sse.into_response())
}

/// An id that is no offset of ours lies before everything, and so asks for a reset.
fn after(last: Option<&str>) -> Offset {
    last.and_then(|last| last.parse::<i64>().ok())
        .and_then(|last| last.checked_add(1))
        .map_or(Offset(i64::MIN), Offset)
}

struct Follower {
    api: Api,
    caller: Arc<Credential>,
    department: DepartmentId,
    /// Where to go on.
    from: Offset,
    next: watch::Receiver<Offset>,
    ready: VecDeque<sse::Event>,
    #[expect(dead_code, reason = "held as long as the stream is open")]
    guard: Guard,
}

/// How many notices are taken from the model at once; a slow client holds no more than these.
const TAKEN_MAX: usize = 100;

fn events(follower: Follower) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    unfold(follower, async |mut follower| {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    })
}

impl Follower {
    /// The next event; `None` once the process is stopping.
    async fn next(&mut self) -> Option<sse::Event> {
        loop {
            if self.api.shutdown.is_stopping() {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            // Marked as seen before looking, so that what comes while we look wakes us.
            self.next.mark_unchanged();
            let before = self.from;
            self.take();
            // What was taken may all be other units' notices; more may stand behind them.
            if self.from != before || !self.ready.is_empty() {
                continue;
            }
            let shutdown = self.api.shutdown.clone();
            tokio::select! {
                changed = self.next.changed() => changed.ok()?,
                () = shutdown.stopping() => return None,
            }
        }
    }

    fn take(&mut self) {
        let since = {
            let state = self.api.state();
            state.notices.since(&self.department, self.from, TAKEN_MAX)
        };
        match since {
            Since::Reset(from) => {
                self.from = from;
                let event = sse::Event::default().event("reset");
                self.ready.push_back(event.data("{}"));
            }
            Since::Notices(notices) => {
                for (offset, notice) in notices {
                    self.from = offset.next();
                    if !self.caller.acts_for_unit(notice.unit.as_ref()) {
                        continue;
                    }
                    let url = self.api.config.public_url.as_deref();
                    let shown = notice.shown(url.unwrap_or_default());
                    let data = serde_json::to_string(&shown).expect("a notice is plain JSON");
                    let event = sse::Event::default().event("notice");
                    self.ready
                        .push_back(event.id(offset.to_string()).data(data));
                }
            }
        }
    }
}

/// Counts the stream as long as it is open.
pub(crate) struct Guard {
    clients: IntGauge,
    #[expect(dead_code, reason = "given back when the stream ends")]
    permit: OwnedSemaphorePermit,
}

impl Guard {
    pub(crate) fn new(api: &Api, permit: OwnedSemaphorePermit) -> Self {
        let clients = api.metrics.clients.clone();
        clients.inc();
        Self { clients, permit }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.clients.dec();
    }
}
