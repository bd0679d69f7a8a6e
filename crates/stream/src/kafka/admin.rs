//! Topics and partitions: made, listed, measured and trimmed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use event::{
    Partition, Topic,
    topic::{Kept, MachineName},
};
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    metadata::{Metadata, MetadataTopic},
    topic_partition_list::{Offset as Position, TopicPartitionList},
};

use super::{
    config::{Config, Isolation},
    deadline::Deadline,
    fault::{self, Call},
    namespace::Namespace,
    retention::{kept, reader, settings},
    voice::Voice,
    wait,
};
use crate::{
    Error, Severity,
    log::{End, Offset, TopicPartition, TopicSpec},
};

pub(super) struct Admin {
    config: Config,
    names: Namespace,
    client: AdminClient<Voice>,
    /// Sees open transactions: what was written.
    written: BaseConsumer<Voice>,
    /// Sees up to the first open transaction.
    committed: BaseConsumer<Voice>,
    /// Asks for the committed offsets of a machine's group without being in it.
    groups: Mutex<BTreeMap<MachineName, Arc<BaseConsumer<Voice>>>>,
}

impl Admin {
    pub(super) fn connect(config: &Config, names: &Namespace) -> Result<Self, Error> {
        let failed = |error| fault::error("connect to Kafka", &error, None, Call::Ask);
        let admin = Self {
            config: config.clone(),
            names: names.clone(),
            client: config
                .client()?
                .create_with_context(Voice::default())
                .map_err(failed)?,
            written: config
                .consumer(Isolation::Uncommitted)?
                .create_with_context(Voice::default())
                .map_err(failed)?,
            committed: config
                .consumer(Isolation::Committed)?
                .create_with_context(Voice::default())
                .map_err(failed)?,
            groups: Mutex::default(),
        };
        admin.metadata()?;
        Ok(admin)
    }

    pub(super) fn topics(&self) -> Result<Vec<TopicSpec>, Error> {
        let found = self.counts()?;
        let names: Vec<_> = found.keys().map(|topic| self.names.topic(topic)).collect();
        let asked: Vec<_> = names
            .iter()
            .map(|name| ResourceSpecifier::Topic(name))
            .collect();
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let doing = "ask how long topics are kept";
        let described = wait::on(
            self.client
                .describe_configs(&asked, &AdminOptions::new().request_timeout(self.limit())),
        )
        .map_err(|error| self.failed(doing, &error))?;
        let mut specs = Vec::with_capacity(found.len());
        for ((topic, partitions), resource) in found.into_iter().zip(described) {
            let resource =
                resource.map_err(|code| self.failed(doing, &KafkaError::AdminOp(code)))?;
            let kept = kept(&topic, &resource);
            specs.push(TopicSpec {
                topic,
                partitions,
                kept,
            });
        }
        Ok(specs)
    }

