//! The short names that people configure. They are safe in keys, paths, labels and log lines, and hold nothing personal.
//!
//! An event has a dozen of them, and they are copied with it wherever it goes: up to 23 bytes, which nearly all have, they lie in
//! place, so that a copy allocates nothing.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smol_str::SmolStr;

/// `[a-z0-9][a-z0-9._:-]{0,63}`: an event's type, a place, a party, a stage, a touchpoint.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(SmolStr);

/// `[a-z][a-z0-9-]{0,47}`: a department or a unit of one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DepartmentId(SmolStr);

/// `[a-z][a-z0-9-]{0,47}`: a configured sender.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(SmolStr);

/// A text that does not match the pattern of its kind of name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    pub text: String,
    pub pattern: &'static str,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` does not match {}", self.text, self.pattern)
    }
}

impl std::error::Error for NameError {}

const NAME: &str = "[a-z0-9][a-z0-9._:-]{0,63}";
const SLUG: &str = "[a-z][a-z0-9-]{0,47}";

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= 64
        && bytes
            .first()
            .is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit())
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._:-".contains(b))
}

fn is_slug(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= 48
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

impl Name {
    /// # Errors
    /// When the text does not match the pattern.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if is_name(text) {
            Ok(Self(text.into()))
        } else {
            Err(NameError {
                text: text.to_owned(),
                pattern: NAME,
            })
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first dot: `delivery` of `delivery.late`.
    pub fn head(&self) -> &str {
        self.0.split('.').next().unwrap_or(&self.0)
    }

    /// The same as a name of its own.
    pub fn to_head(&self) -> Name {
        Self(self.head().into())
    }
}

impl DepartmentId {
    /// # Errors
    /// When the text does not match the pattern.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if is_slug(text) {
            Ok(Self(text.into()))
        } else {
            Err(NameError {
                text: text.to_owned(),
                pattern: SLUG,
            })
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SourceId {
    /// # Errors
    /// When the text does not match the pattern.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if is_slug(text) {
            Ok(Self(text.into()))
        } else {
            Err(NameError {
                text: text.to_owned(),
                pattern: SLUG,
            })
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a name")
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::new(text).map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }
    };
}

as_text!(Name);
as_text!(DepartmentId);
as_text!(SourceId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_their_patterns() {
        for good in ["a", "7", "delivery.late", "store:kamppi", &"x".repeat(64)] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
        for bad in ["", ".a", "A", "ä", "a b", &"x".repeat(65)] {
            assert!(Name::new(bad).is_err(), "{bad}");
        }
        for bad in ["", "7a", "a.b", "a_b", &"x".repeat(49)] {
            assert!(DepartmentId::new(bad).is_err(), "{bad}");
        }
    }
}
