use std::collections::BTreeMap;

use event::{Partition, Topic};

use crate::log::{Offset, TopicPartition};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MemberId(pub(super) u64);

/// Who owned a partition for the how manyth time. Only the newest may commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Epoch(u64);

#[derive(Clone, Copy, Debug, Default)]
struct Ownership {
    epoch: Epoch,
    member: Option<MemberId>,
}

/// The members of one machine and what was committed for it.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) inputs: Vec<Topic>,
    pub(super) committed: BTreeMap<TopicPartition, Offset>,
    partitions: u32,
    members: Vec<MemberId>,
    /// Moves the round robin on, so that partitions change hands without anybody joining or leaving.
    rotation: usize,
    owners: BTreeMap<Partition, Ownership>,
}

impl Group {
    pub(super) fn new(inputs: Vec<Topic>, partitions: u32) -> Self {
        Self {
            inputs,
            committed: BTreeMap::new(),
            partitions,
            members: Vec::new(),
            rotation: 0,
            owners: BTreeMap::new(),
        }
    }

    pub(super) fn members(&self) -> &[MemberId] {
        &self.members
    }

    pub(super) fn enter(&mut self, member: MemberId) {
        self.members.push(member);
    }

    /// Forgets a member. It may not know.
    pub(super) fn leave(&mut self, member: MemberId) {
        self.members.retain(|other| *other != member);
        for owner in self.owners.values_mut() {
            if owner.member == Some(member) {
                owner.member = None;
            }
        }
    }

    pub(super) fn clear(&mut self) {
        for member in self.members.clone() {
            self.leave(member);
        }
    }

    pub(super) fn rotate(&mut self) {
        self.rotation += 1;
    }

    pub(super) fn owns(&self, member: MemberId, partition: Partition, epoch: Epoch) -> bool {
        self.owners
            .get(&partition)
            .is_some_and(|owner| owner.member == Some(member) && owner.epoch == epoch)
    }

    /// The partitions a member has to let go of.
    pub(super) fn surplus(&self, member: MemberId) -> Vec<Partition> {
        self.owners
            .iter()
            .filter(|(_, owner)| owner.member == Some(member))
            .map(|(partition, _)| *partition)
            .filter(|partition| self.wanted_owner(*partition) != Some(member))
            .collect()
    }

    pub(super) fn release(&mut self, partition: Partition) {
        if let Some(owner) = self.owners.get_mut(&partition) {
            owner.member = None;
        }
    }

    /// Gives a member the partitions that are its and that nobody holds any more.
    pub(super) fn claim(&mut self, member: MemberId) -> Vec<(Partition, Epoch)> {
        let mut claimed = Vec::new();
        for partition in Partition::all(self.partitions) {
            let wanted = self.wanted_owner(partition) == Some(member);
            let owner = self.owners.entry(partition).or_default();
            if wanted && owner.member.is_none() {
                owner.member = Some(member);
                owner.epoch.0 += 1;
                claimed.push((partition, owner.epoch));
            }
        }
        claimed
    }

    fn wanted_owner(&self, partition: Partition) -> Option<MemberId> {
        if self.members.is_empty() {
            return None;
        }
        let turn = (partition.index() + self.rotation) % self.members.len();
        Some(self.members[turn])
    }
}
