use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use event::{Partition, Topic, topic::MachineName};

use super::{
    Shared,
    core::{Core, fatal},
    group::{Epoch, Group, MemberId},
};
use crate::{
    error::{Error, Severity},
    log::{self, Commit, Offset, Polled, Read, TopicPartition},
};

/// What a member believes. Its group may know better.
#[derive(Debug)]
pub(super) struct Membership {
    pub(super) machine: MachineName,
    pub(super) expelled: bool,
    /// How many polls more an expelled member goes on without hearing of it.
    pub(super) deaf_polls: u64,
    inputs: Vec<Topic>,
    held: BTreeMap<Partition, Epoch>,
    positions: BTreeMap<TopicPartition, Offset>,
}

#[derive(Debug)]
pub(super) struct Member {
    shared: Arc<Shared>,
    id: MemberId,
}

impl Member {
    pub(super) fn join(shared: Arc<Shared>, group: log::Group) -> Result<Self, Error> {
        let mut core = shared.lock();
        for input in &group.inputs {
            core.partition_count(input)?;
        }
        let Some(first) = group.inputs.first() else {
            return Err(fatal(
                "join".to_owned(),
                "a machine has an input".to_owned(),
            ));
        };
        let partitions = core.partition_count(first)?;
        let id = MemberId(core.number());
        core.groups
            .entry(group.machine)
            .or_insert_with(|| Group::new(group.inputs.clone(), partitions))
            .enter(id);
        core.memberships.insert(
            id,
            Membership {
                machine: group.machine,
                expelled: false,
                deaf_polls: 0,
                inputs: group.inputs,
                held: BTreeMap::new(),
                positions: BTreeMap::new(),
            },
        );
        drop(core);
        Ok(Self { shared, id })
    }

    /// What there is to hear now.
    fn hear(&self, core: &mut Core, records_max: usize) -> Result<Polled, Error> {
        if core.happens(|faults| faults.expel_at_poll) {
            core.expel(self.id);
        }
        let machine = membership(core, self.id)?.machine;
        if core.happens(|faults| faults.rebalance) {
            core.rebalance(machine);
        }
        let mine = membership(core, self.id)?;
        if mine.expelled {
            if mine.deaf_polls == 0 {
                return Err(lost("poll", "the group has forgotten this member"));
            }
            mine.deaf_polls -= 1;
        } else if let Some(change) = self.change(core, machine)? {
            return Ok(change);
        }
        self.records(core, records_max).map(Polled::Records)
    }

    /// The partitions that come or go.
    fn change(&self, core: &mut Core, machine: MachineName) -> Result<Option<Polled>, Error> {
        let Some(group) = core.groups.get_mut(&machine) else {
            return Err(lost("poll", "the group is gone"));
        };
        let surplus = group.surplus(self.id);
        for partition in &surplus {
            group.release(*partition);
        }
        let claimed = if surplus.is_empty() {
            group.claim(self.id)
        } else {
            Vec::new()
        };
        let mine = membership(core, self.id)?;
        if !surplus.is_empty() {
            mine.held.retain(|number, _| !surplus.contains(number));
            mine.positions
                .retain(|at, _| !surplus.contains(&at.partition));
            return Ok(Some(Polled::Revoked(surplus)));
        }
        if claimed.is_empty() {
            return Ok(None);
        }
        mine.held.extend(claimed.iter().copied());
        let numbers = claimed.into_iter().map(|(number, _)| number).collect();
        Ok(Some(Polled::Assigned(numbers)))
    }

    /// Visible records of the resumed partitions, beginning with another one each time.
    fn records(&self, core: &mut Core, records_max: usize) -> Result<Vec<Read>, Error> {
        let mut positions: Vec<_> = membership(core, self.id)?
            .positions
            .iter()
            .map(|(at, from)| (at.clone(), *from))
            .collect();
        if !positions.is_empty() {
            let first = core.below(positions.len() as u64);
            positions.rotate_left(usize::try_from(first).unwrap_or(0));
        }
        let mut reads = Vec::new();
        for (at, from) in positions {
            let room = records_max - reads.len();
            if room == 0 {
                break;
            }
            // A newer owner may have let go of what this member still wants to read.
            let (more, next) = core
                .visible(&at, from, room)
                .map_err(|error| lost("poll", &error.to_string()))?;
            reads.extend(more);
            membership(core, self.id)?.positions.insert(at, next);
        }
        Ok(reads)
    }

