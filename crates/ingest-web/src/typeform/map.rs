//! One response as one event.

use std::collections::BTreeSet;

use event::Kind;
use ingest::format::{Draft, Mapped, Sender, look};
use serde_json::{Map, Value, json};

use super::answers::{self, Answer, Said};

/// Hidden fields by the names that people give them. What the configuration names goes before.
const IDENTIFIERS: [(&str, &str); 5] = [
    ("customer", "customer_number"),
    ("customer_id", "customer_number"),
    ("customer_number", "customer_number"),
    ("loyalty_card", "loyalty_card"),
    ("device", "device"),
];
const REFERENCES: [(&str, &str); 8] = [
    ("order", "order"),
    ("order_id", "order"),
    ("order_number", "order"),
    ("shipment", "shipment"),
    ("shipment_id", "shipment"),
    ("tracking_number", "shipment"),
    ("ticket", "ticket"),
    ("ticket_id", "ticket"),
];
const NAMED: [&str; 5] = ["place", "product", "stage", "touchpoint", "party"];

/// A question's words as the name of its answer are cut here.
const TITLE_CHARS_MAX: usize = 120;

pub(super) fn response(payload: &Value, sender: &Sender<'_>) -> Mapped {
    match look::text(payload, "event_type") {
        Some("form_response") => {}
        Some("form_response_partial") => return Mapped::Filtered("partial_response"),
        Some(_) => return Mapped::Filtered("other_event"),
        None => return Mapped::Faulty("event_type: is required".to_owned()),
    }
    // The response has one token, however often and by whichever webhook it is delivered.
    let id = look::text(payload, "form_response.token").or_else(|| look::text(payload, "event_id"));
    let Some(id) = id else {
        return Mapped::Faulty("form_response.token: is required".to_owned());
    };
    let time = look::moment(payload, "form_response.submitted_at")
        .or_else(|| look::moment(payload, "form_response.landed_at"))
        .unwrap_or(sender.received);
    let answers = answers::all(payload);
    let mut draft = Draft::new(id, Kind::Feedback, "survey.answered", time);
    draft = hidden(draft, payload);
    for answer in &answers {
        match &answer.said {
            Said::Email(address) => draft = draft.email(Some(address)),
            Said::Phone(number) => draft = draft.phone(Some(number)),
            Said::Words(_) | Said::Number(_) | Said::Other(_) => {}
        }
    }
    let told = Told::of(&answers, sender);
    draft = draft.text(told.text.as_deref());
    if let Some((metric, value, scale)) = told.score {
        draft = draft.score(metric, value, scale.min, scale.max);
    }
    draft = draft
        .attribute("form", look::text(payload, "form_response.form_id"))
        .attribute(
            "survey",
            look::text(payload, "form_response.definition.title"),
        );
    for (question, answer) in told.rest {
        draft = draft.attribute(&question, Some(answer));
    }
    Mapped::Events(vec![
        draft.configured(sender, &view(payload, &answers)).event(),
    ])
}

fn hidden(mut draft: Draft, payload: &Value) -> Draft {
    let hidden = |name: &str| look::word(payload, &format!("form_response.hidden.{name}"));
    for (name, kind) in IDENTIFIERS {
        draft = draft.identifier(kind, hidden(name).as_deref());
    }
    for (name, kind) in REFERENCES {
        draft = draft.reference(kind, hidden(name).as_deref());
    }
    for name in NAMED {
        draft = draft.named(name, hidden(name).as_deref());
    }
    draft
        .email(hidden("email").as_deref())
        .phone(hidden("phone").as_deref())
}

/// What the answers tell, beside whom to reach.
struct Told {
    text: Option<String>,
    score: Option<(&'static str, f64, answers::Scale)>,
    /// Everything else, by the question.
    rest: Vec<(String, Value)>,
}

impl Told {
    /// The first score counts, the Net Promoter Score before others. The customer's words are the long answers, or the short
    /// ones where there is no long one. What the configuration takes for a field of its own is none of these.
    fn of(answers: &[Answer<'_>], sender: &Sender<'_>) -> Told {
        let taken: BTreeSet<&str> = sender
            .source
            .fields
            .keys()
            .filter_map(|path| path.strip_prefix("answers."))
            .collect();
        let open: Vec<&Answer<'_>> = answers
            .iter()
            .filter(|answer| !taken.contains(answer.key))
            .collect();
        let scored = |wanted: &str| {
            open.iter()
                .position(|answer| answer.score().is_some_and(|(metric, ..)| metric == wanted))
        };
        let scored =
            scored("nps").or_else(|| open.iter().position(|answer| answer.score().is_some()));
        let is_long = |answer: &Answer<'_>| answer.question == "long_text";
        let any_long = open.iter().any(|answer| is_long(answer));
        let mut text = Vec::new();
        let mut rest = Vec::new();
        for (place, answer) in open.iter().enumerate() {
            let question = || {
                let title = answer.title.unwrap_or(answer.key);
                title.chars().take(TITLE_CHARS_MAX).collect::<String>()
            };
            match &answer.said {
                Said::Words(words) if is_long(answer) || !any_long => text.push(words.as_str()),
                Said::Words(words) => rest.push((question(), json!(words))),
                Said::Number(_) if Some(place) == scored => {}
                Said::Number(number) => rest.push((question(), json!(number))),
                Said::Other(value) => rest.push((question(), value.clone())),
                Said::Email(_) | Said::Phone(_) => {}
            }
        }
        Told {
            text: (!text.is_empty()).then(|| text.join("\n\n")),
            score: scored.and_then(|place| open[place].score()),
            rest,
        }
    }
}

/// What the configuration may name: `hidden.user_id`, `answers.REF`, `variables.KEY`, `form`.
fn view(payload: &Value, answers: &[Answer<'_>]) -> Value {
    let mut said = Map::new();
    for answer in answers {
        let value = match &answer.said {
            Said::Words(text) | Said::Email(text) | Said::Phone(text) => json!(text),
            Said::Number(number) => json!(number),
            Said::Other(value) => value.clone(),
        };
        said.insert(answer.key.to_owned(), value);
    }
    let mut variables = Map::new();
    for variable in look::items(payload, "form_response.variables") {
        let kind = look::text(variable, "type").unwrap_or_default();
        if let (Some(key), Some(value)) = (look::text(variable, "key"), look::at(variable, kind)) {
            variables.insert(key.to_owned(), value.clone());
        }
    }
    json!({
        "hidden": look::at(payload, "form_response.hidden"),
        "form": look::at(payload, "form_response.form_id"),
        "answers": said,
        "variables": variables,
    })
}
