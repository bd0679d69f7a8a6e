//! What the test binary shares: the simulation of layer 3, the scenarios of layer 4, the stages they are played on, and real
//! brokers.

pub mod broker;
pub mod scenario;
pub mod simulation;
pub mod stage;
