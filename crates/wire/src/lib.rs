#![doc = include_str!("../README.md")]

mod avro;
mod catalogue;
pub mod compatibility;

mod error;
mod payload;
pub mod personal;
mod record;
mod registry;
pub mod release;
mod rules;
mod schema;

pub use self::{
    error::Error,
    record::{decode, encode, encode_into},
    registry::{Fetch, RegistryError, use_registry},
    schema::{Kind, Shipped, schemas},
};

#[cfg(test)]
mod tests;
