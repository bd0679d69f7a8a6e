//! Commits that come to an end.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use rdkafka::{
    consumer::ConsumerGroupMetadata,
    error::{KafkaError, RDKafkaErrorCode},
    topic_partition_list::TopicPartitionList,
};

use super::transaction::{Failure, Transactions};
use crate::{Error, Severity, log::Append};

/// The transactional producer of a member, on a thread of its own.
///
/// librdkafka does not keep to the limit it is given: when the coordinator of the group is lost while offsets are sent to it, the
/// call goes on until the connection to any broker comes or goes, which may never be (librdkafka #5456 and #5511, in every release
/// up to 2.14.2). So an answer is waited for only so long. Whoever gets none is lost, and the next member, under the same
/// transactional id, ends what was begun.
pub(super) struct Committer {
    jobs: mpsc::Sender<Job>,
    answers: mpsc::Receiver<Result<(), Failure>>,
    wait: Duration,
}

struct Job {
    appends: Arc<Vec<Append>>,
    next: TopicPartitionList,
    owner: Arc<ConsumerGroupMetadata>,
}

impl Committer {
    pub(super) fn new(transactions: Transactions) -> Result<Self, Error> {
        let wait = transactions.longest();
        let (jobs, asked) = mpsc::channel::<Job>();
        let (answer, answers) = mpsc::channel();
        // Nobody waits for the thread: a client that is destroyed under a call never lets that call return, so that it is the
        // thread which drops the producer, whenever that may be.
        let started = thread::Builder::new()
            .name("commits".to_owned())
            .spawn(move || {
                for Job {
                    appends,
                    next,
                    owner,
                } in asked
                {
                    let done = transactions.commit(&appends, &next, &owner);
                    if answer.send(done).is_err() {
                        break;
                    }
                }
            });
        match started {
            Ok(_) => Ok(Self {
                jobs,
                answers,
                wait,
            }),
            Err(error) => Err(Error::Log {
                doing: "start the thread of the commits".to_owned(),
                text: error.to_string(),
                severity: Severity::Retry,
            }),
        }
    }

    pub(super) fn commit(
        &self,
        appends: Arc<Vec<Append>>,
        next: TopicPartitionList,
        owner: Arc<ConsumerGroupMetadata>,
    ) -> Result<(), Failure> {
        let job = Job {
            appends,
            next,
            owner,
        };
        let code = match self.jobs.send(job) {
            Ok(()) => match self.answers.recv_timeout(self.wait) {
                Ok(done) => return done,
                Err(mpsc::RecvTimeoutError::Timeout) => RDKafkaErrorCode::OperationTimedOut,
                Err(mpsc::RecvTimeoutError::Disconnected) => RDKafkaErrorCode::State,
            },
            Err(mpsc::SendError(_)) => RDKafkaErrorCode::State,
        };
        Err(Failure::new(
            "wait for the end of the transaction",
            KafkaError::Flush(code),
        ))
    }
}

#[cfg(test)]
mod tests {
    use event::{Partition, Topic};
    use rdkafka::{
        consumer::{BaseConsumer, Consumer},
        mocking::{MockCluster, MockCoordinator},
        topic_partition_list::Offset as Position,
    };

    use super::*;
    use crate::{
        kafka::{
            admin::list,
            config::{Config, Isolation},
            namespace::Namespace,
        },
        log::TopicPartition,
    };

    /// Far longer than a commit may take here.
    const BOUND: Duration = Duration::from_secs(30);

    #[test]
    fn a_commit_ends_although_the_coordinator_of_the_group_is_away() {
        let (names, id) = (Namespace::new(""), "polku.cases.1");
        let (input, out) = (Topic::CaseInput, Topic::Access);
        let cluster = MockCluster::new(2).unwrap();
        for topic in [&input, &out] {
            cluster.create_topic(&names.topic(topic), 1, 2).unwrap();
            cluster
                .partition_leader(&names.topic(topic), 0, Some(1))
                .unwrap();
        }
        let coordinators = [
            (MockCoordinator::Transaction(id.to_owned()), 1),
            (MockCoordinator::Group("polku.cases".to_owned()), 2),
        ];
        for (coordinator, broker) in coordinators {
            cluster.coordinator(coordinator, broker).unwrap();
        }
        let config = Config {
            transaction_ms_max: 1_000,
            ..Config::plaintext(cluster.bootstrap_servers())
        };
        let mut settings = config.consumer(Isolation::Committed).unwrap();
        let consumer: BaseConsumer = settings.set("group.id", "polku.cases").create().unwrap();
        let owner = Arc::new(consumer.group_metadata().unwrap());
        let session = Duration::from_secs(1);
        let transactions = Transactions::new(&config, &names, id, session).unwrap();
        let committer = Committer::new(transactions).unwrap();
        let commit = move || {
            let append = Append {
                at: TopicPartition::new(out.clone(), Partition(0)),
                key: b"key".to_vec().into(),
                value: None,
            };
            let at = TopicPartition::new(input.clone(), Partition(0));
            let next = list(&names, [(&at, Position::Offset(1))]).unwrap();
            committer.commit(vec![append].into(), next, Arc::clone(&owner))
        };
        assert!(commit().is_ok());

        cluster.broker_down(2).unwrap();
        let (answer, answers) = mpsc::channel();
        thread::spawn(move || answer.send(commit()));
        let failure = answers.recv_timeout(BOUND).expect("it ends").unwrap_err();
        assert_eq!(Error::from(failure).severity(), Severity::Lost);
        // What hangs in the client lets go.
        cluster.broker_up(2).unwrap();
    }
}
