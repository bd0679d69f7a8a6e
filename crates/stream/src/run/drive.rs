#![expect(
    clippy::disallowed_methods,
    reason = "the one place where the loop meets the real clocks"
)]

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use event::Time;
use machine::Machine;

use super::{Clock, Error, Runner, Stats, Turn};

/// How long a loop that waits looks away from its stop flag.
const PARK_MAX: Duration = Duration::from_millis(50);

/// Steps a loop by the real clocks until it is told to stop. The batch at hand is finished; the member leaves its group.
///
/// # Errors
/// What trying again does not mend.
pub fn drive<M: Machine>(mut runner: Runner<M>, stop: &AtomicBool) -> Result<Stats, Error> {
    let started = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let clock = Clock {
            now: wall_clock(),
            monotonic: started.elapsed(),
        };
        if let Turn::Waiting { until } = runner.turn(clock)? {
            let rest = until.saturating_sub(clock.monotonic);
            thread::park_timeout(rest.min(PARK_MAX));
        }
    }
    Ok(runner.leave())
}

/// Drives a loop on a thread of its own, named after its machine.
///
/// # Errors
/// When the system gives no thread.
pub fn spawn<M: Machine>(
    runner: Runner<M>,
    stop: Arc<AtomicBool>,
) -> io::Result<JoinHandle<Result<Stats, Error>>> {
    thread::Builder::new()
        .name(runner.machine_name().as_str().to_owned())
        .spawn(move || drive(runner, &stop))
}

fn wall_clock() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    Time::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}
