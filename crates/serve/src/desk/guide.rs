//! The company's own words for a place on the path: what helps whoever works there, and what may be offered without asking.

use std::collections::BTreeMap;

use event::{Name, rules::Journey};

use super::speech::Speech;

/// What the company wrote, in the reader's language if it wrote it in that, a paragraph a line.
pub(super) struct Advice {
    /// The language that it is in.
    pub(super) language: String,
    pub(super) paragraphs: Vec<String>,
}

/// What helps at a stage or a touchpoint.
pub(super) fn guide(speech: &Speech, place: &Name) -> Option<Advice> {
    advice(speech, place, |journey| &journey.guides)
}

/// What may be offered at a stage or a touchpoint.
pub(super) fn offer(speech: &Speech, place: &Name) -> Option<Advice> {
    advice(speech, place, |journey| &journey.offers)
}

fn advice(
    speech: &Speech,
    place: &Name,
    of: fn(&Journey) -> &BTreeMap<Name, BTreeMap<String, String>>,
) -> Option<Advice> {
    let mut journeys = speech.company().journeys.values();
    let texts = journeys.find_map(|journey| of(journey).get(place))?;
    let own = texts.get_key_value(speech.messages.language.as_str());
    // A guide in another language is better than none.
    let (language, text) = own.or_else(|| texts.first_key_value())?;
    let lines = text.lines().map(str::trim);
    let paragraphs: Vec<String> = lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    (!paragraphs.is_empty()).then(|| Advice {
        language: language.clone(),
        paragraphs,
    })
}
