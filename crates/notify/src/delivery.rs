//! One subscription at work: reads the department's notices, posts them, and writes down what came of it.
//!
//! A notice counts as delivered once the sent log says so. Between the endpoint's answer and that record lies a moment in which a
//! crash makes the notice go out again, under the same id.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use event::{
    Name, NoticeId, Partition, Record, Time, Token, Topic,
    notice::Notice,
    sent::{Sent, SentKind},
    time::Millis,
};
use rand::Rng as _;
use service::{clock, clock::Clock, shutdown::Shutdown};
use stream::{
    Append, Offset, Read, Reader, TopicPartition,
    log::{End, SharedLog},
};
use tokio::{
    task::{JoinHandle, JoinSet, spawn_blocking},
    time::{sleep, timeout},
};

use crate::{
    Metrics, Subscription,
    endpoint::{Answer, Endpoint, Failure},
    ledger::{Ledger, Standing},
    message,
    metrics::{EXPIRED, GIVEN_UP},
    queue::{Attempt, Fact, Limits, Queue},
};

/// What all subscriptions of a process share.
#[derive(Clone)]
pub(crate) struct Office {
    pub(crate) log: SharedLog,
    pub(crate) partitions: u32,
    pub(crate) public_url: String,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
    pub(crate) shutdown: Shutdown,
    pub(crate) limits: Limits,
}

pub(crate) struct Delivery {
    office: Office,
    name: Name,
    subscription: Subscription,
    endpoint: Endpoint,
    fingerprint: Token,
    at: TopicPartition,
    queue: Queue,
    /// When the sent log last heard where this subscription stands.
    marked: Time,
}

/// How long one look into the log waits for something new.
const POLL_WAIT: Duration = Duration::from_millis(250);
/// How long after a fault of the log it is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// However far the next attempt is: a clock that was set is noticed within it.
const LOOK_AGAIN_WITHIN: Duration = Duration::from_secs(30);
/// How long attempts may go on once the process is to stop.
const FINISHED_WITHIN: Duration = Duration::from_secs(5);
/// The sent log is kept for so long. A notice that is older may have been delivered without a trace.
const KEPT: Millis = Millis::from_days(30);
/// How often the sent log is told where a subscription stands, so that a restart need not look at all that is kept.
const MARKED_EVERY: Millis = Millis::from_days(1);

type Polled = (Box<dyn Reader>, Result<Vec<Read>, stream::Error>);

impl Delivery {
    pub(crate) fn new(
        office: Office,
        name: Name,
        subscription: Subscription,
        endpoint: Endpoint,
        fingerprint: Token,
    ) -> Delivery {
        let topic = Topic::Notice(subscription.department.clone());
        office.metrics.begin(&name);
        Delivery {
            at: TopicPartition::new(topic, Partition(0)),
            queue: Queue::new(office.limits, Offset::START, None),
            marked: Time::MIN,
            office,
            name,
            subscription,
            endpoint,
            fingerprint,
        }
    }

    /// Until the process stops. The ledger has been read.
    pub(crate) async fn run(mut self) {
        let Some(mut reader) = self.begin().await.map(Some) else {
            return;
        };
        let mut reading: Option<JoinHandle<Polled>> = None;
        let mut attempts: JoinSet<(Attempt, Answer, Duration)> = JoinSet::new();
        let mut news = self.office.ledger.watch();
        while !self.office.shutdown.is_stopping() {
            self.mark().await;
            self.hear();
            for attempt in self.queue.due(self.now()) {
                attempts.spawn(self.attempt(attempt));
            }
            let room = self.queue.room();
            if room > 0
                && let Some(mut reader) = reader.take()
            {
                reading = Some(spawn_blocking(move || {
                    let polled = reader.poll(room, POLL_WAIT);
                    (reader, polled)
                }));
            }
            let wait = self.wait();
            tokio::select! {
                polled = async { reading.as_mut().expect("there is one").await }, if reading.is_some() => {
                    reading = None;
                    let (read, polled) = polled.expect("reading the log does not panic");
                    reader = match polled {
                        Ok(reads) => {
                            self.take(reads);
                            Some(read)
                        }
                        Err(error) => {
                            self.fault(&error, "reading notices; trying again");
                            self.pause(AGAIN_AFTER).await;
                            self.open().await
                        }
                    };
                }
                Some(done) = attempts.join_next() => {
                    let (attempt, answer, took) = done.expect("an attempt does not panic");
                    self.finish(&attempt, answer, took).await;
                }
                changed = news.changed() => changed.expect("the ledger lives as long as this"),
                () = sleep(wait) => {}
                () = self.office.shutdown.stopping() => {}
            }
        }
        // What has begun may still succeed; what does not is sent again by the next process.
        let finishing = async {
            while let Some(Ok((attempt, answer, took))) = attempts.join_next().await {
                self.finish(&attempt, answer, took).await;
            }
        };
        if timeout(FINISHED_WITHIN, finishing).await.is_err() {
            tracing::info!(subscription = %self.name, "attempts that were under way will be made again");
        }
    }

