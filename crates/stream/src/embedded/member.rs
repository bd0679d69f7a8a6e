use std::{collections::BTreeMap, sync::Arc, time::Duration};

use event::{Partition, Topic, topic::MachineName};

use super::{
    Shared, clock,
    cursor::Cursor,
    group::{Change, Expelled, Group, MemberId},
    hub::Visible,
    queue::Work,
};
use crate::{
    Error, Offset, Severity, TopicPartition,
    log::{self, Commit, Polled},
};

/// One instance of a machine.
pub(super) struct Member {
    shared: Arc<Shared>,
    id: MemberId,
    machine: MachineName,
    inputs: Vec<Topic>,
    cursor: Cursor,
}

impl Member {
    pub(super) fn join(shared: Arc<Shared>, group: log::Group) -> Result<Self, Error> {
        let log::Group {
            machine,
            inputs,
            session,
        } = group;
        let id = shared.hub.change(|visible| {
            let mut counts = Vec::with_capacity(inputs.len());
            for input in &inputs {
                counts.push(visible.find(input)?.partitions);
            }
            let partitions = counts.first().copied().unwrap_or(0);
            if let Some(odd) = counts.iter().position(|count| *count != partitions) {
                return Err(Error::Topic {
                    topic: inputs[odd].name(),
                    problem: format!(
                        "has {} partitions where {} has {partitions}",
                        counts[odd], inputs[0]
                    ),
                    remedy: format!("give all inputs of {} as many", machine.as_str()),
                });
            }
            let id = visible.new_member();
            visible
                .groups
                .entry(machine)
                .or_insert_with(|| Group::new(partitions))
                .join(id, session, clock::monotonic());
            Ok(id)
        })?;
        Ok(Self {
            shared,
            id,
            machine,
            inputs,
            cursor: Cursor::default(),
        })
    }

    /// Says that this member lives, and will say so again within `wait` and its session.
    fn live<'v>(&self, visible: &'v mut Visible, wait: Duration) -> Result<&'v mut Group, Error> {
        let group = visible
            .groups
            .get_mut(&self.machine)
            .ok_or_else(|| self.fenced(None))?;
        match group.hear(self.id, clock::monotonic(), wait) {
            Ok(()) => Ok(group),
            Err(Expelled) => Err(self.fenced(None)),
        }
    }

    fn hold(&self, partition: Partition) -> Result<(), Error> {
        let mut visible = self.shared.hub.lock();
        if self
            .live(&mut visible, Duration::ZERO)?
            .owns(self.id, partition)
        {
            Ok(())
        } else {
            Err(self.fenced(Some(partition)))
        }
    }

    fn fenced(&self, partition: Option<Partition>) -> Error {
        Error::Fenced {
            at: match partition {
                Some(partition) => format!("{} {partition}", self.machine.as_str()),
                None => self.machine.as_str().to_owned(),
            },
        }
    }

    fn is_input(&self, at: &TopicPartition) -> Result<(), Error> {
        if self.inputs.contains(&at.topic) {
            return Ok(());
        }
        Err(Error::Topic {
            topic: at.topic.name(),
            problem: format!("is no input of {}", self.machine.as_str()),
            remedy: "name it when joining".to_owned(),
        })
    }
}

impl log::Member for Member {
    fn poll(&mut self, records_max: usize, wait: Duration) -> Result<Polled, Error> {
        let deadline = clock::monotonic() + wait;
        loop {
            let (version, change) = {
                let mut visible = self.shared.hub.lock();
                let version = visible.version();
                let group = self.live(&mut visible, wait)?;
                (version, group.change(self.id, clock::monotonic()))
            };
            match change {
                Some(Change::Revoked(partitions)) => {
                    self.cursor.forget(&partitions);
                    // Whoever is to have them may wait for this.
                    self.shared.hub.change(|_| ());
                    return Ok(Polled::Revoked(partitions));
                }
                Some(Change::Assigned(partitions)) => {
                    self.cursor.forget(&partitions);
                    return Ok(Polled::Assigned(partitions));
                }
                None => {}
            }
            let records = self.cursor.take(&self.shared, records_max)?;
            if !records.is_empty() || !self.shared.hub.wait(version, deadline) {
                return Ok(Polled::Records(records));
            }
        }
    }

    fn committed(
        &mut self,
        partition: Partition,
    ) -> Result<BTreeMap<TopicPartition, Offset>, Error> {
        self.hold(partition)?;
        // A commit of the owner before may still be with the writer; it is done when this is answered.
        self.shared.call(|reply| Work::Settle { reply })?;
        let visible = self.shared.hub.lock();
        let mut found = BTreeMap::new();
        for topic in &self.inputs {
            let place = visible.place(topic, partition)?;
            if let Some(next) = visible.committed.get(&(self.machine, place)) {
                found.insert(TopicPartition::new(topic.clone(), partition), *next);
            }
        }
        Ok(found)
    }

    fn resume(&mut self, next: &BTreeMap<TopicPartition, Offset>) -> Result<(), Error> {
        for (at, next) in next {
            self.is_input(at)?;
            self.hold(at.partition)?;
            self.cursor.seek(&self.shared, at, *next)?;
        }
        Ok(())
    }

    fn position(&mut self, at: &TopicPartition) -> Result<Offset, Error> {
        self.hold(at.partition)?;
        self.cursor.position(at).ok_or_else(|| Error::Topic {
            topic: at.topic.name(),
            problem: format!("is paused in partition {}", at.partition),
            remedy: "resume it first".to_owned(),
        })
    }

    fn commit(&mut self, commit: Commit) -> Result<(), Error> {
        if commit.next.is_empty() {
            return Err(Error::Log {
                doing: format!("committing as {}", self.machine.as_str()),
                text: "it names no next offset, so that nobody could be fenced".to_owned(),
                severity: Severity::Fatal,
            });
        }
        let records = self.shared.placed(Arc::unwrap_or_clone(commit.appends))?;
        let mut next = Vec::with_capacity(commit.next.len());
        for (at, offset) in commit.next {
            self.is_input(&at)?;
            self.hold(at.partition)?;
            let place = self.shared.hub.lock().place(&at.topic, at.partition)?;
            next.push((at.partition, place, offset));
        }
        // The writer looks again at who owns what, for that may change while the commit waits.
        let (machine, member) = (self.machine, self.id);
        self.shared.call(|reply| Work::Commit {
            machine,
            member,
            records,
            next,
            reply,
        })
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.shared.hub.change(|visible| {
            if let Some(group) = visible.groups.get_mut(&self.machine) {
                group.leave(self.id);
            }
        });
    }
}
