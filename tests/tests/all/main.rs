//! The one test binary. What needs a real broker is in modules named `layer5`; `tests/layers` runs them, and `one_process`, after
//! all that needs no process.

mod kafka_log;
mod layer5;
mod one_process;
mod openapi;
mod scenarios;
mod simulation;
mod structure;
