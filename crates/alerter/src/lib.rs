#![doc = include_str!("../README.md")]

pub mod calendar;
pub mod fault;
pub mod route;

#[cfg(test)]
mod samples;
