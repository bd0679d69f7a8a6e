//! One program, from its start to its end.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use event::Token;
use polku::topics;
use rustix::process::{Pid, Signal, kill_process};
use stream::SharedLog;

use super::{
    LEAD, PACED, Place, at_rate,
    observer::{Observer, Shown},
    process::{Program, Running, Used},
    sender::{self, Records},
};
use crate::{meter::Spent, sample::Sample};

/// One of so many of the events that lie ready warms up.
const WARM_ONE_IN: usize = 5;
/// How long nothing may come before nothing is expected to.
const QUIET: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(20);
/// The longest that anything may take.
const BOUND: Duration = Duration::from_secs(900);

/// What a program is given to do.
pub(crate) struct Trial<'a, 'p> {
    pub(crate) place: &'a Place<'p>,
    pub(crate) records: Records<'a>,
    /// How many of them lie ready.
    pub(crate) ready: usize,
    /// At which rates the others come.
    pub(crate) rates: &'a [usize],
    /// Whose wait counts, by their place among those that come at a rate.
    pub(crate) counts: fn(usize) -> bool,
}

/// What came of it.
pub(crate) struct Outcome {
    /// Working off what lay ready.
    pub(crate) caught_up: Sample,
    /// For each rate, how long events took to their timelines.
    pub(crate) paced: Vec<Sample>,
    pub(crate) peak_bytes: u64,
    pub(crate) shown: Shown,
}

impl Trial<'_, '_> {
    pub(crate) fn run(&self, program: &Program<'_>) -> anyhow::Result<Outcome> {
        static TRIALS: AtomicUsize = AtomicUsize::new(0);
        let number = TRIALS.fetch_add(1, Ordering::Relaxed);
        let company = self.place.company;
        let partitions = company.partitions();
        let namespace = format!("bench-{}-{number}.", std::process::id());
        let log = self.place.broker.log(&namespace)?;
        if program.is_polku() {
            company.prepare(log.as_ref(), partitions)?;
        } else {
            topics::apply(log.as_ref(), partitions)?;
        }
        let directory = company.directory()?;
        let bootstrap = self.place.broker.bootstrap();
        let running = program.start(bootstrap, &namespace, partitions, directory.path())?;
        let mut stage = Stage {
            observer: Observer::start(&log, partitions)?,
            log,
            partitions,
            running,
            sent: HashSet::new(),
        };
        let (warm, ready) = self.records[..self.ready].split_at(self.ready / WARM_ONE_IN);
        stage.warm_up(warm)?;
        let caught_up = stage.catch_up(ready)?;
        let mut paced = Vec::new();
        let mut left = &self.records[self.ready..];
        for rate in self.rates {
            let (some, rest) = left.split_at(left.len().min(at_rate(*rate, PACED)));
            left = rest;
            paced.push(stage.pace(some, *rate, self.counts)?);
        }
        let used = stage.running.used()?;
        let seen = stage.observer.seen();
        let shown = if program.is_polku() {
            Shown::by_polku(&seen)?
        } else {
            Shown::by_peer(&seen)?
        };
        ensure!(
            shown.events() == stage.sent.len(),
            "{} events were sent and {} entries are on timelines",
            stage.sent.len(),
            shown.events()
        );
        drop(seen);
        Ok(Outcome {
            caught_up,
            paced,
            peak_bytes: used.peak_bytes,
            shown,
        })
    }
}

/// A program at work, and who watches it.
struct Stage {
    // It reads the log to its end, so that it stops first.
    observer: Observer,
    log: SharedLog,
    partitions: u32,
    running: Running,
    sent: HashSet<Token>,
}

impl Stage {
    fn warm_up(&mut self, records: Records<'_>) -> anyhow::Result<()> {
        sender::fill(&self.log, records, self.partitions)?;
        self.sent.extend(sender::distinct(records)?);
        self.come_to_rest()?;
        Ok(())
    }

    /// The events come in while the program is stopped; then it works them off.
    fn catch_up(&mut self, records: Records<'_>) -> anyhow::Result<Sample> {
        self.signal(Signal::STOP)?;
        sender::fill(&self.log, records, self.partitions)?;
        self.sent.extend(sender::distinct(records)?);
        let before = self.running.used()?;
        self.signal(Signal::CONT)?;
        let (wall, after) = self.come_to_rest()?;
        Ok(Sample {
            count: u64::try_from(records.len())?,
            spent: Spent {
                wall,
                cpu: after.cpu.saturating_sub(before.cpu),
            },
            ..Sample::default()
        })
    }

    fn pace(
        &mut self,
        records: Records<'_>,
        rate: usize,
        counts: fn(usize) -> bool,
    ) -> anyhow::Result<Sample> {
        let before = self.running.used()?;
        let began = service::clock::instant();
        let known = self.sent.clone();
        let sent = sender::pace(&self.log, records, self.partitions, rate, known)?;
        self.sent.extend(sender::distinct(records)?);
        let wall = began.elapsed();
        let (_, after) = self.come_to_rest()?;
        let seen = self.observer.seen();
        let mut waits = Vec::new();
        for (event, (place, at)) in &sent {
            if *place >= at_rate(rate, LEAD) && counts(*place) {
                let first = seen.first.get(event).context("an event was not seen")?;
                waits.push(first.saturating_duration_since(*at));
            }
        }
        Ok(Sample {
            count: u64::try_from(records.len())?,
            spent: Spent {
                wall,
                cpu: after.cpu.saturating_sub(before.cpu),
            },
            waits,
            ..Sample::default()
        })
    }

    /// Waits until every event is on a timeline and nothing more comes. When the last record came, and what was used by then.
    fn come_to_rest(&mut self) -> anyhow::Result<(Duration, Used)> {
        let began = service::clock::instant();
        let mut last = (0, Duration::ZERO, self.running.used()?);
        loop {
            self.observer.check()?;
            let used = self.running.used()?;
            let (records, events) = {
                let seen = self.observer.seen();
                (seen.records, seen.first.len())
            };
            let now = began.elapsed();
            if records != last.0 {
                last = (records, now, used);
            }
            if events >= self.sent.len() && now > last.1 + QUIET {
                return Ok((last.1, last.2));
            }
            ensure!(
                now < BOUND,
                "after {BOUND:?} only {events} of {} events are on timelines",
                self.sent.len()
            );
            thread::park_timeout(LOOK);
        }
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let id = i32::try_from(self.running.id())?;
        let pid = Pid::from_raw(id).context("a process has an id")?;
        kill_process(pid, signal).context("telling a program to stop or go on")
    }
}
