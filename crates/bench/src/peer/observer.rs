//! Somebody who reads the timelines as they are committed.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use event::{Partition, Record, Token, Topic, timeline::Timeline};
use stream::{Offset, SharedLog, TopicPartition};

const WAIT: Duration = Duration::from_millis(20);

/// A reader of `timeline` on a thread of its own.
pub(crate) struct Observer {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), stream::Error>>>,
}

#[derive(Default)]
pub(crate) struct Seen {
    /// When an event was first seen on a timeline.
    pub(crate) first: HashMap<Token, Instant>,
    /// The last record of each key.
    rows: HashMap<Bytes, Option<Bytes>>,
    /// How many records came.
    pub(crate) records: u64,
}

impl Observer {
    pub(crate) fn start(log: &SharedLog, partitions: u32) -> anyhow::Result<Observer> {
        let from = Partition::all(partitions)
            .map(|number| (TopicPartition::new(Topic::Timeline, number), Offset::START))
            .collect();
        let mut reader = log.read(from)?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (Arc::clone(&seen), Arc::clone(&stop));
        let thread = thread::Builder::new()
            .name("observer".to_owned())
            .spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    let reads = reader.poll(10_000, WAIT)?;
                    let now = service::clock::instant();
                    let mut seen = lock(&shared);
                    for read in reads {
                        seen.records += 1;
                        if let Some(event) = event_of(&read.key) {
                            seen.first.entry(event).or_insert(now);
                            seen.rows.insert(read.key, read.value);
                        }
                    }
                }
                Ok(())
            })
            .context("starting the observer")?;
        Ok(Observer {
            seen,
            stop,
            thread: Some(thread),
        })
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.seen)
    }

    /// # Errors
    /// When the log failed it.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let over = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        ensure!(!over, "the observer has ended: the log failed it");
        Ok(())
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && !matches!(thread.join(), Ok(Ok(())))
        {
            eprintln!("the observer of the timelines failed");
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A key is a profile and an event.
fn event_of(key: &[u8]) -> Option<Token> {
    let event: [u8; Token::LEN] = key.get(Token::LEN..)?.try_into().ok()?;
    Some(Token::new(event))
}

/// Per profile the events in the order in which they happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timelines(BTreeMap<Token, BTreeSet<(i64, Token)>>);

impl Timelines {
    /// By Polku's records.
    pub(crate) fn of_polku(seen: &Seen) -> anyhow::Result<Timelines> {
        let mut timelines = Timelines::default();
        for value in seen.rows.values() {
            let value = value.as_ref().context("Polku removes nothing by null")?;
            if let Record::Timeline(Timeline::Entry(entry)) = wire::decode(&Topic::Timeline, value)?
            {
                timelines.add(
                    entry.profile.token(),
                    entry.time.as_millis(),
                    entry.event.token(),
                );
            }
        }
        Ok(timelines)
    }

    /// By the peer's: a version and a time come first.
    pub(crate) fn of_peer(seen: &Seen) -> anyhow::Result<Timelines> {
        let mut timelines = Timelines::default();
        for (key, value) in &seen.rows {
            let Some(value) = value else { continue };
            let profile: [u8; Token::LEN] = key[..Token::LEN].try_into()?;
            let time = value.get(8..16).context("an entry has a time")?;
            let event = event_of(key).context("a key names an event")?;
            timelines.add(
                Token::new(profile),
                i64::from_be_bytes(time.try_into()?),
                event,
            );
        }
        Ok(timelines)
    }

    fn add(&mut self, profile: Token, time: i64, event: Token) {
        self.0.entry(profile).or_default().insert((time, event));
    }

    pub(crate) fn events(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// How the two differ, in words.
    pub(crate) fn difference(&self, other: &Timelines) -> String {
        let profiles: BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        let differ: Vec<_> = profiles
            .into_iter()
            .filter(|profile| self.0.get(*profile) != other.0.get(*profile))
            .collect();
        let first = differ.first().map(|profile| {
            let here = self.0.get(*profile).map_or(0, BTreeSet::len);
            let there = other.0.get(*profile).map_or(0, BTreeSet::len);
            format!("; one has {here} events here and {there} there")
        });
        format!(
            "{} events of {} customers here, {} of {} there, {} customers differ{}",
            self.events(),
            self.0.len(),
            other.events(),
            other.0.len(),
            differ.len(),
            first.unwrap_or_default()
        )
    }
}
