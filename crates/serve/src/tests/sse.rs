//! A client of server-sent events.

use std::time::Duration;

use axum::{
    body::{Body, BodyDataStream, Bytes},
    http::{HeaderValue, StatusCode, header},
};
use futures::StreamExt as _;
use serde_json::Value as Json;
use tokio::time::timeout;

use super::world::{World, get};

const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Client {
    body: BodyDataStream,
    text: String,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) kind: String,
    pub(crate) id: Option<String>,
    pub(crate) data: Json,
}

impl Client {
    pub(crate) async fn open(world: &World, key: &str, path: &str, last: Option<&str>) -> Client {
        let mut request = get(key, path);
        if let Some(last) = last {
            let last = HeaderValue::from_str(last).unwrap();
            request.headers_mut().insert("last-event-id", last);
        }
        let response = world.send(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "text/event-stream"
        );
        Client {
            body: Body::into_data_stream(response.into_body()),
            text: String::new(),
        }
    }

    /// The next event; `None` at the end of the stream. Signs of life are passed over.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    let mut lines = block.lines();
                    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                };
                if let Some(kind) = field("event") {
                    return Some(Event {
                        kind: kind.to_owned(),
                        id: field("id").map(str::to_owned),
                        data: serde_json::from_str(field("data").unwrap()).unwrap(),
                    });
                }
                continue;
            }
            let more = self.raw().await?;
            self.text.push_str(std::str::from_utf8(&more).unwrap());
        }
    }

    /// What comes next, as it comes.
    pub(crate) async fn raw(&mut self) -> Option<Bytes> {
        let more = timeout(PATIENCE, self.body.next()).await;
        more.expect("something comes").map(Result::unwrap)
    }
}
