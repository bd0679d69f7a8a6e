//! Logs that break one promise each, to show that the suite notices.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use event::{Partition, topic::MachineName};
use futures::future::BoxFuture;

use super::{Fixture, broken_promises, run};
use crate::{
    error::{Error, Severity},
    log::{
        Append, Commit, End, Group, Log, Member, Offset, Polled, Reader, SharedLog, TopicPartition,
        TopicSpec,
    },
    simulated::{Faults, Simulated},
};

/// What a log does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    CommitsTwice,
    ShowsEarly,
    ForgetsFencing,
    LosesAcknowledgedAppend,
    ForgetsOffsets,
    DropsOnePartitionOfACommit,
    Reorders,
    ForgetsAtRestart,
    TakesEmptyOffsets,
    NeverPauses,
    TrimsTooMuch,
    /// A member hears of no record until it is told a second time where to read on.
    GoesSilent,
    /// There is no space for a commit, until there is.
    DiskFull,
}

pub(crate) struct Broken {
    inner: Simulated,
    fault: Option<Fault>,
    disk_full: Arc<AtomicBool>,
}

impl Broken {
    pub(crate) fn new(inner: Simulated, fault: Fault) -> Self {
        Self {
            inner,
            fault: Some(fault),
            disk_full: Arc::new(AtomicBool::new(fault == Fault::DiskFull)),
        }
    }

    pub(crate) fn disk_full(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.disk_full)
    }
}

impl Log for Broken {
    fn topics(&self) -> Result<Vec<TopicSpec>, Error> {
        self.inner.topics()
    }

    fn create_topics(&self, specs: &[TopicSpec]) -> Result<(), Error> {
        self.inner.create_topics(specs)
    }

    fn append(&self, mut records: Vec<Append>) -> BoxFuture<'static, Result<(), Error>> {
        match self.fault {
            Some(Fault::LosesAcknowledgedAppend) => {
                records.pop();
            }
            Some(Fault::Reorders) => records.reverse(),
            _ => {}
        }
        self.inner.append(records)
    }

    fn read(&self, from: BTreeMap<TopicPartition, Offset>) -> Result<Box<dyn Reader>, Error> {
        self.inner.read(from)
    }

    fn start(&self, at: &TopicPartition) -> Result<Offset, Error> {
        self.inner.start(at)
    }

    fn end(&self, at: &TopicPartition, end: End) -> Result<Offset, Error> {
        self.inner.end(at, end)
    }

    fn join(&self, group: Group) -> Result<Box<dyn Member>, Error> {
        Ok(Box::new(BrokenMember {
            log: self.inner.clone(),
            inputs: group.inputs.clone(),
            inner: self.inner.join(group)?,
            resumed: 0,
            disk_full: Arc::clone(&self.disk_full),
            fault: self.fault,
        }))
    }

    fn trim(&self, at: &TopicPartition, below: Offset) -> Result<(), Error> {
        if self.fault == Some(Fault::TrimsTooMuch) {
            return match self.inner.trim(at, below) {
                Err(error) if error.to_string().contains("committed offset") => Ok(()),
                trimmed => trimmed,
            };
        }
        self.inner.trim(at, below)
    }
}

struct BrokenMember {
    log: Simulated,
    inputs: Vec<event::Topic>,
    inner: Box<dyn Member>,
    resumed: u32,
    disk_full: Arc<AtomicBool>,
    fault: Option<Fault>,
}

impl BrokenMember {
    fn append(&self, appends: Vec<Append>) {
        futures::FutureExt::now_or_never(self.log.append(appends))
            .expect("the simulated log answers at once")
            .expect("it takes what a commit may hold");
    }
}

impl Member for BrokenMember {
    fn poll(&mut self, records_max: usize, wait: Duration) -> Result<Polled, Error> {
        if self.fault == Some(Fault::GoesSilent) && self.resumed == 1 {
            return Ok(Polled::Records(Vec::new()));
        }
        let polled = self.inner.poll(records_max, wait)?;
        if let Polled::Assigned(numbers) = &polled
            && self.fault == Some(Fault::NeverPauses)
        {
            for number in numbers {
                let all = self.inputs.iter().map(|topic| {
                    let at = TopicPartition::new(topic.clone(), *number);
                    (at, Offset::START)
                });
                self.inner.resume(&all.collect())?;
            }
        }
        Ok(polled)
    }

    fn committed(
        &mut self,
        partition: Partition,
    ) -> Result<BTreeMap<TopicPartition, Offset>, Error> {
        if self.fault == Some(Fault::ForgetsOffsets) {
            return Ok(BTreeMap::new());
        }
        self.inner.committed(partition)
    }

    fn resume(&mut self, next: &BTreeMap<TopicPartition, Offset>) -> Result<(), Error> {
        self.resumed += 1;
        self.inner.resume(next)
    }

