//! Somebody who reads the timelines, and what cases are told, as they are committed.

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
use event::{Partition, Record, Token, Topic, Version, case_input::CaseInput, timeline::Timeline};
use stream::{Offset, SharedLog, TopicPartition};

const WAIT: Duration = Duration::from_millis(20);

/// A reader of `timeline` and `case.input` on a thread of its own.
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
    /// What cases were told.
    told: Vec<Bytes>,
    /// How many records came.
    pub(crate) records: u64,
}

impl Observer {
    pub(crate) fn start(log: &SharedLog, partitions: u32) -> anyhow::Result<Observer> {
        let all = |topic: Topic| {
            Partition::all(partitions)
                .map(move |number| (TopicPartition::new(topic.clone(), number), Offset::START))
        };
        let from = all(Topic::Timeline).chain(all(Topic::CaseInput)).collect();
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
                        if read.at.topic == Topic::CaseInput {
                            seen.told.extend(read.value);
                        } else if let Some(event) = event_of(&read.key) {
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
    token_at(key, Token::LEN).filter(|_| key.len() == 2 * Token::LEN)
}

/// What came of the events: per profile those on its timeline in the order in which they happened, and what cases were told last of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    timelines: BTreeMap<Token, BTreeSet<(i64, Token)>>,
    told: BTreeMap<Token, Told>,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    /// The later one counts: by the decision, then by the revision.
    nth: (Version, u32),
    /// Whose event it is; `None` for what was taken back.
    profile: Option<Token>,
}

impl Shown {
    /// By Polku's records.
    pub(crate) fn by_polku(seen: &Seen) -> anyhow::Result<Shown> {
        let mut shown = Shown::default();
        for value in seen.rows.values() {
            let value = value.as_ref().context("Polku removes nothing by null")?;
            let record = wire::decode(&Topic::Timeline, value)?;
            if let Record::Timeline(Timeline::Entry(entry)) = record {
                let (profile, event) = (entry.profile.token(), entry.event.token());
                shown.put(profile, entry.time.as_millis(), event);
            }
        }
        for value in &seen.told {
            let record = wire::decode(&Topic::CaseInput, value)?;
            if let Record::CaseInput(CaseInput::Signal(signal)) = record {
                let told = Told {
                    nth: (signal.route_version, signal.revision),
                    profile: (!signal.withdrawn).then(|| signal.profile.token()),
                };
                shown.tell(signal.event.token(), told);
            }
        }
        Ok(shown)
    }

    /// By the peer's: on a timeline a version and a time come first, and what a case is told begins with the event, the profile and
    /// the version.
    pub(crate) fn by_peer(seen: &Seen) -> anyhow::Result<Shown> {
        let mut shown = Shown::default();
        for (key, value) in &seen.rows {
            let Some(value) = value else { continue };
            let profile = token_at(key, 0).context("a key names a profile")?;
            let time = number_at(value, 8).context("an entry has a time")?;
            let event = event_of(key).context("a key names an event")?;
            shown.put(profile, time, event);
        }
        for value in &seen.told {
            let event = token_at(value, 0).context("a signal names an event")?;
            let profile = token_at(value, Token::LEN).context("a signal names a profile")?;
            let counter = number_at(value, 2 * Token::LEN).context("a signal has a version")?;
            let version = Version {
                epoch: 0,
                counter: counter.try_into()?,
            };
            let told = Told {
                nth: (version, 0),
                profile: Some(profile),
            };
            shown.tell(event, told);
        }
        Ok(shown)
    }

    fn put(&mut self, profile: Token, time: i64, event: Token) {
        let timeline = self.timelines.entry(profile).or_default();
        timeline.insert((time, event));
    }

    fn tell(&mut self, event: Token, told: Told) {
        let known = self.told.entry(event).or_insert(told);
        if known.nth < told.nth {
            *known = told;
        }
    }

    pub(crate) fn events(&self) -> usize {
        self.timelines.values().map(BTreeSet::len).sum()
    }

    /// How the two differ, in words, if they do.
    pub(crate) fn difference(&self, other: &Shown) -> Option<String> {
        let (here, there) = (&self.timelines, &other.timelines);
        let differ = differing(here, there);
        if let Some(first) = differ.first() {
            let count = |of: &BTreeMap<_, BTreeSet<_>>| of.get(first).map_or(0, BTreeSet::len);
            return Some(format!(
                "{} events of {} customers here, {} of {} there, {} customers differ; one has {} events here and {} there",
                self.events(),
                here.len(),
                other.events(),
                there.len(),
                differ.len(),
                count(here),
                count(there),
            ));
        }
        let (here, there) = (self.heard(), other.heard());
        let differ = differing(&here, &there);
        (!differ.is_empty()).then(|| {
            format!(
                "cases were told of {} events here and of {} there; of {} of them by one alone, or with another customer",
                here.len(),
                there.len(),
                differ.len(),
            )
        })
    }

    /// Whose events they are that cases know of.
    fn heard(&self) -> BTreeMap<Token, Token> {
        let heard = |(event, told): (&Token, &Told)| Some((*event, told.profile?));
        self.told.iter().filter_map(heard).collect()
    }
}

/// The keys under which two maps have not the same.
fn differing<V: PartialEq>(one: &BTreeMap<Token, V>, other: &BTreeMap<Token, V>) -> Vec<Token> {
    let all: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let differs = |key: &&Token| one.get(key) != other.get(key);
    all.into_iter().filter(differs).copied().collect()
}

fn token_at(bytes: &[u8], from: usize) -> Option<Token> {
    let token: [u8; Token::LEN] = bytes.get(from..from + Token::LEN)?.try_into().ok()?;
    Some(Token::new(token))
}

fn number_at(bytes: &[u8], from: usize) -> Option<i64> {
    let number: [u8; 8] = bytes.get(from..from + 8)?.try_into().ok()?;
    Some(i64::from_be_bytes(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(what: &str) -> Token {
        Token::hash("test", &[what.as_bytes()])
    }

    fn told(counter: u64, revision: u32, profile: Option<&str>) -> Told {
        let version = Version { epoch: 0, counter };
        Told {
            nth: (version, revision),
            profile: profile.map(token),
        }
    }

    fn shown(profile: &str, words: &[Told]) -> Shown {
        let mut shown = Shown::default();
        shown.put(token(profile), 1, token("event"));
        for word in words {
            shown.tell(token("event"), *word);
        }
        shown
    }

    #[test]
    fn the_last_word_counts_and_versions_are_each_programs_own() {
        let one = shown("b", &[told(7, 0, Some("b")), told(0, 0, Some("a"))]);
        let other = shown("b", &[told(3, 0, Some("b"))]);
        assert_eq!(one.difference(&other), None);
        let taken_back = shown("b", &[told(0, 0, Some("b")), told(0, 1, None)]);
        assert_eq!(taken_back.difference(&shown("b", &[])), None);
    }

    #[test]
    fn another_timeline_and_another_word_are_differences() {
        let one = shown("b", &[told(1, 0, Some("b"))]);
        let elsewhere = shown("a", &[told(1, 0, Some("b"))]);
        let said = one.difference(&elsewhere).unwrap();
        assert!(said.contains("2 customers differ"), "{said}");
        for other in [shown("b", &[]), shown("b", &[told(1, 0, Some("a"))])] {
            for said in [one.difference(&other), other.difference(&one)] {
                assert!(said.unwrap().starts_with("cases were told"));
            }
        }
    }
}
