//! Which profile each value belongs to, and which events name it.

use std::collections::{BTreeSet, HashMap};

use event::{Class, EventId, ProfileId, Token, Value, assignment::Assignment};

#[derive(Debug, Default)]
pub(crate) struct Identity {
    values: HashMap<Token, Known>,
    profiles: HashMap<ProfileId, Profile>,
    counts: Counts,
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
    /// Every event that names it and has a page, in the order they were read.
    pub events: Vec<EventId>,
    /// How many of them count in the figures.
    counted: u32,
}

#[derive(Debug, Default)]
struct Profile {
    tokens: BTreeSet<Token>,
    identifiers: u32,
    references: u32,
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
    pub(crate) fn name(&mut self, value: &Value, event: EventId, counted: bool) {
        self.change(value, |known| {
            known.events.push(event);
            known.counted += u32::from(counted);
        });
    }

    /// A later revision of the event no longer names the value.
    pub(crate) fn unname(&mut self, token: Token, event: EventId, counted: bool) {
        let Some(value) = self.values.get(&token).map(|known| known.value.clone()) else {
            return;
        };
        self.change(&value, |known| {
            known.events.retain(|named| *named != event);
            known.counted -= u32::from(counted);
        });
    }

    pub(crate) fn assign(&mut self, assignment: &Assignment) {
        self.change(&assignment.value, |known| {
            known.out = assignment.out;
            known.profile = assignment.profile;
        });
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
        let mut seen = BTreeSet::from([id]);
        while seen.insert(at) {
            match self.values.get(&at.token()) {
                Some(known) => at = known.profile,
                None => break,
            }
        }
        Some(at)
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
