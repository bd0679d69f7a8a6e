//! The log in memory: seeded, with faults on request, for tests.
//!
//! Nothing in it happens by itself: the harness sets the time that records get and lets turns pass, and every choice comes
//! from the seed, so that a run replays. `Simulated::new` is a plain log in which everything is visible at once.

mod core;
mod faults;
mod group;
mod member;
mod partition;

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use event::{Time, topic::MachineName};
use futures::future::BoxFuture;

use self::core::Core;
pub use self::faults::{Counts, Faults};
use crate::{
    error::{Error, Severity},
    log::{self, Append, End, Log, Offset, Read, TopicPartition, TopicSpec},
};

/// Clones are the same log.
#[derive(Clone, Debug)]
pub struct Simulated {
    shared: Arc<Shared>,
}

impl Simulated {
    /// A log in which nothing goes wrong. Offsets still have gaps.
    pub fn new(seed: u64) -> Self {
        Self::with_faults(seed, Faults::default())
    }

    pub fn with_faults(seed: u64, faults: Faults) -> Self {
        let shared = Shared {
            core: Mutex::new(Core::new(seed, faults)),
            changed: Condvar::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// From now on other faults happen, or none: a run that is to come to rest ends without.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.lock().faults = faults;
    }

    /// The time that records get from now on.
    pub fn set_time(&self, now: Time) {
        self.shared.lock().now = now;
    }

    /// Lets turns pass: records become visible, unknown commits are decided, topics may be compacted.
    pub fn advance(&self, turns: u64) {
        let mut core = self.shared.lock();
        for _ in 0..turns {
            core.advance();
        }
        self.shared.notify();
    }

    /// Compacts all compacted topics now.
    pub fn compact(&self) {
        self.shared.lock().compact();
    }

    /// The partitions of a machine change hands.
    pub fn rebalance(&self, machine: MachineName) {
        self.shared.lock().rebalance(machine);
        self.shared.notify();
    }

    /// The group of a machine forgets its oldest member, as after a pause longer than the session. Whether there was one.
    pub fn expel(&self, machine: MachineName) -> bool {
        let mut core = self.shared.lock();
        let oldest = core
            .groups
            .get(&machine)
            .and_then(|group| group.members().first().copied());
        if let Some(member) = oldest {
            core.expel(member);
        }
        self.shared.notify();
        oldest.is_some()
    }

    /// The committed offsets of a machine expire, as those of a group without members do.
    pub fn forget_offsets(&self, machine: MachineName) {
        if let Some(group) = self.shared.lock().groups.get_mut(&machine) {
            group.committed.clear();
        }
    }

    /// All members die at once, and whatever was on its way is decided.
    pub fn restart(&self) {
        let mut core = self.shared.lock();
        core.memberships.clear();
        for group in core.groups.values_mut() {
            group.clear();
        }
        core.resolve_all();
        self.shared.notify();
    }

    pub fn counts(&self) -> Counts {
        self.shared.lock().counts
    }
}

#[derive(Debug)]
struct Shared {
    core: Mutex<Core>,
    changed: Condvar,
}

impl Shared {
    /// Whoever panicked with the lock held was a test; what it left is whole.
    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, core: MutexGuard<'a, Core>, wait: Duration) -> MutexGuard<'a, Core> {
        let waited = self.changed.wait_timeout(core, wait);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn notify(&self) {
        self.changed.notify_all();
    }
}

impl Log for Simulated {
    fn topics(&self) -> Result<Vec<TopicSpec>, Error> {
        Ok(self.shared.lock().specs())
    }

    fn create_topics(&self, specs: &[TopicSpec]) -> Result<(), Error> {
        self.shared.lock().create(specs)
    }

    fn append(&self, records: Vec<Append>) -> BoxFuture<'static, Result<(), Error>> {
        let mut core = self.shared.lock();
        let appended = append(&mut core, records);
        self.shared.notify();
        Box::pin(std::future::ready(appended))
    }

    fn read(&self, from: BTreeMap<TopicPartition, Offset>) -> Result<Box<dyn log::Reader>, Error> {
        let core = self.shared.lock();
        for at in from.keys() {
            core.partition(at)?;
        }
        drop(core);
        Ok(Box::new(Reader {
            shared: Arc::clone(&self.shared),
            positions: from,
        }))
    }

    fn start(&self, at: &TopicPartition) -> Result<Offset, Error> {
        Ok(self.shared.lock().partition(at)?.start())
    }

    fn end(&self, at: &TopicPartition, end: End) -> Result<Offset, Error> {
        let core = self.shared.lock();
        let partition = core.partition(at)?;
        Ok(match end {
            End::Committed => partition.stable(),
            End::Written => partition.end(),
        })
    }

    fn join(&self, group: log::Group) -> Result<Box<dyn log::Member>, Error> {
        let member = member::Member::join(Arc::clone(&self.shared), group)?;
        Ok(Box::new(member))
    }

    fn trim(&self, at: &TopicPartition, below: Offset) -> Result<(), Error> {
        self.shared.lock().trim(at, below)
    }
}

fn append(core: &mut Core, records: Vec<Append>) -> Result<(), Error> {
    core.check(&records)?;
    let failed = |text: &str| Error::Log {
        doing: "append".to_owned(),
        text: text.to_owned(),
        severity: Severity::Retry,
    };
    if core.happens(|faults| faults.append_lost) {
        core.counts.appends_lost += 1;
        return Err(failed("no answer came, and nothing was taken"));
    }
    core.write(records, None);
    if core.happens(|faults| faults.append_unknown) {
        core.counts.appends_unknown += 1;
        return Err(failed("no answer came, though all was taken"));
    }
    Ok(())
}

#[derive(Debug)]
struct Reader {
    shared: Arc<Shared>,
    positions: BTreeMap<TopicPartition, Offset>,
}

impl Reader {
    fn visible(&mut self, core: &Core, records_max: usize) -> Result<Vec<Read>, Error> {
        let mut reads = Vec::new();
        for (at, position) in &mut self.positions {
            let room = records_max - reads.len();
            if room == 0 {
                break;
            }
            let (more, next) = core.visible(at, *position, room)?;
            reads.extend(more);
            *position = next;
        }
        Ok(reads)
    }
}

impl log::Reader for Reader {
    fn poll(&mut self, records_max: usize, wait: Duration) -> Result<Vec<Read>, Error> {
        let shared = Arc::clone(&self.shared);
        let core = shared.lock();
        let reads = self.visible(&core, records_max)?;
        if !reads.is_empty() || wait.is_zero() {
            return Ok(reads);
        }
        let core = shared.wait(core, wait);
        self.visible(&core, records_max)
    }

    fn position(&mut self, at: &TopicPartition) -> Result<Offset, Error> {
        let position = self.positions.get(at).copied();
        position.ok_or_else(|| {
            core::fatal(
                format!("ask for the position in {at}"),
                "this reader does not read it".to_owned(),
            )
        })
    }
}
