//! kill -9 cannot show a missing sync, for the system keeps what was written. Here the power goes at seeded calls, and of what
//! was not synced nothing, some or all survives.

use std::collections::BTreeMap;

use event::{Topic, topic::MachineName};
use rand::{Rng, SeedableRng, rngs::SmallRng};

use super::*;
use crate::log::Commit;

const SEEDS: u64 = 240;
const LIVES: usize = 4;
const CASES: u64 = 5;
const STATE: Topic = Topic::State(MachineName::Cases);

#[test]
fn nothing_acknowledged_is_lost_and_no_commit_is_halved_when_the_power_goes() {
    let mut commits = 0;
    let mut losses = 0;
    for seed in 0..SEEDS {
        let mut run = Run::new(seed);
        run.live()
            .unwrap_or_else(|what| panic!("seed {seed}: {what}"));
        commits += run.committed;
        losses += run.losses;
    }
    // Without these the property would hold for a log that does nothing.
    assert!(commits > 5 * SEEDS, "only {commits} commits");
    assert!(losses > SEEDS, "only {losses} losses of power under way");
}

#[test]
fn a_disk_that_lies_about_syncs_is_found_out() {
    let mut run = Run::new(0);
    run.survives = 0.0;
    run.disk.lie_about_syncs();
    assert!(run.live().is_err());
}

/// What was done and acknowledged to a log over several lives of its disk.
struct Run {
    disk: Disk,
    rng: SmallRng,
    survives: f64,
    /// The numbers of the events that were appended, in order, and whether they were acknowledged.
    events: BTreeMap<u64, bool>,
    /// The last commit that was acknowledged, and the last that was tried.
    committed: u64,
    tried: u64,
    /// How often the power went while something was being written.
    losses: u64,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let survives = [0.0, 0.5, 0.9, 1.0][rng.random_range(0..4)];
        let disk = Disk::default();
        on_disk(&disk, roomy())
            .unwrap()
            .create_topics(&specs(2))
            .unwrap();
        Self {
            disk,
            rng,
            survives,
            events: BTreeMap::new(),
            committed: 0,
            tried: 0,
            losses: 0,
        }
    }

    fn live(&mut self) -> Result<(), String> {
        for _ in 0..LIVES {
            let log = on_disk(&self.disk, compacting()).map_err(|error| error.to_string())?;
            self.check(&log)?;
            let calls = self.rng.random_range(1..250);
            self.disk.die_after(calls);
            while self.work(&log) {}
            drop(log);
            self.disk.power_off();
            self.disk.power_on(&mut self.rng, self.survives);
        }
        let log = on_disk(&self.disk, compacting()).map_err(|error| error.to_string())?;
        self.check(&log)
    }

    /// Some appends and a commit at once; whether the power is still on.
    fn work(&mut self, log: &Embedded) -> bool {
        let mut appends = Vec::new();
        for _ in 0..self.rng.random_range(0..4) {
            let first = self.events.keys().next_back().map_or(0, |last| last + 1);
            let numbers = first..first + self.rng.random_range(1..4);
            let records = numbers.clone().map(|number| {
                let bytes = "x".repeat(self.rng.random_range(0..3_000));
                put(&at(Topic::Event, 0), &bytes, &number.to_string())
            });
            let records = records.collect();
            self.events
                .extend(numbers.clone().map(|number| (number, false)));
            appends.push((numbers, log.append(records)));
        }
        let mut on = self.commit(log);
        for (numbers, appended) in appends {
            if wait_for(appended).is_ok() {
                self.events.extend(numbers.map(|number| (number, true)));
            } else {
                on = false;
            }
        }
        if !on {
            self.losses += 1;
        }
        on
    }

    /// Commit number n leaves an outcome n, a new row of a case, n as state, and n as the next offset.
    fn commit(&mut self, log: &Embedded) -> bool {
        let mut member = join(log, MachineName::Cases, &[Topic::CaseInput]);
        self.tried = self.committed + 1;
        let number = self.tried.to_string();
        let case = (self.tried % CASES).to_string();
        let appends = vec![
            put(&at(Topic::CommandOutcome, 1), &number, &number),
            put(&at(Topic::Case, 0), &case, &number),
            put(&at(STATE, 1), "state", &number),
            put(&at(Topic::CaseInput, 0), &number, &number),
        ];
        let input = at(Topic::CaseInput, 1);
        let next = BTreeMap::from([(input, Offset(i64::try_from(self.tried).unwrap()))]);
        let committed = member
            .commit(Commit {
                appends: appends.into(),
                next,
            })
            .is_ok();
        if committed {
            self.committed = self.tried;
        }
        committed
    }

    fn check(&mut self, log: &Embedded) -> Result<(), String> {
        if log.topics().unwrap().is_empty() {
            return Err("the topics are gone".to_owned());
        }
        self.check_events(log)?;
        self.check_commits(log)
    }

    fn check_events(&self, log: &Embedded) -> Result<(), String> {
        let reads = read_all(log, &at(Topic::Event, 0));
        let found: Vec<u64> = values(&reads)
            .iter()
            .map(|value| value.parse().unwrap())
            .collect();
        if !found.is_sorted_by(|a, b| a < b) || !reads.is_sorted_by(|a, b| a.offset < b.offset) {
            return Err(format!("events out of order: {found:?}"));
        }
        if let Some(invented) = found
            .iter()
            .find(|number| !self.events.contains_key(number))
        {
            return Err(format!("event {invented} was never appended"));
        }
        let lost = self
            .events
            .iter()
            .find(|(number, acknowledged)| **acknowledged && found.binary_search(number).is_err());
        match lost {
            Some((number, _)) => Err(format!("event {number} was acknowledged and is lost")),
            None => Ok(()),
        }
    }

    fn check_commits(&mut self, log: &Embedded) -> Result<(), String> {
        let mut member = join(log, MachineName::Cases, &[Topic::CaseInput]);
        let committed = member.committed(Partition(1)).unwrap();
        let last = committed
            .values()
            .next()
            .map_or(0, |next| u64::try_from(next.0).unwrap());
        if last != self.committed && last != self.tried {
            return Err(format!(
                "commit {last} is the last, not {} or {}",
                self.committed, self.tried
            ));
        }
        // From here on the machine knows what it committed.
        self.committed = last;
        let numbers: Vec<String> = (1..=last).map(|number| number.to_string()).collect();
        for at in [at(Topic::CommandOutcome, 1), at(Topic::CaseInput, 0)] {
            let found = values(&read_all(log, &at));
            if found != numbers {
                return Err(format!("after commit {last} there is in {at}: {found:?}"));
            }
        }
        let cases = (1..=last).map(|number| (number % CASES).to_string());
        let states = (1..=last).map(|_| "state".to_owned());
        self.check_rows(log, &at(Topic::Case, 0), cases.zip(numbers.clone()))?;
        self.check_rows(log, &at(STATE, 1), states.zip(numbers))
    }

    /// In a compacted topic only the last record of a key counts.
    fn check_rows(
        &self,
        log: &Embedded,
        at: &TopicPartition,
        written: impl Iterator<Item = (String, String)>,
    ) -> Result<(), String> {
        let reads = read_all(log, at);
        let keys = reads
            .iter()
            .map(|read| String::from_utf8_lossy(&read.key).into_owned());
        let found: BTreeMap<String, String> = keys.zip(values(&reads)).collect();
        let expected: BTreeMap<String, String> = written.collect();
        if found == expected {
            Ok(())
        } else {
            Err(format!("{at} says {found:?} and not {expected:?}"))
        }
    }
}
