//! How a command ends: 0 done, 1 failed, 2 usage, 70 a machine panicked, 75 lost ownership for good, 78 bad configuration.

use std::{fmt, process::ExitCode};

use stream::Severity;

/// A file that cannot be used, with everything that is wrong with it.
#[derive(Debug)]
pub struct Invalid {
    pub path: String,
    pub faults: Vec<String>,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path)?;
        for fault in &self.faults {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

const FAILED: u8 = 1;
const LOST: u8 = 75;
const CONFIGURATION: u8 = 78;

/// Prints the error with all its causes, once, and gives the code to end with.
pub fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("polku: {error:#}");
    ExitCode::from(code(error))
}

fn code(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if cause.is::<Invalid>() || cause.is::<service::config::Error>() {
            return CONFIGURATION;
        }
        if let Some(error) = cause.downcast_ref::<stream::run::Error>() {
            return error.exit_code();
        }
        if let Some(error) = cause.downcast_ref::<stream::Error>() {
            return match error.severity() {
                Severity::Lost => LOST,
                Severity::Retry | Severity::Abort | Severity::Fatal => FAILED,
            };
        }
    }
    FAILED
}
