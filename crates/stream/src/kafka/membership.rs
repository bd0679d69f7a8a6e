//! Which numbers a member holds.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use event::Partition;
use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext, ConsumerGroupMetadata},
    error::{KafkaError, KafkaResult},
    topic_partition_list::TopicPartitionList,
    types::RDKafkaRespErr,
};

use super::{
    config::{Config, Isolation},
    fault::{self, Call},
    voice::Voice,
};
use crate::{Error, log::Group};

/// A place in a machine's group. It subscribes to the first input only and fetches nothing: `cooperative-sticky` balances single
/// partitions, and would give the same number of two inputs to two members.
pub(super) struct Membership {
    consumer: BaseConsumer<Rebalances>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    Assigned(Vec<Partition>),
    Revoked(Vec<Partition>),
}

impl Membership {
    pub(super) fn join(
        config: &Config,
        group: &Group,
        name: &str,
        first_input: &str,
    ) -> Result<Self, Error> {
        let session = group.session.as_millis();
        let poll_interval = u128::from(config.poll_interval_ms_max).max(session);
        let mut settings = config.consumer(Isolation::Committed)?;
        settings
            .set("group.id", name)
            // The newer protocol makes a late poll fatal up to librdkafka 2.15 (#5541).
            .set("group.protocol", "classic")
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", session.to_string())
            .set(
                "heartbeat.interval.ms",
                (session / 5).clamp(100, 3_000).to_string(),
            )
            .set("max.poll.interval.ms", poll_interval.to_string());
        let failed =
            |error| fault::error(format!("join the group {name}"), &error, None, Call::Ask);
        let consumer: BaseConsumer<Rebalances> = settings
            .create_with_context(Rebalances::default())
            .map_err(failed)?;
        consumer.subscribe(&[first_input]).map_err(failed)?;
        Ok(Self { consumer })
    }

    /// Waits for the next change, if none is waiting.
    pub(super) fn poll(&self, wait: Duration) -> Result<Option<Change>, Error> {
        let rebalances = self.consumer.context();
        if let Some(change) = rebalances.state().changes.pop_front() {
            return Ok(Some(change));
        }
        match self.consumer.poll(wait) {
            // Nothing is assigned, so that there are no records; a rebalance shows as nothing as well.
            None | Some(Ok(_)) => {}
            Some(Err(error)) if fault::is_one_broker(&error) => {}
            Some(Err(error)) if fault::is_late(&error) => {
                tracing::warn!(
                    "too long between two polls; the group gives the partitions to others"
                );
            }
            Some(Err(error)) => return Err(self.failed("keep the place in the group", &error)),
        }
        Ok(rebalances.state().changes.pop_front())
    }

    /// Which generation of the group the member's view is of. It is taken when a rebalance is heard of, never at the commit:
    /// librdkafka may have joined anew in the meantime, and would vouch for a partition that somebody else holds by now.
    pub(super) fn generation(&self) -> Option<Arc<ConsumerGroupMetadata>> {
        self.consumer.context().state().generation.clone()
    }

    /// The stable committed offsets: a `read_committed` consumer's question waits for transactions that are not over.
    pub(super) fn committed(
        &self,
        asked: TopicPartitionList,
        wait: Duration,
    ) -> KafkaResult<TopicPartitionList> {
        self.consumer.committed_offsets(asked, wait)
    }

    pub(super) fn failed(&self, doing: &str, error: &KafkaError) -> Error {
        let reason = self.consumer.context().voice.take_reason();
        fault::error(doing, error, reason.as_deref(), Call::Ask)
    }

    /// Leaves the group, so that the others need not wait for the session to run out.
    pub(super) fn leave(self) {
        self.consumer.unsubscribe();
    }
}

#[derive(Default)]
struct Rebalances {
    voice: Voice,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    changes: VecDeque<Change>,
    generation: Option<Arc<ConsumerGroupMetadata>>,
}

impl Rebalances {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Rebalances {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        Voice::say(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.voice.hear(&error, reason);
    }
}

impl ConsumerContext for Rebalances {
    /// Runs within `poll`, on the thread of the loop: no commit is under way.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        kind: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let numbers: Vec<_> = partitions
            .elements()
            .iter()
            .filter_map(|element| u32::try_from(element.partition()).ok())
            .map(Partition)
            .collect();
        let mut state = self.state();
        if let Some(generation) = consumer.group_metadata() {
            state.generation = Some(Arc::new(generation));
        }
        // The protocol wants an answer. It is empty, since this consumer fetches nothing.
        let nothing = TopicPartitionList::new();
        let answered = if kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            if !numbers.is_empty() {
                state.changes.push_back(Change::Assigned(numbers));
            }
            consumer.incremental_assign(&nothing)
        } else {
            if !numbers.is_empty() {
                state.changes.push_back(Change::Revoked(numbers));
            }
            consumer.incremental_unassign(&nothing)
        };
        if let Err(error) = answered {
            tracing::warn!("the rebalance could not be answered: {error}");
        }
    }
}
