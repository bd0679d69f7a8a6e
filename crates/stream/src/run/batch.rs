use std::{
    any::Any,
    cell::Cell,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use event::{Partition, Time, reject::Reject};
use machine::{AHEAD, Effects, Input, Machine, Outcome, Shard, State};

use super::{
    Binding, Tally,
    held::Held,
    journal::{Mark, Spare, Turned},
    outbox::Outbox,
    reject,
};
use crate::log::{Commit, Offset, Read, TopicPartition};

/// What a batch did so far, over all partitions it touches. What it changed lies in their states, until it is committed or undone.
pub(super) struct Batch {
    pub(super) works: BTreeMap<Partition, Work>,
    outbox: Outbox,
    /// What a step puts out, until it is written.
    effects: Effects,
    /// Of all that it commits, once it is sealed.
    pub(super) bytes: usize,
    pub(super) tally: Tally,
}

/// What a batch did in one partition.
pub(super) struct Work {
    pub(super) next: BTreeMap<TopicPartition, Offset>,
    /// When the log took the last record of each input.
    pub(super) seen: BTreeMap<TopicPartition, Time>,
    /// What the pages of rows are once it is committed.
    pub(super) turned: Option<Turned>,
}

impl Batch {
    /// With room for so many bytes.
    pub(super) fn new(room: usize) -> Self {
        Self {
            works: BTreeMap::new(),
            outbox: Outbox::with_room(room),
            effects: Effects::new(),
            bytes: 0,
            tally: Tally::default(),
        }
    }

    fn work<M: Machine>(&mut self, held: &Held<M>) -> &mut Work {
        self.works.entry(held.partition()).or_insert_with(|| Work {
            next: held.next.clone(),
            seen: BTreeMap::new(),
            turned: None,
        })
    }
}

/// Records that broke an assertion when their batch was tried before: by their places in it, with the text.
pub(super) type Culprits = BTreeMap<usize, String>;

/// Steps the machine over the held partitions. Changes nothing but the batch and the states, of which a fault leaves half a batch.
pub(super) struct Stepper<'r, M: Machine> {
    pub(super) machine: &'r M,
    pub(super) binding: &'r Binding<M>,
    pub(super) held: &'r mut BTreeMap<Partition, Held<M>>,
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
    /// In the step over the record in this place of the batch; `None` where that of any record may be the cause.
    Step {
        nth: Option<usize>,
        text: String,
    },
    Tick {
        partition: Partition,
        text: String,
    },
}

/// A record, or why it cannot be taken.
type Decoded<M> = Result<<M as Machine>::Record, Box<Reject>>;

/// A batch, how many records it took, and what is to be committed, if anything.
type Stepped = (Batch, usize, Option<Commit>);

