use std::time::Duration;

use axum::http::StatusCode;
use event::Topic;
use serde_json::Value as Json;
use tokio::time::timeout;

use super::{
    sse::Client,
    world::{World, case_id, department, get, notice},
};
use crate::Config;

const PATIENCE: Duration = Duration::from_secs(10);
const PATH: &str = "/v1/departments/delivery/stream";

async fn open(world: &World, last: Option<&str>) -> Client {
    Client::open(world, "advisor", PATH, last).await
}

/// The next notices, each with its id and its time.
async fn steps(client: &mut Client, count: usize) -> Vec<(Option<String>, Json)> {
    let mut steps = Vec::new();
    for _ in 0..count {
        let event = client.next().await.expect("a notice");
        assert_eq!(event.kind, "notice");
        steps.push((event.id, event.data["time"].clone()));
    }
    steps
}

#[tokio::test]
async fn a_department_is_told_live_and_whoever_comes_back_goes_on_where_it_was() {
    let world = World::new().await;
    world.write([notice(case_id("old"), 1)]).await;
    let mut client = open(&world, None).await;
    world
        .write((2..=4).map(|number| notice(case_id("a"), number)))
        .await;
    let first = client.next().await.unwrap();
    insta::assert_json_snapshot!(first.data);
    let rest = steps(&mut client, 2).await;
    drop(client);
    world.write([notice(case_id("a"), 5)]).await;
    let mut back = open(&world, first.id.as_deref()).await;
    let again = steps(&mut back, 3).await;
    assert_eq!(again[..2], rest);
}

#[tokio::test]
async fn whoever_comes_back_too_late_is_told_to_look_anew() {
    let world = World::with(Config {
        notices_kept_max: 2,
        ..Config::default()
    })
    .await;
    let mut client = open(&world, None).await;
    world.write([notice(case_id("a"), 1)]).await;
    let first = client.next().await.unwrap().id.unwrap();
    drop(client);
    world
        .write((2..=5).map(|number| notice(case_id("a"), number)))
        .await;
    for last in [first.as_str(), "not-an-offset", "999999999"] {
        let mut late = open(&world, Some(last)).await;
        assert_eq!(late.next().await.unwrap().kind, "reset", "{last}");
        assert_eq!(steps(&mut late, 2).await.len(), 2, "{last}");
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
    let mut client = open(&world, None).await;
    assert_eq!(clients.get(), 1);
    let (status, _) = world.get("advisor", PATH).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let life = client.raw().await.expect("a sign of life");
    assert!(life.starts_with(b":"), "a sign of life");
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
