//! A timeline followed live: first its pages, then what changes on it, as server-sent events.
//!
//! The id of an event is a place in the model's sequence of changes. Whoever comes back with `Last-Event-ID` is told all that
//! changed since; when something left the timeline meanwhile, or the process is another one, a `reset` comes first and the timeline
//! is to be read anew.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    http::HeaderValue,
    response::{
        IntoResponse as _, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use event::ProfileId;
use futures::{Stream, stream::unfold};
use tokio::sync::{OwnedSemaphorePermit, watch};
use utoipa::ToSchema;

use super::{Wanted, entry};
use crate::{
    api::{Api, live::Guard, refusal::Refusal},
    credential::Credential,
    model::page::{At, Changes, Item},
};

/// One server-sent event of a timeline.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `axum` writes")]
pub(super) struct TimelineEvent {
    /// `entry`, `gone`, `reset` or `moved`.
    #[schema(pattern = "^(entry|gone|reset|moved)$")]
    event: String,
    /// For `Last-Event-ID`.
    id: Option<String>,
    /// Of an `entry` an `EntryView` as JSON, of `gone` the `event`, of `moved` the id `moved_to`, of a `reset` an empty object.
    #[schema(content_media_type = "application/json")]
    data: String,
}

/// The id of a place in the sequence of changes of this process.
pub(super) fn id(api: &Api, sequence: u64) -> String {
    format!("{:016x}.{sequence}", api.model.run())
}

fn sequence_of(api: &Api, id: &HeaderValue) -> Option<u64> {
    let (run, sequence) = id.to_str().ok()?.split_once('.')?;
    let run = u64::from_str_radix(run, 16).ok()?;
    let sequence: u64 = sequence.parse().ok()?;
    (run == api.model.run() && sequence <= api.state().sequence()).then_some(sequence)
}

/// One of the streams that may be open at a time.
pub(super) fn permit(api: &Api) -> Result<OwnedSemaphorePermit, Refusal> {
    let permit = api.streams.clone().try_acquire_owned();
    permit.map_err(|_| Refusal::Unavailable("too many live streams are open"))
}

pub(super) fn open(
    api: &Api,
    permit: OwnedSemaphorePermit,
    caller: Arc<Credential>,
    profile: ProfileId,
    wanted: Wanted,
    last: Option<&HeaderValue>,
) -> Response {
    let mut feed = Feed {
        guard: Guard::new(api, permit),
        applied: api.model.applied(),
        api: api.clone(),
        caller,
        profile,
        pages: Some(wanted.at),
        wanted,
        from: None,
        ready: VecDeque::new(),
        ended: false,
    };
    if let Some(last) = last {
        feed.pages = None;
        feed.from = sequence_of(api, last);
        if feed.from.is_none() {
            let now = api.state().sequence();
            feed.from = Some(now);
            feed.say("reset", "{}".to_owned());
            feed.mark(now);
        }
    }
    let heartbeat = Duration::from_millis(api.config.heartbeat_ms);
    let sse = Sse::new(events(feed)).keep_alive(KeepAlive::new().interval(heartbeat));
    sse.into_response()
}

fn events(feed: Feed) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    unfold(feed, async |mut feed| {
        let event = feed.next().await?;
        Some((Ok(event), feed))
    })
}

struct Feed {
    api: Api,
    caller: Arc<Credential>,
    profile: ProfileId,
    wanted: Wanted,
    /// Where the next page lies, until all were given.
    pages: Option<At>,
    /// What changed after this is still to be told; set with the first page, so that what changes while pages are given is told
    /// afterwards.
    from: Option<u64>,
    applied: watch::Receiver<u64>,
    ready: VecDeque<sse::Event>,
    ended: bool,
    #[expect(dead_code, reason = "held as long as the stream is open")]
    guard: Guard,
}

impl Feed {
    /// The next event; `None` once the process is stopping, the customer has another id, or the reader may read no more.
    async fn next(&mut self) -> Option<sse::Event> {
        loop {
            if self.api.shutdown.is_stopping() {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.ended {
                return None;
            }
            // Marked as seen before looking, so that what comes while we look wakes us.
            self.applied.mark_unchanged();
            let was_paging = self.pages.is_some();
            self.look();
            if was_paging || self.ended || !self.ready.is_empty() {
                continue;
            }
            let shutdown = self.api.shutdown.clone();
            tokio::select! {
                changed = self.applied.changed() => changed.ok()?,
                () = shutdown.stopping() => return None,
            }
        }
    }

    fn look(&mut self) {
        let api = self.api.clone();
        let state = api.state();
        let sequence = state.sequence();
        let present = state.identity.resolve(self.profile).unwrap_or(self.profile);
        if present != self.profile {
            self.say(
                "moved",
                serde_json::json!({ "moved_to": present }).to_string(),
            );
            self.ended = true;
            return;
        }
        let changed = state.identity.changed(self.profile).any;
        if self.pages.is_none() && self.from.is_some_and(|from| changed <= from) {
            return;
        }
        // A case may have been closed, or the hour be over, since the stream was opened.
        if !state.may_read_customer(&self.caller, &api.grants, self.profile, api.now()) {
            self.ended = true;
            return;
        }
        let from = *self.from.get_or_insert(sequence);
        if let Some(at) = self.pages {
            let Wanted {
                filter,
                order,
                limit,
                ..
            } = &self.wanted;
            let page = state.page(self.profile, filter, *order, at, *limit);
            self.pages = page.next.map(At::After);
            self.entries(page.items);
            if self.pages.is_none() {
                self.mark(from);
            }
            return;
        }
        match state.changes(self.profile, &self.wanted.filter, from) {
            Changes::Lost => self.say("reset", "{}".to_owned()),
            Changes::Entries { items, gone } => {
                self.entries(items);
                for event in gone {
                    self.say("gone", serde_json::json!({ "event": event }).to_string());
                }
            }
        }
        self.from = Some(sequence);
        self.mark(sequence);
    }

    fn entries(&mut self, items: Vec<Item>) {
        for item in items {
            let data = serde_json::to_string(&entry(item)).expect("an entry is plain JSON");
            self.say("entry", data);
        }
    }

    fn say(&mut self, event: &str, data: String) {
        let event = sse::Event::default().event(event).data(data);
        self.ready.push_back(event);
    }

    /// Only the last event of a look bears an id: who comes back after a part of it gets all of it again.
    fn mark(&mut self, sequence: u64) {
        if let Some(last) = self.ready.pop_back() {
            self.ready.push_back(last.id(id(&self.api, sequence)));
        }
    }
}
