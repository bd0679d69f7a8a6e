use std::time::Duration;

use event::{Millis, Time};

use super::Error;

/// What the clocks show at the beginning of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    pub now: Time,
    /// Since some moment that stays the same; never goes back.
    pub monotonic: Duration,
}

/// How far the wall clock may leave the monotonic one.
const DRIFT_MAX: Millis = Millis::from_secs(10);

/// After this time the two are compared anew, so that a clock that is being slewed is not taken for one that jumped.
const REBASE: Duration = Duration::from_secs(60);

/// Notices a wall clock that jumps: such a `now` is never committed, for timers that fired too early cannot be taken back.
#[derive(Debug, Default)]
pub(super) struct Watch {
    base: Option<Clock>,
}

impl Watch {
    pub(super) fn check(&mut self, clock: Clock) -> Result<(), Error> {
        let base = *self.base.get_or_insert(clock);
        let monotonic = clock.monotonic.saturating_sub(base.monotonic);
        let walked = i64::try_from(monotonic.as_millis()).unwrap_or(i64::MAX);
        let by = (clock.now - base.now) - Millis::new(walked);
        if by.as_millis().abs() > DRIFT_MAX.as_millis() {
            return Err(Error::Clock { by });
        }
        if monotonic > REBASE {
            self.base = Some(clock);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(now_ms: i64, monotonic_ms: u64) -> Clock {
        Clock {
            now: Time::from_millis(now_ms),
            monotonic: Duration::from_millis(monotonic_ms),
        }
    }

    #[test]
    fn a_wall_clock_that_jumps_either_way_is_noticed_and_one_that_is_slewed_is_not() {
        for (next, fine) in [
            (clock(101_000, 1_000), true),
            (clock(110_900, 1_000), true),
            (clock(112_000, 1_000), false),
            (clock(90_000, 1_000), false),
            (clock(160_000, 60_000), true),
        ] {
            let mut watch = Watch::default();
            watch.check(clock(100_000, 0)).unwrap();
            assert_eq!(watch.check(next).is_ok(), fine, "{next:?}");
        }
        let mut watch = Watch::default();
        for minute in 0..60 {
            let now = i64::try_from(minute).unwrap() * 61_001;
            watch.check(clock(now, minute * 60_001)).unwrap();
        }
    }
}