impl<M: Machine> Stepper<'_, M> {
    /// Steps records into an empty batch, then gives the ticks that are due. Culprits are rejected.
    pub(super) fn batch(
        &mut self,
        mut batch: Batch,
        reads: &[Read],
        culprits: &Culprits,
    ) -> Result<Stepped, Fault> {
        let taken = self.records(reads, culprits, &mut batch)?;
        let partitions: Vec<Partition> = self.held.keys().copied().collect();
        for partition in partitions {
            self.tick(partition, &mut batch)
                .map_err(|Broken(text)| Fault::Tick { partition, text })?;
        }
        if batch.works.is_empty() {
            return Ok((batch, taken, None));
        }
        let commit = self.seal(&mut batch);
        let commit = commit.map_err(|Broken(text)| Fault::Step { nth: None, text })?;
        Ok((batch, taken, Some(commit)))
    }

    /// Steps records until they are all taken or the batch is full. How many were taken.
    fn records(
        &mut self,
        reads: &[Read],
        culprits: &Culprits,
        batch: &mut Batch,
    ) -> Result<usize, Fault> {
        let mut taken = 0;
        let nth = Cell::new(None);
        let stepped = caught(|| {
            for some in reads.chunks(AHEAD) {
                let decoded = some.iter().zip(taken..).map(|(read, place)| {
                    let culprit = culprits.get(&place).map(String::as_str);
                    (read, self.decode(read, culprit))
                });
                let decoded: Vec<(&Read, Decoded<M>)> = decoded.collect();
                self.look_ahead(&decoded);
                for (read, record) in decoded {
                    if batch.outbox.bytes() >= self.bytes_max {
                        return;
                    }
                    nth.set(Some(taken));
                    self.record(read, record, batch);
                    nth.set(None);
                    taken += 1;
                }
            }
        });
        match stepped {
            Ok(()) => Ok(taken),
            Err(Broken(text)) => Err(Fault::Step {
                nth: nth.get(),
                text,
            }),
        }
    }

    fn decode(&self, read: &Read, culprit: Option<&str>) -> Decoded<M> {
        let reject = match culprit {
            Some(text) => reject::assertion(read, self.now, text),
            None => match (self.binding.decode)(read) {
                Ok(record) => return Ok(record),
                Err(text) => reject::undecodable(read, self.now, &text),
            },
        };
        Err(Box::new(reject))
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

    fn record(&mut self, read: &Read, decoded: Decoded<M>, batch: &mut Batch) {
        let outcome = match decoded {
            Ok(record) => self.step(read.at.partition, Input::Record(record), batch),
            Err(reject) => {
                let record = event::Record::Reject(*reject);
                self.put(&record, batch);
                Outcome::Rejected
            }
        };
        let work = batch.work(&self.held[&read.at.partition]);
        set(&mut work.next, &read.at, read.offset.next());
        set(&mut work.seen, &read.at, read.time);
        batch.tally.inputs += 1;
        batch.tally.count(outcome);
    }

    fn put(&self, record: &event::Record, batch: &mut Batch) {
        let encode = &self.binding.encode;
        batch.outbox.put(|to| encode(record, self.partitions, to));
    }

    fn step(
        &mut self,
        partition: Partition,
        input: Input<M::Record>,
        batch: &mut Batch,
    ) -> Outcome {
        let shard = Shard {
            partition,
            partitions: self.own_partitions,
        };
        let held = self.held.get_mut(&partition).expect(HELD);
        batch.work(held);
        let mut effects = std::mem::take(&mut batch.effects);
        let mut overlay = held.state.overlay();
        let outcome = self
            .machine
            .step(self.now, shard, input, &mut overlay, &mut effects);
        for record in effects.records() {
            self.put(record, batch);
        }
        effects.clear();
        batch.effects = effects;
        outcome
    }

    /// Gives a partition the tick it wants, if its inputs are known so far. Queued work goes on in the next batch.
    fn tick(&mut self, partition: Partition, batch: &mut Batch) -> Result<(), Broken> {
        let held = self.held.get_mut(&partition).expect(HELD);
        let due_max = held.horizon.reached().min(self.due_max);
        let due = if batch.works.contains_key(&partition) {
            next_due(self.machine, &mut held.state)?
        } else {
            held.due
        };
        if batch.outbox.bytes() >= self.bytes_max || due.is_none_or(|due| due > due_max) {
            return Ok(());
        }
        let input = Input::Tick { due: due_max };
        let outcome = caught(|| self.step(partition, input, batch))?;
        if self.held[&partition].state.changed() == 0 {
            let text = "a timer was due and its tick changed nothing, so that it stays due";
            return Err(Broken(text.to_owned()));
        }
        batch.tally.inputs += 1;
        batch.tally.count(outcome);
        Ok(())
    }

    /// Everything that leaves the batch, as one commit.
    fn seal(&self, batch: &mut Batch) -> Result<Commit, Broken> {
        caught(|| {
            let mut outbox = std::mem::take(&mut batch.outbox);
            let mut next = BTreeMap::new();
            for (partition, work) in &mut batch.works {
                let held = &self.held[partition];
                let (journal, spare) = (&held.journal, self.spare);
                let turned = journal.write(&held.state, spare, &mut outbox);
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

const HELD: &str = "only records of partitions that are held are stepped";

/// When the next tick is wanted by a state.
pub(super) fn next_due<M: Machine>(
    machine: &M,
    state: &mut State<M::Key, M::Row>,
) -> Result<Option<Time>, Broken> {
    caught(|| machine.next_due(&state.overlay()))
}

/// A machine takes `&self`, and what it changed in the state is undone with the batch: nothing half done outlives a panic.
fn caught<T>(step: impl FnOnce() -> T) -> Result<T, Broken> {
    catch_unwind(AssertUnwindSafe(step)).map_err(|panic| Broken(text(panic.as_ref())))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".to_owned())
}