    /// Finds out where to read on, and opens the log there. `None` when the process stops before.
    async fn begin(&mut self) -> Option<Box<dyn Reader>> {
        let standing = self.office.ledger.standing(&self.name);
        let from = loop {
            match self.start(standing).await {
                Ok(from) => break from,
                Err(error) => {
                    self.fault(&error, "looking for the department's notices; trying again")
                }
            }
            self.pause(AGAIN_AFTER).await;
            if self.office.shutdown.is_stopping() {
                return None;
            }
        };
        self.queue = Queue::new(self.office.limits, from, standing.failing_since());
        if standing.is_disabled(self.fingerprint) {
            self.disable("it was disabled before, and its configuration is the same");
        }
        self.open().await
    }

    /// A subscription that is new begins with what comes after it: nobody wants to be told of a month at once.
    async fn start(&self, standing: Standing) -> Result<Offset, stream::Error> {
        let (log, at) = (Arc::clone(&self.office.log), self.at.clone());
        let bounds = spawn_blocking(move || {
            Ok::<_, stream::Error>((log.start(&at)?, log.end(&at, End::Committed)?))
        });
        let (start, end) = bounds.await.expect("asking the log does not panic")?;
        Ok(match standing.mark {
            None => end,
            // The topic was made anew since.
            Some(mark) if mark.floor > end => start,
            Some(mark) => mark.floor.max(start),
        })
    }

    async fn open(&mut self) -> Option<Box<dyn Reader>> {
        loop {
            if self.office.shutdown.is_stopping() {
                return None;
            }
            let (log, at, next) = (
                Arc::clone(&self.office.log),
                self.at.clone(),
                self.queue.next(),
            );
            let opened = spawn_blocking(move || {
                // What is no longer kept cannot be read.
                let from = next.max(log.start(&at)?);
                log.read(BTreeMap::from([(at, from)]))
            });
            match opened.await.expect("opening the log does not panic") {
                Ok(reader) => return Some(reader),
                Err(error) => self.fault(&error, "opening the department's notices; trying again"),
            }
            self.pause(AGAIN_AFTER).await;
        }
    }

    fn take(&mut self, reads: Vec<Read>) {
        let oldest = self.now() - KEPT;
        for read in reads {
            let offset = read.offset;
            match self.notice(&read) {
                Some(notice)
                    if !self.subscription.wants(&notice) || self.is_settled(offset, notice.id) =>
                {
                    self.queue.pass(offset);
                }
                Some(_) if read.time < oldest => {
                    self.count(EXPIRED);
                    self.queue.pass(offset);
                }
                Some(notice) => self.queue.take(offset, read.time, notice),
                None => self.queue.pass(offset),
            }
        }
        self.measure();
    }

    fn notice(&self, read: &Read) -> Option<Notice> {
        let value = read.value.as_deref()?;
        match wire::decode(&read.at.topic, value) {
            Ok(Record::Notice(notice)) => Some(notice),
            Ok(other) => unreachable!("{} holds notices, not {}", read.at.topic, other.topic()),
            Err(error) => {
                let name = self.name.as_str();
                self.office
                    .metrics
                    .undecodable
                    .with_label_values(&[name])
                    .inc();
                tracing::error!(
                    kafka.topic = %read.at.topic, kafka.offset = read.offset.0, error = %error,
                    "leaving out a notice that does not decode"
                );
                None
            }
        }
    }

    fn attempt(
        &self,
        attempt: Attempt,
    ) -> impl Future<Output = (Attempt, Answer, Duration)> + use<> {
        let endpoint = self.endpoint.clone();
        let body = message::body(&attempt.notice, &self.office.public_url);
        let now = self.now();
        async move {
            let began = clock::instant();
            let answer = endpoint.post(attempt.notice.id, now, body).await;
            (attempt, answer, began.elapsed())
        }
    }

    async fn finish(&mut self, attempt: &Attempt, answer: Answer, took: Duration) {
        self.count(answer.as_str());
        let seconds = self
            .office
            .metrics
            .delivery_seconds
            .with_label_values(&[self.name.as_str()]);
        seconds.observe(took.as_secs_f64());
        let random = rand::rng().random_range(0.0..1.0);
        let facts = self
            .queue
            .finish(self.now(), attempt.offset, answer, random);
        for fact in &facts {
            self.say(fact, answer);
        }
        let sent = facts
            .iter()
            .map(|fact| self.sent(Some(fact.notice), fact.what, fact.offset, fact.attempts));
        let sent = sent.collect();
        self.write(sent).await;
        self.measure();
    }

