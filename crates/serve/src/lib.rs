#![doc = include_str!("../README.md")]

mod access;
mod api;
pub mod canary;
mod config;
pub mod credential;
mod desk;
pub mod metrics;
mod model;
mod personal;
pub mod replica;
mod search;
mod service;

#[cfg(test)]
mod tests;

pub use self::{
    api::documented,
    config::Config,
    personal::mask,
    search::Doors,
    service::{Error, Parts, Service, start},
};
