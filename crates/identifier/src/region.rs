//! The country in which a number without a country code was written.

use std::{fmt, str::FromStr};

use phonenumber::country;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An ISO 3166 code of two capital letters that has telephone numbers: `FI`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Region(country::Id);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no country: write two capital letters of ISO 3166, as in `FI`")]
pub struct RegionError(String);

impl Region {
    /// # Errors
    /// When the text is no such code.
    pub fn new(text: &str) -> Result<Self, RegionError> {
        text.parse()
            .map(Self)
            .map_err(|_| RegionError(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    pub(crate) fn id(self) -> country::Id {
        self.0
    }
}

impl FromStr for Region {
    type Err = RegionError;

    fn from_str(text: &str) -> Result<Self, RegionError> {
        Self::new(text)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_two_capital_letters_of_a_country() {
        for good in ["FI", "SE", "DE", "US", "AX"] {
            assert_eq!(Region::new(good).unwrap().to_string(), good);
        }
        for bad in ["", "fi", "FIN", "XX", "358"] {
            assert_eq!(Region::new(bad), Err(RegionError(bad.to_owned())));
        }
    }

    #[test]
    fn it_reads_back_from_its_text() {
        let region = Region::new("FI").unwrap();
        let text = serde_json::to_string(&region).unwrap();
        assert_eq!(text, "\"FI\"");
        assert_eq!(serde_json::from_str::<Region>(&text).unwrap(), region);
    }
}
