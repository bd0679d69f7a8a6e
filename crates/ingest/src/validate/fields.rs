//! Reading an object's fields one by one, with every fault kept.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Faults;
use crate::{json, mask};

/// An object, what was asked of it, and where its faults go.
pub(super) struct Fields<'a, 'f> {
    path: String,
    object: &'a Map<String, Value>,
    known: BTreeSet<&'static str>,
    faults: &'f mut Faults,
}

impl<'a, 'f> Fields<'a, 'f> {
    pub(super) fn new(path: &str, object: &'a Map<String, Value>, faults: &'f mut Faults) -> Self {
        Self {
            path: path.to_owned(),
            object,
            known: BTreeSet::new(),
            faults,
        }
    }

    /// The path of a field, as faults name it.
    pub(super) fn path(&self, field: &str) -> String {
        let field = shown(field);
        match (self.path.as_str(), field) {
            ("", field) => field.to_owned(),
            (path, "") => path.to_owned(),
            (path, field) => format!("{path}.{field}"),
        }
    }

    pub(super) fn fault(&mut self, field: &str, problem: impl Into<String>) {
        let path = self.path(field);
        self.faults.add(path, problem);
    }

    /// A field that is read elsewhere.
    pub(super) fn know(&mut self, field: &'static str) {
        self.known.insert(field);
    }

    /// Absent and null are the same.
    fn take(&mut self, field: &'static str) -> Option<&'a Value> {
        self.know(field);
        self.object.get(field).filter(|value| !value.is_null())
    }

    pub(super) fn text<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.take(field)?;
        let Some(text) = value.as_str() else {
            self.fault(field, "must be a text");
            return None;
        };
        match read(text) {
            Ok(read) => Some(read),
            Err(problem) => {
                self.fault(field, problem);
                None
            }
        }
    }

    pub(super) fn required<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if self.take(field).is_none() {
            self.fault(field, "is required");
        }
        self.text(field, read)
    }

    /// A required number.
    pub(super) fn number(&mut self, field: &'static str) -> Option<f64> {
        match self.take(field).map(Value::as_f64) {
            None => {
                self.fault(field, "is required");
                None
            }
            Some(None) => {
                self.fault(field, "must be a number");
                None
            }
            Some(number) => number,
        }
    }

    pub(super) fn flag(&mut self, field: &'static str) -> bool {
        match self.take(field).map(Value::as_bool) {
            None => false,
            Some(Some(flag)) => flag,
            Some(None) => {
                self.fault(field, "must be true or false");
                false
            }
        }
    }

    /// The fields of an object inside.
    pub(super) fn inner(&mut self, field: &'static str) -> Option<Fields<'a, '_>> {
        match self.take(field)? {
            Value::Object(object) => {
                let path = self.path(field);
                Some(Fields::new(&path, object, self.faults))
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => {
                self.fault(field, "must be an object");
                None
            }
        }
    }

    pub(super) fn get(&self, field: &str) -> Option<&'a Value> {
        self.object.get(field)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        self.object.iter().map(|(key, value)| (key.as_str(), value))
    }

    pub(super) fn json(&self) -> String {
        json::canonical(&Value::Object(self.object.clone()))
    }

    /// Every field that nobody asked for is a fault, with the name that was probably meant.
    pub(super) fn refuse_unknown(&mut self) {
        for (key, _) in self.all() {
            if self.known.contains(key) {
                continue;
            }
            let near = service::config::nearest(key, self.known.iter().copied());
            let problem = match near {
                Some(near) => format!("is not known; did you mean `{near}`?"),
                None => "is not known; what is your own goes into `attributes`".to_owned(),
            };
            self.fault(key, problem);
        }
    }
}

/// A key as faults may name it. What does not look like a field's name could be somebody's data.
fn shown(key: &str) -> &str {
    let like_a_name = key.len() <= 40
        && !key.starts_with(|c: char| c.is_ascii_digit())
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        && key.bytes().filter(u8::is_ascii_digit).count() < 5
        && !mask::is_marked(key);
    if like_a_name { key } else { "(a field)" }
}

/// What a text of a closed list stands for.
pub(super) fn one_of<T: Copy>(text: &str, known: &[(&'static str, T)]) -> Result<T, String> {
    if let Some((_, found)) = known.iter().find(|(name, _)| *name == text) {
        return Ok(*found);
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let choice = format!("must be one of {}", names.join(", "));
    Err(match service::config::nearest(text, names) {
        Some(near) => format!("{choice}; did you mean `{near}`?"),
        None => choice,
    })
}
