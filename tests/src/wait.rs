//! Waiting for a condition, with a bound.

use std::{thread, time::Duration};

/// How long between two looks.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Looks until there is something to see.
///
/// # Panics
/// When `bound` has passed; says for what was waited.
pub fn until<T>(what: &str, bound: Duration, look: impl FnMut() -> Option<T>) -> T {
    until_or(what, bound, look, String::new)
}

/// The same, where more can be said of what is seen instead.
///
/// # Panics
/// When `bound` has passed; says for what was waited, and what there is.
pub fn until_or<T>(
    what: &str,
    bound: Duration,
    mut look: impl FnMut() -> Option<T>,
    instead: impl FnOnce() -> String,
) -> T {
    let started = service::clock::instant();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        if started.elapsed() >= bound {
            panic!(
                "waited {} s in vain: {what}\n{}",
                bound.as_secs(),
                instead()
            );
        }
        pause();
    }
}

/// Lets others run between two looks.
pub fn pause() {
    thread::park_timeout(AGAIN_AFTER);
}