    fn say(&mut self, fact: &Fact, answer: Answer) {
        let name = &self.name;
        match fact.what {
            SentKind::Failing => match answer {
                Answer::Failed {
                    why: Failure::Forbidden(refused),
                    ..
                } => tracing::warn!(
                    subscription = %name, address = refused.as_str(),
                    "the endpoint's name leads where nothing is sent to; trying again"
                ),
                Answer::Delivered | Answer::Gone | Answer::Failed { .. } => {
                    tracing::warn!(subscription = %name, answer = ?answer, "the endpoint takes no notices; trying again")
                }
            },
            SentKind::GivenUp => {
                self.count(GIVEN_UP);
                tracing::error!(subscription = %name, notice.id = %fact.notice, answer = ?answer, "gave up a notice");
            }
            SentKind::Disabled if answer == Answer::Gone => self.disable("it answered 410"),
            SentKind::Disabled => self.disable("it took no notice for days"),
            SentKind::Following | SentKind::Delivered | SentKind::Unknown => {}
        }
    }

    /// What other instances have done.
    fn hear(&mut self) {
        let (ledger, name) = (&self.office.ledger, &self.name);
        self.queue
            .drop_settled(|offset, notice| ledger.is_settled(name, offset, notice));
        if !self.queue.is_disabled() && ledger.standing(name).is_disabled(self.fingerprint) {
            self.disable("another instance disabled it");
        }
        self.measure();
    }

    fn disable(&mut self, why: &str) {
        self.queue.disable();
        self.office
            .metrics
            .disabled
            .with_label_values(&[self.name.as_str()])
            .set(1);
        tracing::error!(
            subscription = %self.name,
            "the endpoint is disabled: {why}; correct its configuration, or raise its `generation`, and restart"
        );
    }

    /// Says where this subscription stands: at its start, and now and then.
    async fn mark(&mut self) {
        let now = self.now();
        if self.queue.is_disabled() || now - self.marked < MARKED_EVERY {
            return;
        }
        let floor = self.queue.floor();
        let mark = self.sent(None, SentKind::Following, floor, 0);
        if self.write(vec![mark]).await {
            self.marked = now;
            self.office.ledger.forget_below(&self.name, floor);
        }
    }

    fn sent(
        &self,
        notice: Option<NoticeId>,
        what: SentKind,
        offset: Offset,
        attempts: u32,
    ) -> Sent {
        Sent {
            subscription: self.name.clone(),
            notice,
            offset: offset.0,
            endpoint: self.fingerprint,
            what,
            time: self.now(),
            attempts,
        }
    }

    /// Until the log has it; `false` when the process stops before. Nothing else of this subscription goes on meanwhile: a log that
    /// takes nothing gives nothing either.
    async fn write(&self, sent: Vec<Sent>) -> bool {
        if sent.is_empty() {
            return true;
        }
        let records: Vec<Append> = sent
            .into_iter()
            .map(|sent| {
                let record = Record::Sent(sent);
                Append::keyed(
                    record.topic(),
                    record.key(),
                    Some(wire::encode(&record)),
                    self.office.partitions,
                )
            })
            .collect();
        loop {
            match self.office.log.append(records.clone()).await {
                Ok(()) => return true,
                Err(error) => self.fault(&error, "writing the sent log; trying again"),
            }
            if self.office.shutdown.is_stopping() {
                return false;
            }
            self.pause(AGAIN_AFTER).await;
        }
    }

    /// Until the next attempt is due.
    fn wait(&self) -> Duration {
        let Some(due) = self.queue.next_due() else {
            return LOOK_AGAIN_WITHIN;
        };
        let wait = (due - self.now()).as_millis().max(0);
        Duration::from_millis(wait.unsigned_abs()).min(LOOK_AGAIN_WITHIN)
    }

    async fn pause(&self, length: Duration) {
        tokio::select! { () = sleep(length) => {}, () = self.office.shutdown.stopping() => {} }
    }

    fn is_settled(&self, offset: Offset, notice: NoticeId) -> bool {
        self.office.ledger.is_settled(&self.name, offset, notice)
    }

    fn measure(&self) {
        let seconds = self
            .queue
            .oldest()
            .map_or(0, |told| told.as_millis() / 1_000);
        self.office
            .metrics
            .oldest_unsent
            .with_label_values(&[self.name.as_str()])
            .set(seconds);
    }

    fn count(&self, outcome: &str) {
        self.office
            .metrics
            .deliveries
            .with_label_values(&[self.name.as_str(), outcome])
            .inc();
    }

    fn fault(&self, error: &stream::Error, doing: &str) {
        self.office.metrics.faults.inc();
        tracing::warn!(subscription = %self.name, error = %error, "{doing}");
    }

    fn now(&self) -> Time {
        Time::from_millis((self.office.clock)())
    }
}
