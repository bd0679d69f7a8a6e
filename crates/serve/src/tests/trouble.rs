use std::time::Duration;

use axum::http::StatusCode;
use event::{Partition, Record, Topic};
use serde_json::json;
use stream::{Append, Log as _, TopicPartition, simulated::Faults};
use tokio::time::timeout;

use super::world::{TILL, Told, World, get, post, profile};

#[tokio::test]
async fn what_cannot_be_recorded_is_not_shown() {
    let world = World::new().await;
    let bought = world.event(Told {
        identifiers: &[("email", "aino@example.fi")],
        ..TILL
    });
    let aino = profile(&bought.values[0]);
    world.write([Record::Event(bought)]).await;
    world.log.set_faults(Faults {
        append_lost: 1.0,
        ..Faults::default()
    });
    let search = json!({ "identifier": "email:aino@example.fi", "reason": "she calls" });
    for request in [
        get("admin", &format!("/v1/customers/{aino}")),
        get("admin", &format!("/v1/customers/{aino}/timeline")),
        post("admin", "/v1/customers/search", &search),
    ] {
        let path = request.uri().to_string();
        let response = world.send(request).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(response.headers()["retry-after"], "1", "{path}");
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await;
        let body = String::from_utf8(bytes.unwrap().to_vec()).unwrap();
        assert!(!body.contains("aino@example.fi"), "{body}");
    }
}

#[tokio::test]
async fn a_record_that_does_not_decode_is_counted_and_passed_over() {
    let world = World::new().await;
    let at = TopicPartition::new(Topic::Event, Partition(0));
    let broken = Append {
        at,
        key: vec![0; 16].into(),
        value: Some(b"broken".to_vec().into()),
    };
    world.log.append(vec![broken]).await.unwrap();
    let bought = world.event(Told {
        identifiers: &[("email", "aino@example.fi")],
        ..TILL
    });
    world.write([Record::Event(bought.clone())]).await;
    let (_, found) = world.search("admin", "email:aino@example.fi").await;
    assert_eq!(found["customers"].as_array().unwrap().len(), 1);
    let undecodable = &world.service.api.metrics.undecodable;
    let counted = async {
        while undecodable.get() == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), counted)
        .await
        .expect("it is counted");
}

#[tokio::test]
async fn the_model_is_ready_once_it_has_read_what_was_there() {
    let world = World::new().await;
    let ready = async {
        while !world.service.ready() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), ready)
        .await
        .expect("ready");
}

#[tokio::test]
async fn what_is_at_no_route_is_a_problem_too() {
    let world = World::new().await;
    let (status, problem) = world.get("admin", "/v1/nothing").await;
    assert_eq!(
        (status, &problem["status"]),
        (StatusCode::NOT_FOUND, &json!(404))
    );
    let (status, _) = world.post("admin", "/v1/counts", json!({})).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}
