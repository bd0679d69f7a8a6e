#![doc = include_str!("../README.md")]

pub mod calendar;
mod case;
pub mod cases;
pub mod clock;
mod command;
mod deadline;
pub mod fault;
mod group;
mod life;
mod notice;
mod queue;
pub mod route;
mod signal;
mod status;
mod turn;
mod wait;

#[cfg(test)]
mod samples;
