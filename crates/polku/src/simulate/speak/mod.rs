//! What happened, as each system of the company writes it: its own payload, its own signature.
//!
//! A journey tells an event in our own form, from which the truth is computed. Here it is turned into what the system sends; what
//! Polku makes of that again is its own affair, and `--verify` compares the two.

mod courier;
mod installer;
mod panel;
mod phone;
mod pickup_points;
mod signature;
mod survey;
mod till;
mod web_shop;
mod zendesk;

use serde_json::{Map, Value};

use self::signature::Signature;
use super::system::System;

/// One event of our own form, with its id and time.
pub(super) type Told = Map<String, Value>;

/// One request to the door of a source, without what proves its sender.
#[derive(Clone, Debug)]
pub(super) struct Spoken {
    pub(super) content_type: &'static str,
    pub(super) body: String,
    /// How many events it tells.
    pub(super) events: u64,
    signature: Signature,
}

impl Spoken {
    fn json(body: &Value, events: usize, signature: Signature) -> Spoken {
        Spoken {
            content_type: "application/json",
            body: body.to_string(),
            events: events as u64,
            signature,
        }
    }

    /// What proves the sender, made anew for each attempt: some signatures grow old.
    pub(super) fn proof(
        &self,
        secret: &str,
        url: &str,
        now_ms: i64,
    ) -> Vec<(&'static str, String)> {
        self.signature.headers(secret, url, now_ms, &self.body)
    }
}

/// The requests in which a system tells a batch; none where it writes files instead.
pub(super) fn requests(system: System, batch: &[Told]) -> Vec<Spoken> {
    match system {
        System::Till => till::batches(batch),
        System::Panel => panel::batches(batch),
        System::Zendesk => batch.iter().map(zendesk::event).collect(),
        System::Phone => batch.iter().map(phone::callback).collect(),
        System::WebShop => vec![web_shop::events(batch)],
        System::Survey => batch.iter().map(survey::response).collect(),
        System::Courier => vec![courier::document(batch)],
        System::Installer => batch.iter().map(installer::delivery).collect(),
        System::PickupPoints => Vec::new(),
    }
}

/// The file in which a system tells a batch: its name and its text. Only of one that writes files.
pub(super) fn file(batch: &[Told]) -> Option<(String, String)> {
    let first = batch.first()?;
    Some((
        format!("noudot-{}.csv", text(first, "id")),
        pickup_points::rows(batch),
    ))
}

/// A field's text; empty where there is none.
fn text<'a>(told: &'a Told, field: &str) -> &'a str {
    told.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// A value of the identifiers or references.
fn named<'a>(told: &'a Told, group: &str, kind: &str) -> Option<&'a str> {
    told.get(group)?.get(kind)?.as_str()
}
