use std::time::{Duration, Instant};

/// The end of a wait. It decides only how long a call blocks, never what a machine sees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn after(wait: Duration) -> Self {
        Self(now() + wait)
    }

    /// Zero once it has passed.
    pub(super) fn remaining(self) -> Duration {
        self.0.saturating_duration_since(now())
    }

    pub(super) fn passed(self) -> bool {
        self.remaining().is_zero()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bounded wait for the network; the time of records comes from the brokers"
)]
fn now() -> Instant {
    Instant::now()
}
