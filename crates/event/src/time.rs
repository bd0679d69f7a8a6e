//! Moments, lengths of time, and versions of decisions.

use std::{
    fmt,
    ops::{Add, Sub},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment: milliseconds since 1970-01-01T00:00:00Z. In JSON an RFC 3339 text in UTC.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    pub const MIN: Time = Time(i64::MIN);
    pub const MAX: Time = Time(i64::MAX);

    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// A number that stands in the order of time.
    pub const fn rank(self) -> u128 {
        (self.0 as u64 ^ (1 << 63)) as u128
    }

    /// The start of the grid cell of this length that the moment lies in; the grid starts at the epoch.
    pub fn floor_to(self, length: Millis) -> Time {
        assert!(length.0 > 0, "a grid has cells of some length");
        Time(self.0.div_euclid(length.0) * length.0)
    }
}

impl Add<Millis> for Time {
    type Output = Time;
    fn add(self, length: Millis) -> Time {
        Time(self.0.saturating_add(length.0))
    }
}

impl Sub<Millis> for Time {
    type Output = Time;
    fn sub(self, length: Millis) -> Time {
        Time(self.0.saturating_sub(length.0))
    }
}

impl Sub for Time {
    type Output = Millis;
    fn sub(self, earlier: Time) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(moment) => write!(f, "{moment}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Time {
    type Err = jiff::Error;
    /// RFC 3339 with an offset or `Z`; digits beyond the millisecond are cut off.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>()
            .map(|moment| Time(moment.as_millisecond()))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?
                .parse()
                .map_err(de::Error::custom)
        } else {
            i64::deserialize(deserializer).map(Time)
        }
    }
}

/// A length of time in milliseconds. In JSON and TOML a text of whole numbers and units: `2d`, `1h30m`, `90s`, `250ms`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(i64);

impl Millis {
    pub const ZERO: Millis = Millis(0);

    pub const fn new(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds * 1_000)
    }

    pub const fn from_hours(hours: i64) -> Self {
        Self(hours * 3_600_000)
    }

    pub const fn from_days(days: i64) -> Self {
        Self(days * 86_400_000)
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }
}

impl Add for Millis {
    type Output = Millis;
    fn add(self, other: Millis) -> Millis {
        Millis(self.0.saturating_add(other.0))
    }
}

impl Sub for Millis {
    type Output = Millis;
    fn sub(self, other: Millis) -> Millis {
        Millis(self.0.saturating_sub(other.0))
    }
}

const UNITS: [(&str, i64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let mut rest = self.0.unsigned_abs();
        for (unit, length) in UNITS {
            let length = length.unsigned_abs();
            if rest >= length {
                write!(f, "{}{unit}", rest / length)?;
                rest %= length;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A text that is not a length of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseMillisError {
    text: String,
}

impl fmt::Display for ParseMillisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no length of time: write whole numbers with d, h, m, s or ms, as in `1h30m`",
            self.text
        )
    }
}

impl std::error::Error for ParseMillisError {}

impl FromStr for Millis {
    type Err = ParseMillisError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseMillisError {
            text: text.to_owned(),
        };
        let mut rest = text;
        let mut total: i64 = 0;
        if rest.is_empty() {
            return Err(error());
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
            let number: i64 = rest[..digits].parse().map_err(|_| error())?;
            rest = &rest[digits..];
            let end = rest
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(rest.len());
            let length = UNITS
                .iter()
                .find(|(unit, _)| *unit == &rest[..end])
                .map(|(_, length)| *length)
                .ok_or_else(error)?;
            total = number
                .checked_mul(length)
                .and_then(|part| total.checked_add(part))
                .ok_or_else(error)?;
            rest = &rest[end..];
        }
        Ok(Millis(total))
    }
}

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?
                .parse()
                .map_err(de::Error::custom)
        } else {
            i64::deserialize(deserializer).map(Millis)
        }
    }
}

/// The version of a decision: a later one wins wherever both are known. A rebuild of the decision maker raises the epoch.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version {
    pub epoch: u32,
    #[serde(with = "crate::event::count")]
    pub counter: u64,
}

impl Version {
    /// The version of what nobody decided: a value follows itself, a matter is its own case.
    pub const ZERO: Version = Version {
        epoch: 0,
        counter: 0,
    };

    #[must_use]
    pub fn next(self) -> Version {
        Version {
            epoch: self.epoch,
            counter: self.counter + 1,
        }
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_read_as_people_write_them() {
        for (text, millis) in [
            ("2d", 172_800_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("1m1s", 61_000),
            ("0s", 0),
        ] {
            assert_eq!(text.parse(), Ok(Millis(millis)), "{text}");
            assert_eq!(Millis(millis).to_string(), text);
        }
        for text in ["", "5", "h", "5 h", "-1h", "5x", "9999999999999d"] {
            assert!(text.parse::<Millis>().is_err(), "{text}");
        }
    }

    #[test]
    fn moments_before_the_epoch_have_a_grid_cell_too() {
        assert_eq!(Time(-1).floor_to(Millis(10)), Time(-10));
        assert_eq!(Time(20).floor_to(Millis(10)), Time(20));
    }
}
