//! Polku as a newcomer runs it: one process of the binary on its embedded log, asked from outside.

mod browser;
mod canary;
mod cloudevents;
mod corrections;
mod import;
mod killed;
pub(crate) mod messages;
mod raw_http;
mod schemathesis;
pub(crate) mod webhooks;
