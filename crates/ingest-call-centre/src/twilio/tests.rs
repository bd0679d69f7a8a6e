use event::Time;
use ingest::format::{
    Format as _, Mapped, Refusal,
    trial::{self, One, Post},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Twilio;

const FORM: &str = "CallSid=CA1&CallStatus=completed&From=%2B358407055810&Text=a+b+%26+%C3%A4";
const SIGNATURE: &str = "x-twilio-signature";

fn form(body: &str, signature: &str) -> Post {
    Post::new(body)
        .header(
            "Content-Type",
            "application/x-www-form-urlencoded; charset=UTF-8",
        )
        .header(SIGNATURE, signature)
}

fn secrets(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

#[test]
fn a_form_is_twilios_by_its_signature() {
    let both = secrets(&["older", "token"]);
    let reordered = "Text=a+b+%26+%C3%A4&From=%2B358407055810&CallStatus=completed&CallSid=CA1";
    let changed = FORM.replace("completed", "no-answer");
    for (body, signature, expected) in [
        (FORM, "hsPYrAFuysKUWCSdz79fZoEewWc=", Ok(())),
        (FORM, "YG3mxs5ErMpxmDR7Gadn8oSpGYM=", Ok(())),
        // Signed with the port of the scheme in the address.
        (FORM, "ACIIt3ABnIlzyDb6we3IxCwVe4o=", Ok(())),
        (reordered, "hsPYrAFuysKUWCSdz79fZoEewWc=", Ok(())),
        (
            changed.as_str(),
            "hsPYrAFuysKUWCSdz79fZoEewWc=",
            Err(Refusal::Mismatch),
        ),
        ("", "hsPYrAFuysKUWCSdz79fZoEewWc=", Err(Refusal::Mismatch)),
        (
            "a=%ff",
            "hsPYrAFuysKUWCSdz79fZoEewWc=",
            Err(Refusal::Mismatch),
        ),
        (
            FORM,
            "hsPYrAFuysKUWCSdz79fZoEewWd=",
            Err(Refusal::Unreadable(SIGNATURE)),
        ),
        (FORM, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", Err(Refusal::Mismatch)),
        (FORM, "", Err(Refusal::Mismatch)),
    ] {
        let post = form(body, signature);
        assert_eq!(
            Twilio.authenticate(&post.request(), &both),
            expected,
            "{signature}"
        );
    }
    let post = form(FORM, "hsPYrAFuysKUWCSdz79fZoEewWc=");
    let older = secrets(&["older"]);
    assert_eq!(
        Twilio.authenticate(&post.request(), &older),
        Err(Refusal::Mismatch)
    );
    assert_eq!(
        Twilio.authenticate(&post.request(), &[]),
        Err(Refusal::NoSecret)
    );
    let unsigned = Post::new(FORM);
    assert_eq!(
        Twilio.authenticate(&unsigned.request(), &both),
        Err(Refusal::Missing(SIGNATURE))
    );
    let mut with_port = post.clone();
    with_port.url = "https://polku.example.com:443/v1/sources/one/events".to_owned();
    assert_eq!(Twilio.authenticate(&with_port.request(), &both), Ok(()));
    let mut elsewhere = post;
    elsewhere.url = "https://polku.example.com/v1/sources/two/events".to_owned();
    assert_eq!(
        Twilio.authenticate(&elsewhere.request(), &both),
        Err(Refusal::Mismatch)
    );
}

#[test]
fn a_json_body_is_vouched_for_by_its_hash_in_the_address() {
    let token = secrets(&["token"]);
    let mut post = Post::new(r#"{"CallSid":"CA1"}"#)
        .header("Content-Type", "application/json")
        .header(SIGNATURE, "ay1QricSv20diVDGELXm/lFYBSI=");
    assert_eq!(
        Twilio.authenticate(&post.request(), &token),
        Err(Refusal::Mismatch)
    );
    post.url += "?bodySHA256=85264246de8d570722726062407cde49dc5bb2c2569c179765b178e3ffe30825";
    assert_eq!(Twilio.authenticate(&post.request(), &token), Ok(()));
    assert_eq!(
        Twilio.parse(&post.request()),
        Ok(vec![json!({"CallSid": "CA1"})])
    );
    post.body.push(b' ');
    assert_eq!(
        Twilio.authenticate(&post.request(), &token),
        Err(Refusal::Mismatch)
    );
}

#[test]
fn published_vectors_hold() {
    for name in ["voice.published-vector", "voice.repeated-parameter"] {
        let (Some(body), Some(facts)) = (
            trial::sample(&format!("twilio/{name}.form")),
            trial::sample(&format!("twilio/{name}.headers.json")),
        ) else {
            return;
        };
        let facts: Value = serde_json::from_slice(&facts).unwrap();
        let text = |pointer: &str| facts.pointer(pointer).unwrap().as_str().unwrap();
        let mut post = Post::new(body)
            .header("content-type", text("/content_type"))
            .header(SIGNATURE, text("/headers/X-Twilio-Signature"));
        post.url = text("/url").to_owned();
        let token = secrets(&[text("/auth_token")]);
        assert_eq!(
            Twilio.authenticate(&post.request(), &token),
            Ok(()),
            "{name}"
        );
        let payloads = Twilio.parse(&post.request()).unwrap();
        // Neither of them is about a call that ended.
        assert!(matches!(map(&payloads[0]), Mapped::Filtered(_)), "{name}");
        post.body.extend(b"&Digits=9");
        assert_eq!(
            Twilio.authenticate(&post.request(), &token),
            Err(Refusal::Mismatch),
            "{name}"
        );
    }
    if let (Some(body), Some(facts)) = (
        trial::sample("twilio/json-body.body"),
        trial::sample("twilio/json-body.headers.json"),
    ) {
        let facts: Value = serde_json::from_slice(&facts).unwrap();
        assert_eq!(super::authenticate::hash(&body), facts["bodySHA256"]);
    }
}

fn one() -> One {
    One::new(
        "call_centre",
        json!({"format": "twilio", "defaults": {"touchpoint": "phone"}}),
    )
}

fn map(payload: &Value) -> Mapped {
    Twilio.map(payload, &one().sender())
}

fn call(status: &str, direction: &str) -> Value {
    json!({
        "AccountSid": "AC9", "ApiVersion": "2010-04-01", "CallSid": "CA1", "CallStatus": status, "CallDuration": "73",
        "CallbackSource": "call-progress-events", "Direction": direction, "From": "+358407055810", "To": "+358942415800",
        "SequenceNumber": "2", "Timestamp": "Fri, 20 Nov 2026 07:31:00 +0000",
    })
}

#[test]
fn a_call_that_was_answered_in_full() {
    assert_eq!(
        map(&call("completed", "inbound")),
        Mapped::Events(vec![json!({
            "id": "CA1/completed/2",
            "kind": "service",
            "type": "call.answered",
            "time": "2026-11-20T07:31:00Z",
            "identifiers": {"phone": "+358407055810"},
            "references": {"thread": "CA1"},
            "touchpoint": "phone",
            "attributes": {
                "status": "completed", "direction": "inbound", "duration_s": 73, "our_number": "+358942415800",
            },
        })])
    );
}

fn told(mapped: &Mapped) -> String {
    match mapped {
        Mapped::Events(events) => {
            let phone = events[0]["identifiers"]["phone"]
                .as_str()
                .unwrap_or("nobody");
            format!("{} {phone}", events[0]["type"].as_str().unwrap())
        }
        Mapped::Filtered(reason) => format!("filtered: {reason}"),
        Mapped::Faulty(detail) => format!("faulty: {detail}"),
    }
}

#[test]
fn what_became_of_a_call_is_told_of_the_customers_number() {
    for (status, direction, expected) in [
        ("no-answer", "inbound", "call.missed +358407055810"),
        ("busy", "inbound", "call.missed +358407055810"),
        ("canceled", "inbound", "call.abandoned +358407055810"),
        ("failed", "inbound", "call.failed +358407055810"),
        (
            "completed",
            "outbound-api",
            "outbound-call.answered +358942415800",
        ),
        (
            "no-answer",
            "outbound-api",
            "outbound-call.missed +358942415800",
        ),
        ("ringing", "inbound", "filtered: call_goes_on"),
        ("in-progress", "inbound", "filtered: call_goes_on"),
        ("completed", "outbound-dial", "filtered: other_leg"),
        ("overheard", "inbound", "filtered: unknown_status"),
    ] {
        assert_eq!(
            told(&map(&call(status, direction))),
            expected,
            "{status} {direction}"
        );
    }
}

/// The name that comes with an outbound call is that of whoever calls: ours.
#[test]
fn only_a_caller_has_a_name() {
    for (direction, expected) in [("inbound", json!("Aino K.")), ("outbound-api", Value::Null)] {
        let mut payload = call("completed", direction);
        payload["CallerName"] = json!("Aino K.");
        let Mapped::Events(events) = map(&payload) else {
            panic!("a call that ended is an event");
        };
        assert_eq!(events[0]["name"], expected, "{direction}");
    }
}

#[test]
fn a_hidden_number_is_nobodys() {
    for from in [
        "anonymous",
        "+266696687",
        "client:aino",
        "sip:aino@example.fi",
        "",
    ] {
        let mut payload = call("completed", "inbound");
        payload["From"] = json!(from);
        assert_eq!(told(&map(&payload)), "call.answered nobody", "{from}");
    }
}

#[test]
fn without_a_time_it_happened_when_it_was_received() {
    let one = one();
    for absent in [Value::Null, json!("yesterday")] {
        let mut payload = call("completed", "inbound");
        payload["Timestamp"] = absent;
        let Mapped::Events(events) = map(&payload) else {
            panic!("a call without a time is a call");
        };
        let time: Time = events[0]["time"].as_str().unwrap().parse().unwrap();
        assert_eq!(time, one.sender().received);
    }
}

#[test]
fn unknown_absent_and_hostile_fields_are_borne() {
    let one = one();
    for direction in ["inbound", "outbound-api"] {
        trial::endure(
            &Twilio,
            &one.sender(),
            &call("completed", direction),
            &["CallSid"],
        );
    }
}

proptest! {
    #[test]
    fn any_json_is_borne(payload in crate::any_json(&[
        "CallSid", "CallStatus", "completed", "no-answer", "Direction", "inbound", "From", "To", "+358407055810", "Timestamp",
        "CallDuration", "SequenceNumber", "CallerName",
    ])) {
        let one = one();
        if let Mapped::Events(events) = Twilio.map(&payload, &one.sender()) {
            for event in events {
                prop_assert_eq!(trial::faults(&event, &one.sender()), "");
            }
        }
    }

    #[test]
    fn any_bytes_are_borne(body in proptest::collection::vec(any::<u8>(), 0..200), url in ".{0,60}") {
        let mut post = Post::new(body).header(SIGNATURE, "AAAA");
        post.url = url;
        for kind in ["application/x-www-form-urlencoded", "application/json"] {
            let post = post.clone().header("content-type", kind);
            prop_assert!(Twilio.authenticate(&post.request(), &secrets(&["x"])).is_err());
            if let Ok(payloads) = Twilio.parse(&post.request()) {
                for payload in payloads {
                    let _mapped = map(&payload);
                }
            }
        }
    }
}
