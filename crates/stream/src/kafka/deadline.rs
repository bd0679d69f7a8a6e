use std::time::{Duration, Instant};

/// The end of a wait. It decides only how long a call blocks, never what a machine sees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn after(wait: Duration) -> Self {
        Self(now() + wait)
    }

    /// Zero once it has passed. In whole milliseconds, upwards: of a rest below one the client makes a loop that asks without a pause.
    pub(super) fn remaining(self) -> Duration {
        let rest = self.0.saturating_duration_since(now());
        let millis = rest.as_nanos().div_ceil(1_000_000);
        Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
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
