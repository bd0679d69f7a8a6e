use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use ingest::format::{
    Format as _, Mapped, Refusal,
    trial::{self, One, Post},
};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Typeform;

const EXAMPLE: &str = include_str!("example.json");

fn example() -> Value {
    serde_json::from_str(EXAMPLE).unwrap()
}

fn source(configuration: Value) -> One {
    One::new("web", configuration)
}

fn event(payload: &Value, configuration: Value) -> Value {
    let mapped = Typeform.map(payload, &source(configuration).sender());
    let Mapped::Events(events) = &mapped else {
        panic!("one event: {mapped:?}")
    };
    assert_eq!(events.len(), 1);
    events[0].clone()
}

#[test]
fn a_response_becomes_feedback_with_score_words_and_whom_to_reach() {
    let configuration = json!({"fields": {
        "answers.full_name": "name", "hidden.user_id": "identifiers.device", "variables.campaign": "party",
    }});
    assert_eq!(
        event(&example(), configuration),
        json!({
            "id": "response-0001", "kind": "feedback", "type": "survey.answered", "time": "2026-11-20T07:31:00Z",
            "identifiers": {
                "customer_number": "100234", "email": "aino@example.fi", "phone": "+358407055810", "device": ["u-9"],
            },
            "references": {"order": "A-77"},
            "score": {"metric": "nps", "value": 3.0, "min": 0.0, "max": 10.0},
            "text": "Missä pakettini on?", "name": "Aino K.",
            "place": "store:kamppi", "touchpoint": "home-delivery", "party": "autumn",
            "attributes": {
                "form": "Toimitus1", "survey": "Miten toimitus meni?", "Tähdet": 2.0, "Kuinka helppoa?": 6.0,
                "Mikä meni pieleen?": ["Myöhässä", "Väärä osoite"], "Tilaisitko uudestaan?": false,
            },
        })
    );
}

#[test]
fn a_score_is_read_on_the_scale_of_its_definition_or_not_at_all() {
    let scored = |field: Value, definition: Value| {
        let payload = json!({
            "event_type": "form_response",
            "form_response": {
                "token": "1", "submitted_at": "2026-11-20T07:31:00Z",
                "definition": {"fields": [definition]},
                "answers": [{"type": "number", "number": 4, "field": field}],
            },
        });
        event(&payload, json!({}))["score"].clone()
    };
    let field = |kind: &str| json!({"id": "f", "type": kind});
    let defined = |properties: Value| json!({"id": "f", "title": "?", "properties": properties});
    let score = |metric: &str, min: f64, max: f64| json!({"metric": metric, "value": 4.0, "min": min, "max": max});
    for (field, definition, expected) in [
        (
            field("nps"),
            json!({"id": "other"}),
            score("nps", 0.0, 10.0),
        ),
        (
            field("rating"),
            defined(json!({"steps": 5})),
            score("rating", 1.0, 5.0),
        ),
        (
            field("opinion_scale"),
            defined(json!({"steps": 5})),
            score("opinion", 0.0, 4.0),
        ),
        (
            field("opinion_scale"),
            defined(json!({"steps": 7, "start_at_one": true})),
            score("opinion", 1.0, 7.0),
        ),
        (field("opinion_scale"), json!({"id": "other"}), Value::Null),
        (field("rating"), defined(json!({"steps": 3})), Value::Null),
        (field("number"), defined(json!({"steps": 5})), Value::Null),
    ] {
        assert_eq!(scored(field.clone(), definition), expected, "{field}");
    }
}

#[test]
fn short_answers_are_the_words_where_there_is_no_long_one() {
    let mut payload = example();
    for answer in payload["form_response"]["answers"].as_array_mut().unwrap() {
        if answer["field"]["type"] == "long_text" {
            answer["field"]["type"] = json!("short_text");
        }
    }
    assert_eq!(
        event(&payload, json!({}))["text"],
        "Missä pakettini on?\n\nAino K."
    );
    let with_long = event(&example(), json!({}));
    assert_eq!(with_long["attributes"]["Nimesi"], "Aino K.");
}

