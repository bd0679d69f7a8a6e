//! A form that was sent: its fields, and that it is one of the session's own.

use std::collections::BTreeMap;

use axum::{
    body::{Bytes, to_bytes},
    extract::{FromRequest, FromRequestParts as _, Request},
    http::header,
};

use super::{page::Person, trouble::Trouble};
use crate::api::Api;

/// The fields of a form. Of several of one name the last counts.
#[derive(Debug, Default)]
pub(super) struct Fields(BTreeMap<String, String>);

/// A form of somebody who is signed in.
pub(super) struct Posted {
    pub(super) person: Person,
    pub(super) fields: Fields,
}

/// The longest text of an event, all of it emoji, as a browser writes it.
const FORM_BYTES_MAX: usize = 256 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";

impl Fields {
    pub(super) fn read(bytes: &[u8]) -> Fields {
        Fields(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// What was typed, trimmed; `None` when that is nothing.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let text = self.0.get(name)?.trim();
        (!text.is_empty()).then_some(text)
    }
}

impl FromRequest<Api> for Fields {
    type Rejection = Trouble;

    async fn from_request(request: Request, _: &Api) -> Result<Self, Trouble> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case(FORM) {
            return Err(Trouble::Unreadable);
        }
        let bytes: Bytes = to_bytes(request.into_body(), FORM_BYTES_MAX)
            .await
            .map_err(|_| Trouble::TooLarge)?;
        Ok(Fields::read(&bytes))
    }
}

impl FromRequest<Api> for Posted {
    type Rejection = Trouble;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Trouble> {
        let (mut parts, body) = request.into_parts();
        let person = Person::from_request_parts(&mut parts, api).await?;
        let fields = Fields::from_request(Request::from_parts(parts, body), api).await?;
        let token = fields.get("csrf").unwrap_or_default();
        if person.session.owns_form(token) {
            Ok(Posted { person, fields })
        } else {
            Err(Trouble::Forged)
        }
    }
}
