//! The call centre's tickets, as Zendesk's event webhooks tell of them.

use serde_json::{Value, json};

use super::{Signature, Spoken, Told, named, text};

pub(super) fn event(told: &Told) -> Spoken {
    let ticket = named(told, "references", "ticket").unwrap_or_default();
    let user = named(told, "identifiers", "zendesk_user");
    let words = told.get("text");
    let mut detail = json!({
        "id": ticket, "requester_id": user, "external_id": named(told, "references", "order"), "subject": null,
        "description": null, "status": "OPEN", "priority": "NORMAL", "tags": [], "group_id": "360001", "is_public": true,
        "via": { "channel": "web" },
    });
    let (name, subject, change) = match text(told, "type") {
        "customer.updated" => {
            let user = json!({
                "id": user, "name": told.get("name"), "role": "end-user",
                "email": named(told, "identifiers", "email"), "phone": named(told, "identifiers", "phone"),
                "external_id": named(told, "identifiers", "customer_number"),
            });
            return spoken(told, "user.created", "zen:user", user, json!({}));
        }
        "ticket.solved" => {
            detail["status"] = json!("SOLVED");
            (
                "ticket.status_changed",
                "zen:ticket",
                json!({ "current": "SOLVED", "previous": "OPEN" }),
            )
        }
        "contact.comment" => {
            let comment = json!({ "body": words, "is_public": true, "author": { "id": user, "is_staff": false } });
            (
                "ticket.comment_added",
                "zen:ticket",
                json!({ "comment": comment }),
            )
        }
        kind => {
            detail["description"] = json!(words);
            detail["tags"] = match kind {
                "complaint.ticket" => json!(["reklamaatio"]),
                "praise.ticket" => json!(["kiitos"]),
                _ => json!([]),
            };
            ("ticket.created", "zen:ticket", json!({}))
        }
    };
    spoken(told, name, subject, detail, change)
}

fn spoken(told: &Told, name: &str, subject: &str, detail: Value, change: Value) -> Spoken {
    let about = detail["id"].as_str().unwrap_or_default();
    let body = json!({
        "type": format!("zen:event-type:{name}"), "account_id": 12_345, "id": told.get("id"), "time": told.get("time"),
        "zendesk_event_version": "2022-11-06", "subject": format!("{subject}:{about}"), "detail": detail, "event": change,
    });
    Spoken::json(&body, 1, Signature::Zendesk)
}
