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

impl Clock {
    /// The moment of a batch: never before the last `committed` one, nor before the log had `taken` the records of it. They may
    /// have come while the poll waited, after the clock was read; a host whose clock is ahead moves it by no more than that.
    pub(super) fn moment(
        self,
        committed: Option<Time>,
        taken: Option<Time>,
        waited: Duration,
    ) -> Time {
        let waited = Millis::new(i64::try_from(waited.as_millis()).unwrap_or(i64::MAX));
        let taken = taken.map(|taken| taken.min(self.now + waited));
        let least = committed.max(taken);
        least.map_or(self.now, |least| least.max(self.now))
    }
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

    #[test]
    fn a_batch_is_not_before_what_was_committed_nor_before_the_log_took_its_records() {
        let time = |ms: i64| Time::from_millis(1_000 + ms);
        for (committed, taken, expected) in [
            (None, None, 0),
            (Some(-5), Some(-10), 0),
            (Some(30), None, 30),
            (None, Some(40), 40),
            (Some(45), Some(40), 45),
            (None, Some(5_000), 50),
        ] {
            let moment = clock(1_000, 0).moment(
                committed.map(time),
                taken.map(time),
                Duration::from_millis(50),
            );
            assert_eq!(moment, time(expected), "{committed:?} {taken:?}");
        }
    }

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
