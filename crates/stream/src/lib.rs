#![doc = include_str!("../README.md")]

pub mod conformance;
pub mod embedded;
pub mod error;
pub mod kafka;
pub mod log;
pub mod metrics;
pub mod run;
pub mod simulated;

pub use self::{
    error::{Error, Severity},
    log::{Append, Log, Member, Offset, Read, Reader, SharedLog, TopicPartition},
    metrics::Metrics,
    run::{Binding, Options, Runner},
};
