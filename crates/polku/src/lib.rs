#![doc = include_str!("../README.md")]

pub mod binding;
pub mod command;
pub mod company;
pub mod config;
pub mod demo;
pub mod exit;
pub mod import;
pub mod process;
pub mod role;
pub mod simulate;
pub mod topics;
