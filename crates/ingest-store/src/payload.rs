//! Reading a batch: what its items share goes to each of them, so that an item is a payload that can be read alone.

use std::borrow::Cow;

use event::Time;
use ingest::format::{self, Request, look};
use serde_json::Value;

/// One payload for each item of the array `list`: the batch's own fields, and the item as `item`.
///
/// # Errors
/// When the body is no object with that array.
pub(crate) fn each(request: &Request<'_>, list: &str, item: &str) -> Result<Vec<Value>, String> {
    let Value::Object(mut batch) = format::json(request.body)? else {
        return Err("the body must be an object".to_owned());
    };
    let Some(Value::Array(items)) = batch.remove(list) else {
        return Err(format!("{list}: must be an array"));
    };
    let payload = |inner: Value| {
        let mut payload = batch.clone();
        payload.insert(item.to_owned(), inner);
        Value::Object(payload)
    };
    Ok(items.into_iter().map(payload).collect())
}

/// Parts of an id that are longer than this are no names and no numbers.
const PART_CHARS_MAX: usize = 64;

/// Reads a payload and remembers what is wrong with it.
pub(crate) struct Reading<'a> {
    pub(crate) payload: &'a Value,
    faults: Vec<String>,
}

impl<'a> Reading<'a> {
    pub(crate) fn of(payload: &'a Value) -> Reading<'a> {
        Reading {
            payload,
            faults: Vec::new(),
        }
    }

    pub(crate) fn fault(&mut self, path: &str, problem: &str) {
        self.faults.push(format!("{path}: {problem}"));
    }

    /// A name or number that an id is made of.
    pub(crate) fn part(&mut self, path: &str) -> Cow<'a, str> {
        match look::word(self.payload, path) {
            Some(part) if part.chars().count() <= PART_CHARS_MAX => part,
            Some(_) => {
                self.fault(path, "has more than 64 characters");
                Cow::Borrowed("")
            }
            None => {
                self.fault(path, "is required");
                Cow::Borrowed("")
            }
        }
    }

    pub(crate) fn time(&mut self, path: &str) -> Time {
        look::moment(self.payload, path).unwrap_or_else(|| {
            self.fault(
                path,
                "must be a moment with an offset, like 2026-11-20T09:31:00+02:00",
            );
            Time::from_millis(0)
        })
    }

    /// The faults, one a line, where there are any.
    pub(crate) fn faults(self) -> Option<String> {
        (!self.faults.is_empty()).then(|| self.faults.join("\n"))
    }
}

/// A place as a name, also where the sender writes what people call it.
pub(crate) fn place(payload: &Value) -> Option<String> {
    let said = look::text(payload, "place")?;
    let name = event::Name::new(said).map_or_else(|_| format::slug(said), |_| said.to_owned());
    Some(name).filter(|name| !name.is_empty())
}
