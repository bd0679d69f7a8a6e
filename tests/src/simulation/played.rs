//! What came of playing a story.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    EventId, ProfileId, Time, Token,
    case::StepKind,
    command_outcome::Verdict,
    link::{Link, Set},
    timeline::Timeline,
};
use machine::Outcome;
use stream::{run::Stats, simulated::Counts};

use super::seen::Seen;

/// How it ended, and what happened on the way.
pub struct Played {
    pub(super) seen: Seen,
    pub(super) totals: Totals,
    pub(super) poisoned: u64,
    pub(super) poisoned_events: u64,
    /// Events that unify has taken.
    pub(super) events_taken: usize,
    pub(super) remembered: BTreeMap<ProfileId, Vec<(Time, EventId, Token)>>,
    /// How often what was joined and parted again was as before.
    pub restored: u64,
    pub counts: Counts,
    /// Sets that left identify by age.
    pub(super) expired: u64,
    /// Loops that were ended between two turns.
    pub kills: u64,
    pub restarts: u64,
    pub offsets_forgotten: u64,
    /// Moments that were looked at.
    pub samples: u64,
}

impl Played {
    pub(super) fn new(seen: Seen) -> Self {
        Self {
            seen,
            totals: Totals::default(),
            poisoned: 0,
            poisoned_events: 0,
            events_taken: 0,
            remembered: BTreeMap::new(),
            restored: 0,
            counts: Counts::default(),
            expired: 0,
            kills: 0,
            restarts: 0,
            offsets_forgotten: 0,
            samples: 0,
        }
    }

    /// How often what happened to cases.
    pub fn steps(&self) -> BTreeMap<StepKind, u64> {
        let mut steps = BTreeMap::new();
        for step in self.seen.steps.values() {
            *steps.entry(step.what).or_default() += 1;
        }
        steps
    }

    /// How often what came of commands.
    pub fn verdicts(&self) -> BTreeMap<Verdict, u64> {
        let mut verdicts = BTreeMap::new();
        for outcome in self.seen.outcomes.values() {
            *verdicts.entry(outcome.result.verdict).or_default() += 1;
        }
        verdicts
    }

    /// Entries that stood with one profile and now stand with another.
    pub fn moves(&self) -> u64 {
        let rows = self.seen.timeline.values();
        rows.filter(|row| matches!(row, Timeline::Moved(_))).count() as u64
    }

    /// How often identity did what.
    pub fn identity(&self) -> [(&'static str, u64); 7] {
        let seen = &self.seen;
        let of = |is: fn(&Link) -> bool| seen.links.iter().filter(|link| is(link)).count() as u64;
        [
            ("values moved", seen.moves),
            ("values parted", seen.splits),
            ("values gone out", seen.outs),
            ("corrections", seen.corrections),
            (
                "sets withdrawn",
                of(|link| matches!(link, Link::Set(set) if set.withdrawn)),
            ),
            ("decisions", of(|link| matches!(link, Link::Decision(_)))),
            ("sets expired", self.expired),
        ]
    }

    pub fn poisoned(&self) -> u64 {
        self.poisoned
    }

    /// Sets of identifiers that name two customers.
    pub fn refusals(&self) -> u64 {
        let is_refused = |set: &&Set| {
            let identifiers = set.values.iter().filter(|value| value.is_identifier());
            let owners: BTreeSet<ProfileId> = identifiers
                .filter_map(|value| self.seen.assignments.get(&value.token))
                .filter(|assignment| !assignment.out)
                .map(|assignment| assignment.profile)
                .collect();
            owners.len() > 1
        };
        self.seen.sets().filter(is_refused).count() as u64
    }
}

/// What all loops of a run counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) inputs: u64,
    pub(super) outcomes: u64,
    pub(super) ticked: u64,
    pub(super) rejected: u64,
}

impl Totals {
    pub(super) fn add(&mut self, stats: Stats) {
        self.inputs += stats.tally.inputs;
        self.outcomes += stats.tally.outcomes();
        self.ticked += stats.tally.of(Outcome::Ticked);
        self.rejected += stats.tally.of(Outcome::Rejected);
    }
}
