//! What the unifier says of the entries: stage, matter, case, and the steps of cases among them.

use std::collections::{BTreeMap, HashMap};

use event::{
    CaseId, EventId, MatterId, Name, Perspective, ProfileId, Token, Version,
    timeline::{Entry, Moved, StepEntry, Timeline},
};

#[derive(Debug, Default)]
pub(crate) struct Annotations {
    notes: HashMap<EventId, Vec<Note>>,
    /// With the place in the model's sequence at which each came.
    steps: HashMap<ProfileId, BTreeMap<Token, (u64, StepEntry)>>,
    entries: u64,
}

/// What one profile's entry says of an event. While an entry moves there may be two.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    profile: ProfileId,
    version: Version,
    /// Counts in the figures.
    counted: bool,
    pub stage: Option<Name>,
    pub touchpoint: Option<Name>,
    pub party: Option<Name>,
    pub matter: MatterId,
    pub case: Option<CaseId>,
}

/// What became of a step of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepChange {
    Came(ProfileId),
    Left(ProfileId),
}

impl Annotations {
    /// Answers which page a step came to or left.
    pub(super) fn apply(&mut self, timeline: Timeline, sequence: u64) -> Option<StepChange> {
        match timeline {
            Timeline::Entry(entry) => {
                self.enter(entry);
                None
            }
            Timeline::Step(step) => {
                let profile = step.profile;
                let steps = self.steps.entry(profile).or_default();
                steps.insert(step.id, (sequence, step));
                Some(StepChange::Came(profile))
            }
            Timeline::Moved(moved) => self.leave(&moved),
        }
    }

    fn enter(&mut self, entry: Entry) {
        let note = Note {
            profile: entry.profile,
            version: entry.version,
            counted: entry.perspective == Perspective::Customer,
            stage: entry.stage,
            touchpoint: entry.touchpoint,
            party: entry.party,
            matter: entry.matter,
            case: entry.case,
        };
        let notes = self.notes.entry(entry.event).or_default();
        let counted = note.counted;
        match notes.iter_mut().find(|held| held.profile == note.profile) {
            Some(held) => *held = note,
            None => {
                notes.push(note);
                self.entries += u64::from(counted);
            }
        }
    }

    /// The entry may have been an event's or a step's: ids of both are tokens, and each is looked for.
    fn leave(&mut self, moved: &Moved) -> Option<StepChange> {
        let event = EventId::new(moved.entry);
        if let Some(notes) = self.notes.get_mut(&event) {
            if let Some(at) = notes.iter().position(|note| note.profile == moved.profile) {
                self.entries -= u64::from(notes.swap_remove(at).counted);
            }
            if notes.is_empty() {
                self.notes.remove(&event);
            }
        }
        let steps = self.steps.get_mut(&moved.profile)?;
        let left = steps.remove(&moved.entry);
        if steps.is_empty() {
            self.steps.remove(&moved.profile);
        }
        left.map(|_| StepChange::Left(moved.profile))
    }

    /// The note of the latest decision.
    pub(crate) fn note(&self, event: EventId) -> Option<&Note> {
        let notes = self.notes.get(&event)?;
        notes.iter().max_by_key(|note| note.version)
    }

    /// With the place in the model's sequence at which each came.
    pub(crate) fn steps(&self, profile: ProfileId) -> impl Iterator<Item = &(u64, StepEntry)> {
        self.steps
            .get(&profile)
            .into_iter()
            .flat_map(BTreeMap::values)
    }

    /// The entries of customers' timelines that stand now.
    pub(crate) fn entries(&self) -> u64 {
        self.entries
    }
}
