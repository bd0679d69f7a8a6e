//! What a reader is shown of a profile: a fold over what rests there, the same in whatever order it comes, also when some leaves.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    CaseId, Channel, Company, EventId, MatterId, Millis, Name, Score, Time, Token,
    case::StepKind,
    event::{Promise, PromiseState},
    rules::{CaseRules, StandingPromise},
    timeline::{Entry, StepEntry},
    timeline_input::{Digest, StepNote},
};
use serde::Serialize;

use super::{
    super::{
        row::{FIRST, LAST},
        signal,
    },
    phase,
    rules::{Rules, fits},
};

/// What a profile needs to know of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub event: EventId,
    pub revision: u32,
    pub withdrawn: bool,
    pub time: Time,
    pub kind: event::Kind,
    pub name: Name,
    pub channel: Channel,
    pub matter: MatterId,
    /// The case that handles the matter, as far as is known.
    pub case: Option<CaseId>,
    pub party: Option<Name>,
    pub stage: Option<Name>,
    pub score: Option<Score>,
    pub promise: Option<Promise>,
}

/// What a profile needs to know of a step of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepFact {
    pub id: Token,
    pub case: CaseId,
    pub matter: MatterId,
    pub step: u32,
    pub time: Time,
    pub what: StepKind,
}

/// A profile's state. What it adds up to depends on what it holds alone.
#[derive(Clone, Debug)]
pub struct Profile {
    rules: Rules,
    cases: CaseRules,
    facts: BTreeMap<EventId, Fact>,
    steps: BTreeMap<Token, StepFact>,
    seen: BTreeSet<(Time, EventId)>,
    complaints: BTreeMap<(Time, EventId), Channel>,
    contacts: BTreeMap<MatterId, BTreeMap<(Time, EventId), Channel>>,
    scores: BTreeMap<Name, BTreeMap<(Time, EventId), Score>>,
    stages: BTreeMap<(Time, EventId), Name>,
    promises: BTreeMap<Token, BTreeMap<(Time, EventId), Promise>>,
    /// Of each standing promise: the events that begin it, and those that keep it.
    begun: BTreeMap<Name, BTreeMap<(Time, EventId), MatterId>>,
    kept: BTreeMap<Name, BTreeMap<(Time, EventId), MatterId>>,
    phases: BTreeMap<CaseId, BTreeMap<u32, (Time, bool)>>,
    /// The case of each matter, as events and steps name it.
    handled: BTreeMap<MatterId, BTreeSet<(CaseId, Token)>>,
}

/// What is known of a profile at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    pub first_seen: Option<Time>,
    pub last_seen: Option<Time>,
    /// The last stage of a journey that the customer was seen at, and when.
    pub stage: Option<Stage>,
    /// The cases that are open, with their matters, the one that is open longest first.
    pub open: Vec<OpenCase>,
    /// The last score by metric.
    pub scores: BTreeMap<Name, LastScore>,
    pub complaints: Complaints,
    pub contacts: BTreeMap<MatterId, Contacts>,
    pub promises: Promises,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stage {
    pub name: Name,
    pub time: Time,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenCase {
    pub case: CaseId,
    pub since: Time,
    pub matters: BTreeSet<MatterId>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LastScore {
    #[serde(flatten)]
    pub score: Score,
    pub time: Time,
}

/// Complaints by channel in so many days before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Complaints {
    pub days_30: BTreeMap<Channel, u32>,
    pub days_90: BTreeMap<Channel, u32>,
    pub days_365: BTreeMap<Channel, u32>,
}

/// How often the customer had to get in touch about one matter, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Contacts {
    pub count: u32,
    pub channels: BTreeMap<Channel, u32>,
}

/// What was promised to the customer, also by standing promises. Each promise counts as `made`, and as at most one of the others; what
/// was kept too late was broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Promises {
    pub made: u32,
    pub kept: u32,
    pub broken: u32,
    pub withdrawn: u32,
}

