//! What the unifier says of the entries: stage, matter, case, and the steps of cases among them.

use std::collections::{BTreeMap, HashMap};

use event::{
    CaseId, EventId, MatterId, Name, Perspective, ProfileId, Token, Version,
    timeline::{Entry, Moved, StepEntry, Timeline},
};

#[derive(Debug, Default)]
pub(crate) struct Annotations {
    notes: HashMap<EventId, Vec<Note>>,
    steps: HashMap<ProfileId, BTreeMap<Token, StepEntry>>,
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

impl Annotations {
    pub(crate) fn apply(&mut self, timeline: Timeline) {
        match timeline {
            Timeline::Entry(entry) => self.enter(entry),
            Timeline::Step(step) => {
                let steps = self.steps.entry(step.profile).or_default();
                steps.insert(step.id, step);
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
    fn leave(&mut self, moved: &Moved) {
        let event = EventId::new(moved.entry);
        if let Some(notes) = self.notes.get_mut(&event) {
            if let Some(at) = notes.iter().position(|note| note.profile == moved.profile) {
                self.entries -= u64::from(notes.swap_remove(at).counted);
            }
            if notes.is_empty() {
                self.notes.remove(&event);
            }
        }
        if let Some(steps) = self.steps.get_mut(&moved.profile) {
            steps.remove(&moved.entry);
            if steps.is_empty() {
                self.steps.remove(&moved.profile);
            }
        }
    }

    /// The note of the latest decision.
    pub(crate) fn note(&self, event: EventId) -> Option<&Note> {
        let notes = self.notes.get(&event)?;
        notes.iter().max_by_key(|note| note.version)
    }

    pub(crate) fn steps(&self, profile: ProfileId) -> impl Iterator<Item = &StepEntry> {
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
