//! Which profile each value belongs to, and which events name it.

use std::collections::{BTreeSet, HashMap};

use event::{Class, EventId, ProfileId, Token, Value, assignment::Assignment};

#[derive(Debug, Default)]
pub(crate) struct Identity {
    values: HashMap<Token, Known>,
    profiles: HashMap<ProfileId, Profile>,
    counts: Counts,
    /// The place in the model's sequence of what is being applied.
    pub(super) at: u64,
}

/// Profiles of customers: of at least one event, by a value that is not out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// With an identifier.
    pub customers: u64,
    /// With references only: an order that nobody's identifier was named with yet.
    pub unidentified: u64,
}

#[derive(Debug)]
pub(crate) struct Known {
    pub value: Value,
    profile: ProfileId,
    pub out: bool,
    /// Every event that names it and has a page, or did before it was corrected, in the order they were read.
    pub events: Vec<EventId>,
    /// How many of them count in the figures.
    counted: u32,
    /// The place in the model's sequence at which it came to its profile.
    pub moved: u64,
}

/// That an event names a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Naming {
    pub event: EventId,
    /// The version before, if there was one, did not.
    pub is_new: bool,
    /// By how much the number of events that count in the figures changes.
    pub counted: i32,
}

#[derive(Debug, Default)]
struct Profile {
    tokens: BTreeSet<Token>,
    identifiers: u32,
    references: u32,
    changed: Changed,
}

/// Where in the model's sequence a profile's page changed last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    pub any: u64,
    /// Something is no longer on it.
    pub lost: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Figure {
    Customer,
    Unidentified,
    None,
}

impl Known {
    fn new(value: &Value) -> Self {
        Known {
            value: value.clone(),
            profile: ProfileId::new(value.token),
            out: false,
            events: Vec::new(),
            counted: 0,
            moved: 0,
        }
    }

    fn counts_as(&self) -> Option<Class> {
        (!self.out && self.counted > 0).then_some(self.value.class)
    }
}

impl Profile {
    fn figure(&self) -> Figure {
        match (self.identifiers, self.references) {
            (0, 0) => Figure::None,
            (0, _) => Figure::Unidentified,
            (_, _) => Figure::Customer,
        }
    }

    fn of(&mut self, class: Class) -> &mut u32 {
        match class {
            Class::Identifier => &mut self.identifiers,
            Class::Reference => &mut self.references,
        }
    }
}

impl Identity {
    /// An event names the value. Nobody decided about a new one yet: it is a profile of its own.
    pub(crate) fn name(&mut self, value: &Value, naming: Naming) {
        if naming.is_new || naming.counted != 0 {
            self.change(value, |known| {
                if naming.is_new {
                    known.events.push(naming.event);
                }
                known.counted = known.counted.saturating_add_signed(naming.counted);
            });
        }
        self.touch(value.token);
    }

    /// A later revision of the event no longer names the value. It stays in the list of the value's events, which may be long:
    /// who reads the list asks the event.
    pub(crate) fn unname(&mut self, token: Token, counted: bool) {
        let Some(value) = self.values.get(&token).map(|known| known.value.clone()) else {
            return;
        };
        self.change(&value, |known| known.counted -= u32::from(counted));
        self.lose(token);
    }

    /// Something changed on the page of whoever owns the value.
    pub(crate) fn touch(&mut self, token: Token) {
        self.mark(token, |changed, at| changed.any = at);
    }

    /// Something is no longer on the page of whoever owns the value.
    pub(crate) fn lose(&mut self, token: Token) {
        self.mark(token, |changed, at| (changed.any, changed.lost) = (at, at));
    }

    fn mark(&mut self, token: Token, mark: impl FnOnce(&mut Changed, u64)) {
        let at = self.at;
        let root = self.resolve(ProfileId::new(token));
        if let Some(profile) = root.and_then(|root| self.profiles.get_mut(&root)) {
            mark(&mut profile.changed, at);
        }
    }

