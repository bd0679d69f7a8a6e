//! What helps whoever works on a case: the guide of its place on the path, what may be offered there, and what was promised.

use std::collections::BTreeMap;

use event::{
    Event, Name, Time, Token,
    case::{State as CaseState, StepKind},
    event::{Promise, PromiseState},
};
use unifier::unify::profile::figures;

use crate::{
    desk::{
        entry::what_promised,
        guide::{self, Advice},
        promise::Promised,
        speech::{Speech, Words},
    },
    model::{self, Told},
    personal,
};

/// The company's own words for where the case is on the path.
pub(super) struct Guide {
    /// The stage or the touchpoint that they are written for.
    pub(super) place: String,
    pub(super) guide: Option<Advice>,
    pub(super) offer: Option<Advice>,
}

const WORDS_CHARS_MAX: usize = 1_000;

impl Guide {
    /// Of the event that opened the case; of the latest of its events where a sign opened it, or nothing is written for that place.
    pub(super) fn of(
        state: &model::State,
        speech: &Speech,
        case: &CaseState,
        told: &[Told],
    ) -> Option<Guide> {
        let mut steps = state.cases.steps(case.case);
        let opened = steps.find(|step| step.what == StepKind::Opened)?;
        let opener = opened.event.and_then(|event| state.events.get(event));
        let latest_first = told.iter().rev().map(|told| &told.bytes);
        opener
            .map(|opener| &opener.bytes)
            .into_iter()
            .chain(latest_first)
            .find_map(|bytes| Guide::at(speech, &personal::event(bytes)))
    }

    /// Of the touchpoint, else of the stage; what the one does not tell, the other may.
    fn at(speech: &Speech, event: &Event) -> Option<Guide> {
        let touchpoint = event.touchpoint.as_ref();
        let stage = model::figures::stage(speech.company(), event.stage.as_ref(), touchpoint);
        let places = || touchpoint.into_iter().chain(stage);
        let told = |of: fn(&Speech, &Name) -> Option<Advice>| {
            places().find_map(|place| Some((place, of(speech, place)?)))
        };
        let guide = told(guide::guide);
        let offer = told(guide::offer);
        let (place, _) = guide.as_ref().or(offer.as_ref())?;
        Some(Guide {
            place: Speech::sentence(&speech.label(place)),
            guide: guide.map(|(_, advice)| advice),
            offer: offer.map(|(_, advice)| advice),
        })
    }
}

/// What was promised, the first due first: by the events of the case, and by what the company says to everybody.
pub(super) fn promises(
    speech: &Speech,
    told: &[Told],
    standing: &[figures::Promised],
) -> Vec<Promised> {
    let mut promises = said(speech, told);
    let standing = standing.iter();
    promises.extend(standing.map(|promised| (promised.due, Promised::of(speech, promised))));
    promises.sort_by_key(|(due, _)| due.unwrap_or(Time::MAX));
    promises.into_iter().map(|(_, promised)| promised).collect()
}

/// What the events of the case promise: of each promise the latest that was said.
fn said(speech: &Speech, told: &[Told]) -> Vec<(Option<Time>, Promised)> {
    let mut latest: BTreeMap<Token, (Promise, Option<Words>)> = BTreeMap::new();
    for told in told {
        let event = personal::event(&told.bytes);
        let Some(promise) = event.promise.clone() else {
            continue;
        };
        let words = personal::open(&event).and_then(|personal| personal.promise);
        let words = words.map(|text| Words::new(&text, WORDS_CHARS_MAX));
        // Whoever says that it was kept need not say again what it was.
        let before = latest.remove(&promise.id);
        let (due, keeper, said) = match before {
            Some((before, words)) => (before.due, before.keeper, words),
            None => (None, None, None),
        };
        let promise = Promise {
            due: promise.due.or(due),
            keeper: promise.keeper.clone().or(keeper),
            ..promise
        };
        latest.insert(promise.id, (promise, words.or(said)));
    }
    let said = latest.into_values().map(|(promise, words)| {
        let is_late = promise.due.is_some_and(|due| due <= speech.now);
        let (key, tone) = match promise.state {
            PromiseState::Made if is_late => ("promise-late", "bad"),
            PromiseState::Made => ("promise-open", "soon"),
            PromiseState::Kept => ("promise-kept", "good"),
            PromiseState::Broken => ("promise-broken", "bad"),
            PromiseState::Withdrawn => ("promise-withdrawn", ""),
            PromiseState::Unknown => ("promise-unknown", ""),
        };
        let what = what_promised(speech, &promise.what);
        let promised = Promised::new(
            speech,
            &what,
            promise.keeper.as_ref(),
            promise.due,
            (key, tone),
        );
        (promise.due, Promised { words, ..promised })
    });
    said.collect()
}
