#![doc = include_str!("../README.md")]

mod beat;
pub mod binding;
pub mod command;
pub mod company;
pub mod config;
pub mod demo;
pub mod exit;
pub mod formats;
pub mod identity;
pub mod import;
pub mod probe;
pub mod process;
pub mod registry;
pub mod role;
pub mod secrets;
pub mod simulate;
mod tick;
pub mod topics;
