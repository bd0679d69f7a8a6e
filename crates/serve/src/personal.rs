//! What is personal: opened for a permitted reader, masked for others.

use std::sync::Arc;

use event::{Class, Event, Record, SourceId, Topic, Value, event::Personal};
use identifier::{Pepper, Spaces};
use serde::Serialize;
use utoipa::ToSchema;

/// A personal value as a reader is shown it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Shown {
    /// The value if `open`, else what the mask leaves of it.
    pub shown: String,
    pub open: bool,
    /// Why it is not open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Why {
    /// The reader may not see it.
    NotPermitted,
    /// It is sealed, or no event says how it is written.
    NotReadable,
}

/// Whether the reader of an answer may see what is personal in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    Open,
    Masked,
}

impl Shown {
    pub(crate) fn new(value: Option<&str>, permission: Permission) -> Shown {
        match (value, permission) {
            (Some(value), Permission::Open) => Shown {
                shown: value.to_owned(),
                open: true,
                why: None,
            },
            (Some(value), Permission::Masked) => Shown {
                shown: mask(value),
                open: false,
                why: Some(Why::NotPermitted),
            },
            (None, _) => Shown {
                shown: DOTS.to_owned(),
                open: false,
                why: Some(Why::NotReadable),
            },
        }
    }
}

const DOTS: &str = "••";

/// Enough to recognise a value one knows, too little to learn one: an e-mail's domain, the last digits of what is long.
pub fn mask(value: &str) -> String {
    if let Some((_, domain)) = value.rsplit_once('@') {
        return format!("{DOTS}@{domain}");
    }
    let characters: Vec<char> = value.chars().collect();
    let left = match characters.len() {
        0..=5 => 0,
        6..=9 => 2,
        _ => 4,
    };
    if left == 0 {
        return DOTS.to_owned();
    }
    let end: String = characters[characters.len() - left..].iter().collect();
    format!("{DOTS} {end}")
}

/// The event of a row of the model.
pub(crate) fn event(bytes: &[u8]) -> Event {
    match wire::decode(&Topic::Event, bytes) {
        Ok(Record::Event(event)) => event,
        Ok(_) | Err(_) => unreachable!("the bytes were an event when the model took them"),
    }
}

/// What is personal of an event; `None` while it is sealed.
pub(crate) fn open(event: &Event) -> Option<Personal> {
    wire::personal::decode(&event.personal).ok()
}

/// How a value is written, by the latest of the events that tell: the one of their values that has its token.
pub(crate) fn written(
    value: &Value,
    witnesses: &[Arc<[u8]>],
    pepper: &Pepper,
    spaces: &Spaces,
) -> Option<String> {
    let mut told = witnesses.iter().map(|bytes| event(bytes));
    told.find_map(|event| Some(written_in(&event, value, pepper, spaces)?.0))
}

/// How an event writes one of its values, and a source that means the same by it: not always the event's own, since people at the
/// desk name an order by the numbers of whoever it came from.
pub(crate) fn written_in(
    event: &Event,
    value: &Value,
    pepper: &Pepper,
    spaces: &Spaces,
) -> Option<(String, SourceId)> {
    let personal = open(event)?;
    let (class, named) = match value.class {
        Class::Identifier => ("identifier", personal.identifiers),
        Class::Reference => ("reference", personal.references),
    };
    let kind = value.kind.as_str();
    let sources = || std::iter::once(&event.source).chain(spaces.sources.keys());
    named
        .into_iter()
        .filter(|named| named.kind == value.kind)
        .find_map(|named| {
            let is_it = |space: &str| pepper.token(class, kind, space, &named.value) == value.token;
            // What is the same everywhere has no space, and so is every source's.
            let source = if is_it("") {
                Some(&event.source)
            } else {
                sources().find(|source| is_it(spaces.of(source, kind)))
            };
            source.cloned().map(|source| (named.value.clone(), source))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_leaves_what_one_recognises_and_not_what_one_could_use() {
        for (value, expected) in [
            ("aino@example.fi", "••@example.fi"),
            ("+358407055810", "•• 5810"),
            ("100234", "•• 34"),
            ("A-77", "••"),
            ("ääkkösiä-on", "•• ä-on"),
            ("", "••"),
        ] {
            assert_eq!(mask(value), expected, "{value}");
        }
    }
}