impl Profile {
    pub fn new(company: &Company) -> Self {
        Self {
            rules: Rules::of(company),
            cases: company.cases.clone(),
            facts: BTreeMap::new(),
            steps: BTreeMap::new(),
            seen: BTreeSet::new(),
            complaints: BTreeMap::new(),
            contacts: BTreeMap::new(),
            scores: BTreeMap::new(),
            stages: BTreeMap::new(),
            promises: BTreeMap::new(),
            begun: BTreeMap::new(),
            kept: BTreeMap::new(),
            phases: BTreeMap::new(),
            handled: BTreeMap::new(),
        }
    }

    /// Of all that a page shows.
    pub fn of(
        company: &Company,
        facts: impl IntoIterator<Item = Fact>,
        steps: impl IntoIterator<Item = StepFact>,
    ) -> Self {
        let mut profile = Self::new(company);
        for fact in facts {
            profile.add(fact);
        }
        for step in steps {
            profile.add_step(step);
        }
        profile
    }

    /// Takes in what an event says, in place of an older revision of it. A repeat changes nothing.
    pub fn add(&mut self, fact: Fact) {
        let known = self.facts.get(&fact.event);
        if known.is_some_and(|known| known.revision >= fact.revision) {
            return;
        }
        self.remove(fact.event);
        if !fact.withdrawn {
            self.put(&fact);
        }
        self.facts.insert(fact.event, fact);
    }

    /// The event is not here any more.
    pub fn remove(&mut self, event: EventId) {
        if let Some(fact) = self.facts.remove(&event) {
            self.take(&fact);
        }
    }

    pub fn add_step(&mut self, step: StepFact) {
        if let Some(opens) = phase::opens(step.what) {
            let phases = self.phases.entry(step.case).or_default();
            phases.insert(step.step, (step.time, opens));
        }
        let handled = self.handled.entry(step.matter).or_default();
        handled.insert((step.case, step.id));
        self.steps.insert(step.id, step);
    }

    pub fn remove_step(&mut self, id: Token) {
        let Some(step) = self.steps.remove(&id) else {
            return;
        };
        take(&mut self.phases, &step.case, &step.step);
        self.unhandle(step.matter, step.case, step.id);
    }

    fn put(&mut self, fact: &Fact) {
        let at = (fact.time, fact.event);
        self.seen.insert(at);
        if fact.kind == event::Kind::Complaint {
            self.complaints.insert(at, fact.channel);
        }
        if self.is_contact(fact) {
            let contacts = self.contacts.entry(fact.matter).or_default();
            contacts.insert(at, fact.channel);
        }
        if let Some(score) = &fact.score {
            let scores = self.scores.entry(score.metric.clone()).or_default();
            scores.insert(at, score.clone());
        }
        if let Some(stage) = &fact.stage {
            self.stages.insert(at, stage.clone());
        }
        if let Some(promise) = &fact.promise {
            let words = self.promises.entry(promise.id).or_default();
            words.insert(at, promise.clone());
        }
        for (name, promise) in &self.rules.promises {
            for (types, events) in [
                (&promise.starts_on, &mut self.begun),
                (&promise.kept_by, &mut self.kept),
            ] {
                if fits(types, &fact.name) {
                    let events = events.entry(name.clone()).or_default();
                    events.insert(at, fact.matter);
                }
            }
        }
        if let Some(case) = fact.case {
            let handled = self.handled.entry(fact.matter).or_default();
            handled.insert((case, fact.event.token()));
        }
    }

    fn take(&mut self, fact: &Fact) {
        let at = (fact.time, fact.event);
        self.seen.remove(&at);
        self.complaints.remove(&at);
        self.stages.remove(&at);
        take(&mut self.contacts, &fact.matter, &at);
        if let Some(score) = &fact.score {
            take(&mut self.scores, &score.metric, &at);
        }
        if let Some(promise) = &fact.promise {
            take(&mut self.promises, &promise.id, &at);
        }
        for name in self.rules.promises.keys() {
            take(&mut self.begun, name, &at);
            take(&mut self.kept, name, &at);
        }
        if let Some(case) = fact.case {
            self.unhandle(fact.matter, case, fact.event.token());
        }
    }

