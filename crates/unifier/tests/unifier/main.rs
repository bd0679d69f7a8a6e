//! Tables, properties against slow batch programs, and the machines together over simulated pipes.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::or_fun_call,
    reason = "what a test does not expect fails it, and what it looks for is all it names"
)]

mod claim;
mod explain;
mod grouping;
mod identify;
mod oracle;
mod pipes;
mod profile;
mod queue;
mod resolve;
mod sample;
mod story;
mod timeline;
