#![doc = include_str!("../README.md")]

pub mod identify;
pub mod unify;