    fn position(&mut self, at: &TopicPartition) -> Result<Offset, Error> {
        self.inner.position(at)
    }

    fn commit(&mut self, mut commit: Commit) -> Result<(), Error> {
        match self.fault {
            Some(Fault::CommitsTwice) => {
                self.inner.commit(commit.clone())?;
                self.append(commit.appends);
                Ok(())
            }
            Some(Fault::ShowsEarly) => {
                self.append(std::mem::take(&mut commit.appends));
                self.inner.commit(commit)
            }
            Some(Fault::ForgetsFencing) => match self.inner.commit(commit.clone()) {
                Err(error) if error.severity() == Severity::Lost => {
                    self.append(commit.appends);
                    Ok(())
                }
                committed => committed,
            },
            Some(Fault::DropsOnePartitionOfACommit) => {
                if let Some(last) = commit.appends.last().map(|append| append.at.clone()) {
                    commit.appends.retain(|append| append.at != last);
                }
                self.inner.commit(commit)
            }
            Some(Fault::DiskFull) if self.disk_full.load(Ordering::Relaxed) => {
                Err(Error::DiskFull {
                    path: "nowhere".to_owned(),
                    reserve_bytes: 0,
                })
            }
            Some(Fault::TakesEmptyOffsets) if commit.next.is_empty() => {
                self.append(commit.appends);
                Ok(())
            }
            _ => self.inner.commit(commit),
        }
    }
}

struct Shelf {
    log: Mutex<Simulated>,
    fault: Option<Fault>,
    hidden_turns_max: u64,
}

impl Shelf {
    fn new(fault: Option<Fault>) -> Self {
        Self {
            log: Mutex::new(Simulated::new(0)),
            fault,
            hidden_turns_max: 0,
        }
    }

    fn log(&self) -> Simulated {
        self.log
            .lock()
            .expect("no test panics with it held")
            .clone()
    }

    fn open(&self) -> SharedLog {
        Arc::new(Broken {
            inner: self.log(),
            fault: self.fault,
            disk_full: Arc::default(),
        })
    }
}

impl Fixture for Shelf {
    fn fresh(&self) -> SharedLog {
        let faults = Faults {
            hidden_turns_max: self.hidden_turns_max,
            ..Faults::default()
        };
        let log = Simulated::with_faults(7, faults);
        *self.log.lock().expect("no test panics with it held") = log;
        self.open()
    }

    fn restart(&self, log: SharedLog) -> SharedLog {
        drop(log);
        self.log().restart();
        if self.fault == Some(Fault::ForgetsAtRestart) {
            let specs = self.log().topics().expect("they can be listed");
            let empty = self.fresh();
            empty.create_topics(&specs).expect("there are none");
        }
        self.open()
    }

    fn settle(&self) {
        self.log().advance(self.hidden_turns_max);
    }

    fn compact(&self) {
        self.log().compact();
    }

    fn expel(&self, machine: MachineName) {
        self.log().expel(machine);
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(50)
    }
}

#[test]
fn the_simulated_log_keeps_every_promise() {
    run(&Shelf::new(None));
}

#[test]
fn a_log_that_shows_each_partition_later_keeps_every_promise_too() {
    run(&Shelf {
        hidden_turns_max: 5,
        ..Shelf::new(None)
    });
}

#[test]
fn each_broken_log_is_caught_by_the_promise_it_breaks() {
    for (fault, promise) in [
        (
            Fault::CommitsTwice,
            "each_record_of_a_commit_is_there_once_and_in_order",
        ),
        (
            Fault::ShowsEarly,
            "an_older_owner_is_refused_and_leaves_nothing",
        ),
        (
            Fault::ForgetsFencing,
            "an_older_owner_is_refused_and_leaves_nothing",
        ),
        (
            Fault::LosesAcknowledgedAppend,
            "an_acknowledged_append_survives_a_restart",
        ),
        (
            Fault::ForgetsOffsets,
            "a_commit_takes_records_state_and_offsets_together",
        ),
        (
            Fault::DropsOnePartitionOfACommit,
            "a_commit_takes_records_state_and_offsets_together",
        ),
        (
            Fault::Reorders,
            "a_partition_is_read_in_the_order_it_was_appended",
        ),
        (Fault::ForgetsAtRestart, "a_commit_survives_a_restart"),
        (
            Fault::TakesEmptyOffsets,
            "a_commit_without_offsets_is_refused",
        ),
        (
            Fault::NeverPauses,
            "a_partition_is_paused_until_it_is_resumed",
        ),
        (
            Fault::TrimsTooMuch,
            "trimming_above_the_committed_offset_is_refused",
        ),
    ] {
        let broken = broken_promises(&Shelf::new(Some(fault)));
        assert!(broken.contains(&promise), "{fault:?} broke only {broken:?}");
    }
}
