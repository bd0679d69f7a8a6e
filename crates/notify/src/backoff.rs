//! How long after a failure the next attempt is made.

use event::time::Millis;

/// Doubles with every failure up to a cap; the wait is drawn anew below that each time, so that those who failed together do
/// not come again together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    pub(crate) first: Millis,
    pub(crate) cap: Millis,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Millis::from_secs(1),
            cap: Millis::from_hours(1),
        }
    }
}

impl Backoff {
    /// The wait after so many failures; `random` lies in 0..1. Whoever asks for a longer wait is given it, up to the cap.
    pub(crate) fn wait(&self, failures: u32, random: f64, asked: Option<Millis>) -> Millis {
        assert!(
            (0.0..1.0).contains(&random),
            "a share of the wait lies in 0..1"
        );
        let doubled = 1_i64
            .checked_shl(failures.saturating_sub(1))
            .filter(|factor| *factor > 0)
            .unwrap_or(i64::MAX);
        let ceiling = self.first.as_millis().saturating_mul(doubled);
        let ceiling = ceiling.min(self.cap.as_millis());
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "a random share of at most an hour in milliseconds"
        )]
        let drawn = Millis::new((ceiling as f64 * random) as i64);
        let asked = asked.unwrap_or_default().min(self.cap);
        drawn.max(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_cap_and_is_drawn_from_the_whole_of_it() {
        let almost_one = 1.0 - f64::EPSILON;
        for (failures, random, asked, expected) in [
            (1, 0.0, None, 0),
            (1, 0.5, None, 500),
            (2, 0.5, None, 1_000),
            (5, 0.25, None, 4_000),
            (12, almost_one, None, 2_047_999),
            (13, almost_one, None, 3_599_999),
            (64, 0.5, None, 1_800_000),
            (200, 0.5, None, 1_800_000),
            (1, 0.5, Some(30_000), 30_000),
            (12, 0.5, Some(30_000), 1_024_000),
            (1, 0.5, Some(86_400_000), 3_600_000),
        ] {
            let wait = Backoff::default().wait(failures, random, asked.map(Millis::new));
            assert_eq!(
                wait.as_millis(),
                expected,
                "{failures} failures, {random}, {asked:?}"
            );
        }
    }
}
