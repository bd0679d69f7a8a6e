use std::{
    any::Any,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use event::{Partition, Time};
use machine::{AHEAD, Changes, Effects, Input, Machine, Outcome, Overlay, Shard, State};

use super::{
    Binding, Tally,
    held::Held,
    journal::{Mark, Spare, Turned},
    outbox::Outbox,
    reject,
};
use crate::log::{Commit, Offset, Read, TopicPartition};

/// How many records are stepped one by one before they are committed.
const GUARDED_MAX: usize = 500;

/// What a batch did so far, over all partitions it touches.
pub(super) struct Batch<M: Machine> {
    pub(super) works: BTreeMap<Partition, Work<M>>,
    pub(super) rooms: Rooms<M>,
    outbox: Outbox,
    /// What a step puts out, until it is written.
    effects: Effects,
    /// Of all that it commits, once it is sealed.
    pub(super) bytes: usize,
    pub(super) tally: Tally,
}

/// Empty tables of changes that were committed, each with the room of a batch: what is put there does not meet new memory.
pub(super) type Rooms<M> = Vec<Changes<<M as Machine>::Key, <M as Machine>::Row>>;

/// What a batch did in one partition.
pub(super) struct Work<M: Machine> {
    pub(super) changes: Changes<M::Key, M::Row>,
    pub(super) next: BTreeMap<TopicPartition, Offset>,
    /// When the log took the last record of each input.
    pub(super) seen: BTreeMap<TopicPartition, Time>,
    /// What the pages of rows are once it is committed.
    pub(super) turned: Option<Turned>,
}

impl<M: Machine> Batch<M> {
    /// With room for so many bytes.
    pub(super) fn new(room: usize, rooms: Rooms<M>) -> Self {
        Self {
            works: BTreeMap::new(),
            rooms,
            outbox: Outbox::with_room(room),
            effects: Effects::new(),
            bytes: 0,
            tally: Tally::default(),
        }
    }

    fn work(&mut self, held: &Held<M>) -> &mut Work<M> {
        let rooms = &mut self.rooms;
        self.works.entry(held.partition()).or_insert_with(|| Work {
            changes: rooms.pop().unwrap_or_default(),
            next: held.next.clone(),
            seen: BTreeMap::new(),
            turned: None,
        })
    }
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
    pub(super) spare: Spare,
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

/// A record, or why its bytes are none.
type Decoded<M> = Result<<M as Machine>::Record, String>;

/// A batch, how many records it took, and what is to be committed, if anything.
type Stepped<M> = (Batch<M>, usize, Option<Commit>);

impl<M: Machine> Stepper<'_, M> {
    /// Steps records into an empty batch in one of two ways, `all` or `one_by_one`, then gives the ticks that are due.
    pub(super) fn batch(
        &self,
        mut batch: Batch<M>,
        reads: &[Read],
        way: impl Fn(&Self, &[Read], &mut Batch<M>) -> Result<usize, Broken>,
    ) -> Result<Stepped<M>, Fault> {
        let taken = way(self, reads, &mut batch);
        let taken = taken.map_err(|Broken(text)| Fault::Step(text))?;
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
    pub(super) fn all(&self, reads: &[Read], batch: &mut Batch<M>) -> Result<usize, Broken> {
        caught(|| {
            let mut taken = 0;
            for some in reads.chunks(AHEAD) {
                let decode = |read| (read, (self.binding.decode)(read));
                let decoded: Vec<(&Read, Decoded<M>)> = some.iter().map(decode).collect();
                self.look_ahead(&decoded);
                for (read, record) in decoded {
                    if batch.outbox.bytes() >= self.bytes_max {
                        return taken;
                    }
                    self.record(read, record, batch);
                    taken += 1;
                }
            }
            taken
        })
    }

    /// Lets the machine look at what the steps of some records will ask for.
    fn look_ahead(&self, decoded: &[(&Read, Decoded<M>)]) {
        let is_together =
            |one: &(&Read, _), next: &(&Read, _)| one.0.at.partition == next.0.at.partition;
        for some in decoded.chunk_by(is_together) {
            let state = &self.held[&some[0].0.at.partition].state;
            let records = some.iter().filter_map(|(_, record)| record.as_ref().ok());
            machine::look_ahead(self.machine, records, state);
        }
    }

    /// The same for a batch in which an assertion did not hold: each record by itself, and the culprit is rejected. The batch is a small
    /// one, since each record is stepped beside a copy of all that was changed before it.
    pub(super) fn one_by_one(&self, reads: &[Read], batch: &mut Batch<M>) -> Result<usize, Broken> {
        let mut taken = 0;
        for read in &reads[..reads.len().min(GUARDED_MAX)] {
            if batch.outbox.bytes() >= self.bytes_max {
                break;
            }
            self.guarded(read, batch);
            taken += 1;
        }
        Ok(taken)
    }

    fn guarded(&self, read: &Read, batch: &mut Batch<M>) {
        let held = &self.held[&read.at.partition];
        let changes = batch.work(held).changes.clone();
        let (level, tally) = (batch.outbox.level(), batch.tally);
        let stepped = caught(|| {
            self.record(read, (self.binding.decode)(read), batch);
            let work = &batch.works[&read.at.partition];
            for (key, row) in &work.changes {
                if changes.get(key) != Some(row) {
                    held.journal.place.assert_fits(key, row.as_ref());
                }
            }
        });
        if let Err(Broken(text)) = stepped {
            batch.work(held).changes = changes;
            batch.effects.clear();
            batch.outbox.fall_back(level);
            batch.tally = tally;
            let reject = reject::assertion(read, self.now, &text);
            self.reject(reject, batch);
            self.took(read, Outcome::Rejected, batch);
        }
    }

    fn record(&self, read: &Read, decoded: Decoded<M>, batch: &mut Batch<M>) {
        let outcome = match decoded {
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
        set(&mut work.next, &read.at, read.offset.next());
        set(&mut work.seen, &read.at, read.time);
        batch.tally.inputs += 1;
        batch.tally.count(outcome);
    }

    fn reject(&self, reject: event::reject::Reject, batch: &mut Batch<M>) {
        let record = event::Record::Reject(reject);
        let encode = &self.binding.encode;
        batch.outbox.put(|to| encode(&record, self.partitions, to));
    }

    fn step(&self, held: &Held<M>, input: Input<M::Record>, batch: &mut Batch<M>) -> Outcome {
        let shard = Shard {
            partition: held.partition(),
            partitions: self.own_partitions,
        };
        let changes = std::mem::take(&mut batch.work(held).changes);
        let mut overlay = Overlay::resume(&held.state, changes);
        let effects = &mut batch.effects;
        let outcome = self
            .machine
            .step(self.now, shard, input, &mut overlay, effects);
        let changes = overlay.into_changes();
        batch.work(held).changes = changes;
        let encode = &self.binding.encode;
        for record in batch.effects.records() {
            batch.outbox.put(|to| encode(record, self.partitions, to));
        }
        batch.effects.clear();
        outcome
    }

    /// Gives a partition the tick it wants, if its inputs are known so far. Queued work goes on in the next batch.
    fn tick(&self, held: &Held<M>, batch: &mut Batch<M>) -> Result<(), Broken> {
        let due_max = held.horizon.reached().min(self.due_max);
        let due = match batch.works.get_mut(&held.partition()) {
            Some(work) => next_due(self.machine, &held.state, &mut work.changes)?,
            None => held.due,
        };
        if batch.outbox.bytes() >= self.bytes_max || due.is_none_or(|due| due > due_max) {
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
            let mut outbox = std::mem::take(&mut batch.outbox);
            let mut next = BTreeMap::new();
            for (partition, work) in &mut batch.works {
                let held = &self.held[partition];
                let (journal, spare) = (&held.journal, self.spare);
                let turned = journal.write(&held.state, &work.changes, spare, &mut outbox);
                work.turned = Some(turned);
                let mark = Mark::new(self.now, &work.next);
                journal.place.mark(&mark, &mut outbox);
                next.extend(work.next.iter().map(|(at, next)| (at.clone(), *next)));
            }
            batch.bytes = outbox.bytes();
            let appends = outbox.into_appends().into();
            Commit { appends, next }
        })
    }
}

/// A batch has many records of few partitions: their names are not copied for each.
fn set<T>(of: &mut BTreeMap<TopicPartition, T>, at: &TopicPartition, value: T) {
    match of.get_mut(at) {
        Some(known) => *known = value,
        None => {
            of.insert(at.clone(), value);
        }
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

/// A machine takes `&self` and what it changed is dropped with the batch, so that nothing half done outlives a panic.
fn caught<T>(step: impl FnOnce() -> T) -> Result<T, Broken> {
    catch_unwind(AssertUnwindSafe(step)).map_err(|panic| Broken(text(panic.as_ref())))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".to_owned())
}