#[test]
fn what_is_no_whole_response_is_filtered() {
    let sender = source(json!({}));
    for (kind, expected) in [
        (
            "form_response_partial",
            Mapped::Filtered("partial_response"),
        ),
        ("form_deleted", Mapped::Filtered("other_event")),
    ] {
        let mut payload = example();
        payload["event_type"] = json!(kind);
        assert_eq!(Typeform.map(&payload, &sender.sender()), expected);
    }
}

#[test]
fn any_change_of_a_response_is_borne() {
    let one = source(
        json!({"fields": {"answers.full_name": "name", "hidden.user_id": "identifiers.device"}}),
    );
    trial::endure(
        &Typeform,
        &one.sender(),
        &example(),
        &["event_type", "form_response.token"],
    );
}

/// What the published samples become, in the fields that are theirs.
#[test]
fn published_samples_are_read() {
    for (file, id, text, language) in [
        (
            "typeform/form_response.minimal.json",
            "a3a12ec67a1365927098a606107fac15",
            "Sample answer",
            "2018-01-18T18:17:02Z",
        ),
        (
            "typeform/form_response.with_ending.json",
            "20gh4opy9jh1jh6s0bd2n20gh4fy4rf4",
            "NAME NAME",
            "2030-01-01T00:00:01Z",
        ),
    ] {
        let Some(bytes) = trial::sample(file) else {
            return;
        };
        let one = source(json!({"fields": {"hidden.user_id": "identifiers.customer_number"}}));
        let payload = Typeform
            .parse(&Post::new(bytes).request())
            .unwrap()
            .remove(0);
        let mapped = Typeform.map(&payload, &one.sender());
        assert!(trial::is_good(&mapped, &one.sender()), "{file}: {mapped:?}");
        let Mapped::Events(events) = mapped else {
            panic!("{file} is an event");
        };
        let [event] = &events[..] else {
            panic!("{file} is one event");
        };
        assert_eq!(
            (
                event["id"].as_str(),
                event["text"].as_str(),
                event["time"].as_str()
            ),
            (Some(id), Some(text), Some(language)),
        );
        let customer = &event["identifiers"]["customer_number"];
        assert_eq!(customer.is_null(), file.contains("ending"), "{customer}");
        trial::endure(
            &Typeform,
            &one.sender(),
            &payload,
            &["event_type", "form_response.token"],
        );
    }
}

fn signed(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!(
        "sha256={}",
        BASE64_STANDARD.encode(mac.finalize().into_bytes())
    )
}

#[test]
fn only_the_sender_makes_the_signature() {
    let good = signed("new", EXAMPLE);
    let secrets = ["old", "new"].map(|secret| secret.as_bytes().to_vec());
    let unreadable = Err(Refusal::Unreadable("typeform-signature"));
    for (header, body, secrets, expected) in [
        (Some(good.as_str()), EXAMPLE, &secrets[..], Ok(())),
        (Some(&signed("old", EXAMPLE)), EXAMPLE, &secrets, Ok(())),
        (
            Some(&signed("old", EXAMPLE)),
            EXAMPLE,
            &secrets[1..],
            Err(Refusal::Mismatch),
        ),
        (Some(&good), "{}", &secrets, Err(Refusal::Mismatch)),
        (Some("sha256="), EXAMPLE, &secrets, Err(Refusal::Mismatch)),
        (Some(&good[7..]), EXAMPLE, &secrets, unreadable.clone()),
        (Some("sha256=%%%"), EXAMPLE, &secrets, unreadable.clone()),
        (Some("sha1=AAAA"), EXAMPLE, &secrets, unreadable),
        (
            None,
            EXAMPLE,
            &secrets,
            Err(Refusal::Missing("typeform-signature")),
        ),
        (Some(&good), EXAMPLE, &[], Err(Refusal::NoSecret)),
    ] {
        let mut post = Post::new(body);
        if let Some(header) = header {
            post = post.header("Typeform-Signature", header);
        }
        let found = Typeform.authenticate(&post.request(), secrets);
        assert_eq!(found, expected, "{header:?}");
    }
}

/// The signature that is known of this secret and these bytes.
#[test]
fn a_published_hash_is_reproduced() {
    let post = Post::new("what do ya want for nothing?").header(
        "Typeform-Signature",
        "sha256=W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=",
    );
    assert_eq!(
        Typeform.authenticate(&post.request(), &[b"Jefe".to_vec()]),
        Ok(())
    );
}
