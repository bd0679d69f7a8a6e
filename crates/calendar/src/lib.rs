#![doc = include_str!("../README.md")]

mod calendar;
pub mod clock;
mod fault;

pub use self::{calendar::Calendar, fault::Fault};
