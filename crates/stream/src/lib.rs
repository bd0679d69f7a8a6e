#![doc = include_str!("../README.md")]

pub mod error;
pub mod log;

pub use self::{
    error::{Error, Severity},
    log::{Append, Log, Member, Offset, Read, Reader, TopicPartition},
};
