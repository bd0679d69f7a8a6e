//! What a person wrote into the form, and what is wrong with it.

use event::{Class, SourceId, Time};
use ingest::{Door, format::look};
use rand::RngCore as _;
use serde_json::{Map, Value, json};

use super::{about::About, feeling::Feeling, language::Language};

/// The form as far as it is filled in.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// Made with the page, so that the same page sent twice is one event.
    nonce: String,
    /// When the page was made: the time of the event, for the same reason.
    opened: Time,
    pub(super) score: Option<u8>,
    pub(super) text: String,
    pub(super) feeling: Option<Feeling>,
    pub(super) email: String,
    pub(super) phone: String,
    pub(super) about: About,
}

/// A field of the page that a person must look at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Neither a score nor words.
    Nothing,
    TextTooLong,
    Email,
    Phone,
}

pub(super) const SCORE_MAX: u8 = 10;
pub(super) const TEXT_CHARS_MAX: usize = 5_000;

/// A page that was open longer is sent with the time of its sending.
const OPEN_MS_MAX: i64 = 12 * 60 * 60 * 1000;

impl Given {
    /// An empty form for a link; a link in an e-mail may bring the score.
    pub(super) fn of_link(query: &Value, door: &Door, source: &SourceId) -> Given {
        Given {
            nonce: nonce(),
            opened: door.now(),
            score: score(query),
            text: String::new(),
            feeling: None,
            email: String::new(),
            phone: String::new(),
            about: About::read(query, door, source),
        }
    }

    pub(super) fn read(fields: &Value, door: &Door, source: &SourceId) -> Given {
        let text = |field| look::text(fields, field).unwrap_or_default().to_owned();
        let is_nonce = |text: &&str| {
            text.len() == 2 * NONCE_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let now = door.now();
        let recent = |opened: &Time| {
            (0..=OPEN_MS_MAX).contains(&(now.as_millis().saturating_sub(opened.as_millis())))
        };
        Given {
            nonce: look::text(fields, "nonce")
                .filter(is_nonce)
                .map_or_else(nonce, str::to_owned),
            opened: look::moment(fields, "opened").filter(recent).unwrap_or(now),
            score: score(fields),
            // A browser sends line ends as CR and LF.
            text: text("text").replace("\r\n", "\n"),
            feeling: look::text(fields, "feeling").and_then(Feeling::of),
            email: text("email"),
            phone: text("phone"),
            about: About::read(fields, door, source),
        }
    }

    /// In the order of the fields on the page.
    pub(super) fn faults(&self, door: &Door, source: &SourceId) -> Vec<Fault> {
        let is_bad = |kind: &str, value: &str| {
            !value.is_empty() && !door.reads(source, Class::Identifier, kind, value)
        };
        let mut faults = Vec::new();
        if self.score.is_none() && self.text.is_empty() {
            faults.push(Fault::Nothing);
        }
        if self.text.chars().count() > TEXT_CHARS_MAX {
            faults.push(Fault::TextTooLong);
        }
        if is_bad("email", &self.email) {
            faults.push(Fault::Email);
        }
        if is_bad("phone", &self.phone) {
            faults.push(Fault::Phone);
        }
        faults
    }

    /// As the format `feedback-form` maps it.
    pub(super) fn payload(&self, language: Language) -> Value {
        let mut payload = Map::new();
        let mut put = |field: &str, value: Value| {
            payload.insert(field.to_owned(), value);
        };
        put("nonce", json!(self.nonce));
        put("opened", json!(self.opened.to_string()));
        put("language", json!(language.as_str()));
        if let Some(score) = self.score {
            put("score", json!(score));
        }
        if let Some(feeling) = self.feeling {
            put("feeling", json!(feeling.as_str()));
        }
        let texts = [
            ("text", &self.text),
            ("email", &self.email),
            ("phone", &self.phone),
        ];
        for (field, text) in texts {
            if !text.is_empty() {
                put(field, json!(text));
            }
        }
        for (field, text) in self.about.fields() {
            put(field, json!(text));
        }
        Value::Object(payload)
    }

    /// What goes from page to page without being seen.
    pub(super) fn hidden(&self) -> Vec<(&'static str, String)> {
        let mut hidden = vec![
            ("nonce", self.nonce.clone()),
            ("opened", self.opened.to_string()),
        ];
        hidden.extend(self.about.fields().iter().cloned());
        hidden
    }
}

fn score(fields: &Value) -> Option<u8> {
    look::text(fields, "score")
        .and_then(|text| text.parse().ok())
        .filter(|score| *score <= SCORE_MAX)
}

const NONCE_BYTES: usize = 16;

fn nonce() -> String {
    let mut bytes = [0; NONCE_BYTES];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}
