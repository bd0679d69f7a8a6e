use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use event::{Partition, Topic};
use futures::FutureExt as _;

use super::Fault;
use crate::{
    error::{Error, Severity},
    log::{Append, Commit, Log as _, Member, Offset, Polled, TopicPartition},
    simulated::Simulated,
};

/// Next offsets by number alone, whatever the topic and the machine.
pub(super) type Offsets = Arc<Mutex<BTreeMap<Partition, Offset>>>;

pub(super) struct BrokenMember {
    pub(super) log: Simulated,
    pub(super) inputs: Vec<Topic>,
    /// `None` only while this is dropped.
    pub(super) inner: Option<Box<dyn Member>>,
    pub(super) resumed: u32,
    pub(super) disk_full: Arc<AtomicBool>,
    pub(super) one_for_all: Offsets,
    pub(super) fault: Option<Fault>,
}

impl BrokenMember {
    fn inner(&mut self) -> &mut dyn Member {
        self.inner
            .as_deref_mut()
            .expect("it is there until this is dropped")
    }

    fn append(&self, appends: Vec<Append>) {
        let appended = self.log.append(appends).now_or_never();
        appended
            .expect("the simulated log answers at once")
            .expect("it takes what a commit may hold");
    }

    /// The inputs of a number, all at one offset.
    fn inputs_at(&self, number: Partition, offset: Offset) -> BTreeMap<TopicPartition, Offset> {
        let inputs = self.inputs.iter().cloned();
        inputs
            .map(|topic| (TopicPartition::new(topic, number), offset))
            .collect()
    }

    /// Commits if any of the partitions named may be committed.
    fn commit_any(&mut self, commit: &Commit) -> Result<(), Error> {
        let mut committed = self.inner().commit(commit.clone());
        let numbers: BTreeSet<_> = commit.next.keys().map(|at| at.partition).collect();
        for number in numbers {
            if committed.is_ok() {
                break;
            }
            let mut one = commit.clone();
            one.next.retain(|at, _| at.partition == number);
            committed = self.inner().commit(one);
        }
        committed
    }
}

impl Member for BrokenMember {
    fn poll(&mut self, records_max: usize, wait: Duration) -> Result<Polled, Error> {
        if self.fault == Some(Fault::GoesSilent) && self.resumed == 1 {
            return Ok(Polled::Records(Vec::new()));
        }
        let mut polled = self.inner().poll(records_max, wait)?;
        match &mut polled {
            Polled::Assigned(numbers) if self.fault == Some(Fault::NeverPauses) => {
                for number in numbers {
                    let all = self.inputs_at(*number, Offset::START);
                    self.inner().resume(&all)?;
                }
            }
            Polled::Revoked(_) if self.fault == Some(Fault::HidesRevocations) => {
                polled = Polled::Records(Vec::new());
            }
            Polled::Records(reads) if self.fault == Some(Fault::ReadsOnlyTheFirstInput) => {
                reads.retain(|read| read.at.topic == self.inputs[0]);
            }
            Polled::Assigned(_) | Polled::Revoked(_) | Polled::Records(_) => {}
        }
        Ok(polled)
    }

    fn committed(
        &mut self,
        partition: Partition,
    ) -> Result<BTreeMap<TopicPartition, Offset>, Error> {
        let committed = self.inner().committed(partition)?;
        Ok(match self.fault {
            Some(Fault::ForgetsOffsets) => BTreeMap::new(),
            Some(Fault::InventsOffsets) => {
                let mut all = self.inputs_at(partition, Offset::START);
                all.extend(committed);
                all
            }
            Some(Fault::KeepsOneOffsetForAll) => {
                let offsets = self.one_for_all.lock().expect("nobody panics with it");
                let offset = offsets.get(&partition);
                offset.map_or_else(BTreeMap::new, |offset| self.inputs_at(partition, *offset))
            }
            _ => committed,
        })
    }

    fn resume(&mut self, next: &BTreeMap<TopicPartition, Offset>) -> Result<(), Error> {
        self.resumed += 1;
        let mut next = next.clone();
        if self.fault == Some(Fault::NeverRewinds) {
            next.retain(|at, next| !self.inner().position(at).is_ok_and(|now| now > *next));
        }
        self.inner().resume(&next)
    }

    fn position(&mut self, at: &TopicPartition) -> Result<Offset, Error> {
        self.inner().position(at)
    }

    fn commit(&mut self, mut commit: Commit) -> Result<(), Error> {
        match self.fault {
            Some(Fault::CommitsTwice) => {
                self.inner().commit(commit.clone())?;
                self.append(Arc::unwrap_or_clone(commit.appends));
                return Ok(());
            }
            Some(Fault::ForgetsFencing) => {
                let committed = self.inner().commit(commit.clone());
                if committed.as_ref().map_err(Error::severity) == Err(Severity::Lost) {
                    self.append(Arc::unwrap_or_clone(commit.appends));
                    return Ok(());
                }
                return committed;
            }
            Some(Fault::FencesOnePartitionOnly) => return self.commit_any(&commit),
            Some(Fault::TakesEmptyOffsets) if commit.next.is_empty() => {
                self.append(Arc::unwrap_or_clone(commit.appends));
                return Ok(());
            }
            Some(Fault::DiskFull) if self.disk_full.load(Ordering::Relaxed) => {
                return Err(Error::DiskFull {
                    path: "nowhere".to_owned(),
                    reserve_bytes: 0,
                });
            }
            Some(Fault::ShowsEarly) => {
                self.append(std::mem::take(Arc::make_mut(&mut commit.appends)))
            }
            Some(Fault::ReordersACommit) => Arc::make_mut(&mut commit.appends).reverse(),
            Some(Fault::DropsOnePartitionOfACommit) => {
                if let Some(last) = commit.appends.last().map(|append| append.at.clone()) {
                    Arc::make_mut(&mut commit.appends).retain(|append| append.at != last);
                }
            }
            Some(Fault::KeepsOneOffsetForAll) => {
                let mut offsets = self.one_for_all.lock().expect("nobody panics with it");
                offsets.extend(commit.next.iter().map(|(at, next)| (at.partition, *next)));
            }
            _ => {}
        }
        self.inner().commit(commit)
    }
}

impl Drop for BrokenMember {
    fn drop(&mut self) {
        if self.fault == Some(Fault::KeepsTheGone) {
            std::mem::forget(self.inner.take());
        }
    }
}
