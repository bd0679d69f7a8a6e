#![doc = include_str!("../README.md")]

mod normalise;
mod pattern;
mod pepper;
mod region;
mod spaces;
mod vocabulary;

pub use self::{
    normalise::{Invalid, normalise},
    pattern::{PatternError, pattern},
    pepper::{Pepper, PepperError, event_id},
    region::{Region, RegionError},
    spaces::Spaces,
    vocabulary::Vocabulary,
};
