//! The answers of one response, each with the question it answers.

use ingest::format::look;
use serde_json::Value;

/// An answer, and what is known of its question.
pub(super) struct Answer<'a> {
    /// The question's name as its author gave it, else its id.
    pub(super) key: &'a str,
    /// The question's words, where the definition is there.
    pub(super) title: Option<&'a str>,
    /// The question's type: `long_text`, `nps`, `rating`…
    pub(super) question: &'a str,
    pub(super) said: Said,
    scale: Option<Scale>,
}

pub(super) enum Said {
    Words(String),
    Email(String),
    Phone(String),
    Number(f64),
    /// What was chosen, confirmed, dated or paid: of interest to people only.
    Other(Value),
}

#[derive(Clone, Copy)]
pub(super) struct Scale {
    pub(super) min: f64,
    pub(super) max: f64,
}

/// All answers that say something, in the order of the questions.
pub(super) fn all(payload: &Value) -> Vec<Answer<'_>> {
    let definitions = look::items(payload, "form_response.definition.fields");
    look::items(payload, "form_response.answers")
        .iter()
        .filter_map(|answer| {
            let id = look::text(answer, "field.id");
            let question = look::text(answer, "field.type").unwrap_or_default();
            let definition = definitions
                .iter()
                .find(|field| id.is_some() && look::text(field, "id") == id);
            Some(Answer {
                key: look::text(answer, "field.ref").or(id)?,
                title: definition.and_then(|field| look::text(field, "title")),
                question,
                said: said(answer)?,
                scale: scale(question, definition),
            })
        })
        .collect()
}

impl Answer<'_> {
    /// The metric and its scale, of a question that asks for a score.
    pub(super) fn score(&self) -> Option<(&'static str, f64, Scale)> {
        let metric = match self.question {
            "nps" => "nps",
            "opinion_scale" => "opinion",
            "rating" => "rating",
            _ => return None,
        };
        match (&self.said, self.scale) {
            (Said::Number(value), Some(scale)) => Some((metric, *value, scale)),
            (
                Said::Number(_) | Said::Words(_) | Said::Email(_) | Said::Phone(_) | Said::Other(_),
                _,
            ) => None,
        }
    }
}

fn said(answer: &Value) -> Option<Said> {
    let text = |path| look::text(answer, path).map(str::to_owned);
    let other = |path| look::at(answer, path).cloned().map(Said::Other);
    match look::text(answer, "type")? {
        "text" => text("text").map(Said::Words),
        "email" => text("email").map(Said::Email),
        "phone_number" => text("phone_number").map(Said::Phone),
        "number" => look::at(answer, "number")
            .and_then(Value::as_f64)
            .map(Said::Number),
        "choice" => other("choice.label").or_else(|| other("choice.other")),
        "choices" => other("choices.labels").or_else(|| other("choices.other")),
        "payment" => other("payment.amount"),
        known @ ("boolean" | "date" | "url" | "file_url") => other(known),
        _ => None,
    }
}

/// From the question's definition. A Net Promoter Score is the same everywhere; of any other score nobody can tell without.
fn scale(question: &str, definition: Option<&Value>) -> Option<Scale> {
    if question == "nps" {
        return Some(Scale {
            min: 0.0,
            max: 10.0,
        });
    }
    let definition = definition?;
    let steps = look::at(definition, "properties.steps").and_then(Value::as_f64)?;
    let from_one =
        question == "rating" || look::flag(definition, "properties.start_at_one").unwrap_or(false);
    let min = if from_one { 1.0 } else { 0.0 };
    Some(Scale {
        min,
        max: min + steps - 1.0,
    })
}
