//! A request's JSON object, read field by field, so that every fault is named and not only the first.

use ::service::config::nearest;
use axum::{
    body::Bytes,
    extract::rejection::BytesRejection,
    http::{HeaderMap, StatusCode, header},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::refusal::{Fault, Refusal};

pub(super) struct Body {
    fields: Map<String, Value>,
    known: Vec<&'static str>,
    faults: Vec<Fault>,
}

impl Body {
    /// # Errors
    /// When the bytes are not a JSON object, not said to be one, or too many.
    pub(super) fn read(
        headers: &HeaderMap,
        bytes: Result<Bytes, BytesRejection>,
    ) -> Result<Self, Refusal> {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .and_then(|kind| kind.split(';').next())
            .unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case("application/json") {
            return Err(Refusal::MediaType);
        }
        let bytes = bytes.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge,
            _ => Refusal::Unparseable("the body could not be read to its end".to_owned()),
        })?;
        match serde_json::from_slice(&bytes) {
            Ok(fields) => Ok(Self {
                fields,
                known: Vec::new(),
                faults: Vec::new(),
            }),
            // Not the error's own text, which may repeat a value.
            Err(error) => Err(Refusal::Unparseable(format!(
                "the body is no JSON object: line {} column {}",
                error.line(),
                error.column()
            ))),
        }
    }

    /// The field, if it is there and not null. What it cannot be is a fault with what it `should` be.
    pub(super) fn optional<T: DeserializeOwned>(
        &mut self,
        field: &'static str,
        should: &str,
    ) -> Option<T> {
        self.known.push(field);
        match self.fields.remove(field) {
            None | Some(Value::Null) => None,
            Some(value) => match serde_json::from_value(value) {
                Ok(value) => Some(value),
                Err(_) => {
                    self.fault(field, format!("is not {should}"));
                    None
                }
            },
        }
    }

    pub(super) fn required<T: DeserializeOwned>(
        &mut self,
        field: &'static str,
        should: &str,
    ) -> Option<T> {
        let before = self.faults.len();
        let value = self.optional(field, should);
        if value.is_none() && self.faults.len() == before {
            self.fault(field, format!("is missing: it is {should}"));
        }
        value
    }

    pub(super) fn fault(&mut self, field: &str, detail: String) {
        self.faults.push(Fault {
            field: field.to_owned(),
            detail,
        });
    }

    /// # Errors
    /// All faults found, unknown fields among them.
    pub(super) fn finish(mut self) -> Result<(), Refusal> {
        for (field, _) in std::mem::take(&mut self.fields) {
            let detail = match nearest(&field, self.known.iter().copied()) {
                Some(near) => format!("is unknown; did you mean `{near}`?"),
                None => "is unknown".to_owned(),
            };
            self.fault(&field, detail);
        }
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Refusal::Faults(self.faults))
        }
    }
}
