//! The roles as separate processes on a real broker.

mod killed;
mod messages;
mod notices;
mod operations;
mod outage;
mod registry;
mod scenarios;
mod storm;
mod webhooks;
