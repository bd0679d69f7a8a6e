#![doc = include_str!("../README.md")]

pub mod clock;
pub mod config;
pub mod health;
pub mod http;
pub mod logs;
pub mod secret;
pub mod shutdown;
pub mod tls;
