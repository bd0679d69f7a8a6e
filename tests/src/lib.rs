//! What the test binary shares: the simulation of layer 3, the scenarios of layer 4, the stages they are played on, and real
//! brokers.

pub mod broker;
pub mod crowd;
pub mod http;
pub mod python;
pub mod registry;
pub mod scenario;
pub mod sender;
pub mod simulation;
pub mod stage;
pub mod turn;
pub mod wait;

/// A switch of the tests.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests' own switches are no configuration of Polku"
)]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
