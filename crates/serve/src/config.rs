//! The part of the configuration that is `serve`'s own.

use std::num::NonZeroU32;

use serde::Deserialize;

/// `[serve]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where people reach this process; links in notices begin with it. The process sets it to where it listens, if nobody else
    /// does; without it links are relative.
    pub public_url: Option<String>,
    /// The counts and the front page answer without a key. Set on loopback.
    pub counts_public: bool,
    /// How long a command waits for its outcome before it answers 202.
    pub command_wait_ms_max: u64,
    /// What one credential may ask of the API; after a quiet time ten seconds' worth at once.
    pub requests_per_second: NonZeroU32,
    /// Live streams at one time.
    pub streams_max: usize,
    /// Notices of one department that a live stream can still go back to.
    pub notices_kept_max: usize,
    /// Between two signs of life on a quiet stream.
    pub heartbeat_ms: u64,
    /// How long somebody stays signed in at the desk.
    pub session_hours: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: None,
            counts_public: false,
            command_wait_ms_max: 2_000,
            requests_per_second: const { NonZeroU32::new(100).expect("100 is not zero") },
            streams_max: 1_000,
            notices_kept_max: 10_000,
            heartbeat_ms: 15_000,
            session_hours: 12,
        }
    }
}
