//! How much was refused, and where.

use event::reject::Reject;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rejects {
    /// At a door: never an event of the log.
    pub doors: u64,
    /// A record of the log that a machine could not take.
    pub machines: u64,
}

impl Rejects {
    pub(crate) fn apply(&mut self, reject: &Reject) {
        match reject.record {
            Some(_) => self.machines += 1,
            None => self.doors += 1,
        }
    }
}
