#![doc = include_str!("../README.md")]

mod normalise;
mod pepper;
mod region;
mod spaces;
mod vocabulary;

pub use self::{
    normalise::{Invalid, normalise},
    pepper::{Pepper, PepperError, event_id},
    region::{Region, RegionError},
    spaces::Spaces,
    vocabulary::Vocabulary,
};
