//! Wrong machines and wrong logs, to see that a story shows them.

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use event::{Partition, Record, Time, Topic, link::Link, timeline_input::TimelineInput};
use futures::future::BoxFuture;
use machine::{Effects, Input, Machine, Outcome, Overlay, Shard};
use stream::{
    Append, Binding, Error, Log, Member, Offset, Reader, SharedLog, TopicPartition,
    log::{Commit, End, Group, Polled, TopicSpec},
};
use unifier::identify;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    Nothing,
    /// Identify forgets to tell of some moves.
    DropsMoves,
    /// Identify forgets to tell of some changes to what is out.
    DropsOuts,
    /// Identify does not hear some decisions.
    MissesDecisions,
    /// Identify does not hear that time passes.
    MissesTicks,
    /// Unify does not pass some corrections on.
    DropsCorrections,
    /// Unify does not take back some sets.
    DropsWithdrawals,
    /// Unify sends some digests nowhere.
    DropsDigests,
    /// Some notices get lost.
    DropsNotices,
    /// The log says yes to some commits and forgets them.
    LosesCommits,
    /// The log takes some commits without their rows of state.
    LosesRows,
    /// The log takes some commits without their records for others.
    LosesRecords,
    /// The log does some commits twice.
    CommitsTwice,
}

impl Spoil {
    pub const ALL: [Spoil; 12] = [
        Spoil::DropsMoves,
        Spoil::DropsOuts,
        Spoil::MissesDecisions,
        Spoil::MissesTicks,
        Spoil::DropsCorrections,
        Spoil::DropsWithdrawals,
        Spoil::DropsDigests,
        Spoil::DropsNotices,
        Spoil::LosesCommits,
        Spoil::LosesRows,
        Spoil::LosesRecords,
        Spoil::CommitsTwice,
    ];

    /// One of how many is spoilt.
    const fn every(self) -> u64 {
        match self {
            Spoil::Nothing => u64::MAX,
            Spoil::MissesTicks => 1,
            Spoil::MissesDecisions | Spoil::DropsWithdrawals => 2,
            Spoil::DropsOuts | Spoil::DropsCorrections => 4,
            Spoil::DropsMoves | Spoil::DropsDigests | Spoil::DropsNotices => 10,
            Spoil::LosesCommits | Spoil::LosesRows | Spoil::LosesRecords | Spoil::CommitsTwice => {
                25
            }
        }
    }

    fn drops(self, record: &Record) -> bool {
        match self {
            Spoil::DropsMoves => matches!(record, Record::TimelineInput(TimelineInput::Move(_))),
            Spoil::DropsOuts => matches!(record, Record::TimelineInput(TimelineInput::Out(_))),
            Spoil::DropsDigests => {
                matches!(record, Record::TimelineInput(TimelineInput::Digest(_)))
            }
            Spoil::DropsCorrections => matches!(record, Record::Event(event) if event.revision > 0),
            Spoil::DropsWithdrawals => {
                matches!(record, Record::Link(Link::Set(set)) if set.withdrawn)
            }
            Spoil::DropsNotices => matches!(record, Record::Notice(_)),
            Spoil::Nothing
            | Spoil::MissesDecisions
            | Spoil::MissesTicks
            | Spoil::LosesCommits
            | Spoil::LosesRows
            | Spoil::LosesRecords
            | Spoil::CommitsTwice => false,
        }
    }
}

/// A machine some of whose records get lost, on their way in or out.
pub(super) struct Forgetful<M: Machine> {
    pub(super) machine: M,
    pub(super) spoil: Spoil,
    /// Whether a record is of those that it may not hear.
    pub(super) misses: fn(Spoil, &M::Record) -> bool,
    pub(super) counted: Cell<u64>,
}

impl<M: Machine> Forgetful<M> {
    /// Whether this is one of those that are spoilt.
    fn is_spoilt(&self) -> bool {
        self.counted.set(self.counted.get() + 1);
        self.counted.get().is_multiple_of(self.spoil.every())
    }
}

/// What of its records identify may not hear.
pub(super) fn identify_misses(spoil: Spoil, record: &identify::Record) -> bool {
    let identify::Record::Link(link) = record;
    match spoil {
        Spoil::MissesDecisions => matches!(link, Link::Decision(_)),
        Spoil::MissesTicks => matches!(link, Link::Tick(_)),
        Spoil::Nothing
        | Spoil::DropsMoves
        | Spoil::DropsOuts
        | Spoil::DropsCorrections
        | Spoil::DropsWithdrawals
        | Spoil::DropsDigests
        | Spoil::DropsNotices
        | Spoil::LosesCommits
        | Spoil::LosesRows
        | Spoil::LosesRecords
        | Spoil::CommitsTwice => false,
    }
}

