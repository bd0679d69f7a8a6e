use std::collections::{BTreeMap, BTreeSet};

use event::{
    Time, Topic,
    topic::{Kept, MachineName},
};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

use super::{
    faults::{Counts, Faults},
    group::{Group, MemberId},
    member::Membership,
    partition::{Open, Partition, Stored},
};
use crate::{
    error::{Error, Severity},
    log::{Append, Offset, RECORD_BYTES_MAX, TopicPartition, TopicSpec},
};

/// A commit whose member died in it.
#[derive(Debug)]
struct Unresolved {
    open: Open,
    machine: MachineName,
    next: BTreeMap<TopicPartition, Offset>,
    touched: BTreeSet<TopicPartition>,
    due_turn: u64,
}

/// Everything the log holds.
#[derive(Debug)]
pub(super) struct Core {
    rng: SmallRng,
    pub(super) faults: Faults,
    pub(super) counts: Counts,
    pub(super) now: Time,
    pub(super) groups: BTreeMap<MachineName, Group>,
    pub(super) memberships: BTreeMap<MemberId, Membership>,
    turn: u64,
    specs: BTreeMap<Topic, TopicSpec>,
    partitions: BTreeMap<TopicPartition, Partition>,
    unresolved: Vec<Unresolved>,
    numbers_given: u64,
}

impl Core {
    pub(super) fn new(seed: u64, faults: Faults) -> Self {
        Self {
            rng: SmallRng::seed_from_u64(seed),
            faults,
            counts: Counts::default(),
            now: Time::from_millis(0),
            groups: BTreeMap::new(),
            memberships: BTreeMap::new(),
            turn: 0,
            specs: BTreeMap::new(),
            partitions: BTreeMap::new(),
            unresolved: Vec::new(),
            numbers_given: 0,
        }
    }

    /// Whether a fault happens now.
    pub(super) fn happens(&mut self, fault: impl Fn(&Faults) -> f64) -> bool {
        let probability = fault(&self.faults);
        self.roll(probability)
    }

    fn roll(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.rng.random_bool(probability)
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.rng.random_range(0..limit.max(1))
    }

    pub(super) fn number(&mut self) -> u64 {
        self.numbers_given += 1;
        self.numbers_given
    }

    pub(super) fn specs(&self) -> Vec<TopicSpec> {
        self.specs.values().cloned().collect()
    }

    pub(super) fn create(&mut self, specs: &[TopicSpec]) -> Result<(), Error> {
        for spec in specs {
            if let Some(found) = self.specs.get(&spec.topic)
                && found.partitions != spec.partitions
            {
                return Err(Error::Topic {
                    topic: spec.topic.name(),
                    problem: format!(
                        "has {} partitions, but {} are wanted",
                        found.partitions, spec.partitions
                    ),
                    remedy: format!(
                        "configure {} partitions, or start with an empty log",
                        found.partitions
                    ),
                });
            }
        }
        for spec in specs {
            self.specs
                .entry(spec.topic.clone())
                .or_insert_with(|| spec.clone());
            for number in event::Partition::all(spec.partitions) {
                let at = TopicPartition::new(spec.topic.clone(), number);
                self.partitions.entry(at).or_default();
            }
        }
        Ok(())
    }

    pub(super) fn partition_count(&self, topic: &Topic) -> Result<u32, Error> {
        let spec = self.specs.get(topic).ok_or_else(|| Error::Topic {
            topic: topic.name(),
            problem: "does not exist".to_owned(),
            remedy: "create it first".to_owned(),
        })?;
        Ok(spec.partitions)
    }

    pub(super) fn partition(&self, at: &TopicPartition) -> Result<&Partition, Error> {
        let count = self.partition_count(&at.topic)?;
        self.partitions.get(at).ok_or_else(|| Error::Topic {
            topic: at.topic.name(),
            problem: format!(
                "has {count} partitions and none with the number {}",
                at.partition
            ),
            remedy: "use the same number of partitions everywhere".to_owned(),
        })
    }

    /// Visible records from an offset on, and where reading goes on.
    pub(super) fn visible(
        &self,
        at: &TopicPartition,
        from: Offset,
        records_max: usize,
    ) -> Result<(Vec<crate::log::Read>, Offset), Error> {
        let partition = self.partition(at)?;
        if from < partition.start() {
            return Err(fatal(
                format!("read {at} from offset {from}"),
                format!(
                    "the first offset that is still kept is {}",
                    partition.start()
                ),
            ));
        }
        let (records, next) = partition.read(from, records_max);
        let reads = records.iter().map(|record| crate::log::Read {
            at: at.clone(),
            offset: record.offset,
            time: record.time,
            key: record.key.clone(),
            value: record.value.clone(),
        });
        Ok((reads.collect(), next))
    }

    /// That each record may be written.
    pub(super) fn check(&self, appends: &[Append]) -> Result<(), Error> {
        for append in appends {
            self.partition(&append.at)?;
            let bytes = append.key.len() + append.value.as_ref().map_or(0, bytes::Bytes::len);
            if bytes > RECORD_BYTES_MAX {
                return Err(fatal(
                    format!("append to {}", append.at),
                    format!("a record of {bytes} bytes is over the {RECORD_BYTES_MAX} allowed"),
                ));
            }
        }
        Ok(())
    }

