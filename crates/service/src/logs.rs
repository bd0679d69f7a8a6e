//! Logs: JSON for machines, a line for people. The level comes from `POLKU_LOG`, `info` by default.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    Line,
}

impl Form {
    /// JSON unless a person reads along.
    pub fn of_stderr() -> Form {
        if std::io::stderr().is_terminal() {
            Form::Line
        } else {
            Form::Json
        }
    }
}

/// Sends what `tracing` hears to stderr. Called once, by `main`.
#[expect(
    clippy::disallowed_methods,
    reason = "the level is wanted before any configuration is read"
)]
pub fn start(form: Form) {
    let directives = std::env::var("POLKU_LOG").ok();
    let filter = EnvFilter::builder()
        .with_default_directive(tracing::Level::INFO.into())
        .parse_lossy(directives.as_deref().unwrap_or("info"));
    let registry = tracing_subscriber::registry().with(filter);
    let json = (form == Form::Json).then(|| {
        fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(std::io::stderr)
    });
    let line = (form == Form::Line).then(|| {
        fmt::layer()
            .compact()
            .with_target(false)
            .with_writer(std::io::stderr)
    });
    registry.with(json).with(line).init();
}
