//! What must not be stored, and what must not be told.

use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::http::StatusCode;
use event::{Record, Topic};
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::world::{Broken, How, World, event_with, post};

const HETU: &str = "010594Y9032";
const CARD: &str = "4111 1111 1111 1111";
const IBAN: &str = "FI21 1234 5600 0007 85";
const MARKS: [&str; 3] = ["9032", "1111 1111", "3456 0000"];

/// All bytes of the log as one text.
fn stored(world: &World) -> String {
    let mut text = String::new();
    for topic in [Topic::Event, Topic::Claim, Topic::Reject] {
        for (key, record) in world.records(&topic) {
            text.push_str(&String::from_utf8_lossy(&key));
            text.push_str(&String::from_utf8_lossy(&wire::encode(&record)));
            if let Record::Event(event) = &record {
                text.push_str(&String::from_utf8_lossy(&event.personal));
            }
        }
    }
    text
}

#[tokio::test]
async fn codes_cards_and_accounts_are_stored_nowhere() {
    let world = World::new();
    let all = format!("hetu {HETU}, kortti {CARD}, tili {IBAN}");
    let good = event_with(
        HETU,
        json!({
            "text": all, "name": all, "attributes": {"till": all, CARD: [IBAN, 4_111_111_111_111_111_u64]},
            "promise": {"id": "p", "what": "refund", "text": all},
        }),
    );
    assert_eq!(world.till(&good).await.status, StatusCode::ACCEPTED);
    let (event, personal) = world.events().remove(0);
    let masked = "hetu [hetu], kortti •••• 1111, tili FI21 •••• 0785";
    assert_eq!(personal.text.as_deref(), Some(masked));
    assert_eq!(personal.name.as_deref(), Some(masked));
    assert_eq!(event.operational["till"], masked);

    for field in ["identifiers", "references"] {
        let kind = if field == "identifiers" {
            "customer_number"
        } else {
            "order"
        };
        for value in [HETU, CARD, IBAN] {
            let refused = event_with("2", json!({field: {kind: value}}));
            let reply = world.till(&refused).await;
            assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(
                reply.body["detail"]
                    .as_str()
                    .unwrap()
                    .contains("never stored")
            );
        }
    }
    for body in [
        format!("{{\"text\": \"{all}\""),
        format!("{{\"text\": \"{}\"", HETU.replace('9', "\\u0039")),
    ] {
        let reply = world
            .send(post("till", "till-key", "application/json", body))
            .await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    }
    let lines = format!(
        "{{\"id\": \"{HETU}\"}}\n{{{all}\n{}",
        event_with("9", json!({}))
    );
    let reply = world
        .send(post("till", "till-key", "application/x-ndjson", lines))
        .await;
    assert_eq!(reply.status, StatusCode::MULTI_STATUS);
    let stored = stored(&world);
    for mark in MARKS {
        assert!(!stored.contains(mark), "{mark}");
    }
    assert!(stored.contains("[hetu]"));
}

/// Two ids that a mask would make one stay two: only their tokens are kept.
#[tokio::test]
async fn a_long_number_as_an_id_is_told_apart_from_another() {
    let world = World::new();
    for id in ["4111111111111111", "4222222222221111", "4012888888881881"] {
        let reply = world.till(&event_with(id, json!({"text": id}))).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{id}");
    }
    assert_eq!(world.events().len(), 3);
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Captured;
    fn make_writer(&'a self) -> Captured {
        self.clone()
    }
}

const CANARIES: [&str; 5] = [
    "canary-name",
    "canary@example.fi",
    "+358407055810",
    "7055810",
    "canary-text",
];

fn with_canaries(id: &str, more: Value) -> Value {
    let mut event = event_with(
        id,
        json!({
            "name": "canary-name", "text": "canary-text",
            "identifiers": {"email": "canary@example.fi", "phone": "+358407055810"},
            "attributes": {"note": "canary-text"},
        }),
    );
    let (Value::Object(fields), Value::Object(more)) = (&mut event, more) else {
        panic!("objects")
    };
    fields.extend(more);
    event
}

#[tokio::test]
async fn nothing_personal_is_in_logs_answers_details_or_keys() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(captured.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let world = World::new();
    let away = World::over(Arc::new(Broken { how: How::Away }));
    let mut said = String::new();
    for body in [
        with_canaries("canary-text-1", json!({})),
        with_canaries(
            "2",
            json!({"kind": "canary-text", "canary@example.fi": 1, "place": "canary text"}),
        ),
        with_canaries(
            "3",
            json!({"identifiers": {"email": "canary@example.fi canary-text", "phone": "7055810"}}),
        ),
        with_canaries(
            "4",
            json!({"identifiers": {"canary@example.fi": "x"}, "time": "canary-text"}),
        ),
        with_canaries("5", json!({"history": true, "recorded_by": "canary-name"})),
        json!(["canary-text", [["canary-text"]]]),
    ] {
        said.push_str(&world.till(&body).await.body.to_string());
        said.push_str(&away.till(&body).await.body.to_string());
    }
    let raw = world
        .send(post(
            "till",
            "till-key",
            "application/json",
            "{\"canary-text\": \"canary-name",
        ))
        .await;
    said.push_str(&raw.body.to_string());
    drop(guard);
    for reject in world.rejects() {
        said.push_str(&reject.detail);
    }
    for topic in [Topic::Event, Topic::Claim, Topic::Reject] {
        for (key, _) in world.records(&topic) {
            said.push_str(&String::from_utf8_lossy(&key));
        }
    }
    let logged = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(
        logged.contains("the log takes no events"),
        "the log of the process was heard: {logged}"
    );
    for canary in CANARIES {
        assert!(!said.contains(canary), "{canary}: {said}");
        assert!(!logged.contains(canary), "{canary}: {logged}");
    }
}