    /// Takes records that were checked. Each partition has its own delay; an open transaction hides them until it is resolved.
    pub(super) fn write(&mut self, appends: Vec<Append>, open: Option<Open>) {
        let mut visible_at: BTreeMap<TopicPartition, u64> = BTreeMap::new();
        for append in appends {
            let hidden_turns = self.below(self.faults.hidden_turns_max + 1);
            let turn = *visible_at
                .entry(append.at.clone())
                .or_insert(self.turn + hidden_turns);
            let gap = if self.roll(0.2) { 1 } else { 0 };
            let record = Stored {
                offset: Offset::START,
                time: self.now,
                key: append.key,
                value: append.value,
                visible_at: turn,
                open,
            };
            if let Some(partition) = self.partitions.get_mut(&append.at) {
                partition.skip(gap);
                partition.push(record);
                partition.refresh(self.turn);
            }
        }
    }

    /// The marker that a transaction leaves in each partition it wrote to.
    fn mark(&mut self, touched: &BTreeSet<TopicPartition>) {
        for at in touched {
            if let Some(partition) = self.partitions.get_mut(at) {
                partition.skip(1);
                partition.refresh(self.turn);
            }
        }
    }

    pub(super) fn commit(
        &mut self,
        machine: MachineName,
        appends: Vec<Append>,
        next: &BTreeMap<TopicPartition, Offset>,
    ) {
        let touched = appends.iter().map(|append| append.at.clone()).collect();
        self.write(appends, None);
        self.mark(&touched);
        self.store_offsets(machine, next);
        self.counts.commits += 1;
    }

    /// Takes a commit of which it will be known later whether it happened.
    pub(super) fn open(
        &mut self,
        machine: MachineName,
        appends: Vec<Append>,
        next: BTreeMap<TopicPartition, Offset>,
    ) {
        let open = Open(self.number());
        let touched = appends.iter().map(|append| append.at.clone()).collect();
        self.write(appends, Some(open));
        let due_turn = self.turn + 1 + self.below(self.faults.hidden_turns_max + 1);
        self.unresolved.push(Unresolved {
            open,
            machine,
            next,
            touched,
            due_turn,
        });
    }

    /// Resolves the commits that are due.
    fn resolve_due(&mut self) {
        let turn = self.turn;
        self.resolve(|unresolved| unresolved.due_turn <= turn);
    }

    /// Resolves the commits that name any of these: what is asked about them from now on is stable.
    pub(super) fn resolve_naming(&mut self, named: &BTreeSet<TopicPartition>) {
        self.resolve(|unresolved| unresolved.next.keys().any(|at| named.contains(at)));
    }

    pub(super) fn resolve_all(&mut self) {
        self.resolve(|_| true);
    }

    fn resolve(&mut self, which: impl Fn(&Unresolved) -> bool) {
        let (resolved, rest) = std::mem::take(&mut self.unresolved)
            .into_iter()
            .partition(|unresolved| which(unresolved));
        self.unresolved = rest;
        for unresolved in Vec::<Unresolved>::from_iter(resolved) {
            let happened = self.roll(0.5);
            for at in &unresolved.touched {
                if let Some(partition) = self.partitions.get_mut(at) {
                    partition.resolve(unresolved.open, happened);
                }
            }
            self.mark(&unresolved.touched);
            if happened {
                self.store_offsets(unresolved.machine, &unresolved.next);
                self.counts.commits += 1;
            }
        }
    }

    fn store_offsets(&mut self, machine: MachineName, next: &BTreeMap<TopicPartition, Offset>) {
        if let Some(group) = self.groups.get_mut(&machine) {
            group
                .committed
                .extend(next.iter().map(|(at, next)| (at.clone(), *next)));
        }
    }

    /// Lets a turn pass.
    pub(super) fn advance(&mut self) {
        self.turn += 1;
        self.resolve_due();
        for partition in self.partitions.values_mut() {
            partition.refresh(self.turn);
        }
        if self.happens(|faults| faults.compact) {
            self.compact();
        }
    }

    pub(super) fn compact(&mut self) {
        self.counts.compactions += 1;
        for (at, partition) in &mut self.partitions {
            if self.specs[&at.topic].kept == Kept::Compacted {
                partition.compact();
            }
        }
    }

    pub(super) fn trim(&mut self, at: &TopicPartition, below: Offset) -> Result<(), Error> {
        self.partition(at)?;
        let refuse = |text: String| fatal(format!("trim {at} below {below}"), text);
        if self.specs[&at.topic].kept != Kept::UntilRead {
            return Err(refuse("the topic is not kept until read".to_owned()));
        }
        let committed = self
            .groups
            .values()
            .filter(|group| group.inputs.contains(&at.topic))
            .map(|group| group.committed.get(at).copied())
            .min()
            .flatten()
            .ok_or_else(|| refuse("nothing was committed there".to_owned()))?;
        if below > committed {
            return Err(refuse(format!("the committed offset is {committed}")));
        }
        if let Some(partition) = self.partitions.get_mut(at) {
            partition.trim(below);
            self.counts.trims += 1;
        }
        Ok(())
    }

    /// Makes a group forget a member, which may not hear of it for some polls.
    pub(super) fn expel(&mut self, member: MemberId) {
        let deaf_polls = self.below(4);
        if let Some(membership) = self.memberships.get_mut(&member) {
            membership.expelled = true;
            membership.deaf_polls = deaf_polls;
            if let Some(group) = self.groups.get_mut(&membership.machine) {
                group.leave(member);
            }
            self.counts.expelled += 1;
        }
    }

    pub(super) fn rebalance(&mut self, machine: MachineName) {
        if let Some(group) = self.groups.get_mut(&machine) {
            group.rotate();
            self.counts.rebalances += 1;
        }
    }
}

pub(super) fn fatal(doing: String, text: String) -> Error {
    Error::Log {
        doing,
        text,
        severity: Severity::Fatal,
    }
}