    pub(super) fn create_topics(&self, specs: &[TopicSpec]) -> Result<(), Error> {
        let found = self.topics()?;
        let found: BTreeMap<_, _> = found.iter().map(|spec| (&spec.topic, spec)).collect();
        let mut missing = Vec::new();
        for spec in specs {
            match found.get(&spec.topic) {
                Some(found) => self.check(spec, found)?,
                None => missing.push(spec),
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        self.make(&missing)?;
        self.await_topics(&missing)
    }

    /// The partition count of each topic of this deployment.
    pub(super) fn counts(&self) -> Result<BTreeMap<Topic, u32>, Error> {
        Ok(self.count(&self.metadata()?, |topic| !topic.partitions().is_empty()))
    }

    fn count(
        &self,
        metadata: &Metadata,
        is_meant: impl Fn(&MetadataTopic) -> bool,
    ) -> BTreeMap<Topic, u32> {
        let mut counts = BTreeMap::new();
        for topic in metadata.topics() {
            if let Some(ours) = self.names.parse(topic.name())
                && is_meant(topic)
            {
                let count = u32::try_from(topic.partitions().len())
                    .expect("partition numbers are 32 bits wide");
                counts.insert(ours, count);
            }
        }
        counts
    }

    /// That each of these exists.
    pub(super) fn check_exist<'a>(
        &self,
        wanted: impl Iterator<Item = &'a TopicPartition>,
    ) -> Result<(), Error> {
        let counts = self.counts()?;
        for at in wanted {
            match counts.get(&at.topic) {
                None => return Err(self.missing(&at.topic)),
                Some(count) if at.partition.0 >= *count => {
                    return Err(Error::Topic {
                        topic: self.names.topic(&at.topic),
                        problem: format!(
                            "has {count} partitions, and number {} was asked for",
                            at.partition
                        ),
                        remedy: "set `log.partitions` to the number it was made with".to_owned(),
                    });
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// That a machine's inputs exist and have the same numbers.
    pub(super) fn check_inputs(&self, inputs: &[Topic]) -> Result<(), Error> {
        let counts = self.counts()?;
        let mut first = None;
        for topic in inputs {
            let count = *counts.get(topic).ok_or_else(|| self.missing(topic))?;
            let (first, expected) = *first.get_or_insert((topic, count));
            if count != expected {
                return Err(Error::Topic {
                    topic: self.names.topic(topic),
                    problem: format!("has {count} partitions and {} has {expected}", self.names.topic(first)),
                    remedy: "a machine's inputs need the same number; run `polku topics apply` to see which is wrong".to_owned(),
                });
            }
        }
        Ok(())
    }

    pub(super) fn missing(&self, topic: &Topic) -> Error {
        Error::Topic {
            topic: self.names.topic(topic),
            problem: format!("does not exist on {}", self.config.bootstrap),
            remedy: self.remedy_for_missing(),
        }
    }

    /// A broker hides what a user may not see, so that a missing permission looks like a missing topic.
    fn remedy_for_missing(&self) -> String {
        let mut remedy = "make it with `polku topics apply`".to_owned();
        if self.config.security.authenticates() {
            remedy.push_str(", or grant its user READ and DESCRIBE on the topics `polku.*`");
        }
        remedy
    }

    pub(super) fn start(&self, at: &TopicPartition) -> Result<Offset, Error> {
        Ok(self.watermarks(&self.committed, at)?.0)
    }

    pub(super) fn end(&self, at: &TopicPartition, end: End) -> Result<Offset, Error> {
        Ok(self.watermarks(self.seeing(end), at)?.1)
    }

    /// One request to each broker that leads any of them.
    pub(super) fn ends(
        &self,
        partitions: &[TopicPartition],
        end: End,
    ) -> Result<BTreeMap<TopicPartition, Offset>, Error> {
        if partitions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let failed = |error| self.failed("ask for the ends of partitions", &error);
        let asked = partitions.iter().map(|at| (at, Position::End));
        let answer = self
            .list(asked)
            .and_then(|asked| {
                self.seeing(end)
                    .offsets_for_times(asked, self.config.answer())
            })
            .map_err(failed)?;
        let mut ends = BTreeMap::new();
        for element in answer.elements() {
            if let (Ok(()), Position::Offset(offset)) = (element.error(), element.offset())
                && let Some(topic) = self.names.parse(element.topic())
                && let Ok(number) = u32::try_from(element.partition())
            {
                let at = TopicPartition::new(topic, Partition(number));
                ends.insert(at, Offset(offset));
            }
        }
        // One whose leader moves is asked for by itself, which waits until the new one is known.
        for at in partitions {
            if !ends.contains_key(at) {
                ends.insert(at.clone(), self.end(at, end)?);
            }
        }
        Ok(ends)
    }

    fn seeing(&self, end: End) -> &BaseConsumer<Voice> {
        match end {
            End::Committed => &self.committed,
            End::Written => &self.written,
        }
    }

    pub(super) fn trim(&self, at: &TopicPartition, below: Offset) -> Result<(), Error> {
        let doing = format!("trim {at} below {below}");
        let refused = |text: String| Error::Log {
            doing: doing.clone(),
            text,
            severity: Severity::Fatal,
        };
        let Some(machine) = reader(&at.topic) else {
            return Err(refused("the topic is not kept until read".to_owned()));
        };
        match self.committed_by(machine, at)? {
            Some(committed) if below <= committed => {}
            Some(committed) => {
                return Err(refused(format!(
                    "the committed offset of {} is {committed}",
                    machine.as_str()
                )));
            }
            None => {
                return Err(refused(format!(
                    "{} has no committed offset there",
                    machine.as_str()
                )));
            }
        }
        let failed = |error| self.failed(&doing, &error);
        let offsets = self
            .list([(at, Position::Offset(below.0))])
            .map_err(failed)?;
        let options = AdminOptions::new()
            .request_timeout(self.limit())
            .operation_timeout(self.limit());
        let deleted = wait::on(self.client.delete_records(&offsets, &options)).map_err(failed)?;
        for element in deleted.elements() {
            element.error().map_err(failed)?;
        }
        Ok(())
    }

    fn committed_by(
        &self,
        machine: MachineName,
        at: &TopicPartition,
    ) -> Result<Option<Offset>, Error> {
        let doing = format!("ask for the committed offset of {at}");
        let failed = |error| self.failed(&doing, &error);
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let consumer = match groups.get(&machine) {
            Some(consumer) => Arc::clone(consumer),
            None => {
                let mut settings = self.config.consumer(Isolation::Committed)?;
                settings.set("group.id", self.names.group(machine));
                let made = settings
                    .create_with_context(Voice::default())
                    .map_err(failed)?;
                let made = Arc::new(made);
                groups.insert(machine, Arc::clone(&made));
                made
            }
        };
        drop(groups);
        let asked = self.list([(at, Position::Invalid)]).map_err(failed)?;
        let answer = consumer
            .committed_offsets(asked, self.config.answer())
            .map_err(failed)?;
        for element in answer.elements() {
            element.error().map_err(failed)?;
            if let Position::Offset(offset) = element.offset() {
                return Ok(Some(Offset(offset)));
            }
        }
        Ok(None)
    }

    fn watermarks(
        &self,
        consumer: &BaseConsumer<Voice>,
        at: &TopicPartition,
    ) -> Result<(Offset, Offset), Error> {
        let name = self.names.topic(&at.topic);
        let deadline = Deadline::after(self.config.answer());
        loop {
            let error = match consumer.fetch_watermarks(&name, number(at), self.config.answer()) {
                Ok((start, end)) => return Ok((Offset(start), Offset(end))),
                Err(error) => error,
            };
            // An unknown partition may also show as a time-out; this tells which it is.
            self.check_exist(std::iter::once(at))?;
            // A partition that was just made, or just moved, has a leader that does not know of it yet, and of several brokers
            // some have not heard of it.
            let again =
                fault::severity(&error, Call::Ask) == Severity::Retry || fault::is_missing(&error);
            if !again || deadline.passed() {
                return Err(self.failed(&format!("ask for the ends of {at}"), &error));
            }
            self.pause();
        }
    }

    fn check(&self, wanted: &TopicSpec, found: &TopicSpec) -> Result<(), Error> {
        let topic = self.names.topic(&wanted.topic);
        if wanted.partitions != found.partitions {
            return Err(Error::Topic {
                problem: format!(
                    "has {} partitions and this deployment needs {}",
                    found.partitions, wanted.partitions
                ),
                remedy: format!(
                    "set `log.partitions` to the number the topics were made with, or remove {topic} if nothing in it is needed"
                ),
                topic,
            });
        }
        // How long rejects or notices are kept is the operator's affair. That compacted rows are not cut off by time, that
        // events are not compacted away, and that unread input is not let go of, is not.
        let same = match (wanted.kept, found.kept) {
            (Kept::For(_), Kept::For(_) | Kept::Always) => true,
            (wanted, found) => wanted == found,
        };
        if same {
            return Ok(());
        }
        let settings = settings(wanted.kept);
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Err(Error::Topic {
            topic,
            problem: format!("is kept otherwise than it must be ({:?})", found.kept),
            remedy: format!("set {} on it", settings.join(" and ")),
        })
    }

    fn make(&self, missing: &[&TopicSpec]) -> Result<(), Error> {
        let named: Vec<_> = missing
            .iter()
            .map(|spec| (self.names.topic(&spec.topic), spec, settings(spec.kept)))
            .collect();
        let replication = self.config.replication.map_or(-1, i32::from);
        let mut topics = Vec::with_capacity(named.len());
        for (name, spec, settings) in &named {
            let partitions =
                i32::try_from(spec.partitions).expect("partition numbers are 32 bits wide");
            let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(replication))
                // The moment the log took a record is the same for all who read it, whatever the clock of its sender says.
                .set("message.timestamp.type", "LogAppendTime");
            if replication >= 3 {
                topic = topic.set("min.insync.replicas", "2");
            }
            for (setting, value) in settings {
                topic = topic.set(setting, value);
            }
            topics.push(topic);
        }
        let options = AdminOptions::new()
            .request_timeout(self.limit())
            .operation_timeout(self.limit());
        let doing = "make the topics";
        let made = wait::on(self.client.create_topics(&topics, &options))
            .map_err(|error| self.failed(doing, &error))?;
        for result in made {
            match result {
                // Somebody else was faster; the next question shows whether it was made alike.
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((name, code)) => {
                    let error = KafkaError::AdminOp(code);
                    return Err(self.failed(&format!("make the topic {name}"), &error));
                }
            }
        }
        Ok(())
    }

    /// Waits until the topics that were made are known: a broker's metadata follows the controller's word. Each answer stands alone,
    /// since the next one may come from a broker that has not heard of them yet.
    fn await_topics(&self, made: &[&TopicSpec]) -> Result<(), Error> {
        let deadline = Deadline::after(self.config.answer());
        let led = loop {
            let led = self.count(&self.metadata()?, is_led);
            match made.iter().find(|spec| !led.contains_key(&spec.topic)) {
                None => break led,
                Some(spec) if deadline.passed() => return Err(self.missing(&spec.topic)),
                Some(_) => self.pause(),
            }
        };
        for spec in made {
            let found = TopicSpec {
                partitions: led[&spec.topic],
                ..(*spec).clone()
            };
            self.check(spec, &found)?;
        }
        Ok(())
    }

    fn metadata(&self) -> Result<Metadata, Error> {
        self.committed
            .fetch_metadata(None, self.config.answer())
            .map_err(|error| {
                let doing = format!(
                    "reach Kafka at {} within {} ms",
                    self.config.bootstrap, self.config.answer_ms_max
                );
                // The question itself only says that no broker is left.
                self.failed(&doing, self.refusal().as_ref().unwrap_or(&error))
            })
    }

    /// Why no broker is left, such as a refused password: it waits among the client's events, between others.
    fn refusal(&self) -> Option<KafkaError> {
        let deadline = Deadline::after(Duration::from_millis(500));
        while !deadline.passed() {
            if let Some(Err(error)) = self.committed.poll(Duration::from_millis(20))
                && fault::severity(&error, Call::Ask) == Severity::Fatal
            {
                return Some(error);
            }
        }
        None
    }

    /// A moment between two questions. Nothing is assigned to this consumer, so that it only waits.
    fn pause(&self) {
        drop(self.committed.poll(Duration::from_millis(20)));
    }

    fn failed(&self, doing: &str, error: &KafkaError) -> Error {
        let reason = self.committed.context().take_reason();
        fault::error(doing, error, reason.as_deref(), Call::Ask)
    }

    fn limit(&self) -> Option<Duration> {
        Some(self.config.answer())
    }

    fn list<'a>(
        &self,
        offsets: impl IntoIterator<Item = (&'a TopicPartition, Position)>,
    ) -> rdkafka::error::KafkaResult<TopicPartitionList> {
        list(&self.names, offsets)
    }
}

/// Whether all its partitions have a leader.
fn is_led(topic: &MetadataTopic) -> bool {
    let parts = topic.partitions();
    !parts.is_empty() && parts.iter().all(|part| part.leader() >= 0)
}

/// librdkafka's form of a list of partitions and offsets.
pub(super) fn list<'a>(
    names: &Namespace,
    offsets: impl IntoIterator<Item = (&'a TopicPartition, Position)>,
) -> rdkafka::error::KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (at, offset) in offsets {
        list.add_partition_offset(&names.topic(&at.topic), number(at), offset)?;
    }
    Ok(list)
}

pub(super) fn number(at: &TopicPartition) -> i32 {
    i32::try_from(at.partition.0).expect("Kafka numbers partitions with 31 bits")
}
