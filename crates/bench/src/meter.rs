//! The clocks: how long something took, and how much processor time it cost.

use std::{
    ops::AddAssign,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

/// What something took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spent {
    pub(crate) wall: Duration,
    /// Of all threads of this process, in the kernel too.
    pub(crate) cpu: Duration,
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Spent) {
        self.wall += other.wall;
        self.cpu += other.cpu;
    }
}

/// Measures from its making on.
pub(crate) struct Meter {
    began: Instant,
    cpu: Duration,
}

impl Meter {
    pub(crate) fn start() -> Meter {
        Meter {
            began: service::clock::instant(),
            cpu: read(ClockId::ProcessCPUTime),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub(crate) fn stop(&self) -> Spent {
        Spent {
            wall: self.began.elapsed(),
            cpu: read(ClockId::ProcessCPUTime).saturating_sub(self.cpu),
        }
    }
}

/// The processor time of the calling thread since it began.
pub(crate) fn thread_cpu() -> Duration {
    read(ClockId::ThreadCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).expect("processor time is not negative");
    let nanos = u32::try_from(time.tv_nsec).expect("a second has less than 2^32 nanoseconds");
    Duration::new(seconds, nanos)
}

/// One call in so many is timed: reading a thread's clock costs about as much as the shortest calls.
const ONE_IN: u64 = 16;

/// The processor time of one kind of call that is made very often. Clones count together.
#[derive(Clone, Default)]
pub(crate) struct Gauge(Arc<Counts>);

#[derive(Default)]
struct Counts {
    calls: AtomicU64,
    timed: AtomicU64,
    nanos: AtomicU64,
}

impl Gauge {
    pub(crate) fn time<T>(&self, call: impl FnOnce() -> T) -> T {
        let number = self.0.calls.fetch_add(1, Ordering::Relaxed);
        if !number.is_multiple_of(ONE_IN) {
            return call();
        }
        let before = thread_cpu();
        let result = call();
        let took = thread_cpu().saturating_sub(before);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.0.nanos.fetch_add(nanos, Ordering::Relaxed);
        self.0.timed.fetch_add(1, Ordering::Relaxed);
        result
    }

    /// What all calls took, as far as those timed are like the others. The clock's own time is taken off.
    pub(crate) fn total(&self) -> Duration {
        let timed = self.0.timed.load(Ordering::Relaxed);
        if timed == 0 {
            return Duration::ZERO;
        }
        let seconds = Duration::from_nanos(self.0.nanos.load(Ordering::Relaxed)).as_secs_f64();
        let clocks = clock_seconds() * timed as f64;
        let calls = self.0.calls.load(Ordering::Relaxed);
        Duration::from_secs_f64((seconds - clocks).max(0.0) / timed as f64 * calls as f64)
    }
}

/// What reading the clock twice shows of itself.
fn clock_seconds() -> f64 {
    const READS: u32 = 1_000;
    let before = thread_cpu();
    for _ in 0..READS {
        std::hint::black_box(thread_cpu());
    }
    (thread_cpu().saturating_sub(before) / READS).as_secs_f64()
}
