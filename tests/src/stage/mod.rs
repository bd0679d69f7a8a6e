//! Where scenarios are played: `virtual_time` in this process on a clock that a script sets, `processes` as separate roles on
//! a real broker.

pub mod company;
mod plain;
pub mod processes;
pub mod role;
pub mod virtual_time;