    fn unhandle(&mut self, matter: MatterId, case: CaseId, by: Token) {
        if let Some(handled) = self.handled.get_mut(&matter) {
            handled.remove(&(case, by));
            if handled.is_empty() {
                self.handled.remove(&matter);
            }
        }
    }

    fn is_contact(&self, fact: &Fact) -> bool {
        let share = fact.score.as_ref().map(Score::share);
        let party = fact.party.as_ref();
        signal::kind(fact.kind, &fact.name, share, party, &self.cases)
            .is_some_and(signal::is_contact)
    }

    /// What is known of the profile at a moment: by what had happened until then.
    pub fn figures(&self, now: Time) -> Figures {
        let last = (now, EventId::new(LAST));
        let seen = self.seen.range(..=last);
        let stage = self.stages.range(..=last).next_back();
        let scores = self.scores.iter().filter_map(|(metric, scores)| {
            let ((time, _), score) = scores.range(..=last).next_back()?;
            let (score, time) = (score.clone(), *time);
            Some((metric.clone(), LastScore { score, time }))
        });
        let contacts = self.contacts.iter().filter_map(|(matter, contacts)| {
            let mut all = Contacts::default();
            for channel in contacts.range(..=last).map(|(_, channel)| *channel) {
                all.count += 1;
                *all.channels.entry(channel).or_default() += 1;
            }
            (all.count > 0).then_some((*matter, all))
        });
        Figures {
            first_seen: seen.clone().next().map(|(time, _)| *time),
            last_seen: seen.clone().next_back().map(|(time, _)| *time),
            stage: stage.map(|((time, _), name)| Stage {
                name: name.clone(),
                time: *time,
            }),
            open: self.open(now),
            scores: scores.collect(),
            complaints: Complaints {
                days_30: self.complaints_in(now, 30),
                days_90: self.complaints_in(now, 90),
                days_365: self.complaints_in(now, 365),
            },
            contacts: contacts.collect(),
            promises: self.promises(now),
        }
    }

    fn complaints_in(&self, now: Time, days: i64) -> BTreeMap<Channel, u32> {
        let last = EventId::new(LAST);
        let after = (now - Millis::from_days(days), last);
        let mut channels = BTreeMap::new();
        for ((time, _), channel) in &self.complaints {
            if (*time, last) > after && *time <= now {
                *channels.entry(*channel).or_default() += 1;
            }
        }
        channels
    }

    fn open(&self, now: Time) -> Vec<OpenCase> {
        let mut open = Vec::new();
        for (case, phases) in &self.phases {
            let mut since = None;
            for (time, opens) in phases.values().filter(|(time, _)| *time <= now) {
                since = opens.then(|| since.unwrap_or(*time));
            }
            let Some(since) = since else { continue };
            let handled = self.handled.iter();
            let matters = handled
                .filter(|(_, by)| by.iter().any(|(of, _)| of == case))
                .map(|(matter, _)| *matter);
            open.push(OpenCase {
                case: *case,
                since,
                matters: matters.collect(),
            });
        }
        open.sort_by_key(|open| (open.since, open.case));
        open
    }

    fn promises(&self, now: Time) -> Promises {
        let mut all = Promises::default();
        for words in self.promises.values() {
            let words = words.iter().filter(|((time, _), _)| *time <= now);
            all.count(outcome_of_words(
                words.map(|((time, _), word)| (*time, word)),
                now,
            ));
        }
        for (name, promise) in &self.rules.promises {
            for ((time, _), matter) in self.begun.get(name).into_iter().flatten() {
                if *time <= now {
                    all.count(self.standing(name, promise, (*time, *matter), now));
                }
            }
        }
        all
    }

