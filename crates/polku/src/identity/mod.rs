//! `polku identity explain | plan`: why two events are one customer's, and what other rules would make of the customers there are.

pub mod explain;
pub mod plan;
pub mod read;
pub mod values;

#[cfg(test)]
mod tests;
