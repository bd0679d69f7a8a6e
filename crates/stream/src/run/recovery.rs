use std::time::Duration;

use machine::Machine;

use super::{Clock, Error, Options, Runner, Turn};
use crate::error::{self, Severity};

/// What went wrong in a row.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    attempts: u32,
    losses: u32,
    lost_at: Duration,
    /// Nothing is tried before.
    pub(super) until: Duration,
}

impl Trouble {
    /// A commit went through.
    pub(super) fn is_over(&mut self) {
        *self = Self::default();
    }

    /// The log answers.
    pub(super) fn calm(&mut self) {
        self.attempts = 0;
    }

    fn wait(&mut self, times: u32, clock: Clock, options: &Options) {
        let doubled = options.backoff_min * 2_u32.saturating_pow(times.min(16));
        self.until = clock.monotonic + doubled.min(options.backoff_max);
    }
}

impl<M: Machine> Runner<M> {
    /// Does what the error asks for.
    pub(super) fn recover(&mut self, error: error::Error, clock: Clock) -> Result<Turn, Error> {
        let severity = error.severity();
        self.metrics.failed(severity);
        tracing::warn!(
            machine = self.machine_name().as_str(),
            severity = severity.as_str(),
            error = %error,
            "the log did not do what was asked"
        );
        match self.escalated(&error) {
            Severity::Retry => {
                self.stats.retries += 1;
                self.trouble
                    .wait(self.trouble.attempts, clock, &self.options);
                Ok(Turn::Waiting {
                    until: self.trouble.until,
                })
            }
            Severity::Abort => {
                self.stats.aborts += 1;
                match self.rewind() {
                    Ok(()) => Ok(Turn::Aborted),
                    Err(error) => self.lose(error, clock),
                }
            }
            Severity::Lost => self.lose(error, clock),
            Severity::Fatal => Err(Error::Log(error)),
        }
    }

    /// What was tried too often will not come right with this member; but a full disk is waited for, however long it takes.
    fn escalated(&mut self, error: &error::Error) -> Severity {
        let severity = error.severity();
        match severity {
            Severity::Retry | Severity::Abort => {
                self.trouble.attempts += 1;
                let waits = matches!(error, error::Error::DiskFull { .. });
                if self.trouble.attempts > self.options.retries_max && !waits {
                    Severity::Lost
                } else {
                    severity
                }
            }
            Severity::Lost | Severity::Fatal => severity,
        }
    }

    /// Nothing of the batch happened: reads on from what is committed.
    fn rewind(&mut self) -> Result<(), error::Error> {
        self.sealed = None;
        self.undo();
        self.pending.clear();
        for held in self.held.values() {
            if let Some(member) = &mut self.member {
                held.resume(member.as_mut())?;
            }
        }
        Ok(())
    }

    fn lose(&mut self, error: error::Error, clock: Clock) -> Result<Turn, Error> {
        self.stats.losses += 1;
        self.forget();
        let quiet = clock.monotonic.saturating_sub(self.trouble.lost_at);
        if quiet > self.options.session {
            self.trouble.losses = 0;
        }
        self.trouble.attempts = 0;
        self.trouble.losses += 1;
        self.trouble.lost_at = clock.monotonic;
        if self.trouble.losses > self.options.losses_max {
            return Err(Error::Lost {
                machine: self.machine_name(),
                losses: self.trouble.losses,
                source: error,
            });
        }
        self.trouble.wait(self.trouble.losses, clock, &self.options);
        Ok(Turn::Lost)
    }

    /// Drops the member and everything that only its ownership made true.
    pub(super) fn forget(&mut self) {
        self.member = None;
        self.assigned.clear();
        self.restoring = None;
        self.pending.clear();
        self.sealed = None;
        for partition in std::mem::take(&mut self.held).into_keys() {
            self.metrics.forget_lag(partition);
        }
    }
}
