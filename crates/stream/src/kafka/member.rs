use std::{
    collections::{BTreeMap, BTreeSet},
    sync::mpsc,
    thread,
    time::Duration,
};

use event::{Partition, Topic};
use rdkafka::topic_partition_list::Offset as Position;

use super::{
    admin::list,
    append::check_sizes,
    committer::Committer,
    config::Config,
    deadline::Deadline,
    identity::Identity,
    membership::{Change, Membership},
    namespace::Namespace,
    tail::Tail,
    transaction::Transactions,
};
use crate::{
    Error, Severity,
    log::{self, Commit, Group, Offset, Polled, Reader, TopicPartition},
};

/// How long records are waited for before rebalances are listened to again.
const TURN: Duration = Duration::from_millis(50);

/// How long a member that is dropped may take to leave.
const LEAVE: Duration = Duration::from_secs(5);

/// After so many asks in a row without an answer it is not a transaction that runs out: none is open for longer than one ask waits,
/// and the coordinator's look for those that are over.
const UNANSWERED_MAX: u32 = 2;

/// One instance of a machine: a place in the group, a tail of the inputs it holds, and a transactional producer.
pub(super) struct Member {
    names: Namespace,
    inputs: Vec<Topic>,
    answer: Duration,
    held: BTreeSet<Partition>,
    /// How many asks for committed offsets in a row found no answer.
    unanswered: u32,
    /// Given back when the member is dropped, however long its parts take to close: it is the next member that ends what is open.
    _identity: Identity,
    /// Taken only by `drop`.
    parts: Option<Parts>,
}

struct Parts {
    membership: Membership,
    tail: Tail,
    committer: Committer,
}

impl Member {
    pub(super) fn join(
        config: &Config,
        names: &Namespace,
        group: Group,
        identity: Identity,
    ) -> Result<Self, Error> {
        let Some(first) = group.inputs.first() else {
            return Err(refused("join", "a machine has an input", Severity::Fatal));
        };
        let transactions = Transactions::new(config, names, identity.as_str(), group.session)?;
        let tail = Tail::new(config, names)?;
        let name = names.group(group.machine);
        let membership = Membership::join(config, &group, &name, &names.topic(first))?;
        Ok(Self {
            names: names.clone(),
            // Offsets of an earlier owner are stable once its transaction is over.
            answer: config.answer() + Duration::from_millis(config.transaction_ms_max.into()),
            inputs: group.inputs,
            held: BTreeSet::new(),
            unanswered: 0,
            _identity: identity,
            parts: Some(Parts {
                membership,
                tail,
                committer: Committer::new(transactions)?,
            }),
        })
    }

    fn parts(&mut self) -> &mut Parts {
        self.parts.as_mut().expect("only `drop` takes them")
    }

    /// Asks the group's coordinator, which answers once no transaction has offsets of the number under way.
    fn ask_committed(
        &self,
        partition: Partition,
    ) -> Result<BTreeMap<TopicPartition, Offset>, Error> {
        let inputs: Vec<_> = self
            .inputs
            .iter()
            .map(|topic| TopicPartition::new(topic.clone(), partition))
            .collect();
        self.check_held(inputs.iter())?;
        let doing = format!("ask for the committed offsets of number {partition}");
        let membership = &self
            .parts
            .as_ref()
            .expect("only `drop` takes them")
            .membership;
        let asked = list(&self.names, inputs.iter().map(|at| (at, Position::Invalid)));
        let answer = asked
            .and_then(|asked| membership.committed(asked, self.answer))
            .map_err(|error| membership.failed(&doing, &error))?;
        let mut committed = BTreeMap::new();
        for element in answer.elements() {
            element
                .error()
                .map_err(|error| membership.failed(&doing, &error))?;
            // An offset that expired after seven days without a member is absent as well: the machine's state has it too.
            if let Position::Offset(offset) = element.offset()
                && let Some(topic) = self.names.parse(element.topic())
            {
                committed.insert(TopicPartition { topic, partition }, Offset(offset));
            }
        }
        Ok(committed)
    }

    fn apply(&mut self, change: Change) -> Result<Polled, Error> {
        match change {
            Change::Assigned(numbers) => {
                self.held.extend(&numbers);
                Ok(Polled::Assigned(numbers))
            }
            Change::Revoked(numbers) => {
                self.held.retain(|number| !numbers.contains(number));
                self.parts()
                    .tail
                    .forget(|at| numbers.contains(&at.partition))?;
                Ok(Polled::Revoked(numbers))
            }
        }
    }

