use std::{
    any::Any,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use event::{Partition, Time};
use machine::{Changes, Effects, Input, Machine, Outcome, Overlay, Shard, State};

use super::{
    Binding, Tally,
    held::Held,
    reject,
    row::{Codec, Mark},
};
use crate::log::{Append, Commit, Offset, RECORD_BYTES_MAX, Read, TopicPartition};

/// What a batch did so far, over all partitions it touches.
pub(super) struct Batch<M: Machine> {
    pub(super) works: BTreeMap<Partition, Work<M>>,
    appends: Vec<Append>,
    bytes: usize,
    pub(super) tally: Tally,
}

/// What a batch did in one partition.
pub(super) struct Work<M: Machine> {
    pub(super) changes: Changes<M::Key, M::Row>,
    pub(super) next: BTreeMap<TopicPartition, Offset>,
    /// When the log took the last record of each input.
    pub(super) seen: BTreeMap<TopicPartition, Time>,
}

impl<M: Machine> Batch<M> {
    fn new() -> Self {
        Self {
            works: BTreeMap::new(),
            appends: Vec::new(),
            bytes: 0,
            tally: Tally::default(),
        }
    }

    fn work(&mut self, held: &Held<M>) -> &mut Work<M> {
        self.works
            .entry(held.codec.at.partition)
            .or_insert_with(|| Work {
                changes: Changes::new(),
                next: held.next.clone(),
                seen: BTreeMap::new(),
            })
    }

    fn push(&mut self, append: Append) {
        assert_fits(&append);
        self.bytes += size(&append);
        self.appends.push(append);
    }
}

fn size(append: &Append) -> usize {
    append.key.len() + append.value.as_ref().map_or(0, bytes::Bytes::len)
}

fn assert_fits(append: &Append) {
    let bytes = size(append);
    assert!(
        bytes <= RECORD_BYTES_MAX,
        "a record for {} has {bytes} bytes, more than the {RECORD_BYTES_MAX} a record may have",
        append.at.topic
    );
}

/// Steps the machine over the held partitions. Changes nothing but the batch.
pub(super) struct Stepper<'r, M: Machine> {
    pub(super) machine: &'r M,
    pub(super) binding: &'r Binding<M>,
    pub(super) held: &'r BTreeMap<Partition, Held<M>>,
    /// P, and the number of partitions of the machine's inputs.
    pub(super) partitions: u32,
    pub(super) own_partitions: u32,
    pub(super) now: Time,
    /// What the wall clock shows: no timer that is due later fires.
    pub(super) due_max: Time,
    pub(super) bytes_max: usize,
}

/// The text of an assertion that did not hold.
#[derive(Debug)]
pub(super) struct Broken(pub(super) String);

/// Where an assertion did not hold.
#[derive(Debug)]
pub(super) enum Fault {
    Step(String),
    Tick { partition: Partition, text: String },
}

/// A batch, how many records it took, and what is to be committed, if anything.
type Stepped<M> = (Batch<M>, usize, Option<Commit>);