    /// That every partition named is this member's, and that all inputs of it are named by their own machine.
    fn check(&self, core: &mut Core, commit: &Commit) -> Result<MachineName, Error> {
        if commit.next.is_empty() {
            return Err(fatal(
                "commit".to_owned(),
                "no partition is named, so that nothing would be fenced".to_owned(),
            ));
        }
        let mine = membership(core, self.id)?;
        let machine = mine.machine;
        for at in commit.next.keys() {
            if !mine.inputs.contains(&at.topic) {
                return Err(fatal(
                    "commit".to_owned(),
                    format!("{at} is no input of {}", machine.as_str()),
                ));
            }
        }
        let held = mine.held.clone();
        let owned = |at: &TopicPartition| {
            held.get(&at.partition).is_some_and(|epoch| {
                core.groups
                    .get(&machine)
                    .is_some_and(|group| group.owns(self.id, at.partition, *epoch))
            })
        };
        if let Some(foreign) = commit.next.keys().find(|at| !owned(at)) {
            core.counts.fenced += 1;
            return Err(Error::Fenced {
                at: foreign.to_string(),
            });
        }
        core.check(&commit.appends)?;
        Ok(machine)
    }
}

impl log::Member for Member {
    fn poll(&mut self, records_max: usize, wait: Duration) -> Result<Polled, Error> {
        let mut core = self.shared.lock();
        let heard = self.hear(&mut core, records_max)?;
        if heard != Polled::Records(Vec::new()) || wait.is_zero() {
            return Ok(heard);
        }
        let mut core = self.shared.wait(core, wait);
        self.hear(&mut core, records_max)
    }

    fn committed(
        &mut self,
        partition: Partition,
    ) -> Result<BTreeMap<TopicPartition, Offset>, Error> {
        let mut core = self.shared.lock();
        let mine = membership(&mut core, self.id)?;
        let machine = mine.machine;
        let named: BTreeSet<_> = mine
            .inputs
            .iter()
            .map(|topic| TopicPartition::new(topic.clone(), partition))
            .collect();
        core.resolve_naming(&named);
        let committed = core.groups.get(&machine).map(|group| &group.committed);
        Ok(committed
            .into_iter()
            .flatten()
            .filter(|(at, _)| named.contains(at))
            .map(|(at, next)| (at.clone(), *next))
            .collect())
    }

    fn resume(&mut self, next: &BTreeMap<TopicPartition, Offset>) -> Result<(), Error> {
        let mut core = self.shared.lock();
        let mine = membership(&mut core, self.id)?;
        if let Some(foreign) = next
            .keys()
            .find(|at| !mine.held.contains_key(&at.partition))
        {
            return Err(lost("resume", &format!("{foreign} is not held")));
        }
        mine.positions
            .extend(next.iter().map(|(at, next)| (at.clone(), *next)));
        Ok(())
    }

    fn position(&mut self, at: &TopicPartition) -> Result<Offset, Error> {
        let mut core = self.shared.lock();
        let mine = membership(&mut core, self.id)?;
        let position = mine.positions.get(at).copied();
        position.ok_or_else(|| lost("ask for the position", &format!("{at} was not resumed")))
    }

    fn commit(&mut self, commit: Commit) -> Result<(), Error> {
        let mut core = self.shared.lock();
        if core.happens(|faults| faults.expel_at_commit) {
            core.expel(self.id);
        }
        let machine = self.check(&mut core, &commit)?;
        let Commit { appends, next } = commit;
        let appends = Arc::unwrap_or_clone(appends);
        core.resolve_naming(&next.keys().cloned().collect());
        if core.happens(|faults| faults.retry) {
            core.counts.retries += 1;
            return Err(refused("the coordinator is loading", Severity::Retry));
        }
        if core.happens(|faults| faults.abort) {
            core.counts.aborts += 1;
            return Err(refused("the transaction was aborted", Severity::Abort));
        }
        if core.happens(|faults| faults.crash_before_commit) {
            core.counts.crashes_before_commit += 1;
            core.expel(self.id);
            return Err(lost("commit", "the member died before it"));
        }
        if core.happens(|faults| faults.crash_during_commit) {
            core.counts.crashes_during_commit += 1;
            core.expel(self.id);
            core.open(machine, appends, next);
            return Err(lost("commit", "the member died in it"));
        }
        core.commit(machine, appends, &next);
        self.shared.notify();
        if core.happens(|faults| faults.crash_after_commit) {
            core.counts.crashes_after_commit += 1;
            core.expel(self.id);
            return Err(lost("commit", "the member died after it"));
        }
        Ok(())
    }
}

/// A member that is dropped leaves its group.
impl Drop for Member {
    fn drop(&mut self) {
        let mut core = self.shared.lock();
        if let Some(membership) = core.memberships.remove(&self.id)
            && let Some(group) = core.groups.get_mut(&membership.machine)
        {
            group.leave(self.id);
        }
        self.shared.notify();
    }
}

fn membership(core: &mut Core, id: MemberId) -> Result<&mut Membership, Error> {
    let mine = core.memberships.get_mut(&id);
    mine.ok_or_else(|| lost("ask the group", "the log was restarted"))
}

fn lost(doing: &str, text: &str) -> Error {
    Error::Log {
        doing: doing.to_owned(),
        text: text.to_owned(),
        severity: Severity::Lost,
    }
}

fn refused(text: &str, severity: Severity) -> Error {
    Error::Log {
        doing: "commit".to_owned(),
        text: text.to_owned(),
        severity,
    }
}
