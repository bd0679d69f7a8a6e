//! A customer's page: the events that follow a value of the profile, and the steps of cases, in order of happening.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    sync::Arc,
};

use event::{
    CaseId, Channel, EventId, Kind, MatterId, Name, ProfileId, Time, Token, Value,
    case::State as CaseState, timeline::StepEntry,
};

use super::{State, annotations::Note, events::Row};

/// A place in the order of happening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cursor {
    time: Time,
    id: Token,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Order {
    #[default]
    OldestFirst,
    NewestFirst,
}

/// Where a page lies in its order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum At {
    #[default]
    Start,
    After(Cursor),
    /// The page that leads up to this place.
    Before(Cursor),
}

/// Which entries are wanted; all where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Not before.
    pub from: Option<Time>,
    /// Before.
    pub to: Option<Time>,
    /// With one of these three, the steps of cases are left out: they have none.
    pub kind: Option<Kind>,
    pub channel: Option<Channel>,
    pub party: Option<Name>,
    pub matter: Option<MatterId>,
}

/// One entry of a page.
#[derive(Debug)]
pub(crate) struct Item {
    pub what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    Event(Box<Happened>),
    Step(StepEntry),
}

/// An event as a page shows it.
#[derive(Debug)]
pub(crate) struct Happened {
    pub bytes: Arc<[u8]>,
    pub note: Option<Note>,
    /// The case that handles its matter now.
    pub case: Option<CaseId>,
    /// What it said before it was corrected, the first version first.
    pub corrected: Vec<Corrected>,
}

/// A version of an event that another replaced.
#[derive(Clone, Debug)]
pub(crate) struct Corrected {
    pub bytes: Arc<[u8]>,
    /// It was this customer's too; else what it said is somebody else's.
    pub is_theirs: bool,
}

#[derive(Debug)]
pub(crate) struct Page {
    pub items: Vec<Item>,
    /// The last entry given, when there are more after it.
    pub next: Option<Cursor>,
    /// The first entry given, when there are others before it.
    pub previous: Option<Cursor>,
}

/// What is known of a customer without reading the page.
#[derive(Debug)]
pub(crate) struct Customer {
    pub id: ProfileId,
    /// With the latest events that name each, newest first: one of them tells how it is written.
    pub values: Vec<(Value, Vec<Arc<[u8]>>)>,
    pub first_seen: Option<Time>,
    pub last_seen: Option<Time>,
    pub events: usize,
    /// The latest events, newest first: one of them may tell the name.
    pub latest: Vec<Arc<[u8]>>,
    pub cases: Vec<CaseState>,
}

/// Events looked through for the written form of a value; one is enough unless some are sealed.
const WITNESSES_MAX: usize = 4;
/// Events looked through for a name.
const LATEST_MAX: usize = 100;

impl State {
    pub(crate) fn customer(&self, profile: ProfileId) -> Customer {
        let tokens = self.identity.tokens(profile);
        let mut events = self.events_of(&tokens);
        events.sort_by_key(|place| place.at);
        events.dedup_by_key(|place| place.at);
        let latest = events.iter().rev().take(LATEST_MAX);
        let latest = latest
            .filter_map(|place| self.events.get(EventId::new(place.at.id)))
            .map(|row| Arc::clone(&row.bytes))
            .collect();
        let times = || events.iter().map(|place| place.at.time);
        let values = tokens
            .iter()
            .filter_map(|token| self.identity.get(*token))
            .map(|known| {
                let witnesses = known.events.iter().rev().take(WITNESSES_MAX);
                let bytes = witnesses
                    .filter_map(|event| self.events.get(*event))
                    .map(|row| Arc::clone(&row.bytes))
                    .collect();
                (known.value.clone(), bytes)
            })
            .collect();
        Customer {
            id: profile,
            values,
            first_seen: times().min(),
            last_seen: times().max(),
            events: events.len(),
            latest,
            cases: self.cases_of(&tokens).cloned().collect(),
        }
    }