    pub(crate) fn assign(&mut self, assignment: &Assignment) {
        let token = assignment.value.token;
        let stays = self.values.get(&token).is_some_and(|known| {
            (known.profile, known.out) == (assignment.profile, assignment.out)
        });
        if stays {
            return;
        }
        self.lose(token);
        let at = self.at;
        self.change(&assignment.value, |known| {
            known.out = assignment.out;
            known.profile = assignment.profile;
            known.moved = at;
        });
        if assignment.out {
            self.lose(token);
        } else {
            self.touch(token);
        }
    }

    /// Changes one value and carries the change over to the profiles and the counts.
    fn change(&mut self, value: &Value, change: impl FnOnce(&mut Known)) {
        let token = value.token;
        let is_new = !self.values.contains_key(&token);
        let known = self
            .values
            .entry(token)
            .or_insert_with(|| Known::new(value));
        let before = (known.profile, known.counts_as());
        change(known);
        let after = (known.profile, known.counts_as());
        if !is_new && before == after {
            return;
        }
        if !is_new {
            self.with_profile(before.0, |profile| {
                profile.tokens.remove(&token);
                if let Some(class) = before.1 {
                    *profile.of(class) -= 1;
                }
            });
        }
        self.with_profile(after.0, |profile| {
            profile.tokens.insert(token);
            if let Some(class) = after.1 {
                *profile.of(class) += 1;
            }
        });
    }

    fn with_profile(&mut self, id: ProfileId, change: impl FnOnce(&mut Profile)) {
        let profile = self.profiles.entry(id).or_default();
        let before = profile.figure();
        change(profile);
        let after = profile.figure();
        if profile.tokens.is_empty() {
            self.profiles.remove(&id);
        }
        if let Some(count) = self.counts.of(before) {
            *count -= 1;
        }
        if let Some(count) = self.counts.of(after) {
            *count += 1;
        }
    }

    pub(crate) fn get(&self, token: Token) -> Option<&Known> {
        self.values.get(&token)
    }

    pub(crate) fn is_out(&self, token: Token) -> bool {
        self.values.get(&token).is_some_and(|known| known.out)
    }

    /// The profile that a profile id, old or present, stands for now. The id is the token of a value; whoever owns that
    /// value is meant. The assignments of one decision may become visible one by one, so an owner may itself have moved.
    pub(crate) fn resolve(&self, id: ProfileId) -> Option<ProfileId> {
        let mut at = self.values.get(&id.token())?.profile;
        let mut seen = BTreeSet::new();
        loop {
            match self.values.get(&at.token()) {
                // Almost always at once: the owner is its own.
                Some(known) if known.profile == at => return Some(at),
                Some(known) if seen.insert(at) => at = known.profile,
                Some(_) | None => return Some(at),
            }
        }
    }

    /// All values of the profile, also those of profiles that moved into it and whose own move is still on its way.
    pub(crate) fn tokens(&self, profile: ProfileId) -> BTreeSet<Token> {
        let mut tokens = BTreeSet::new();
        let mut open = vec![profile];
        while let Some(id) = open.pop() {
            let profile = self.profiles.get(&id);
            for token in profile.iter().flat_map(|profile| &profile.tokens) {
                if tokens.insert(*token) {
                    open.push(ProfileId::new(*token));
                }
            }
        }
        tokens
    }

    /// Where the profile's page changed last.
    pub(crate) fn changed(&self, profile: ProfileId) -> Changed {
        let profile = self.profiles.get(&profile);
        profile.map_or_else(Changed::default, |profile| profile.changed)
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }
}

impl Counts {
    fn of(&mut self, figure: Figure) -> Option<&mut u64> {
        match figure {
            Figure::Customer => Some(&mut self.customers),
            Figure::Unidentified => Some(&mut self.unidentified),
            Figure::None => None,
        }
    }
}
