//! What helps whoever works on a case: the guide of its place on the path, what may be offered there, and what was promised.

use std::collections::BTreeMap;

use event::{
    Event, Name, Token,
    case::{State as CaseState, StepKind},
};

use crate::{
    desk::{
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

/// What was promised, the first due first, in the words in which somebody did.
pub(super) fn promises(
    state: &model::State,
    speech: &Speech,
    case: &CaseState,
    told: &[Told],
) -> Vec<Promised> {
    let words = words(told);
    let promises = state.promised(case, |id| words.contains_key(&id), speech.now);
    let promises = promises.iter().map(|promised| Promised {
        words: promised.id.and_then(|id| words[&id].clone()),
        ..Promised::of(speech, promised)
    });
    promises.collect()
}

/// What the events of the case said of each promise that they name: the latest that is in words.
fn words(told: &[Told]) -> BTreeMap<Token, Option<Words>> {
    let mut all = BTreeMap::new();
    for told in told {
        let event = personal::event(&told.bytes);
        let Some(promise) = &event.promise else {
            continue;
        };
        let said = personal::open(&event).and_then(|personal| personal.promise);
        let words: &mut Option<Words> = all.entry(promise.id).or_default();
        // Whoever says that it was kept need not say again what it was.
        if let Some(text) = said {
            *words = Some(Words::new(&text, WORDS_CHARS_MAX));
        }
    }
    all
}
