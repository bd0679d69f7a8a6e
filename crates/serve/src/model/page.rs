//! A customer's page: the events that follow a value of the profile, and the steps of cases, in order of happening.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    sync::Arc,
};

use event::{
    CaseId, EventId, ProfileId, Time, Token, Value, case::State as CaseState, timeline::StepEntry,
};

use super::{State, annotations::Note};

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

/// One entry of a page.
#[derive(Debug)]
pub(crate) enum Item {
    Event {
        bytes: Arc<[u8]>,
        note: Option<Note>,
        /// The case that handles its matter now.
        case: Option<CaseId>,
    },
    Step(StepEntry),
}

#[derive(Debug)]
pub(crate) struct Page {
    pub items: Vec<Item>,
    /// The last entry given, when there are more.
    pub next: Option<Cursor>,
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
        events.sort_unstable();
        let latest = events.iter().rev().take(LATEST_MAX);
        let latest = latest
            .filter_map(|at| self.events.get(EventId::new(at.id)))
            .map(|row| Arc::clone(&row.bytes))
            .collect();
        let times = || events.iter().map(|cursor| cursor.time);
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
        after: Option<Cursor>,
        order: Order,
        limit: usize,
    ) -> Page {
        let tokens = self.identity.tokens(profile);
        let steps: BTreeMap<Cursor, &StepEntry> = tokens
            .iter()
            .flat_map(|token| self.annotations.steps(ProfileId::new(*token)))
            .map(|step| {
                let at = Cursor {
                    time: step.time,
                    id: step.id,
                };
                (at, step)
            })
            .collect();
        let mut all = self.events_of(&tokens);
        all.extend(steps.keys());
        all.sort_unstable();
        if order == Order::NewestFirst {
            all.reverse();
        }
        let first = after.map_or(0, |after| {
            all.partition_point(|at| match order {
                Order::OldestFirst => *at <= after,
                Order::NewestFirst => *at >= after,
            })
        });
        let rest = all.get(first..).unwrap_or_default();
        let given = rest.get(..limit).unwrap_or(rest);
        let items = given.iter().filter_map(|at| match steps.get(at) {
            Some(step) => Some(Item::Step((*step).clone())),
            None => self.item(EventId::new(at.id)),
        });
        Page {
            items: items.collect(),
            next: (rest.len() > given.len())
                .then(|| given.last().copied())
                .flatten(),
        }
    }

    fn item(&self, event: EventId) -> Option<Item> {
        let row = self.events.get(event)?;
        let note = self.annotations.note(event).cloned();
        let case = note
            .as_ref()
            .and_then(|note| self.cases.of_matter(note.matter).or(note.case));
        Some(Item::Event {
            bytes: Arc::clone(&row.bytes),
            note,
            case,
        })
    }

    /// An event that names several values of the profile is there once: by the one it follows.
    fn events_of(&self, tokens: &BTreeSet<Token>) -> Vec<Cursor> {
        let mut events = Vec::new();
        for token in tokens {
            let named = self.identity.get(*token).into_iter();
            for event in named.flat_map(|known| &known.events) {
                let Some(row) = self.events.get(*event) else {
                    continue;
                };
                if row.route(|value| self.identity.is_out(value)) == *token {
                    events.push(Cursor {
                        time: row.time,
                        id: event.token(),
                    });
                }
            }
        }
        events
    }
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
