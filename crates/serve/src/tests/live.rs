use std::time::Duration;

use axum::{
    body::{Body, BodyDataStream},
    http::{HeaderValue, StatusCode, header},
};
use event::Topic;
use futures::StreamExt as _;
use serde_json::Value as Json;
use tokio::time::timeout;

use super::world::{World, case_id, department, get, notice};
use crate::Config;

const PATIENCE: Duration = Duration::from_secs(10);
const PATH: &str = "/v1/departments/delivery/stream";

/// One follower of delivery.
struct Client {
    body: BodyDataStream,
    text: String,
}

#[derive(Debug, PartialEq)]
struct Event {
    kind: String,
    id: Option<String>,
    data: Json,
}

impl Client {
    async fn open(world: &World, last: Option<&str>) -> Client {
        let mut request = get("advisor", PATH);
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
    async fn next(&mut self) -> Option<Event> {
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
            let more = timeout(PATIENCE, self.body.next()).await.expect("an event");
            self.text
                .push_str(std::str::from_utf8(&more?.unwrap()).unwrap());
        }
    }

    async fn steps(&mut self, count: usize) -> Vec<(Option<String>, Json)> {
        let mut steps = Vec::new();
        for _ in 0..count {
            let event = self.next().await.expect("a notice");
            assert_eq!(event.kind, "notice");
            steps.push((event.id, event.data["time"].clone()));
        }
        steps
    }
}

#[tokio::test]
async fn a_department_is_told_live_and_whoever_comes_back_goes_on_where_it_was() {
    let world = World::new().await;
    world.write([notice(case_id("old"), 1)]).await;
    let mut client = Client::open(&world, None).await;
    world
        .write((2..=4).map(|number| notice(case_id("a"), number)))
        .await;
    let first = client.next().await.unwrap();
    insta::assert_json_snapshot!(first.data);
    let rest = client.steps(2).await;
    drop(client);
    world.write([notice(case_id("a"), 5)]).await;
    let mut back = Client::open(&world, first.id.as_deref()).await;
    let again = back.steps(3).await;
    assert_eq!(again[..2], rest);
}

#[tokio::test]
async fn whoever_comes_back_too_late_is_told_to_look_anew() {
    let world = World::with(Config {
        notices_kept_max: 2,
        ..Config::default()
    })
    .await;
    let mut client = Client::open(&world, None).await;
    world.write([notice(case_id("a"), 1)]).await;
    let first = client.next().await.unwrap().id.unwrap();
    drop(client);
    world
        .write((2..=5).map(|number| notice(case_id("a"), number)))
        .await;
    for last in [first.as_str(), "not-an-offset", "999999999"] {
        let mut late = Client::open(&world, Some(last)).await;
        assert_eq!(late.next().await.unwrap().kind, "reset", "{last}");
        assert_eq!(late.steps(2).await.len(), 2, "{last}");
    }
}

#[tokio::test]
async fn streams_end_with_the_process_are_counted_and_bounded() {
    let world = World::with(Config {
        streams_max: 1,
        heartbeat_ms: 5,
        ..Config::default()
    })
    .await;
    let clients = &world.service.api.metrics.clients;
    let mut client = Client::open(&world, None).await;
    assert_eq!(clients.get(), 1);
    let (status, _) = world.get("advisor", PATH).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let life = timeout(PATIENCE, client.body.next()).await.unwrap();
    assert!(life.unwrap().unwrap().starts_with(b":"), "a sign of life");
    world.shutdown.stop();
    assert_eq!(client.next().await, None);
    drop(client);
    assert_eq!(clients.get(), 0);
}

#[tokio::test]
async fn a_department_that_the_company_adds_can_be_followed() {
    let world = World::new().await;
    let path = "/v1/departments/care/stream";
    assert_eq!(world.get("admin", path).await.0, StatusCode::NOT_FOUND);
    use stream::Log as _;
    let care = Topic::Notice(department("care"));
    world
        .log
        .create_topics(&[stream::log::TopicSpec {
            partitions: 1,
            kept: care.kept(),
            topic: care,
        }])
        .unwrap();
    let text = format!("{}[departments.care]\n", super::world::COMPANY);
    world.write([super::world::company(2, &text)]).await;
    let opened = async {
        while world.send(get("admin", path)).await.status() != StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, opened).await.expect("the stream opens");
    // And its records are read: the follower took up the new topic.
    let event::Record::Notice(mut told) = notice(case_id("a"), 1) else {
        unreachable!("a notice was made")
    };
    told.department = department("care");
    world.write([event::Record::Notice(told)]).await;
}

#[test]
fn the_document_describes_a_notice_as_it_is_shown() {
    use utoipa::PartialSchema as _;
    let event::Record::Notice(notice) = notice(case_id("a"), 1) else {
        unreachable!("a notice was made")
    };
    let shown = serde_json::to_value(notice.shown("http://127.0.0.1:8700/")).unwrap();
    let described = serde_json::to_value(crate::api::live::NoticeView::schema()).unwrap();
    let fields = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    let (mut shown, mut described) = (fields(&shown), fields(&described["properties"]));
    shown.sort();
    described.sort();
    assert_eq!(shown, described);
}
