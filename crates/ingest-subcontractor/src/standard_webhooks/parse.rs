//! The payload with the delivery's id beside its own fields, where mappings find it.

use ingest::format::{Request, header, look};
use serde_json::Value;

use super::authenticate::ID;

pub(super) fn delivery(request: &Request<'_>) -> Result<Value, String> {
    let mut payload = look::object(request.body)?;
    let id = header(request.headers, ID).map_err(|refusal| refusal.to_string())?;
    payload[ID] = Value::from(id);
    Ok(payload)
}
