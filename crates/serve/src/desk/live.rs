//! A page that is told when what it shows has changed: server-sent events as long as the session lasts.

use std::{convert::Infallible, time::Duration};

use axum::response::{
    IntoResponse as _, Response,
    sse::{self, KeepAlive, Sse},
};
use futures::{Stream, stream::unfold};
use tokio::sync::watch;

use super::{session::Session, trouble::Trouble};
use crate::{
    api::{Api, live::Guard},
    model,
};

/// What a page shows, in short: another text means that it has changed. `None` when there is nothing to show any more.
type Look = Box<dyn Fn(&model::State) -> Option<String> + Send>;

/// Changes that come together are told once.
const PAUSE: Duration = Duration::from_millis(300);

struct Follower {
    api: Api,
    session: Session,
    look: Look,
    seen: String,
    applied: watch::Receiver<u64>,
    has_told: bool,
    #[expect(dead_code, reason = "held as long as the stream is open")]
    guard: Guard,
}

/// A stream of `changed`, each when `look` gives another text than `seen`, which is what the page says it shows.
pub(super) fn follow(
    api: &Api,
    session: Session,
    seen: String,
    look: impl Fn(&model::State) -> Option<String> + Send + 'static,
) -> Result<Response, Trouble> {
    let permit = api.streams.clone().try_acquire_owned();
    let permit = permit.map_err(|_| Trouble::Unavailable)?;
    let follower = Follower {
        session,
        look: Box::new(look),
        seen,
        applied: api.model.applied(),
        has_told: false,
        guard: Guard::new(api, permit),
        api: api.clone(),
    };
    let heartbeat = Duration::from_millis(api.config.heartbeat_ms);
    let sse = Sse::new(events(follower)).keep_alive(KeepAlive::new().interval(heartbeat));
    Ok(sse.into_response())
}

fn events(follower: Follower) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    unfold(follower, async |mut follower| {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    })
}

impl Follower {
    /// The next event; `None` once the session is over or the process is stopping.
    async fn next(&mut self) -> Option<sse::Event> {
        let now = self.api.now();
        if self.api.shutdown.is_stopping() || !self.api.sessions.lasts(&self.session, now) {
            return None;
        }
        let api = self.api.clone();
        let session = self.session.clone();
        tokio::select! {
            event = self.change() => event,
            () = api.shutdown.stopping() => None,
            () = api.sessions.over(&session, now) => None,
        }
    }

    async fn change(&mut self) -> Option<sse::Event> {
        if self.has_told {
            tokio::time::sleep(PAUSE).await;
        }
        loop {
            // Marked as seen before looking, so that what comes while we look wakes us.
            self.applied.mark_unchanged();
            let now = (self.look)(&self.api.state())?;
            if now != self.seen {
                self.has_told = true;
                self.seen.clone_from(&now);
                return Some(sse::Event::default().event("changed").data(now));
            }
            self.applied.changed().await.ok()?;
        }
    }
}
