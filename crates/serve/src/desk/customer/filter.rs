//! Which part of a timeline is asked for, as fields of a form and as a query.

use std::collections::BTreeSet;

use event::{Channel, Kind, MatterId, Millis, Name, case::State as CaseState};
use serde::Deserialize;

use crate::{
    desk::{search::Choice, speech::Speech, trouble::Trouble},
    model::page::Filter,
};

/// What the form sends, each field as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    from: String,
    to: String,
    kind: String,
    channel: String,
    matter: String,
    party: String,
}

/// The form's fields.
pub(super) struct Fields {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) kinds: Vec<Choice>,
    pub(super) channels: Vec<Choice>,
    pub(super) matters: Vec<Choice>,
    pub(super) parties: Vec<Choice>,
    /// A part is asked for.
    pub(super) is_set: bool,
}

const KINDS: [Kind; 3] = [Kind::Complaint, Kind::Feedback, Kind::Service];
const CHANNELS: [Channel; 4] = [
    Channel::Store,
    Channel::CallCentre,
    Channel::Web,
    Channel::Subcontractor,
];
/// A customer with more matters finds them on the timeline itself.
const MATTERS_MAX: usize = 50;

impl Asked {
    pub(super) fn is_set(&self) -> bool {
        self.pairs().iter().any(|(_, value)| !value.is_empty())
    }

    fn pairs(&self) -> [(&'static str, &str); 6] {
        [
            ("from", &self.from),
            ("to", &self.to),
            ("kind", &self.kind),
            ("channel", &self.channel),
            ("matter", &self.matter),
            ("party", &self.party),
        ]
    }

    /// The same, as a query with more in it.
    pub(super) fn query(&self, more: &[(&str, &str)]) -> String {
        let pairs = self.pairs();
        let set = pairs.iter().filter(|(_, value)| !value.is_empty());
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(set.chain(more))
            .finish()
    }

    pub(super) fn filter(&self, speech: &Speech) -> Result<Filter, Trouble> {
        let day = |text: &str| text.parse().map_err(|_| Trouble::Unreadable);
        let from = said(&self.from).map(day).transpose()?;
        let to = said(&self.to).map(day).transpose()?;
        Ok(Filter {
            from: from.and_then(|day| speech.start_of(day)),
            to: to
                .and_then(|day| speech.end_of(day))
                .map(|end| end + Millis::new(1)),
            kind: named(&self.kind, &KINDS, |kind| kind.as_str())?,
            channel: named(&self.channel, &CHANNELS, |channel| channel.as_str())?,
            party: said(&self.party)
                .map(|party| Name::new(party).map_err(|_| Trouble::Unreadable))
                .transpose()?,
            matter: said(&self.matter)
                .map(|matter| matter.parse().map_err(|_| Trouble::Unreadable))
                .transpose()?,
        })
    }
}

fn said(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty()).then_some(text)
}

fn named<T: Copy>(
    asked: &str,
    known: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<Option<T>, Trouble> {
    let Some(asked) = said(asked) else {
        return Ok(None);
    };
    let mut known = known.iter().copied();
    match known.find(|known| name(*known) == asked) {
        Some(found) => Ok(Some(found)),
        None => Err(Trouble::Unreadable),
    }
}

impl Fields {
    pub(super) fn new(speech: &Speech, asked: &Asked, cases: &[CaseState]) -> Fields {
        let choice = |value: String, text: String, chosen: &str| Choice {
            is_chosen: value == chosen,
            value,
            text,
        };
        let kinds = KINDS.map(|kind| {
            let text = speech.named("entry-kind", kind.as_str());
            choice(kind.as_str().to_owned(), text, &asked.kind)
        });
        let channels = CHANNELS.map(|channel| {
            let text = Speech::sentence(&speech.named("channel", channel.as_str()));
            choice(channel.as_str().to_owned(), text, &asked.channel)
        });
        let parties = parties(speech).into_iter().map(|party| {
            let text = Speech::sentence(&speech.label(party));
            choice(party.to_string(), text, &asked.party)
        });
        let mut matters: Vec<Choice> = matters(speech, cases)
            .into_iter()
            .map(|(matter, text)| choice(matter.to_string(), text, &asked.matter))
            .collect();
        // One that was asked for from the timeline itself.
        if !asked.matter.is_empty() && !matters.iter().any(|matter| matter.is_chosen) {
            let text = Speech::sentence(&speech.say("customer-only-matter"));
            matters.push(choice(asked.matter.clone(), text, &asked.matter));
        }
        Fields {
            from: asked.from.clone(),
            to: asked.to.clone(),
            kinds: kinds.into(),
            channels: channels.into(),
            matters,
            parties: parties.collect(),
            is_set: asked.is_set(),
        }
    }
}

/// Those that some department answers for, or that carry out a stage.
fn parties(speech: &Speech) -> BTreeSet<&Name> {
    let company = speech.company();
    let departments = company.departments.values();
    let journeys = company.journeys.values();
    departments
        .flat_map(|department| &department.parties)
        .chain(journeys.flat_map(|journey| journey.parties.values()))
        .collect()
}

/// The matters of the customer's cases, the latest first, each said by what the case is about and when it happened.
fn matters(speech: &Speech, cases: &[CaseState]) -> Vec<(MatterId, String)> {
    let mut cases: Vec<&CaseState> = cases.iter().collect();
    cases.sort_by_key(|case| (std::cmp::Reverse(case.happened), case.case));
    let of_case = |case: &CaseState| {
        let product = case.product.as_ref().map(|product| speech.label(product));
        let what = speech.label(&case.what);
        let what = match product {
            Some(product) => format!("{product} {what}"),
            None => Speech::sentence(&what),
        };
        format!("{what}, {}", speech.day(case.happened))
    };
    let matters = cases.into_iter().flat_map(|case| {
        let text = of_case(case);
        let matters = case.matters.clone();
        matters
            .into_iter()
            .map(move |matter| (matter, text.clone()))
    });
    matters.take(MATTERS_MAX).collect()
}
