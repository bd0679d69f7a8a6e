//! Logs that do one thing wrong each, to show that every promise of the suite can fail.

mod member;
mod reader;
mod tests;

use std::{
    collections::BTreeMap,
    future::ready,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use event::{
    Partition,
    topic::{Kept, MachineName},
};
use futures::{FutureExt as _, future::BoxFuture};

use self::{member::BrokenMember, reader::BrokenReader};
use super::Promise;
use crate::{
    error::Error,
    log::{
        Append, End, Group, Log, Member, Offset, RECORD_BYTES_MAX, Read, Reader, TopicPartition,
        TopicSpec,
    },
    simulated::Simulated,
};

macro_rules! faults {
    ($($(#[$doc:meta])* $fault:ident => $promise:ident,)*) => {
        /// What a log does wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Fault {
            $($(#[$doc])* $fault,)*
        }

        /// All of them, each with the promise that must catch it.
        const FAULTS: &[(Fault, Promise)] = &[$((
            Fault::$fault,
            Promise { name: stringify!($promise), check: super::$promise },
        ),)*];
    };
}

faults! {
    /// The records of one append come in another order.
    Reorders => a_partition_is_read_in_the_order_it_was_appended,
    /// Readers begin at the start, wherever they were told to begin.
    BeginsAtTheStart => offsets_grow_and_reading_goes_on_from_any_of_them,
    /// The position of a reader never passes the gap that a commit leaves behind its records.
    StaysBeforeGaps => a_reader_comes_to_the_written_end_over_gaps,
    /// A record that is there already is taken for a mistake of its sender.
    DropsRepeats => a_repeated_append_is_there_twice,
    /// A poll gives all there is.
    GivesMoreThanAsked => a_poll_gives_no_more_than_was_asked_for,
    /// The offsets of a commit are lost.
    ForgetsOffsets => a_commit_takes_records_state_and_offsets_together,
    /// What a commit writes to one of its partitions is lost.
    DropsOnePartitionOfACommit => a_commit_takes_records_state_and_offsets_together,
    /// There is no space for a commit, until there is.
    DiskFull => a_commit_takes_records_state_and_offsets_together,
    /// A commit that went well is repeated.
    CommitsTwice => each_record_of_a_commit_is_there_once_and_in_order,
    /// The records of a commit are written last one first.
    ReordersACommit => each_record_of_a_commit_is_there_once_and_in_order,
    /// A commit that names no partition passes unfenced.
    TakesEmptyOffsets => a_commit_without_offsets_is_refused,
    /// An input that was never committed looks as if it had been, at the start.
    InventsOffsets => an_input_that_was_never_committed_is_absent,
    /// Offsets are kept by number alone, for all topics and machines together.
    KeepsOneOffsetForAll => machines_commit_apart_from_each_other,
    /// A member that is told to go back does not.
    NeverRewinds => a_member_reads_on_from_where_it_is_told,
    /// A member hears of no record until it is told a second time where to read on.
    GoesSilent => a_member_reads_on_from_where_it_is_told,
    /// A member hears of records as soon as a partition is its.
    NeverPauses => a_partition_is_paused_until_it_is_resumed,
    /// Members read one of their inputs and not the others.
    ReadsOnlyTheFirstInput => a_number_of_all_inputs_has_one_owner,
    /// Every second member is given all partitions, as if it were alone.
    GivesPartitionsTwice => a_number_of_all_inputs_has_one_owner,
    /// A member is not told that partitions went to another one.
    HidesRevocations => partitions_move_when_a_member_joins_or_leaves,
    /// A member that went keeps its partitions for ever.
    KeepsTheGone => partitions_move_when_a_member_joins_or_leaves,
    /// The records of a commit can be seen before it is known whether it will pass.
    ShowsEarly => an_older_owner_is_refused_and_leaves_nothing,
    /// A commit passes though the partitions have a newer owner.
    ForgetsFencing => an_older_owner_is_refused_and_leaves_nothing,
    /// A commit passes when its member owns any of the partitions that it names.
    FencesOnePartitionOnly => a_partition_that_is_not_held_cannot_be_committed,
    /// An append is acknowledged at once and written when something else is asked.
    AcknowledgesBeforeWriting => an_acknowledged_append_survives_a_restart,
    /// Only the topics are there after a restart.
    ForgetsAtRestart => a_commit_survives_a_restart,
    /// Everything but the committed offsets is there after a restart.
    ForgetsOffsetsAtRestart => a_commit_survives_a_restart,
    /// Records that come after a restart have the offset of the first record ever.
    CountsAnewAtRestart => offsets_go_on_growing_after_a_restart,
    /// A key of a compacted topic keeps its first record.
    KeepsTheFirstOfAKey => compaction_keeps_the_last_record_of_a_key,
    /// A record without a value does not remove its key.
    ForgetsRemovals => compaction_keeps_the_last_record_of_a_key,
    /// Trimming does nothing.
    NeverTrims => trimming_lets_go_of_what_lies_below_and_nothing_else,
    /// Trimming takes the first record that should stay, too.
    TrimsOneTooMany => trimming_lets_go_of_what_lies_below_and_nothing_else,
    /// Nobody hears that a trim was refused.
    HidesRefusedTrims => trimming_above_the_committed_offset_is_refused,
    /// Whoever reads below the first offset that is kept begins there without a word.
    PassesOverWhatWasTrimmed => reading_below_the_first_kept_offset_is_an_error,
    /// What is too large is cut instead of refused.
    CutsWhatIsTooLarge => a_record_over_the_limit_is_refused,
    /// One topic is missing in the list.
    HidesATopic => topics_are_made_once_and_listed,
    /// Topics with another partition count are taken as they are.
    TakesAnyPartitionCount => another_partition_count_is_refused_with_a_remedy,
    /// An append to a topic that does not exist makes it.
    MakesTopicsOnDemand => a_topic_that_does_not_exist_is_an_error,
}

pub(crate) struct Broken {
    inner: Simulated,
    fault: Option<Fault>,
    unwritten: Mutex<Vec<Append>>,
    /// Where each partition ended when the log was opened.
    opened_at: BTreeMap<TopicPartition, Offset>,
    joins: AtomicUsize,
    disk_full: Arc<AtomicBool>,
    one_for_all: member::Offsets,
}

impl Broken {
    pub(crate) fn new(inner: Simulated, fault: impl Into<Option<Fault>>) -> Self {
        let fault = fault.into();
        let specs = inner.topics().expect("they can be listed");
        let partitions = specs.into_iter().flat_map(|spec| {
            let all = Partition::all(spec.partitions);
            all.map(move |number| TopicPartition::new(spec.topic.clone(), number))
        });
        let end = |at: &TopicPartition| inner.end(at, End::Written).expect("it exists");
        Self {
            opened_at: partitions.map(|at| (at.clone(), end(&at))).collect(),
            inner,
            fault,
            unwritten: Mutex::default(),
            joins: AtomicUsize::new(0),
            disk_full: Arc::new(AtomicBool::new(fault == Some(Fault::DiskFull))),
            one_for_all: member::Offsets::default(),
        }
    }

    pub(crate) fn disk_full(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.disk_full)
    }

    /// The log, after what was acknowledged is written.
    fn inner(&self) -> &Simulated {
        let records = std::mem::take(&mut *self.unwritten.lock().expect("nobody panics with it"));
        let written = self.inner.append(records).now_or_never();
        // Whoever sent them was told that all is well, and nobody else is there to hear of it.
        drop(written);
        &self.inner
    }

    /// Whether a record like this can be read in the partition.
    fn holds(&self, at: &TopicPartition, like: impl Fn(&Read) -> bool) -> bool {
        let start = self.inner.start(at);
        let reader = start.and_then(|start| self.inner.read([(at.clone(), start)].into()));
        let reads = reader.and_then(|mut reader| reader.poll(1_000, Duration::ZERO));
        reads.is_ok_and(|reads| reads.iter().any(like))
    }

    fn make(&self, at: &TopicPartition) {
        let spec = TopicSpec {
            topic: at.topic.clone(),
            partitions: at.partition.0 + 1,
            kept: at.topic.kept(),
        };
        if self.inner.start(at).is_err() {
            self.inner.create_topics(&[spec]).expect("there is none");
        }
    }
}

impl Log for Broken {
    fn topics(&self) -> Result<Vec<TopicSpec>, Error> {
        let mut specs = self.inner().topics()?;
        if self.fault == Some(Fault::HidesATopic) {
            specs.pop();
        }
        Ok(specs)
    }

    fn create_topics(&self, specs: &[TopicSpec]) -> Result<(), Error> {
        let created = self.inner().create_topics(specs);
        if self.fault == Some(Fault::TakesAnyPartitionCount) {
            return Ok(());
        }
        created
    }

    fn append(&self, mut records: Vec<Append>) -> BoxFuture<'static, Result<(), Error>> {
        match self.fault {
            Some(Fault::AcknowledgesBeforeWriting) => {
                self.inner();
                *self.unwritten.lock().expect("nobody panics with it") = records;
                return Box::pin(ready(Ok(())));
            }
            Some(Fault::Reorders) => records.reverse(),
            Some(Fault::DropsRepeats) => records.retain(|record| {
                let same = |read: &Read| read.key == record.key && read.value == record.value;
                !self.holds(&record.at, same)
            }),
            Some(Fault::KeepsTheFirstOfAKey) => records.retain(|record| {
                let same = |read: &Read| read.key == record.key;
                record.at.topic.kept() != Kept::Compacted || !self.holds(&record.at, same)
            }),
            Some(Fault::ForgetsRemovals) => records.retain(|record| record.value.is_some()),
            Some(Fault::CutsWhatIsTooLarge) => {
                for record in &mut records {
                    if let Some(value) = &mut record.value {
                        value.truncate(RECORD_BYTES_MAX - record.key.len());
                    }
                }
            }
            Some(Fault::MakesTopicsOnDemand) => {
                records.iter().for_each(|record| self.make(&record.at));
            }
            _ => {}
        }
        self.inner().append(records)
    }

    fn read(&self, mut from: BTreeMap<TopicPartition, Offset>) -> Result<Box<dyn Reader>, Error> {
        for (at, offset) in &mut from {
            match self.fault {
                Some(Fault::BeginsAtTheStart) => *offset = self.inner().start(at)?,
                Some(Fault::PassesOverWhatWasTrimmed) => {
                    *offset = self.inner().start(at)?.max(*offset);
                }
                _ => {}
            }
        }
        Ok(Box::new(BrokenReader {
            inner: self.inner().read(from.clone())?,
            fault: self.fault,
            after_records: from,
            opened_at: self.opened_at.clone(),
        }))
    }

    fn start(&self, at: &TopicPartition) -> Result<Offset, Error> {
        self.inner().start(at)
    }

    fn end(&self, at: &TopicPartition, end: End) -> Result<Offset, Error> {
        self.inner().end(at, end)
    }

    fn join(&self, mut group: Group) -> Result<Box<dyn Member>, Error> {
        let nth = self.joins.fetch_add(1, Ordering::Relaxed);
        if self.fault == Some(Fault::GivesPartitionsTwice) && nth % 2 == 1 {
            // A group that no promise speaks of.
            group.machine = MachineName::Identify;
        }
        Ok(Box::new(BrokenMember {
            log: self.inner().clone(),
            inputs: group.inputs.clone(),
            inner: Some(self.inner().join(group)?),
            resumed: 0,
            disk_full: Arc::clone(&self.disk_full),
            one_for_all: Arc::clone(&self.one_for_all),
            fault: self.fault,
        }))
    }

    fn trim(&self, at: &TopicPartition, below: Offset) -> Result<(), Error> {
        match self.fault {
            Some(Fault::NeverTrims) => Ok(()),
            Some(Fault::TrimsOneTooMany) => self.inner().trim(at, below.next()),
            Some(Fault::HidesRefusedTrims) => self.inner().trim(at, below).or(Ok(())),
            _ => self.inner().trim(at, below),
        }
    }
}
