//! How often one caller may ask, so that none slows the others.

use std::num::NonZeroU32;

use event::Name;
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};

/// A caller that was quiet may ask so many seconds' worth at once.
const BURST_S: u32 = 10;

/// A bucket of requests for each credential.
pub(crate) struct Rates(DefaultKeyedRateLimiter<Name>);

impl Rates {
    pub(crate) fn new(per_second: NonZeroU32) -> Rates {
        let burst = NonZeroU32::new(BURST_S).map_or(per_second, |s| per_second.saturating_mul(s));
        Rates(RateLimiter::keyed(
            Quota::per_second(per_second).allow_burst(burst),
        ))
    }

    /// Takes one request out of the credential's bucket.
    ///
    /// # Errors
    /// After how many seconds there is one again.
    pub(crate) fn take(&self, credential: &Name) -> Result<(), u32> {
        self.0.check_key(credential).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            u32::try_from(wait.as_secs()).map_or(u32::MAX, |seconds| seconds.saturating_add(1))
        })
    }
}
