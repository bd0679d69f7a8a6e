//! Waiting for a condition, with a bound.

use std::{thread, time::Duration};

/// How long between two looks.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Looks until there is something to see.
///
/// # Panics
/// When `bound` has passed; says for what was waited.
pub fn until<T>(what: &str, bound: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let started = service::clock::instant();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(
            started.elapsed() < bound,
            "waited {} s in vain: {what}",
            bound.as_secs()
        );
        pause();
    }
}

/// Lets others run between two looks.
pub fn pause() {
    thread::park_timeout(AGAIN_AFTER);
}
