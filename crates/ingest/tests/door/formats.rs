//! Sources that speak formats of their own, `CloudEvents`, and how much a source may send.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use event::{SourceId, Topic, reject::Reason};
use ingest::{
    format::{self, Format, Mapped, Proof, Refusal, Sender, signature},
    metrics::Totals,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::world::{Reply, Spoken, World, event, event_with, post};

/// A sender that writes `{"id", "calls": [..]}` and signs the address and the body.
struct Sample {
    name: &'static str,
    proof: Proof,
}

impl Format for Sample {
    fn name(&self) -> &'static str {
        self.name
    }

    fn proof(&self) -> Proof {
        self.proof
    }

    fn authenticate(
        &self,
        request: &format::Request<'_>,
        secrets: &[Vec<u8>],
    ) -> Result<(), Refusal> {
        let claimed = hex::decode(format::header(request.headers, "x-sign")?)
            .map_err(|_| Refusal::Unreadable("x-sign"))?;
        let parts = [request.url.as_bytes(), request.body];
        signature::hmac_sha256(secrets, &parts, &[claimed])
    }

    fn parse(&self, request: &format::Request<'_>) -> Result<Vec<Value>, String> {
        let body = format::json(request.body)?;
        Ok(body.as_array().cloned().unwrap_or_else(|| vec![body]))
    }

    fn map(&self, payload: &Value, sender: &Sender<'_>) -> Mapped {
        let Some(id) = payload["id"].as_str() else {
            return Mapped::Faulty("id: is required".to_owned());
        };
        let Some(calls) = payload["calls"].as_array() else {
            return Mapped::Filtered("no_calls");
        };
        let events = calls.iter().enumerate().map(|(place, text)| {
            json!({
                "id": format!("{id}#{place}"), "kind": "service", "time": sender.received.to_string(), "text": text,
            })
        });
        Mapped::Events(events.collect())
    }
}

fn world() -> World {
    let key = hex::encode(Sha256::digest("the-key"));
    let samples = [
        ("signing", Proof::Signature),
        ("keyed", Proof::Key),
        ("page", Proof::Page),
    ];
    let formats = samples.map(|(name, proof)| Box::new(Sample { name, proof }) as Box<dyn Format>);
    let secrets = [b"old secret".to_vec(), b"new secret".to_vec()];
    World::speaking(
        &format!(
            "[calls]\nchannel = 'call_centre'\nformat = 'signing'\nsecret_file = ['a', 'b']\n\
             [forgotten]\nchannel = 'call_centre'\nformat = 'signing'\n\
             [shop]\nchannel = 'store'\nformat = 'keyed'\nkey_sha256 = ['{key}']\n\
             [open]\nchannel = 'web'\nformat = 'page'\nkey_sha256 = ['{key}']\n\
             [slow]\nchannel = 'web'\nevents_per_second = 1\nkey_sha256 = ['{key}']\n"
        ),
        Spoken {
            formats: formats.into_iter().collect(),
            secrets: [(SourceId::new("calls").unwrap(), secrets.to_vec())].into(),
        },
    )
}

