//! Tests that keep every core busy take turns, so that none is slow, and none runs into its bounds, for another's sake. What runs
//! beside the one whose turn it is mostly waits.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits for its turn, which lasts until what is returned is dropped.
#[must_use = "the turn ends when this is dropped"]
pub fn take() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // A test that failed in its turn harms no other.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
