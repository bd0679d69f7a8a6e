#![doc = include_str!("../README.md")]

mod calendar;
mod calendars;
pub mod clock;
mod fault;

pub use self::{calendar::Calendar, calendars::Calendars, fault::Fault};