    /// The cases that concern the customer, under whatever id they knew the profile by.
    pub(crate) fn cases_of<'a>(
        &'a self,
        tokens: &BTreeSet<Token>,
    ) -> impl Iterator<Item = &'a CaseState> {
        let by_id: BTreeMap<CaseId, &CaseState> = tokens
            .iter()
            .flat_map(|token| self.cases.of_profile(ProfileId::new(*token)))
            .map(|case| (case.case, case))
            .collect();
        by_id.into_values()
    }

    pub(crate) fn page(
        &self,
        profile: ProfileId,
        filter: &Filter,
        order: Order,
        at: At,
        limit: usize,
    ) -> Page {
        let mut all = self.places(profile);
        if order == Order::NewestFirst {
            all.reverse();
        }
        let is_before = |place: &Place<'_>, cursor: Cursor| match order {
            Order::OldestFirst => place.at < cursor,
            Order::NewestFirst => place.at > cursor,
        };
        let fits = |place: &&Place<'_>| self.fits(place, filter);
        let split = |until: Cursor, inclusive: bool| {
            all.partition_point(|place| is_before(place, until) || (inclusive && place.at == until))
        };
        // Of the places between `first` and `last` some fit; whether others fit outside tells whether there are further pages.
        let given: Vec<&Place<'_>> = match at {
            At::Start => all.iter().filter(fits).take(limit).collect(),
            At::After(cursor) => {
                let rest = &all[split(cursor, true)..];
                rest.iter().filter(fits).take(limit).collect()
            }
            At::Before(cursor) => {
                let rest = &all[..split(cursor, false)];
                let mut given: Vec<_> = rest.iter().rev().filter(fits).take(limit).collect();
                given.reverse();
                given
            }
        };
        let first = given.first().map(|place| place.at);
        let last = given.last().map(|place| place.at);
        let asked = match at {
            At::Start => None,
            At::After(cursor) | At::Before(cursor) => Some(cursor),
        };
        let previous = first
            .or(asked)
            .filter(|first| all[..split(*first, false)].iter().any(|place| fits(&place)));
        let next = last
            .or(asked)
            .filter(|last| all[split(*last, true)..].iter().any(|place| fits(&place)));
        Page {
            items: given
                .into_iter()
                .filter_map(|place| self.item(profile, place))
                .collect(),
            next,
            previous,
        }
    }

    /// All entries of the profile's page, in order of happening.
    pub(super) fn everything(&self, profile: ProfileId) -> impl Iterator<Item = Item> {
        let places = self.places(profile).into_iter();
        places.filter_map(move |place| self.item(profile, &place))
    }

    /// What changed on the profile's page after a place in the sequence of changes, in order of happening: entries that are new or
    /// others now, and events that are there no more or fit the filter no more.
    pub(crate) fn changes(&self, profile: ProfileId, filter: &Filter, after: u64) -> Changes {
        let changed = self.identity.changed(profile);
        if changed.lost > after {
            return Changes::Lost;
        }
        if changed.any <= after {
            return Changes::Entries {
                items: Vec::new(),
                gone: Vec::new(),
            };
        }
        let places = self.places(profile).into_iter();
        let (items, gone): (Vec<Place<'_>>, Vec<Place<'_>>) = places
            .filter(|place| place.changed > after)
            .partition(|place| self.fits(place, filter));
        let gone = gone.iter().filter_map(|place| match place.what {
            // What was never corrected did not fit before either.
            Entry::Event(event) => {
                let row = self.events.get(event)?;
                row.corrected().next().map(|_| event)
            }
            Entry::Step(_) => None,
        });
        Changes::Entries {
            gone: gone.collect(),
            items: items
                .iter()
                .filter_map(|place| self.item(profile, place))
                .collect(),
        }
    }

    fn item(&self, profile: ProfileId, place: &Place<'_>) -> Option<Item> {
        let what = match place.what {
            Entry::Step(step) => What::Step(step.clone()),
            Entry::Event(event) => What::Event(Box::new(self.happened(profile, event)?)),
        };
        Some(Item { what })
    }

    fn happened(&self, profile: ProfileId, event: EventId) -> Option<Happened> {
        let row = self.events.get(event)?;
        let note = self.annotations.note(event).cloned();
        let case = note
            .as_ref()
            .and_then(|note| self.cases.of_matter(note.matter).or(note.case));
        let is_out = |value| self.identity.is_out(value);
        let corrected = row.corrected().map(|version| {
            let route = ProfileId::new(version.route(is_out));
            Corrected {
                bytes: Arc::clone(&version.bytes),
                is_theirs: self.identity.resolve(route) == Some(profile),
            }
        });
        Some(Happened {
            bytes: Arc::clone(&row.bytes),
            note,
            case,
            corrected: corrected.collect(),
        })
    }

    fn fits(&self, place: &Place<'_>, filter: &Filter) -> bool {
        let time = place.at.time;
        if filter.from.is_some_and(|from| time < from) || filter.to.is_some_and(|to| time >= to) {
            return false;
        }
        match place.what {
            Entry::Step(step) => {
                filter.kind.is_none()
                    && filter.channel.is_none()
                    && filter.party.is_none()
                    && filter.matter.is_none_or(|matter| matter == step.matter)
            }
            Entry::Event(event) => {
                let Some(row) = self.events.get(event) else {
                    return false;
                };
                filter.kind.is_none_or(|kind| kind == row.kind)
                    && filter.channel.is_none_or(|channel| channel == row.channel)
                    && self.fits_note(event, row, filter)
            }
        }
    }

    fn fits_note(&self, event: EventId, row: &Row, filter: &Filter) -> bool {
        let note = self.annotations.note(event);
        let party = |wanted: &Name| match note {
            Some(note) => note.party.as_ref() == Some(wanted),
            None => crate::personal::event(&row.bytes).party.as_ref() == Some(wanted),
        };
        filter.party.as_ref().is_none_or(party)
            && (filter.matter).is_none_or(|matter| note.is_some_and(|note| note.matter == matter))
    }

    /// Everything on the profile's page, in order of happening.
    fn places(&self, profile: ProfileId) -> Vec<Place<'_>> {
        let tokens = self.identity.tokens(profile);
        let mut all = self.events_of(&tokens);
        let steps = tokens
            .iter()
            .flat_map(|token| self.annotations.steps(ProfileId::new(*token)));
        all.extend(steps.map(|(changed, step)| Place {
            at: Cursor::new(step.time, step.id),
            changed: *changed,
            what: Entry::Step(step),
        }));
        all.sort_by_key(|place| place.at);
        // A step that goes with its customer may be on both pages for a moment; an event that named the same value again after a
        // correction is in the list twice.
        all.dedup_by_key(|place| place.at);
        all
    }

    /// An event that names several values of the profile is there once: by the one it follows.
    fn events_of(&self, tokens: &BTreeSet<Token>) -> Vec<Place<'_>> {
        let mut events = Vec::new();
        for token in tokens {
            let Some(known) = self.identity.get(*token) else {
                continue;
            };
            for event in &known.events {
                let Some(row) = self.events.get(*event) else {
                    continue;
                };
                if row.place.has_page() && row.route(|value| self.identity.is_out(value)) == *token
                {
                    events.push(Place {
                        at: Cursor::new(row.time, event.token()),
                        changed: row.changed.max(known.moved),
                        what: Entry::Event(*event),
                    });
                }
            }
        }
        events
    }
}

/// An entry's place on a page.
struct Place<'s> {
    at: Cursor,
    /// When it came or became another, in the sequence of changes.
    changed: u64,
    what: Entry<'s>,
}

#[derive(Clone, Copy)]
enum Entry<'s> {
    Event(EventId),
    Step(&'s StepEntry),
}

/// What changed on a page.
pub(crate) enum Changes {
    /// Something was on it and is not any more: it is to be read anew.
    Lost,
    Entries {
        items: Vec<Item>,
        gone: Vec<EventId>,
    },
}

impl Cursor {
    pub(crate) fn new(time: Time, id: Token) -> Self {
        Self { time, id }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.time.as_millis(), self.id)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("not a cursor that an answer gave as `next`")]
pub(crate) struct CursorError;

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (time, id) = text.split_once('.').ok_or(CursorError)?;
        Ok(Cursor {
            time: Time::from_millis(time.parse().map_err(|_| CursorError)?),
            id: id.parse().map_err(|_| CursorError)?,
        })
    }
}
