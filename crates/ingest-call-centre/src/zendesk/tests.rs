use ingest::format::{
    Format as _, Mapped, Refusal,
    trial::{self, One, Post},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Zendesk;

const NEW: &str = "4IB/8YnySK8CpxXye0JB+iRxubwoySqONg0EQ582AoE=";
const OLD: &str = "KwbC+tUgQq1rBPRbu+ShGZTy/qr+dbT/f3wqxkSi/tw=";
const STRANGER: &str = "C6hCprrH76L9tfXTv5IfM60ETqgqCJuGCiRilISY6fw=";
const NOW: &str = "2026-11-22T00:00:00Z";

fn signed(signature: &str, timestamp: &str) -> Post {
    Post::new(r#"{"id":"1"}"#)
        .header("X-Zendesk-Webhook-Signature", signature)
        .header("X-Zendesk-Webhook-Signature-Timestamp", timestamp)
}

fn secrets(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

#[test]
fn a_request_is_zendesks_by_its_signature_and_its_time() {
    let both = secrets(&["dGhpcyBpcyBhIHNlY3JldA==", "new-secret"]);
    let (signature, timestamp) = (
        "x-zendesk-webhook-signature",
        "x-zendesk-webhook-signature-timestamp",
    );
    for (post, expected) in [
        (signed(NEW, NOW), Ok(())),
        (signed(OLD, NOW), Ok(())),
        (signed(STRANGER, NOW), Err(Refusal::Mismatch)),
        (signed(NEW, "2026-11-22T00:00:01Z"), Err(Refusal::Mismatch)),
        (
            signed(
                "PGOyasiB95fFz/iNn4jnBURzkQOs0PHE10G0EWrXITM=",
                "2026-11-22T00:05:00Z",
            ),
            Ok(()),
        ),
        (
            signed(
                "Iu6b9vXL83jMZfeWOWkw+3fKIm4okuhzDJdxHNtIFFA=",
                "2026-11-22T00:05:01Z",
            ),
            Err(Refusal::Stale),
        ),
        (
            signed(
                "49HX+3DCrt9CuqQhORscbdV9o4C5siRlbsjl/dSspzo=",
                "2026-11-21T23:55:00Z",
            ),
            Ok(()),
        ),
        (
            signed(
                "WTXc2UNOIir+8309KU/tCO2C5Xa9uDzOQy55w2zyKcY=",
                "2026-11-21T23:54:59Z",
            ),
            Err(Refusal::Stale),
        ),
        (
            signed("no base64", NOW),
            Err(Refusal::Unreadable(signature)),
        ),
        (signed("", NOW), Err(Refusal::Mismatch)),
        (
            signed(NEW, "yesterday"),
            Err(Refusal::Unreadable(timestamp)),
        ),
        (Post::new("{}"), Err(Refusal::Missing(signature))),
        (
            Post::new("{}").header(signature, NEW),
            Err(Refusal::Missing(timestamp)),
        ),
    ] {
        assert_eq!(
            Zendesk.authenticate(&post.request(), &both),
            expected,
            "{post:?}"
        );
    }
    let old_only = secrets(&["dGhpcyBpcyBhIHNlY3JldA=="]);
    let request = signed(NEW, NOW);
    assert_eq!(
        Zendesk.authenticate(&request.request(), &old_only),
        Err(Refusal::Mismatch)
    );
    assert_eq!(
        Zendesk.authenticate(&request.request(), &[]),
        Err(Refusal::NoSecret)
    );
    let mut longer = signed(NEW, NOW);
    longer.body.push(b' ');
    assert_eq!(
        Zendesk.authenticate(&longer.request(), &both),
        Err(Refusal::Mismatch)
    );
}

#[test]
fn a_body_is_one_object() {
    let parse = |body: &str| Zendesk.parse(&Post::new(body).request());
    assert_eq!(parse(r#"{"a":1}"#), Ok(vec![json!({"a": 1})]));
    for body in ["", "[]", "7", "{", "{\"a\":1,\"a\":2}", "{} {}"] {
        assert!(parse(body).is_err(), "{body}");
    }
}

fn one() -> One {
    One::new(
        "call_centre",
        json!({"format": "zendesk", "fields": {
            "detail.requester_id": "identifiers.helpdesk_user",
            "detail.external_id": "references.order",
            "user.external_id": "identifiers.customer_number",
        }}),
    )
}

fn map(payload: &Value) -> Mapped {
    Zendesk.map(payload, &one().sender())
}

/// A ticket's event: its type, what changed, and what of the ticket differs from the usual.
fn ticket(name: &str, event: Value, detail: Value) -> Value {
    let mut payload = json!({
        "type": format!("zen:event-type:{name}"),
        "account_id": 7,
        "id": "01JDE3ZK5V",
        "time": "2026-11-20T09:31:00.123456789+02:00",
        "zendesk_event_version": "2022-11-06",
        "subject": "zen:ticket:4711",
        "detail": {
            "actor_id": "55", "requester_id": "55", "external_id": "A-77", "id": "4711", "group_id": "9",
            "status": "OPEN", "priority": "HIGH", "subject": "Sohva", "description": "Missä sohvani on?",
            "tags": ["web"], "type": null, "via": {"channel": "mail"},
        },
        "event": event,
    });
    for (field, value) in detail.as_object().unwrap() {
        payload["detail"][field] = value.clone();
    }
    payload
}

#[test]
fn a_created_ticket_is_the_customers_contact_in_full() {
    assert_eq!(
        map(&ticket("ticket.created", json!({}), json!({}))),
        Mapped::Events(vec![json!({
            "id": "01JDE3ZK5V",
            "kind": "service",
            "type": "contact.ticket",
            "time": "2026-11-20T07:31:00.123Z",
            "identifiers": {"helpdesk_user": ["55"]},
            "references": {"ticket": "4711", "order": ["A-77"]},
            "text": "Sohva\n\nMissä sohvani on?",
            "attributes": {"status": "open", "priority": "high", "via": "mail", "group": "9", "tags": ["web"]},
        })])
    );
}

fn kind_and_type(mapped: &Mapped) -> String {
    match mapped {
        Mapped::Events(events) => {
            let said = |field: &str| events[0][field].as_str().unwrap().to_owned();
            format!("{} {}", said("kind"), said("type"))
        }
        Mapped::Filtered(reason) => format!("filtered: {reason}"),
        Mapped::Faulty(detail) => format!("faulty: {detail}"),
    }
}

#[test]
fn a_ticket_is_what_its_tags_or_its_type_say() {
    for (detail, expected) in [
        (json!({}), "service contact.ticket"),
        (json!({"type": "QUESTION"}), "service contact.ticket"),
        (json!({"type": "PROBLEM"}), "complaint complaint.ticket"),
        (json!({"type": "incident"}), "complaint complaint.ticket"),
        (
            json!({"tags": ["vip", "Reklamaatio"]}),
            "complaint complaint.ticket",
        ),
        (
            json!({"tags": ["kiitos"], "type": "PROBLEM"}),
            "feedback praise.ticket",
        ),
        (json!({"tags": ["palaute"]}), "feedback feedback.ticket"),
        (json!({"tags": null}), "service contact.ticket"),
    ] {
        let mapped = map(&ticket("ticket.created", json!({}), detail.clone()));
        assert_eq!(kind_and_type(&mapped), expected, "{detail}");
    }
}

#[test]
fn what_happens_to_a_ticket_is_told_by_its_event() {
    let comment = |comment: Value| json!({ "comment": comment });
    for (name, event, expected) in [
        (
            "ticket.comment_added",
            comment(
                json!({"body": "Hei", "is_public": true, "author": {"id": "55", "is_staff": false}}),
            ),
            "service contact.comment",
        ),
        // A requester who is of the staff still asks.
        (
            "ticket.comment_added",
            comment(
                json!({"body": "Hei", "is_public": true, "author": {"id": 55, "is_staff": true}}),
            ),
            "service contact.comment",
        ),
        (
            "ticket.comment_added",
            comment(json!({"body": "Hei", "author": {"id": "9", "is_staff": true}})),
            "service ticket.answered",
        ),
        (
            "ticket.comment_added",
            comment(json!({"body": "Hei"})),
            "service contact.comment",
        ),
        (
            "ticket.comment_added",
            comment(json!({"body": "Hei", "author": {"id": "9"}})),
            "filtered: author_unknown",
        ),
        (
            "ticket.comment_added",
            comment(json!({"body": "Hei", "is_public": false, "author": {"id": "55"}})),
            "filtered: private_comment",
        ),
        (
            "ticket.comment_added",
            comment(json!({"body": " Missä sohvani on? ", "author": {"id": "55"}})),
            "filtered: first_comment",
        ),
        (
            "ticket.status_changed",
            json!({"previous": "OPEN", "current": "SOLVED"}),
            "service ticket.solved",
        ),
        (
            "ticket.status_changed",
            json!({"previous": "pending", "current": "CLOSED"}),
            "service ticket.solved",
        ),
        (
            "ticket.status_changed",
            json!({"current": "SOLVED"}),
            "service ticket.solved",
        ),
        (
            "ticket.status_changed",
            json!({"previous": "SOLVED", "current": "OPEN"}),
            "service ticket.reopened",
        ),
        // Its status now is in the ticket itself.
        (
            "ticket.status_changed",
            json!({"previous": "SOLVED"}),
            "service ticket.reopened",
        ),
        (
            "ticket.status_changed",
            json!({"previous": "CLOSED", "current": "NEW"}),
            "service ticket.reopened",
        ),
        (
            "ticket.status_changed",
            json!({"previous": "SOLVED", "current": "CLOSED"}),
            "filtered: closed_after_solved",
        ),
        (
            "ticket.status_changed",
            json!({"previous": "NEW", "current": "OPEN"}),
            "filtered: work_step",
        ),
        (
            "ticket.group_assignment_changed",
            json!({"previous": "8", "current": "9"}),
            "service ticket.handed-over",
        ),
        (
            "ticket.group_assignment_changed",
            json!({}),
            "service ticket.handed-over",
        ),
        (
            "ticket.group_assignment_changed",
            json!({"previous": null, "current": "9"}),
            "filtered: first_group",
        ),
        (
            "messaging_ticket.message_added",
            json!({"actor": {"type": "end_user"}, "message": {"body": "Hei"}}),
            "service contact.message",
        ),
        (
            "messaging_ticket.message_added",
            json!({"actor": {"type": "system"}}),
            "filtered: system_message",
        ),
        ("ticket.tags_changed", json!({}), "filtered: unread_type"),
        ("organization.created", json!({}), "filtered: unread_type"),
    ] {
        let mapped = map(&ticket(name, event.clone(), json!({})));
        assert_eq!(kind_and_type(&mapped), expected, "{name} {event}");
    }
}

#[test]
fn the_same_words_on_another_day_are_a_contact() {
    let again = json!({"comment": {"body": "Missä sohvani on?", "author": {"id": "55"}}});
    for (created, expected) in [
        ("2026-11-20T09:30:30+02:00", "filtered: first_comment"),
        ("2026-11-20T09:31:05+02:00", "filtered: first_comment"),
        ("2026-11-19T09:31:00+02:00", "service contact.comment"),
    ] {
        let detail = json!({ "created_at": created });
        let mapped = map(&ticket("ticket.comment_added", again.clone(), detail));
        assert_eq!(kind_and_type(&mapped), expected, "{created}");
    }
}

#[test]
fn a_hand_over_names_its_groups() {
    let event = json!({"previous": "8", "current": 9});
    let Mapped::Events(events) = map(&ticket("ticket.group_assignment_changed", event, json!({})))
    else {
        panic!("a hand-over is an event");
    };
    let attributes = &events[0]["attributes"];
    assert_eq!(
        (&attributes["from"], &attributes["to"]),
        (&json!("8"), &json!("9"))
    );
    assert_eq!(events[0]["references"]["ticket"], "4711");
}

#[test]
fn a_user_joins_its_addresses() {
    let user = |role: &str| {
        json!({
            "type": "zen:event-type:user.created", "id": "u1", "time": "2026-11-20T09:31:00Z",
            "subject": "zen:user:55",
            "detail": {"id": "55", "email": "aino@example.fi", "external_id": "100234", "role": role},
        })
    };
    assert_eq!(
        map(&user("end-user")),
        Mapped::Events(vec![json!({
            "id": "u1", "kind": "service", "type": "customer.updated", "time": "2026-11-20T09:31:00Z",
            "identifiers": {"email": "aino@example.fi", "helpdesk_user": ["55"], "customer_number": ["100234"]},
        })])
    );
    assert_eq!(kind_and_type(&map(&user("agent"))), "filtered: desk_user");
}

#[test]
fn faults_name_every_field_that_is_missing() {
    assert_eq!(
        map(&json!({"detail": {"id": "secret"}})),
        Mapped::Faulty(
            "id: is required\ntype: is required\ntime: must be a moment with an offset".to_owned()
        )
    );
    let mut payload = ticket("ticket.created", json!({}), json!({"id": null}));
    assert_eq!(kind_and_type(&map(&payload)), "service contact.ticket");
    payload["subject"] = json!("zen:user:7");
    assert!(matches!(map(&payload), Mapped::Faulty(detail) if detail.starts_with("detail.id")));
}

#[test]
fn unknown_absent_and_hostile_fields_are_borne() {
    let one = one();
    let comment =
        json!({"comment": {"id": "c", "body": "Hei", "is_public": true, "author": {"id": "55"}}});
    for payload in [
        ticket("ticket.created", json!({}), json!({})),
        ticket("ticket.comment_added", comment, json!({})),
        ticket(
            "ticket.status_changed",
            json!({"previous": "OPEN", "current": "SOLVED"}),
            json!({}),
        ),
        ticket(
            "ticket.group_assignment_changed",
            json!({"previous": "1", "current": "2"}),
            json!({}),
        ),
    ] {
        trial::endure(&Zendesk, &one.sender(), &payload, &["id", "type", "time"]);
    }
}

#[test]
fn real_payloads_map() {
    for (file, expected, references) in [
        ("ticket.created.json", "service contact.ticket", 1),
        (
            "ticket.comment_added.reduced.json",
            "service contact.comment",
            1,
        ),
        (
            "messaging_ticket.message_added.skinny.json",
            "service contact.message",
            1,
        ),
        (
            "ticket.attachment_linked_to_comment.json",
            "filtered: unread_type",
            0,
        ),
    ] {
        let Some(body) = trial::sample(&format!("zendesk/{file}")) else {
            return;
        };
        let payloads = Zendesk.parse(&Post::new(body).request()).unwrap();
        assert_eq!(payloads.len(), 1, "{file}");
        let mapped = map(&payloads[0]);
        assert_eq!(kind_and_type(&mapped), expected, "{file}");
        if let Mapped::Events(events) = &mapped {
            assert!(trial::is_good(&mapped, &one().sender()), "{file}");
            assert_eq!(
                events[0]["references"].as_object().unwrap().len(),
                references,
                "{file}"
            );
            trial::endure(
                &Zendesk,
                &one().sender(),
                &payloads[0],
                &["id", "type", "time", "detail.id", "subject"],
            );
        }
    }
}

proptest! {
    #[test]
    fn any_json_is_borne(payload in crate::any_json(&[
        "type", "id", "time", "subject", "detail", "event", "comment", "author", "is_public", "body", "tags", "status",
        "previous", "current", "requester_id", "zen:event-type:ticket.created", "2026-11-20T09:31:00Z",
        "zen:event-type:ticket.comment_added", "zen:event-type:ticket.status_changed", "SOLVED",
    ])) {
        let one = one();
        let mapped = Zendesk.map(&payload, &one.sender());
        if let Mapped::Events(events) = &mapped {
            for event in events {
                prop_assert_eq!(trial::faults(event, &one.sender()), "");
            }
        }
    }
}
