//! The survey after a purchase, as Typeform's webhook brings the answers.

use serde_json::json;

use super::{Signature, Spoken, Told, named, text};

pub(super) fn response(told: &Told) -> Spoken {
    let score = told.get("score").and_then(|score| score.get("value"));
    let id = text(told, "id");
    let mut answers = vec![
        json!({ "type": "number", "number": score, "field": { "id": "f1", "ref": "recommend", "type": "nps" } }),
        json!({ "type": "text", "text": told.get("text"), "field": { "id": "f2", "ref": "why", "type": "long_text" } }),
    ];
    if let Some(phone) = named(told, "identifiers", "phone") {
        let field = json!({ "id": "f3", "ref": "phone", "type": "phone_number" });
        answers.push(json!({ "type": "phone_number", "phone_number": phone, "field": field }));
    }
    let body = json!({
        "event_id": format!("e-{id}"), "event_type": "form_response",
        "form_response": {
            "form_id": "Osto1", "token": id, "submitted_at": told.get("time"),
            "hidden": {
                "email": named(told, "identifiers", "email"), "order": named(told, "references", "order"),
                "place": told.get("place"), "name": told.get("name"), "language": told.get("language"),
            },
            "definition": { "id": "Osto1", "title": "Miten ostaminen meni?", "fields": [
                { "id": "f1", "ref": "recommend", "type": "nps", "title": "Suosittelisitko meitä?" },
                { "id": "f2", "ref": "why", "type": "long_text", "title": "Miksi?" },
                { "id": "f3", "ref": "phone", "type": "phone_number", "title": "Puhelinnumerosi?" },
            ] },
            "answers": answers,
        },
    });
    Spoken::json(&body, 1, Signature::Typeform)
}
