//! How often one address may answer.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
};

use event::SourceId;
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use ingest::Sources;

use super::FeedbackForm;

const PER_MINUTE: NonZeroU32 = NonZeroU32::new(20).expect("twenty is more than nothing");

/// After so many answers the addresses that may do as they like again are forgotten.
const CHECKS_BETWEEN_SWEEPS: u32 = 1_024;

/// One limit a form, for each address by itself.
pub(super) struct Limits {
    forms: BTreeMap<SourceId, DefaultKeyedRateLimiter<IpAddr>>,
    checks: AtomicU32,
}

impl Limits {
    pub(super) fn of(sources: &Sources) -> Limits {
        let forms = sources
            .iter()
            .filter(|(_, source)| source.format.as_str() == FeedbackForm::NAME)
            .map(|(id, source)| {
                let form = source.form.as_ref();
                let per_minute = form.and_then(|form| form.answers_per_minute);
                let quota = Quota::per_minute(per_minute.unwrap_or(PER_MINUTE));
                (id.clone(), RateLimiter::keyed(quota))
            });
        Limits {
            forms: forms.collect(),
            checks: AtomicU32::new(0),
        }
    }

    /// # Errors
    /// After how many seconds the address may answer again.
    pub(super) fn check(&self, source: &SourceId, address: IpAddr) -> Result<(), u32> {
        let Some(limiter) = self.forms.get(source) else {
            return Ok(());
        };
        let checks = self.checks.fetch_add(1, Ordering::Relaxed);
        if checks % CHECKS_BETWEEN_SWEEPS == CHECKS_BETWEEN_SWEEPS - 1 {
            limiter.retain_recent();
        }
        limiter
            .check_key(&subscriber(address))
            .map_err(|not_until| {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                u32::try_from(wait.as_secs()).map_or(u32::MAX, |seconds| seconds.saturating_add(1))
            })
    }
}

/// A subscriber of IPv6 has 2^64 addresses, which are one here.
fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_limit_at_each_form() {
        let sources: Sources = toml::from_str(
            "[a]\nchannel = 'web'\nformat = 'feedback-form'\nform = { answers_per_minute = 2 }\n\
             [b]\nchannel = 'web'\nformat = 'feedback-form'\n[c]\nchannel = 'web'\n",
        )
        .unwrap();
        let limits = Limits::of(&sources);
        let check = |source: &str, address: &str| {
            let source = SourceId::new(source).unwrap();
            limits.check(&source, address.parse().unwrap())
        };
        for address in ["10.0.0.1", "::ffff:10.0.0.1"] {
            assert_eq!(check("a", address), Ok(()));
        }
        let wait = check("a", "10.0.0.1").unwrap_err();
        assert!((1..=31).contains(&wait), "{wait}");
        assert_eq!(check("a", "10.0.0.2"), Ok(()));
        assert_eq!(check("b", "10.0.0.1"), Ok(()));
        for host in ["1", "2"] {
            assert_eq!(check("a", &format!("2001:db8:0:1::{host}")), Ok(()));
        }
        assert!(check("a", "2001:db8:0:1:ffff::9").is_err());
        assert_eq!(check("a", "2001:db8:0:2::1"), Ok(()));
    }
}
