#![doc = include_str!("../README.md")]

// The steps; the README has them in running order.
pub mod answer;
mod authenticate;
mod body;
pub mod mask;
mod normalise;
mod parse;
mod store;
mod validate;

mod cloud_event;
pub mod config;
pub mod door;
mod form;
pub mod format;
mod json;
mod judge;
pub mod mapping;
pub mod metrics;
pub mod problem;
mod rate;
mod routes;

pub use self::{
    answer::Answer,
    config::{Source, Sources},
    door::{Door, Limits, Options, Permission, Secrets},
    mapping::Mapping,
    metrics::{Metrics, Totals},
    problem::Problem,
    routes::routes,
    store::Unavailable,
};