impl<M: Machine> Stepper<'_, M> {
    /// Steps records in one of two ways, `all` or `one_by_one`, then gives the ticks that are due.
    pub(super) fn batch(
        &self,
        reads: &[Read],
        way: impl Fn(&Self, &[Read]) -> Result<(Batch<M>, usize), Broken>,
    ) -> Result<Stepped<M>, Fault> {
        let (mut batch, taken) = way(self, reads).map_err(|Broken(text)| Fault::Step(text))?;
        for (partition, held) in self.held {
            self.tick(held, &mut batch)
                .map_err(|Broken(text)| Fault::Tick {
                    partition: *partition,
                    text,
                })?;
        }
        if batch.works.is_empty() {
            return Ok((batch, taken, None));
        }
        let commit = self.seal(&mut batch);
        let commit = commit.map_err(|Broken(text)| Fault::Step(text))?;
        Ok((batch, taken, Some(commit)))
    }

    /// Steps records until they are all taken or the batch is full. How many were taken.
    pub(super) fn all(&self, reads: &[Read]) -> Result<(Batch<M>, usize), Broken> {
        caught(|| {
            let mut batch = Batch::new();
            let mut taken = 0;
            for read in reads {
                if batch.bytes >= self.bytes_max {
                    break;
                }
                self.record(read, &mut batch);
                taken += 1;
            }
            (batch, taken)
        })
    }

    /// The same for a batch in which an assertion did not hold: each record by itself, and the culprit is rejected.
    pub(super) fn one_by_one(&self, reads: &[Read]) -> Result<(Batch<M>, usize), Broken> {
        let mut batch = Batch::new();
        let mut taken = 0;
        for read in reads {
            if batch.bytes >= self.bytes_max {
                break;
            }
            self.guarded(read, &mut batch);
            taken += 1;
        }
        Ok((batch, taken))
    }

    fn guarded(&self, read: &Read, batch: &mut Batch<M>) {
        let held = &self.held[&read.at.partition];
        let changes = batch.work(held).changes.clone();
        let (appends, bytes, tally) = (batch.appends.len(), batch.bytes, batch.tally);
        let stepped = caught(|| {
            self.record(read, batch);
            let work = &batch.works[&read.at.partition];
            for (key, row) in &work.changes {
                if changes.get(key) != Some(row) {
                    assert_fits(&held.codec.row(key, row.as_ref()));
                }
            }
        });
        if let Err(Broken(text)) = stepped {
            batch.work(held).changes = changes;
            batch.appends.truncate(appends);
            batch.bytes = bytes;
            batch.tally = tally;
            let reject = reject::assertion(read, self.now, &text);
            self.reject(reject, batch);
            self.took(read, Outcome::Rejected, batch);
        }
    }

    fn record(&self, read: &Read, batch: &mut Batch<M>) {
        let outcome = match (self.binding.decode)(read) {
            Ok(record) => {
                let held = &self.held[&read.at.partition];
                self.step(held, Input::Record(record), batch)
            }
            Err(text) => {
                self.reject(reject::undecodable(read, self.now, &text), batch);
                Outcome::Rejected
            }
        };
        self.took(read, outcome, batch);
    }

    fn took(&self, read: &Read, outcome: Outcome, batch: &mut Batch<M>) {
        let work = batch.work(&self.held[&read.at.partition]);
        work.next.insert(read.at.clone(), read.offset.next());
        work.seen.insert(read.at.clone(), read.time);
        batch.tally.inputs += 1;
        batch.tally.count(outcome);
    }

    fn reject(&self, reject: event::reject::Reject, batch: &mut Batch<M>) {
        let record = event::Record::Reject(reject);
        batch.push((self.binding.encode)(&record, self.partitions));
    }

    fn step(&self, held: &Held<M>, input: Input<M::Record>, batch: &mut Batch<M>) -> Outcome {
        let shard = Shard {
            partition: held.codec.at.partition,
            partitions: self.own_partitions,
        };
        let changes = std::mem::take(&mut batch.work(held).changes);
        let mut overlay = Overlay::resume(&held.state, changes);
        let mut effects = Effects::new();
        let outcome = self
            .machine
            .step(self.now, shard, input, &mut overlay, &mut effects);
        batch.work(held).changes = overlay.into_changes();
        for record in effects.records() {
            batch.push((self.binding.encode)(record, self.partitions));
        }
        outcome
    }

    /// Gives a partition the tick it wants, if its inputs are known so far. Queued work goes on in the next batch.
    fn tick(&self, held: &Held<M>, batch: &mut Batch<M>) -> Result<(), Broken> {
        let due_max = held.horizon.reached().min(self.due_max);
        let due = match batch.works.get_mut(&held.codec.at.partition) {
            Some(work) => next_due(self.machine, &held.state, &mut work.changes)?,
            None => held.due,
        };
        if batch.bytes >= self.bytes_max || due.is_none_or(|due| due > due_max) {
            return Ok(());
        }
        let input = Input::Tick { due: due_max };
        let outcome = caught(|| self.step(held, input, batch))?;
        if batch.work(held).changes.is_empty() {
            let text = "a timer was due and its tick changed nothing, so that it stays due";
            return Err(Broken(text.to_owned()));
        }
        batch.tally.inputs += 1;
        batch.tally.count(outcome);
        Ok(())
    }

    /// Everything that leaves the batch, as one commit.
    fn seal(&self, batch: &mut Batch<M>) -> Result<Commit, Broken> {
        caught(|| {
            let mut appends = std::mem::take(&mut batch.appends);
            let mut next = BTreeMap::new();
            for (partition, work) in &batch.works {
                let held = &self.held[partition];
                rows(held, work, &held.codec, &mut appends);
                let mark = Mark::new(self.now, &work.next);
                appends.push(held.codec.mark(&mark));
                next.extend(work.next.iter().map(|(at, next)| (at.clone(), *next)));
            }
            Commit { appends, next }
        })
    }
}

/// When the next tick is wanted by a state with changes over it.
pub(super) fn next_due<M: Machine>(
    machine: &M,
    state: &State<M::Key, M::Row>,
    changes: &mut Changes<M::Key, M::Row>,
) -> Result<Option<Time>, Broken> {
    let overlay = Overlay::resume(state, std::mem::take(changes));
    let due = caught(|| machine.next_due(&overlay));
    *changes = overlay.into_changes();
    due
}

/// The rows that are not what they were.
fn rows<M: Machine>(held: &Held<M>, work: &Work<M>, codec: &Codec, appends: &mut Vec<Append>) {
    for (key, row) in &work.changes {
        if held.state.get(key) != row.as_ref() {
            let append = codec.row(key, row.as_ref());
            assert_fits(&append);
            appends.push(append);
        }
    }
}

/// A machine takes `&self` and what it changed is dropped with the batch, so that nothing half done outlives a panic.
fn caught<T>(step: impl FnOnce() -> T) -> Result<T, Broken> {
    catch_unwind(AssertUnwindSafe(step)).map_err(|panic| Broken(text(panic.as_ref())))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".to_owned())
}
