//! The two clocks of the log: the wall's gives records their time, the monotonic one measures waits and silences.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use event::Time;

/// Where the times of records come from.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

#[expect(
    clippy::disallowed_methods,
    reason = "the log stamps records itself, as a broker does; whoever needs another time passes a clock in the options"
)]
pub(super) fn wall() -> Time {
    let millis = |length: Duration| i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => Time::from_millis(millis(since)),
        Err(before) => Time::from_millis(-millis(before.duration())),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a caller waits and a member is silent; never seen by a machine"
)]
pub(super) fn monotonic() -> Instant {
    Instant::now()
}
