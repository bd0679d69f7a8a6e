//! The one test binary. What needs a real broker is in modules named `layer5`.

mod kafka_log;
mod scenarios;
mod simulation;
mod structure;
