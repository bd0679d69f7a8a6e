//! Whether the loops of a process go round, and what that says of its health.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use service::{
    clock,
    health::{Condition, Health},
    shutdown::Shutdown,
};
use stream::run::{self, Stats};

/// A machine's loop on its thread.
pub(crate) struct Loop {
    pub(crate) name: &'static str,
    pub(crate) thread: JoinHandle<Result<Stats, run::Error>>,
    pub(crate) ready: Arc<AtomicBool>,
    pub(crate) turns: Arc<AtomicU64>,
}

/// How long one turn may take: far more than a cluster that does not answer is waited for, so that a broker's trouble never
/// makes a process look dead.
const TURN_MAX: Duration = Duration::from_secs(180);

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Tells the health of the loops, and stops the process when one of them ends by itself.
pub(crate) async fn watch(loops: &[Loop], health: &Health, shutdown: &Shutdown) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let mut beats: Vec<Beat> = loops.iter().map(Beat::of).collect();
    while !shutdown.is_stopping() {
        for (one, beat) in loops.iter().zip(&mut beats) {
            if one.thread.is_finished() {
                shutdown.stop();
            }
            health.set(one.name, condition(one, beat));
        }
        tokio::select! { _ = looks.tick() => {}, () = shutdown.stopping() => {} }
    }
}

/// What a loop says of itself before its state is there.
pub(crate) fn restoring() -> Condition {
    Condition::Starting {
        what: "restoring its state".to_owned(),
    }
}

/// When a loop was last seen to begin a turn.
struct Beat {
    turns: u64,
    at: Instant,
}

impl Beat {
    fn of(one: &Loop) -> Beat {
        Beat {
            turns: one.turns.load(Ordering::Relaxed),
            at: clock::instant(),
        }
    }
}

fn condition(one: &Loop, beat: &mut Beat) -> Condition {
    let seen = Beat::of(one);
    let silent = seen.at - beat.at;
    if seen.turns != beat.turns {
        *beat = seen;
    }
    if one.thread.is_finished() {
        let why = "its loop ended".to_owned();
        Condition::Failed { why }
    } else if beat.at.elapsed() > TURN_MAX {
        let why = format!(
            "its loop hangs: it began no turn for {} s",
            silent.as_secs()
        );
        Condition::Failed { why }
    } else if one.ready.load(Ordering::Acquire) {
        Condition::Ready
    } else {
        restoring()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_loop_that_begins_no_turn_is_dead_and_lives_again_when_it_does() {
        let (stop, stopped) = mpsc::channel::<()>();
        let one = Loop {
            name: "unify",
            thread: std::thread::spawn(move || {
                // It ends when the other side does.
                stopped.recv().unwrap_err();
                Ok(Stats::default())
            }),
            ready: Arc::default(),
            turns: Arc::default(),
        };
        let mut beat = Beat::of(&one);
        assert_eq!(condition(&one, &mut beat), restoring());
        one.ready.store(true, Ordering::Release);
        assert_eq!(condition(&one, &mut beat), Condition::Ready);

        let long_ago = clock::instant().checked_sub(TURN_MAX + Duration::from_secs(1));
        beat.at = long_ago.expect("the machine runs for longer than a turn may take");
        let hangs = condition(&one, &mut beat);
        assert!(
            matches!(hangs, Condition::Failed { ref why } if why.contains("181 s")),
            "{hangs:?}"
        );
        one.turns.fetch_add(1, Ordering::Relaxed);
        assert_eq!(condition(&one, &mut beat), Condition::Ready);

        drop(stop);
        while !one.thread.is_finished() {
            std::thread::yield_now();
        }
        let ended = condition(&one, &mut beat);
        assert!(
            matches!(ended, Condition::Failed { ref why } if why == "its loop ended"),
            "{ended:?}"
        );
    }
}
