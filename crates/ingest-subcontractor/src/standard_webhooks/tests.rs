use event::Time;
use ingest::format::{
    Format as _, Mapped, Refusal,
    trial::{self, One, Post},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::StandardWebhooks;

const SECRET: &str = "whsec_cG9sa3Utc3RhbmRhcmQtd2ViaG9va3Mta2V5LTAwMDE=";
const GOOD: &str = "v1,Y0Wxz2eECmLH4KQuWAg9C4clT93UuB2sHDw8X42w5IM=";
const NOW: &str = "1795305600";
const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

fn delivery(signature: &str, timestamp: &str) -> Post {
    Post::new(r#"{"type":"delivery.late"}"#)
        .header(ID, "msg_1")
        .header(TIMESTAMP, timestamp)
        .header(SIGNATURE, signature)
}

fn check(post: &Post, secrets: &[&str]) -> Result<(), Refusal> {
    let secrets: Vec<Vec<u8>> = secrets
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
    StandardWebhooks.authenticate(&post.request(), &secrets)
}

#[test]
fn one_good_signature_of_several_is_enough() {
    let several = format!("v1a,AAAA v1,AAAA {GOOD} v2,whatever");
    let plain = "v1,a89iXg+sz/9kO9lj6+6HpiLDpSqq+sM5LX/nUzvmYOM=";
    for (post, secrets, expected) in [
        (delivery(GOOD, NOW), vec![SECRET], Ok(())),
        (delivery(GOOD, NOW), vec!["whsec_b3RoZXI=", SECRET], Ok(())),
        (delivery(&several, NOW), vec![SECRET], Ok(())),
        // Without its mark, and one that is no base64.
        (delivery(GOOD, NOW), vec![&SECRET[6..]], Ok(())),
        (delivery(plain, NOW), vec!["plain key, no base64"], Ok(())),
        (
            delivery(GOOD, NOW),
            vec!["whsec_b3RoZXI="],
            Err(Refusal::Mismatch),
        ),
        (delivery(GOOD, NOW), vec![], Err(Refusal::NoSecret)),
        (
            delivery(&GOOD[3..], NOW),
            vec![SECRET],
            Err(Refusal::Mismatch),
        ),
        (
            delivery(&GOOD.replace("v1,", "v1a,"), NOW),
            vec![SECRET],
            Err(Refusal::Mismatch),
        ),
        (delivery("", NOW), vec![SECRET], Err(Refusal::Mismatch)),
        (
            delivery(GOOD, "1795305601"),
            vec![SECRET],
            Err(Refusal::Mismatch),
        ),
        (
            delivery(GOOD, "now"),
            vec![SECRET],
            Err(Refusal::Unreadable(TIMESTAMP)),
        ),
    ] {
        assert_eq!(check(&post, &secrets), expected, "{post:?} {secrets:?}");
    }
    for name in [ID, TIMESTAMP, SIGNATURE] {
        let mut post = delivery(GOOD, NOW);
        post.headers.remove(name);
        assert_eq!(check(&post, &[SECRET]), Err(Refusal::Missing(name)));
    }
    let other = delivery(GOOD, NOW).header(ID, "msg_2");
    assert_eq!(check(&other, &[SECRET]), Err(Refusal::Mismatch));
}

#[test]
fn a_signature_is_good_for_five_minutes_either_way() {
    for (timestamp, signature, expected) in [
        (
            "1795305900",
            "v1,3AlyRFudCbOgDaOQ3wxfcHvgxpFkSMbBjXCxJj9tJjI=",
            Ok(()),
        ),
        (
            "1795305901",
            "v1,GYKq1KBXY8uTJ+dMMd50pP7Qy+y//r+RAFJKGhj8QdI=",
            Err(Refusal::Stale),
        ),
        (
            "1795305300",
            "v1,ygoDzd8Cyy+cFk+Z4wa1q47WvNyu3ea2vPvVC2vhJXE=",
            Ok(()),
        ),
        (
            "1795305299",
            "v1,G6Rwvu/QyVIaQ1BuvnUVe9aDF1nIWZ0QhqQGG2L0jvE=",
            Err(Refusal::Stale),
        ),
    ] {
        assert_eq!(
            check(&delivery(signature, timestamp), &[SECRET]),
            expected,
            "{timestamp}"
        );
    }
    let far = delivery(GOOD, &i64::MAX.to_string());
    assert_eq!(check(&far, &[SECRET]), Err(Refusal::Mismatch));
}

#[test]
fn the_published_vector_holds() {
    let (Some(body), Some(facts)) = (
        trial::sample("standard-webhooks/test-vector.body"),
        trial::sample("standard-webhooks/test-vector.headers.json"),
    ) else {
        return;
    };
    let facts: Value = serde_json::from_slice(&facts).unwrap();
    let text = |pointer: &str| facts.pointer(pointer).unwrap().as_str().unwrap();
    let secret = text("/secret");
    let mut post = Post::new(body);
    for name in [ID, TIMESTAMP, SIGNATURE] {
        post = post.header(name, text(&format!("/headers/{name}")));
    }
    let signed: i64 = text("/headers/webhook-timestamp").parse().unwrap();
    post.received = Time::from_millis((signed + 299) * 1000);
    assert_eq!(check(&post, &[secret]), Ok(()));
    let bad = ["wrong_signature", "damaged_base64"].map(|name| text(&format!("/must_fail/{name}")));
    for signature in bad {
        let bad = post.clone().header(SIGNATURE, signature);
        assert_eq!(check(&bad, &[secret]), Err(Refusal::Mismatch));
    }
    let both = format!("{} {}", bad[0], text("/headers/webhook-signature"));
    assert_eq!(
        check(&post.clone().header(SIGNATURE, &both), &[secret]),
        Ok(())
    );
    post.received = Time::from_millis((signed + 301) * 1000);
    assert_eq!(check(&post, &[secret]), Err(Refusal::Stale));
}

/// The payload as `parse` hands it on.
fn parsed(payload: &Value) -> Value {
    let post = Post::new(payload.to_string()).header(ID, "msg_1");
    StandardWebhooks.parse(&post.request()).unwrap().remove(0)
}

fn map(payload: &Value, configuration: Value) -> Mapped {
    let one = One::new("subcontractor", configuration);
    StandardWebhooks.map(&parsed(payload), &one.sender())
}

#[test]
fn a_body_is_one_object() {
    for body in ["", "[]", "null", "{\"a\":1,\"a\":2}"] {
        let post = Post::new(body).header(ID, "msg_1");
        assert!(StandardWebhooks.parse(&post.request()).is_err(), "{body}");
    }
}

#[test]
fn data_of_our_own_form_is_an_event_as_it_is() {
    let own =
        json!({"kind": "service", "references": {"shipment": "S1"}, "attributes": {"van": 7}});
    let payload = json!({"type": "delivery.late", "timestamp": "2026-11-20T07:31:00Z", "data": own, "more": 1});
    let whole = json!({
        "id": "msg_1", "kind": "service", "type": "delivery.late", "time": "2026-11-20T07:31:00Z",
        "references": {"shipment": "S1"}, "attributes": {"van": 7},
    });
    assert_eq!(
        map(&payload, json!({})),
        Mapped::Events(vec![whole.clone()])
    );
    // What `data` says itself holds, but for the id.
    let mut said = payload.clone();
    said["data"]["type"] = json!("delivery.failed");
    said["data"]["id"] = json!("theirs");
    let mut expected = whole.clone();
    expected["type"] = json!("delivery.failed");
    assert_eq!(map(&said, json!({})), Mapped::Events(vec![expected]));
    // Somebody's own spelling of a type becomes a name.
    let mut said = payload;
    said["type"] = json!("Delivery_Late");
    let mut expected = whole;
    expected["type"] = json!("delivery-late");
    expected["party"] = json!("posti");
    let configured = json!({"defaults": {"party": "posti", "references.shipment": "unused"}});
    assert_eq!(map(&said, configured), Mapped::Events(vec![expected]));
}

#[test]
fn a_mapping_makes_events_of_what_others_say() {
    let mapping = json!({"mapping": {"events": {
        "late": {
            "when": {"type": {"is": "parcel.delayed"}},
            "id": "{webhook-id}", "kind": "service", "type": "delivery.late", "time": "{timestamp}",
            "references": {"shipment": "{data.parcel.code}"}, "party": "{data.carrier|slug}",
        },
    }}});
    let payload = json!({
        "type": "parcel.delayed", "timestamp": "2026-11-20T09:31:00+02:00",
        "data": {"parcel": {"code": "JJFI1", "weight": 2.5}, "carrier": "Posti Oy"},
    });
    assert_eq!(
        map(&payload, mapping.clone()),
        Mapped::Events(vec![json!({
            "id": "msg_1", "kind": "service", "type": "delivery.late", "time": "2026-11-20T07:31:00Z",
            "references": {"shipment": "JJFI1"}, "party": "posti-oy",
        })])
    );
    let mut completed = mapping.clone();
    completed["fields"] = json!({"data.carrier": "product"});
    completed["defaults"] = json!({"party": "unused", "stage": "delivery"});
    let Mapped::Events(events) = map(&payload, completed) else {
        panic!("the mapping applies");
    };
    let of = |field: &str| events[0][field].clone();
    assert_eq!(
        [of("product"), of("party"), of("stage")],
        [json!("posti-oy"), json!("posti-oy"), json!("delivery")]
    );
    let mut other = payload.clone();
    other["type"] = json!("parcel.weighed");
    assert!(matches!(map(&other, mapping.clone()), Mapped::Filtered(_)));
    let mut timeless = payload;
    timeless["timestamp"] = json!("secret");
    let Mapped::Faulty(detail) = map(&timeless, mapping) else {
        panic!("a moment that is none is a fault");
    };
    assert!(
        detail.contains("time") && !detail.contains("secret"),
        "{detail}"
    );
}

#[test]
fn the_examples_of_the_specification_need_a_mapping() {
    let mapping = json!({"mapping": {"events": {"contact": {
        "id": "{webhook-id}", "kind": "service", "type": "customer.updated", "time": "{timestamp}",
        "identifiers": {"customer_number": "{data.id}", "phone": "{data.phoneNumber}"}, "name": "{data.fullName}",
    }}}});
    for (file, identifiers, has_name) in [
        ("contact.created.full.json", 2, true),
        ("contact.created.thin.json", 1, false),
    ] {
        let Some(body) = trial::sample(&format!("standard-webhooks/{file}")) else {
            return;
        };
        let payload: Value = serde_json::from_slice(&body).unwrap();
        let one = One::new("subcontractor", mapping.clone());
        let mapped = map(&payload, mapping.clone());
        assert!(trial::is_good(&mapped, &one.sender()), "{file}");
        let Mapped::Events(events) = mapped else {
            panic!("the mapping applies to {file}");
        };
        let named = events[0]["identifiers"].as_object().unwrap().len();
        assert_eq!(named, identifiers, "{file}");
        assert_eq!(events[0].get("name").is_some(), has_name, "{file}");
        // Without one, the door says what is missing: it is not our own form.
        let Mapped::Events(events) = map(&payload, json!({})) else {
            panic!("data is an object");
        };
        assert!(trial::faults(&events[0], &one.sender()).contains("kind: is required"));
    }
}

#[test]
fn data_that_is_no_object_is_a_fault() {
    for payload in [
        json!({}),
        json!({"data": null}),
        json!({"data": [1]}),
        json!({"data": "x"}),
    ] {
        let mapped = map(&payload, json!({}));
        assert!(
            matches!(mapped, Mapped::Faulty(detail) if detail.starts_with("data:")),
            "{payload}"
        );
    }
}

#[test]
fn with_a_mapping_unknown_absent_and_hostile_fields_are_borne() {
    let one = One::new(
        "subcontractor",
        json!({"mapping": {"events": {"late": {
            "id": "{webhook-id}", "kind": "service", "type": "delivery.late", "time": "{timestamp}",
            "references": {"shipment": "{data.parcel.code}"}, "place": "{data.hub|slug}", "text": "{data.words}",
        }}}}),
    );
    let payload = parsed(&json!({
        "timestamp": "2026-11-20T09:31:00+02:00",
        "data": {"parcel": {"code": "JJFI1"}, "hub": "Tampere 1", "words": "Auto hajosi"},
    }));
    let mapped = StandardWebhooks.map(&payload, &one.sender());
    assert!(trial::is_good(&mapped, &one.sender()));
    for (pointer, keeps) in [
        ("/data/hub", true),
        ("/data/words", true),
        ("/timestamp", false),
    ] {
        let mut absent = payload.clone();
        *absent.pointer_mut(pointer).unwrap() = Value::Null;
        let mapped = StandardWebhooks.map(&absent, &one.sender());
        assert_eq!(trial::is_good(&mapped, &one.sender()), keeps, "{pointer}");
    }
}

proptest! {
    #[test]
    fn any_json_is_borne(payload in crate::any_json(&["webhook-id", "type", "timestamp", "data", "kind", "service"])) {
        for configuration in [
            json!({}),
            json!({"mapping": {"events": {"x": {"id": "{webhook-id}", "kind": "service", "time": "{timestamp}"}}}}),
        ] {
            let one = One::new("subcontractor", configuration);
            let _mapped = StandardWebhooks.map(&payload, &one.sender());
        }
    }
}
