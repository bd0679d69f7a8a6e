//! The seam between a sender's own format and the one path that all events take.
//!
//! ```text
//! request ──► authenticate ──► parse ──► map ──► validate, normalise, mask, store
//!             (the format)    (the format)       (the door, for everybody)
//! ```
//!
//! A format is a folder of its channel's crate with these three steps; it knows its sender's fields and nothing of Polku's log.

mod draft;
pub mod look;
mod reading;
pub mod signature;
pub mod trial;

use std::{collections::BTreeMap, sync::Arc};

use axum::http::HeaderMap;
use event::{SourceId, Time};
use serde_json::{Map, Value};

pub use self::{
    draft::Draft,
    reading::{digest, form_fields, form_pairs, header, json, slug},
    signature::Refusal,
};
use crate::{Source, config::FormatName};

/// What a sender sent, as far as a format may look at it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub headers: &'a HeaderMap,
    /// The door's address as the sender knows it (scheme, host, path and query), for signatures that cover it.
    pub url: &'a str,
    /// Decompressed, within the door's bounds.
    pub body: &'a [u8],
    /// When the door took it.
    pub received: Time,
}

/// Whose payload is mapped.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    pub id: &'a SourceId,
    pub source: &'a Source,
    /// When the door took it: the time of what names none.
    pub received: Time,
}

impl Sender<'_> {
    /// Gives an event what the configuration takes out of its payload (`[sources.*.fields]` names paths like `detail.requester_id`),
    /// and what it says where the sender is silent (`[sources.*.defaults]`).
    pub fn complete(&self, event: &mut Map<String, Value>, payload: &Value) {
        for (path, field) in &self.source.fields {
            if let Some(word) = look::word(payload, path) {
                field.fill(event, &word);
            }
        }
        for (field, text) in &self.source.defaults {
            if !field.is_filled(event) {
                field.fill(event, text);
            }
        }
    }
}

/// What a payload becomes.
#[derive(Clone, Debug, PartialEq)]
pub enum Mapped {
    /// Events of our own form, as objects.
    Events(Vec<Value>),
    /// Nothing that Polku keeps, and why: counted under this label, answered as good, not stored.
    Filtered(&'static str),
    /// Faults, one a line, each with its field and never with its value: kept as a reject.
    Faulty(String),
}

/// How a sender shows that it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It signs each request: `secret_file` is required.
    Signature,
    /// It sends a bearer key: `key_sha256` is required.
    Key,
    /// Anybody may speak for it, and only through a page that Polku itself serves: its door is closed.
    Page,
}

/// One format that senders speak. It holds no state: all it needs comes with the call.
pub trait Format: Send + Sync {
    /// As `format = "…"` of the configuration names it.
    fn name(&self) -> &'static str;

    fn proof(&self) -> Proof {
        Proof::Signature
    }

    /// Compares in constant time, with each of the secrets: there are two while one is being changed. `signature` has what
    /// most need. Called only where `proof` is a signature.
    ///
    /// # Errors
    /// When the request is not its sender's.
    fn authenticate(&self, request: &Request<'_>, secrets: &[Vec<u8>]) -> Result<(), Refusal>;

    /// The payloads of a body, in order.
    ///
    /// # Errors
    /// Why the whole cannot be read, without its content.
    fn parse(&self, request: &Request<'_>) -> Result<Vec<Value>, String>;

    /// One payload as events. Unknown fields and absent optional ones are never faults. An event's `id` comes from the sender's id
    /// of the delivery or of what happened, so that a repeat is one event.
    fn map(&self, payload: &Value, sender: &Sender<'_>) -> Mapped;

    /// What the configuration of a source lacks for this format, beside key and secret: the field, what is wrong, the remedy.
    fn faults(&self, _source: &Source) -> Vec<String> {
        Vec::new()
    }
}

/// The formats that a process knows, beside our own form.
#[derive(Clone, Default)]
pub struct Formats(BTreeMap<&'static str, Arc<dyn Format>>);

impl Formats {
    pub fn get(&self, name: &FormatName) -> Option<&dyn Format> {
        self.0.get(name.as_str()).map(AsRef::as_ref)
    }

    /// All names that a source may give as its format.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        std::iter::once(FormatName::OWN).chain(self.0.keys().copied())
    }
}

impl FromIterator<Box<dyn Format>> for Formats {
    fn from_iter<I: IntoIterator<Item = Box<dyn Format>>>(formats: I) -> Self {
        let named = formats
            .into_iter()
            .map(|format| (format.name(), Arc::from(format)));
        Self(named.collect())
    }
}