    fn standing(
        &self,
        name: &Name,
        promise: &StandingPromise,
        (begun, matter): (Time, MatterId),
        now: Time,
    ) -> Option<Outcome> {
        let calendar = self.rules.calendar(Some(&promise.keeper));
        let due = calendar.add(begun, promise.within);
        let first = (begun, EventId::new(FIRST));
        let kept = self.kept.get(name).and_then(|kept| {
            kept.range(first..)
                .find(|(_, of)| self.are_one(**of, matter))
                .map(|((time, _), _)| *time)
        });
        Some(match kept.filter(|kept| *kept <= now) {
            Some(kept) if kept <= due => Outcome::Kept,
            Some(_) => Outcome::Broken,
            None if due <= now => Outcome::Broken,
            None => Outcome::Open,
        })
    }

    /// Whether one case handles both.
    fn are_one(&self, one: MatterId, other: MatterId) -> bool {
        let cases = |matter: MatterId| -> BTreeSet<CaseId> {
            let handled = self.handled.get(&matter).into_iter().flatten();
            handled
                .map(|(case, _)| *case)
                .chain([matter.own_case()])
                .collect()
        };
        one == other || !cases(one).is_disjoint(&cases(other))
    }
}

/// What became of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Open,
    Kept,
    Broken,
    Withdrawn,
}

impl Promises {
    fn count(&mut self, outcome: Option<Outcome>) {
        let Some(outcome) = outcome else { return };
        self.made += 1;
        match outcome {
            Outcome::Open => {}
            Outcome::Kept => self.kept += 1,
            Outcome::Broken => self.broken += 1,
            Outcome::Withdrawn => self.withdrawn += 1,
        }
    }
}

/// What became of a promise by what was said of it, in order. Made again, it is due by the newer word.
fn outcome_of_words<'w>(
    words: impl Iterator<Item = (Time, &'w Promise)>,
    now: Time,
) -> Option<Outcome> {
    let mut outcome = None;
    let mut due: Option<Time> = None;
    for (time, word) in words {
        if due.is_some_and(|due| due < time) {
            return Some(Outcome::Broken);
        }
        (outcome, due) = match word.state {
            PromiseState::Made => (Some(Outcome::Open), word.due),
            PromiseState::Kept => (Some(Outcome::Kept), None),
            PromiseState::Withdrawn => (Some(Outcome::Withdrawn), None),
            PromiseState::Broken => return Some(Outcome::Broken),
            PromiseState::Unknown => (outcome, due),
        };
    }
    if due.is_some_and(|due| due <= now) {
        return Some(Outcome::Broken);
    }
    outcome
}

fn take<K: Ord, T: Ord, V>(all: &mut BTreeMap<K, BTreeMap<T, V>>, key: &K, at: &T) {
    if let Some(some) = all.get_mut(key) {
        some.remove(at);
        if some.is_empty() {
            all.remove(key);
        }
    }
}

impl From<&Digest> for Fact {
    fn from(digest: &Digest) -> Fact {
        Fact {
            event: digest.event,
            revision: digest.revision,
            withdrawn: digest.withdrawn,
            time: digest.time,
            kind: digest.kind,
            name: digest.name.clone(),
            channel: digest.channel,
            matter: digest.matter,
            case: None,
            party: digest.party.clone(),
            stage: digest.stage.clone(),
            score: digest.score.clone(),
            promise: digest.promise.clone(),
        }
    }
}

impl From<&Entry> for Fact {
    fn from(entry: &Entry) -> Fact {
        Fact {
            event: entry.event,
            revision: entry.revision,
            withdrawn: false,
            time: entry.time,
            kind: entry.kind,
            name: entry.name.clone(),
            channel: entry.channel,
            matter: entry.matter,
            case: entry.case,
            party: entry.party.clone(),
            stage: entry.stage.clone(),
            score: entry.score.clone(),
            promise: entry.promise.clone(),
        }
    }
}

impl From<&StepNote> for StepFact {
    fn from(note: &StepNote) -> StepFact {
        StepFact {
            id: note.id,
            case: note.case,
            matter: note.matter,
            step: note.step,
            time: note.time,
            what: note.what,
        }
    }
}

impl From<&StepEntry> for StepFact {
    fn from(entry: &StepEntry) -> StepFact {
        StepFact {
            id: entry.id,
            case: entry.case,
            matter: entry.matter,
            step: entry.step,
            time: entry.time,
            what: entry.what,
        }
    }
}