impl<M: Machine> Machine for Forgetful<M> {
    type Record = M::Record;
    type Key = M::Key;
    type Row = M::Row;

    fn step(
        &self,
        now: Time,
        shard: Shard,
        input: Input<M::Record>,
        state: &mut Overlay<'_, M::Key, M::Row>,
        effects: &mut Effects,
    ) -> Outcome {
        if self.spoil == Spoil::Nothing {
            return self.machine.step(now, shard, input, state, effects);
        }
        if let Input::Record(record) = &input
            && (self.misses)(self.spoil, record)
            && self.is_spoilt()
        {
            return Outcome::Applied;
        }
        let mut all = Effects::new();
        let outcome = self.machine.step(now, shard, input, state, &mut all);
        for record in all.into_records() {
            if self.spoil.drops(&record) && self.is_spoilt() {
                continue;
            }
            effects.emit(record);
        }
        outcome
    }

    fn next_due(&self, state: &Overlay<'_, M::Key, M::Row>) -> Option<Time> {
        self.machine.next_due(state)
    }
}

pub(super) fn forgetful<M: Machine>(binding: Binding<M>) -> Binding<Forgetful<M>> {
    let Binding {
        machine,
        inputs,
        opening,
        decode,
        encode,
        row_version,
    } = binding;
    Binding {
        machine,
        inputs,
        opening,
        decode,
        encode,
        row_version,
    }
}

/// A log some of whose commits are not what they should be.
pub(super) struct Careless {
    pub(super) log: SharedLog,
    pub(super) spoil: Spoil,
    pub(super) commits: Arc<AtomicU64>,
}

impl Log for Careless {
    fn topics(&self) -> Result<Vec<TopicSpec>, Error> {
        self.log.topics()
    }

    fn create_topics(&self, specs: &[TopicSpec]) -> Result<(), Error> {
        self.log.create_topics(specs)
    }

    fn append(&self, records: Vec<Append>) -> BoxFuture<'static, Result<(), Error>> {
        self.log.append(records)
    }

    fn read(&self, from: BTreeMap<TopicPartition, Offset>) -> Result<Box<dyn Reader>, Error> {
        self.log.read(from)
    }

    fn start(&self, at: &TopicPartition) -> Result<Offset, Error> {
        self.log.start(at)
    }

    fn end(&self, at: &TopicPartition, end: End) -> Result<Offset, Error> {
        self.log.end(at, end)
    }

    fn join(&self, group: Group) -> Result<Box<dyn Member>, Error> {
        Ok(Box::new(CarelessMember {
            member: self.log.join(group)?,
            spoil: self.spoil,
            commits: Arc::clone(&self.commits),
        }))
    }

    fn trim(&self, at: &TopicPartition, below: Offset) -> Result<(), Error> {
        self.log.trim(at, below)
    }
}

struct CarelessMember {
    member: Box<dyn Member>,
    spoil: Spoil,
    commits: Arc<AtomicU64>,
}

impl Member for CarelessMember {
    fn poll(&mut self, records_max: usize, wait: Duration) -> Result<Polled, Error> {
        self.member.poll(records_max, wait)
    }

    fn committed(
        &mut self,
        partition: Partition,
    ) -> Result<BTreeMap<TopicPartition, Offset>, Error> {
        self.member.committed(partition)
    }

    fn resume(&mut self, next: &BTreeMap<TopicPartition, Offset>) -> Result<(), Error> {
        self.member.resume(next)
    }

    fn position(&mut self, at: &TopicPartition) -> Result<Offset, Error> {
        self.member.position(at)
    }

    fn commit(&mut self, mut commit: Commit) -> Result<(), Error> {
        let nth = self.commits.fetch_add(1, Ordering::Relaxed) + 1;
        if !nth.is_multiple_of(self.spoil.every()) {
            return self.member.commit(commit);
        }
        let is_row = |append: &Append| matches!(append.at.topic, Topic::State(_));
        match self.spoil {
            Spoil::LosesCommits => return Ok(()),
            Spoil::LosesRows => {
                Arc::make_mut(&mut commit.appends).retain(|append| !is_row(append));
            }
            Spoil::LosesRecords => Arc::make_mut(&mut commit.appends).retain(is_row),
            Spoil::CommitsTwice => self.member.commit(commit.clone())?,
            Spoil::Nothing
            | Spoil::DropsMoves
            | Spoil::DropsOuts
            | Spoil::MissesDecisions
            | Spoil::MissesTicks
            | Spoil::DropsCorrections
            | Spoil::DropsWithdrawals
            | Spoil::DropsDigests
            | Spoil::DropsNotices => {}
        }
        self.member.commit(commit)
    }
}
