//! Whole deliveries: notices in a log, endpoints on loopback.

mod deliver;
mod office;
pub(crate) mod sample;
