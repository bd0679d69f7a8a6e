//! How much one source may send: a bucket of events for each that has a limit, so that none slows the others.

use std::{collections::BTreeMap, num::NonZeroU32};

use event::SourceId;
use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};

use crate::config::Sources;

/// A quiet source may send so many seconds' worth at once.
const BURST_S: u32 = 10;

/// The buckets of all sources that have a limit.
pub(crate) struct Buckets(BTreeMap<SourceId, Bucket>);

struct Bucket {
    limiter: DefaultDirectRateLimiter,
    most_at_once: u32,
}

/// Why a request has to wait, or cannot be taken at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    /// The bucket holds enough after so many seconds.
    Wait { seconds: u32 },
    /// It never holds so many.
    Never { most_at_once: u32 },
}

impl Buckets {
    /// `everybody` is the limit of the sources that name none themselves.
    pub(crate) fn of(sources: &Sources, everybody: Option<NonZeroU32>) -> Buckets {
        let limited = sources.iter().filter_map(|(id, source)| {
            let per_second = source.events_per_second.or(everybody)?;
            let burst = per_second.saturating_mul(NonZeroU32::new(BURST_S)?);
            let quota = Quota::per_second(per_second).allow_burst(burst);
            let bucket = Bucket {
                limiter: RateLimiter::direct(quota),
                most_at_once: burst.get(),
            };
            Some((id.clone(), bucket))
        });
        Buckets(limited.collect())
    }

    /// Takes so many events out of the source's bucket, or none. An empty request costs one.
    ///
    /// # Errors
    /// When there are not so many in it.
    pub(crate) fn take(&self, source: &SourceId, events: usize) -> Result<(), Excess> {
        let Some(bucket) = self.0.get(source) else {
            return Ok(());
        };
        let never = Excess::Never {
            most_at_once: bucket.most_at_once,
        };
        let events = u32::try_from(events).map_err(|_| never)?;
        let events = NonZeroU32::new(events).unwrap_or(NonZeroU32::MIN);
        match bucket.limiter.check_n(events) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
                Err(Excess::Wait {
                    seconds: seconds.saturating_add(1),
                })
            }
            Err(_) => Err(never),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> SourceId {
        SourceId::new(text).unwrap()
    }

    #[test]
    fn each_source_has_its_own_bucket() {
        let sources: Sources = toml::from_str(
            "[slow]\nchannel = 'web'\nevents_per_second = 1\n[other]\nchannel = 'web'\n",
        )
        .unwrap();
        let buckets = Buckets::of(&sources, NonZeroU32::new(2));
        assert_eq!(buckets.take(&id("slow"), 10), Ok(()));
        let Err(Excess::Wait { seconds }) = buckets.take(&id("slow"), 5) else {
            panic!("ten seconds' worth are gone");
        };
        assert!((4..=6).contains(&seconds), "{seconds}");
        assert_eq!(buckets.take(&id("other"), 20), Ok(()));
        assert_eq!(
            buckets.take(&id("slow"), 11),
            Err(Excess::Never { most_at_once: 10 })
        );
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        let sources: Sources = toml::from_str("[free]\nchannel = 'web'\n").unwrap();
        let buckets = Buckets::of(&sources, None);
        for _ in 0..100 {
            assert_eq!(buckets.take(&id("free"), usize::MAX), Ok(()));
        }
    }
}
