//! Who of a machine's members owns which partition.
//!
//! Members take turns over the partitions in the order they joined. A partition that is to move is first taken from its owner,
//! in that one's next poll, and only then given to the new one; an owner that says nothing for longer than its session is
//! expelled. From the moment it no longer owns a partition, a member's commits that name it are refused.

use std::time::{Duration, Instant};

use event::Partition;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MemberId(pub(super) u64);

#[derive(Debug)]
struct Joined {
    id: MemberId,
    session: Duration,
    /// Silent for longer than this, it counts as gone.
    alive_until: Instant,
}

#[derive(Debug)]
pub(super) struct Group {
    members: Vec<Joined>,
    owners: Vec<Option<MemberId>>,
}

/// What a member has to hear.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    Revoked(Vec<Partition>),
    Assigned(Vec<Partition>),
}

/// The member was expelled.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expelled;

impl Group {
    pub(super) fn new(partitions: u32) -> Self {
        Self {
            members: Vec::new(),
            owners: Partition::all(partitions).map(|_| None).collect(),
        }
    }

    pub(super) fn join(&mut self, id: MemberId, session: Duration, now: Instant) {
        self.members.push(Joined {
            id,
            session,
            alive_until: now + session,
        });
    }

    pub(super) fn leave(&mut self, id: MemberId) {
        self.members.retain(|member| member.id != id);
        for owner in &mut self.owners {
            owner.take_if(|owner| *owner == id);
        }
    }

    /// A member shows that it lives, and will be heard of again within `wait` and its session.
    pub(super) fn hear(
        &mut self,
        id: MemberId,
        now: Instant,
        wait: Duration,
    ) -> Result<(), Expelled> {
        let member = self
            .members
            .iter_mut()
            .find(|member| member.id == id)
            .ok_or(Expelled)?;
        member.alive_until = member.alive_until.max(now + wait + member.session);
        Ok(())
    }

    /// The next change that concerns a member, which takes effect with this call.
    pub(super) fn change(&mut self, id: MemberId, now: Instant) -> Option<Change> {
        self.expel_silent(now);
        let turns: Vec<MemberId> = self.members.iter().map(|member| member.id).collect();
        let mut revoked = Vec::new();
        let mut assigned = Vec::new();
        for (partition, owner) in (0..).map(Partition).zip(&mut self.owners) {
            let wanted = turns[partition.index() % turns.len()];
            if *owner == Some(id) && wanted != id {
                *owner = None;
                revoked.push(partition);
            } else if owner.is_none() && wanted == id {
                assigned.push(partition);
            }
        }
        if !revoked.is_empty() {
            return Some(Change::Revoked(revoked));
        }
        for partition in &assigned {
            self.owners[partition.index()] = Some(id);
        }
        (!assigned.is_empty()).then_some(Change::Assigned(assigned))
    }

    pub(super) fn owns(&self, id: MemberId, partition: Partition) -> bool {
        self.owners.get(partition.index()) == Some(&Some(id))
    }

    fn expel_silent(&mut self, now: Instant) {
        let silent: Vec<MemberId> = self
            .members
            .iter()
            .filter(|member| member.alive_until < now)
            .map(|member| member.id)
            .collect();
        for id in silent {
            self.leave(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: MemberId = MemberId(1);
    const B: MemberId = MemberId(2);
    const SESSION: Duration = Duration::from_secs(10);

    fn partitions(numbers: &[u32]) -> Vec<Partition> {
        numbers.iter().copied().map(Partition).collect()
    }

    /// What a member hears when it polls.
    fn poll(group: &mut Group, id: MemberId, now: Instant) -> Result<Option<Change>, Expelled> {
        group.hear(id, now, Duration::ZERO)?;
        Ok(group.change(id, now))
    }

    #[test]
    fn a_partition_is_given_only_after_it_was_taken() {
        let now = super::super::clock::monotonic();
        let mut group = Group::new(3);
        group.join(A, SESSION, now);
        let all = Change::Assigned(partitions(&[0, 1, 2]));
        assert_eq!(poll(&mut group, A, now), Ok(Some(all)));
        group.join(B, SESSION, now);
        assert_eq!(poll(&mut group, B, now), Ok(None));
        assert!(group.owns(A, Partition(1)));
        let taken = Change::Revoked(partitions(&[1]));
        assert_eq!(poll(&mut group, A, now), Ok(Some(taken)));
        assert!(!group.owns(A, Partition(1)) && !group.owns(B, Partition(1)));
        let given = Change::Assigned(partitions(&[1]));
        assert_eq!(poll(&mut group, B, now), Ok(Some(given)));
        assert!(group.owns(B, Partition(1)) && group.owns(A, Partition(0)));
        assert_eq!(poll(&mut group, A, now), Ok(None));
        group.leave(A);
        let rest = Change::Assigned(partitions(&[0, 2]));
        assert_eq!(poll(&mut group, B, now), Ok(Some(rest)));
    }

    #[test]
    fn a_member_silent_beyond_its_session_is_expelled() {
        let now = super::super::clock::monotonic();
        let mut group = Group::new(1);
        group.join(A, SESSION, now);
        assert!(poll(&mut group, A, now).unwrap().is_some());
        group.join(B, SESSION, now + SESSION / 2);
        assert_eq!(poll(&mut group, B, now + SESSION), Ok(None));
        let later = now + SESSION + Duration::from_millis(1);
        assert!(poll(&mut group, B, later).unwrap().is_some());
        assert!(group.owns(B, Partition(0)));
        assert_eq!(poll(&mut group, A, later), Err(Expelled));
    }

    #[test]
    fn a_member_alone_is_never_expelled_by_itself() {
        let now = super::super::clock::monotonic();
        let mut group = Group::new(1);
        group.join(A, SESSION, now);
        assert!(poll(&mut group, A, now + 9 * SESSION).unwrap().is_some());
        assert!(group.owns(A, Partition(0)));
    }
}
