//! The one test binary. What needs a real broker is in modules named `layer5`.

mod browser;
mod canary;
mod cloudevents;
mod corrections;
mod import;
mod kafka_log;
mod killed;
mod layer5;
mod messages;
mod openapi;
mod raw_http;
mod scenarios;
mod schemathesis;
mod simulation;
mod structure;
mod webhooks;
