//! The parameters of a callback as an object of texts.

use ingest::format::{Request, form_fields, header, look};
use serde_json::Value;

pub(super) fn parameters(request: &Request<'_>) -> Result<Value, String> {
    if is_form(request) {
        form_fields(request.body)
    } else {
        look::object(request.body)
    }
}

pub(super) fn is_form(request: &Request<'_>) -> bool {
    let declared = header(request.headers, "content-type").unwrap_or_default();
    let kind = declared.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
