#![doc = include_str!("../README.md")]

mod address;
mod backoff;
mod config;
mod delivery;
mod endpoint;
mod ledger;
mod message;
pub mod metrics;
mod queue;
mod resolver;
mod secret;
mod service;

pub use self::{
    config::{Subscription, Subscriptions},
    metrics::Metrics,
    service::{Error, Parts, Service, start},
};

#[cfg(test)]
mod tests;