fn sign(secret: &str, url: &str, body: &str) -> String {
    use hmac::{KeyInit as _, Mac as _};
    let mut mac = hmac::Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{url}{body}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

const URL: &str = "https://polku.example/v1/sources/calls/events?x=1";

fn signed(source: &str, signature: Option<&str>, body: &str) -> Request<Body> {
    let mut request = Request::post(format!("/v1/sources/{source}/events?x=1"));
    if let Some(signature) = signature {
        request = request.header("x-sign", signature);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

async fn call(world: &World, body: &Value) -> Reply {
    let body = body.to_string();
    let signature = sign("new secret", URL, &body);
    world.send(signed("calls", Some(&signature), &body)).await
}

#[tokio::test]
async fn a_signature_by_either_secret_opens_the_door_and_nothing_else_does() {
    let world = world();
    let body = r#"{"id":"1","calls":["a"]}"#;
    for secret in ["old secret", "new secret"] {
        let body = body.replace('1', secret);
        let reply = world
            .send(signed("calls", Some(&sign(secret, URL, &body)), &body))
            .await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{:?}", reply.body);
    }
    let good = sign("new secret", URL, body);
    for (source, signature, body) in [
        ("calls", None, body),
        ("calls", Some("no hex"), body),
        ("calls", Some(""), body),
        ("calls", Some(&good[..32]), body),
        ("calls", Some(good.as_str()), r#"{"id":"1","calls":["b"]}"#),
        ("calls", Some(&sign("other secret", URL, body)), body),
        (
            "calls",
            Some(&sign("new secret", "http://elsewhere/", body)),
            body,
        ),
        ("forgotten", Some(good.as_str()), body),
        ("nobody", Some(good.as_str()), body),
    ] {
        let reply = world.send(signed(source, signature, body)).await;
        assert_eq!(
            reply.status,
            StatusCode::UNAUTHORIZED,
            "{source} {signature:?}"
        );
        assert_eq!(reply.headers["content-type"], "application/problem+json");
    }
    assert_eq!(world.events().len(), 2);
    assert_eq!(
        world.records(&Topic::Reject).len(),
        0,
        "a stranger writes nothing"
    );
}

/// A key is no signature, and a signature is no key.
#[tokio::test]
async fn each_format_asks_for_its_own_proof() {
    let world = world();
    let body = r#"{"id":"1","calls":["a"]}"#;
    let signature = sign("new secret", URL, body);
    for (source, key, expected) in [
        ("shop", Some("the-key"), StatusCode::ACCEPTED),
        ("shop", None, StatusCode::UNAUTHORIZED),
        ("calls", Some("the-key"), StatusCode::UNAUTHORIZED),
        ("open", Some("the-key"), StatusCode::FORBIDDEN),
        ("open", None, StatusCode::FORBIDDEN),
    ] {
        let mut request = signed(source, (source != "calls").then_some(&signature), body);
        if let Some(key) = key {
            let value = format!("Bearer {key}").parse().unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        assert_eq!(
            world.send(request).await.status,
            expected,
            "{source} {key:?}"
        );
    }
}

#[tokio::test]
async fn every_payload_ends_in_one_counted_way_and_keeps_its_place() {
    let world = world();
    let reply = call(
        &world,
        &json!([
            {"id": "1", "calls": ["a", "b"]},
            {"id": "2"},
            {"calls": ["010594Y9032"]},
            {"id": "3", "calls": ["c", 7]},
        ]),
    )
    .await;
    assert_eq!(reply.status, StatusCode::MULTI_STATUS);
    assert_eq!(
        reply.body,
        json!({
            "received": 6, "accepted": 3, "duplicate": 0, "filtered": 1, "rejected": 2,
            "items": [
                {"index": 2, "outcome": "rejected", "reason": "schema", "detail": "id: is required"},
                {"index": 3, "outcome": "rejected", "reason": "schema", "detail": "text: must be a text"},
            ],
        })
    );
    let totals = Totals {
        accepted: 3,
        duplicate: 0,
        filtered: 1,
        rejected: 2,
        unavailable: 0,
    };
    assert_eq!(world.door.totals(), totals);
    let counted = prometheus::TextEncoder::new()
        .encode_to_string(&world.registry.gather())
        .unwrap();
    let line = r#"polku_ingest_filtered_total{source="calls",why="no_calls"} 1"#;
    assert!(counted.contains(line), "{counted}");
    let rejects = world.rejects();
    assert!(rejects.iter().all(|reject| reject.reason == Reason::Schema));
    let kept: Vec<_> = rejects
        .iter()
        .map(|reject| String::from_utf8_lossy(&reject.bytes))
        .collect();
    assert!(
        kept.iter().any(|bytes| bytes == r#"{"calls":["[hetu]"]}"#),
        "{kept:?}"
    );
}

#[tokio::test]
async fn the_same_delivery_again_is_one_event() {
    let world = world();
    let payload = json!({"id": "1", "calls": ["a"]});
    let first = call(&world, &payload).await;
    assert_eq!(first.body["accepted"], 1);
    let source = SourceId::new("shop").unwrap();
    for expected in [(1, 0), (0, 1)] {
        let events = json!({"id": "1", "kind": "service", "time": "2026-01-20T07:31:00Z"});
        let answer = world
            .door
            .accept_mapped(
                &source,
                vec![(Value::Null, Mapped::Events(vec![events]))],
                ingest::Permission::default(),
            )
            .await
            .unwrap();
        assert_eq!((answer.accepted, answer.duplicate), expected);
    }
}

#[tokio::test]
async fn nothing_but_filtered_payloads_is_a_good_answer() {
    let world = world();
    let reply = call(&world, &json!({"id": "1"})).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    assert_eq!(reply.body["filtered"], 1);
    assert_eq!(world.records(&Topic::Event).len(), 0);
}

#[tokio::test]
async fn a_body_that_its_format_cannot_read_is_kept_masked() {
    let world = world();
    let body = r#"{"id": "010594Y9032"#;
    let reply = world
        .send(signed("calls", Some(&sign("old secret", URL, body)), body))
        .await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    let [reject] = &world.rejects()[..] else {
        panic!("one reject")
    };
    assert_eq!(reject.reason, Reason::Unparseable);
    assert_eq!(String::from_utf8_lossy(&reject.bytes), r#"{"id": "[hetu]"#);
}

#[tokio::test]
async fn what_a_page_brings_goes_the_same_way() {
    let world = world();
    let answer = world
        .door
        .accept_payloads(
            &SourceId::new("open").unwrap(),
            vec![
                json!({"id": "1", "calls": ["a"]}),
                json!({"id": "2"}),
                json!({}),
            ],
        )
        .await
        .unwrap();
    assert_eq!(
        (answer.accepted, answer.filtered, answer.rejected),
        (1, 1, 1)
    );
    let own = world
        .door
        .accept_payloads(&SourceId::new("slow").unwrap(), vec![event("1")])
        .await
        .unwrap();
    assert_eq!(own.accepted, 1);
}

/// The bucket of `slow` holds ten events at first.
#[tokio::test]
async fn a_source_that_sends_too_much_waits_and_the_others_do_not() {
    let world = world();
    let events = |from: usize, many: usize| {
        let all: Vec<Value> = (from..from + many)
            .map(|number| event(&number.to_string()))
            .collect();
        Value::from(all).to_string()
    };
    let slow = |body: String| world.send(post("slow", "the-key", "application/json", body));
    assert_eq!(slow(events(0, 10)).await.status, StatusCode::ACCEPTED);
    let waits = slow(events(10, 9)).await;
    assert_eq!(waits.status, StatusCode::TOO_MANY_REQUESTS);
    let seconds: u32 = waits.headers["retry-after"].parse().unwrap();
    assert!((1..=10).contains(&seconds), "{seconds}");
    let never = slow(events(10, 11)).await;
    assert_eq!(never.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(
        never.body["detail"]
            .as_str()
            .unwrap()
            .contains("at most 10 items")
    );
    assert_eq!(world.events().len(), 10, "what waits is not in the log");
    for _ in 0..20 {
        assert_eq!(
            call(&world, &json!({"id": "1"})).await.status,
            StatusCode::ACCEPTED
        );
    }
}

#[tokio::test]
async fn garbage_is_limited_too() {
    let world = world();
    let mut last = StatusCode::OK;
    for number in 0..12 {
        let garbage = post("slow", "the-key", "application/json", format!("{{{number}"));
        last = world.send(garbage).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    assert!(
        world.rejects().len() <= 11,
        "a bucket and what a second gives"
    );
}

#[tokio::test]
async fn a_cloud_event_is_the_same_in_each_of_its_three_ways() {
    let world = World::new();
    let data = json!({"kind": "complaint", "references": {"order": "A-77"}});
    let envelope = json!({
        "specversion": "1.0", "id": "7", "source": "/tills/3", "type": "fi.example.sold",
        "time": "2026-01-20T07:31:00Z", "datacontenttype": "application/json", "data": data,
    });
    let structured = post(
        "till",
        "till-key",
        "application/cloudevents+json",
        envelope.to_string(),
    );
    let batch = post(
        "till",
        "till-key",
        "application/cloudevents-batch+json",
        json!([envelope]).to_string(),
    );
    let mut binary = post("till", "till-key", "application/json", data.to_string());
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", "7"),
        ("ce-source", "/tills/3"),
        ("ce-type", "fi.example.sold"),
        ("ce-time", "2026-01-20T07:31:00Z"),
    ] {
        binary.headers_mut().insert(name, value.parse().unwrap());
    }
    // What says nothing of its data's type is JSON.
    let mut untyped = post("till", "till-key", "application/json", data.to_string());
    untyped.headers_mut().clone_from(binary.headers());
    untyped.headers_mut().remove(header::CONTENT_TYPE);
    let mut answers = Vec::new();
    for request in [binary, untyped, structured, batch] {
        let reply = world.send(request).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{:?}", reply.body);
        answers.push((
            reply.body["accepted"].clone(),
            reply.body["duplicate"].clone(),
        ));
    }
    assert_eq!(
        answers,
        [
            (json!(1), json!(0)),
            (json!(0), json!(1)),
            (json!(0), json!(1)),
            (json!(0), json!(1))
        ]
    );

    let mut timeless = post("till", "till-key", "application/json", data.to_string());
    timeless
        .headers_mut()
        .insert("ce-specversion", "1.0".parse().unwrap());
    let reply = world.send(timeless).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        reply.body["detail"]
            .as_str()
            .unwrap()
            .contains("time: a CloudEvent needs this text")
    );
    assert_eq!(world.events().len(), 1);
}

/// The official samples: whatever is no `CloudEvent` is refused; of the good ones those are taken whose data is our form.
#[tokio::test]
async fn the_official_samples_are_told_apart() {
    let folder = std::env::var_os("POLKU_SAMPLES").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        std::path::PathBuf::from,
    );
    let folder = folder.join("payloads/cloudevents");
    if !folder.is_dir() {
        let required = std::env::var_os("POLKU_REQUIRE").unwrap_or_default();
        assert!(
            !required.to_string_lossy().contains("samples"),
            "the samples are absent"
        );
        eprintln!("skipped: {} is absent; set POLKU_SAMPLES", folder.display());
        return;
    }
    let tests = |file: &str| {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        file["tests"].as_array().unwrap().clone()
    };
    let world = World::new();
    let send = |body: &Value| {
        world.send(post(
            "till",
            "till-key",
            "application/cloudevents+json",
            body.to_string(),
        ))
    };
    // Faults of optional attributes that nothing here uses, and moments that read without doubt though they are written too short,
    // are no reason to refuse what happened.
    let harmless = |id: &str| {
        let id = id.to_ascii_lowercase();
        [
            "datacontenttype",
            "schema",
            "subject",
            "extension",
            "timetominute",
            "houronly",
        ]
        .iter()
        .any(|word| id.contains(word))
    };
    let own = event_with("ignored", json!({}));
    let mut refused = 0;
    for test in tests("json.invalid-events.json") {
        let id = test["id"].as_str().unwrap();
        let mut envelope = test["event"].clone();
        let Some(fields) = envelope.as_object_mut() else {
            continue;
        };
        // Whatever else it lacks, what we ask for beyond the specification is there.
        fields.entry("time").or_insert_with(|| own["time"].clone());
        if !fields.contains_key("data_base64") {
            fields
                .entry("data")
                .or_insert_with(|| json!({"kind": "service"}));
        }
        let reply = send(&envelope).await;
        if harmless(id) {
            continue;
        }
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{id}");
        refused += 1;
    }
    assert!(refused >= 10, "{refused}");
    for test in tests("json.valid-events.json") {
        let id = test["id"].as_str().unwrap();
        let mut envelope = test["event"].clone();
        let fields = envelope.as_object_mut().unwrap();
        if fields.get("time").is_none_or(Value::is_null) {
            fields.insert("time".to_owned(), own["time"].clone());
        }
        fields.remove("data_base64");
        fields.insert("data".to_owned(), json!({"kind": "service"}));
        fields.insert("id".to_owned(), json!(id));
        let reply = send(&envelope).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{id} {:?}", reply.body);
    }
    for test in tests("json.invalid-batches.json") {
        let reply = send(&test["batch"]).await;
        assert!(!reply.status.is_success(), "{test}");
    }
}
