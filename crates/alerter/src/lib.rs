#![doc = include_str!("../README.md")]

mod case;
pub mod cases;
mod command;
mod deadline;
mod group;
mod life;
mod notice;
mod queue;
pub mod route;
mod sign;
mod signal;
mod status;
mod turn;
mod wait;

#[cfg(test)]
mod samples;
