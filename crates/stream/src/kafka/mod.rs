//! The log of a cluster: Apache Kafka 4, by librdkafka.
//!
//! - A commit is one transaction in one burst, which carries the next offsets with the generation of the group: the broker
//!   refuses it to any but the newest owner. Every member has a transactional id of its own, and leaves it to the next of its process.
//! - An answer to a commit is waited for only so long: librdkafka does not keep to its own limits when a coordinator is lost.
//! - A machine's group subscribes to its first input; the same numbers of the other inputs come and go with it.
//! - Nothing is read from "wherever the group was": partitions are read from offsets that are given, or not at all.
//! - librdkafka's statistics are off and its `StreamConsumer`, split partition queues and mock cluster are not used: each has been
//!   seen to stall or to pretend.

mod admin;
mod append;
mod committer;
mod config;
mod deadline;
mod fault;
mod identity;
mod member;
mod membership;
mod namespace;
mod retention;
mod tail;
mod transaction;
mod voice;
mod wait;

use std::{collections::BTreeMap, sync::Arc};

use futures::future::BoxFuture;

pub use self::config::{Compression, Config, Sasl, Security};
use self::{
    admin::Admin, append::Appender, identity::Identities, member::Member, namespace::Namespace,
    tail::Tail,
};
use crate::{
    Error,
    log::{self, Append, End, Group, Log, Offset, Reader, TopicPartition, TopicSpec},
};

/// A connection to a cluster.
pub struct Kafka {
    config: Config,
    names: Namespace,
    admin: Admin,
    appender: Appender,
    identities: Identities,
}

impl Kafka {
    /// # Errors
    /// When the configuration has faults, a secret cannot be read, or no broker answers.
    pub fn connect(config: Config) -> Result<Arc<Self>, Error> {
        let names = Namespace::new(&config.namespace);
        let admin = Admin::connect(&config, &names)?;
        let appender = Appender::new(&config, &names)?;
        Ok(Arc::new(Self {
            config,
            names,
            admin,
            appender,
            identities: Identities::default(),
        }))
    }
}

impl Log for Kafka {
    fn topics(&self) -> Result<Vec<TopicSpec>, Error> {
        self.admin.topics()
    }

    fn create_topics(&self, specs: &[TopicSpec]) -> Result<(), Error> {
        self.admin.create_topics(specs)
    }

    fn append(&self, records: Vec<Append>) -> BoxFuture<'static, Result<(), Error>> {
        self.appender.append(records)
    }

    fn read(&self, from: BTreeMap<TopicPartition, Offset>) -> Result<Box<dyn Reader>, Error> {
        self.admin.check_exist(from.keys())?;
        let mut tail = Tail::new(&self.config, &self.names)?;
        tail.read_from(&from)?;
        Ok(Box::new(tail))
    }

    fn start(&self, at: &TopicPartition) -> Result<Offset, Error> {
        self.admin.start(at)
    }

    fn end(&self, at: &TopicPartition, end: End) -> Result<Offset, Error> {
        self.admin.end(at, end)
    }

    fn ends(
        &self,
        partitions: &[TopicPartition],
        end: End,
    ) -> Result<BTreeMap<TopicPartition, Offset>, Error> {
        self.admin.ends(partitions, end)
    }

    fn join(&self, group: Group) -> Result<Box<dyn log::Member>, Error> {
        self.admin.check_inputs(&group.inputs)?;
        let identity = self.identities.take(&self.names, group.machine);
        let member = Member::join(&self.config, &self.names, group, identity)?;
        Ok(Box::new(member))
    }

    fn trim(&self, at: &TopicPartition, below: Offset) -> Result<(), Error> {
        self.admin.trim(at, below)
    }
}