    /// That every partition named is held. A commit that names another is that of an owner who was.
    fn check_held<'a>(&self, named: impl Iterator<Item = &'a TopicPartition>) -> Result<(), Error> {
        let foreign: Vec<_> = named
            .filter(|at| !self.held.contains(&at.partition) || !self.inputs.contains(&at.topic))
            .collect();
        if foreign.is_empty() {
            return Ok(());
        }
        Err(fenced(foreign.into_iter()))
    }
}

impl log::Member for Member {
    fn poll(&mut self, records_max: usize, wait: Duration) -> Result<Polled, Error> {
        let deadline = Deadline::after(wait);
        loop {
            let parts = self.parts();
            // A member that reads nothing has only rebalances to wait for.
            let idle = parts.tail.is_empty();
            let turn = deadline.remaining().min(TURN);
            let patience = if idle { turn } else { Duration::ZERO };
            if let Some(change) = parts.membership.poll(patience)? {
                return self.apply(change);
            }
            let reads = if idle {
                Vec::new()
            } else {
                parts.tail.poll(records_max, turn)?
            };
            if !reads.is_empty() || deadline.passed() {
                return Ok(Polled::Records(reads));
            }
        }
    }

    fn committed(
        &mut self,
        partition: Partition,
    ) -> Result<BTreeMap<TopicPartition, Offset>, Error> {
        let deadline = Deadline::after(self.answer);
        let asked = self.ask_committed(partition);
        // A coordinator that says "not yet" has answered: whoever is given up for that is given up again and again.
        self.unanswered = if asked.is_err() && deadline.passed() {
            self.unanswered + 1
        } else {
            0
        };
        match asked {
            Err(Error::Log { doing, text, .. }) if self.unanswered >= UNANSWERED_MAX => {
                Err(refused(&doing, &text, Severity::Lost))
            }
            asked => asked,
        }
    }

    fn resume(&mut self, next: &BTreeMap<TopicPartition, Offset>) -> Result<(), Error> {
        self.check_held(next.keys())?;
        self.parts().tail.read_from(next)
    }

    fn position(&mut self, at: &TopicPartition) -> Result<Offset, Error> {
        self.parts().tail.position(at)
    }

    fn commit(&mut self, commit: Commit) -> Result<(), Error> {
        if commit.next.is_empty() {
            let text = "it names no input's next offset, so that no broker could refuse it to an older owner";
            return Err(refused("commit", text, Severity::Fatal));
        }
        let Commit { appends, next } = commit;
        check_sizes(&appends)?;
        self.check_held(next.keys())?;
        let offsets = next.iter().map(|(at, next)| (at, Position::Offset(next.0)));
        let offsets = list(&self.names, offsets).map_err(|error| {
            super::fault::error("commit", &error, None, super::fault::Call::Ask)
        })?;
        let parts = self.parts();
        let Some(generation) = parts.membership.generation() else {
            return Err(fenced(next.keys()));
        };
        match parts.committer.commit(appends, offsets, generation) {
            Ok(()) => Ok(()),
            Err(failure) if failure.is_fenced() => Err(fenced(next.keys())),
            Err(failure) => Err(failure.into()),
        }
    }
}

/// A client of librdkafka can hang while it closes, so that this waits only so long. It is closed on a thread of its own.
impl Drop for Member {
    fn drop(&mut self) {
        let Some(parts) = self.parts.take() else {
            return;
        };
        let (left, wait) = mpsc::channel();
        thread::spawn(move || {
            // First the place in the group: others may go on while the rest is closed.
            parts.membership.leave();
            // The member may have gone on without waiting.
            left.send(()).ok();
            drop((parts.tail, parts.committer));
        });
        if wait.recv_timeout(LEAVE).is_err() {
            tracing::warn!(
                "leaving the group takes longer than {LEAVE:?}; its session will run out"
            );
        }
    }
}

fn fenced<'a>(at: impl Iterator<Item = &'a TopicPartition>) -> Error {
    let at: Vec<_> = at.map(ToString::to_string).collect();
    Error::Fenced { at: at.join(", ") }
}

fn refused(doing: &str, text: &str, severity: Severity) -> Error {
    Error::Log {
        doing: doing.to_owned(),
        text: text.to_owned(),
        severity,
    }
}
