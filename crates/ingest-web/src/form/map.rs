//! One answer as one event.

use event::Kind;
use ingest::format::{Draft, Mapped, Sender, digest, look};
use serde_json::{Map, Value};

use super::{feeling::Feeling, given::SCORE_MAX};

const NAMED: [&str; 4] = ["place", "touchpoint", "stage", "product"];

/// What makes an answer the same one.
const CONTENT: [&str; 13] = [
    "nonce",
    "opened",
    "language",
    "score",
    "feeling",
    "text",
    "email",
    "phone",
    "place",
    "touchpoint",
    "stage",
    "product",
    "order",
];

pub(super) fn answer(payload: &Value, sender: &Sender<'_>) -> Mapped {
    let content: Map<String, Value> = CONTENT
        .into_iter()
        .filter_map(|field| Some((field.to_owned(), look::at(payload, field)?.clone())))
        .collect();
    let text = |field: &str| look::text(payload, field);
    let time = look::moment(payload, "opened").unwrap_or(sender.received);
    // The same page sent again is the same answer; gone back to and written anew, it is another one.
    let id = digest(&Value::Object(content));
    let mut draft = Draft::new(id, Kind::Feedback, "feedback.given", time)
        .text(text("text"))
        .identifier("email", text("email"))
        .identifier("phone", text("phone"))
        .reference("order", text("order"))
        .language(text("language"))
        .attribute(
            "feeling",
            text("feeling").and_then(Feeling::of).map(Feeling::as_str),
        );
    if let Some(score) = look::at(payload, "score").and_then(Value::as_f64) {
        draft = draft.score("nps", score, 0.0, SCORE_MAX.into());
    }
    for field in NAMED {
        draft = draft.named(field, text(field));
    }
    Mapped::Events(vec![draft.configured(sender, payload).event()])
}
