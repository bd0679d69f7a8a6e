//! What a reader is shown of a profile: a fold over what rests there, the same in whatever order it comes, also when some leaves.

mod promise;

use std::collections::{BTreeMap, BTreeSet};

use event::{
    CaseId, Channel, Company, EventId, MatterId, Millis, Name, Score, Time, Token,
    case::StepKind,
    event::Promise,
    rules::CaseRules,
    timeline::StepEntry,
    timeline_input::{Digest, StepNote},
};
use serde::Serialize;

pub use self::promise::{Outcome, Promised, Promises};
use super::{
    super::{row::LAST, signal},
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
    /// The references that it names and that are not out, the strongest first: what they are about is one.
    pub references: Vec<Token>,
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
    /// Matters that are one, as events and steps say.
    ties: BTreeMap<MatterId, BTreeSet<(MatterId, Token)>>,
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
    /// Matters that are one are counted as one, under the smallest of them.
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
            ties: BTreeMap::new(),
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
        self.handle(step.matter, step.case, step.id);
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
        for (one, other) in together(&fact.references) {
            self.tie(one, other, fact.event.token());
        }
        if let Some(case) = fact.case {
            self.handle(fact.matter, case, fact.event.token());
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
        for (one, other) in together(&fact.references) {
            self.untie(one, other, fact.event.token());
        }
        if let Some(case) = fact.case {
            self.unhandle(fact.matter, case, fact.event.token());
        }
    }

    fn handle(&mut self, matter: MatterId, case: CaseId, by: Token) {
        self.handled.entry(matter).or_default().insert((case, by));
        self.tie(matter, case.matter(), by);
    }

    fn unhandle(&mut self, matter: MatterId, case: CaseId, by: Token) {
        remove(&mut self.handled, matter, (case, by));
        self.untie(matter, case.matter(), by);
    }

    fn tie(&mut self, one: MatterId, other: MatterId, by: Token) {
        self.ties.entry(one).or_default().insert((other, by));
        self.ties.entry(other).or_default().insert((one, by));
    }

    fn untie(&mut self, one: MatterId, other: MatterId, by: Token) {
        remove(&mut self.ties, one, (other, by));
        remove(&mut self.ties, other, (one, by));
    }

    /// All matters that are one with this one, and itself.
    fn group(&self, matter: MatterId) -> BTreeSet<MatterId> {
        let mut group = BTreeSet::from([matter]);
        let mut next = vec![matter];
        while let Some(matter) = next.pop() {
            let tied = self.ties.get(&matter).into_iter().flatten();
            next.extend(
                tied.map(|(other, _)| *other)
                    .filter(|other| group.insert(*other)),
            );
        }
        group
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
            contacts: self.contacts(last),
            promises: Promises::of(&self.promised(now)),
        }
    }

    fn contacts(&self, last: (Time, EventId)) -> BTreeMap<MatterId, Contacts> {
        let mut all: BTreeMap<MatterId, Contacts> = BTreeMap::new();
        for (matter, contacts) in &self.contacts {
            let smallest = self.group(*matter).first().copied().unwrap_or(*matter);
            for channel in contacts.range(..=last).map(|(_, channel)| *channel) {
                let of_matter = all.entry(smallest).or_default();
                of_matter.count += 1;
                *of_matter.channels.entry(channel).or_default() += 1;
            }
        }
        all
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
}

/// What an event ties together that names these references: the strongest with each other one, as the machine has it.
fn together(references: &[Token]) -> impl Iterator<Item = (MatterId, MatterId)> {
    let mut matters = references
        .iter()
        .map(|reference| MatterId::of_reference(*reference));
    let first = matters.next();
    matters.filter_map(move |other| Some((first?, other)))
}

fn take<K: Ord, T: Ord, V>(all: &mut BTreeMap<K, BTreeMap<T, V>>, key: &K, at: &T) {
    if let Some(some) = all.get_mut(key) {
        some.remove(at);
        if some.is_empty() {
            all.remove(key);
        }
    }
}

fn remove<K: Ord, T: Ord>(all: &mut BTreeMap<K, BTreeSet<T>>, key: K, one: T) {
    if let Some(some) = all.get_mut(&key) {
        some.remove(&one);
        if some.is_empty() {
            all.remove(&key);
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
            references: digest
                .values
                .iter()
                .filter(|value| value.class == event::Class::Reference)
                .map(|value| value.token)
                .collect(),
            case: None,
            party: digest.party.clone(),
            stage: digest.stage.clone(),
            score: digest.score.clone(),
            promise: digest.promise.clone(),
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
