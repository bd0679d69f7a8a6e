//! One thing on a customer's timeline: an event as its source told it, or a step of a case.

use event::{
    CaseId, Event, Name, Score,
    event::{Amount, Promise},
    timeline::StepEntry,
};

use super::{
    language::Language,
    speech::{Moment, Speech, Words},
};
use crate::{model::Note, personal};

pub(super) struct Entry {
    pub(super) moment: Moment,
    pub(super) kind: Kind,
    /// "Valitus: myöhässä", "Asia avattiin".
    pub(super) what: String,
    pub(super) channel: Option<String>,
    /// What is known of it, each with its name.
    pub(super) facts: Vec<(String, Words)>,
    pub(super) words: Option<Words>,
    pub(super) promise: Option<Promised>,
    /// A case that the reader may look at.
    pub(super) case: Option<String>,
}

/// How an entry is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Feedback,
    Complaint,
    Service,
    Step,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Kind::Feedback => "feedback",
            Kind::Complaint => "complaint",
            Kind::Service => "service",
            Kind::Step => "step",
        }
    }
}

/// Something that was said to the customer.
pub(super) struct Promised {
    pub(super) said: String,
    pub(super) words: Option<Words>,
}

const WORDS_CHARS_MAX: usize = 20_000;
const FACT_CHARS_MAX: usize = 200;

impl Entry {
    pub(super) fn of_event(
        speech: &Speech,
        bytes: &[u8],
        note: Option<&Note>,
        case: Option<CaseId>,
    ) -> Entry {
        let event = personal::event(bytes);
        let kind = match event.kind {
            event::Kind::Feedback => Kind::Feedback,
            event::Kind::Complaint => Kind::Complaint,
            event::Kind::Service | event::Kind::Unknown => Kind::Service,
        };
        let said = speech.named("entry-kind", kind.as_str());
        let is_finer = event.name.as_str() != event.kind.as_str();
        let what = if is_finer {
            format!("{said}: {}", speech.label(&event.name))
        } else {
            said
        };
        let personal = personal::open(&event);
        let is_sealed = personal.is_none();
        let personal = personal.unwrap_or_default();
        let text = match &personal.text {
            Some(text) => Some(Words::new(text, WORDS_CHARS_MAX)),
            None if is_sealed => Some(Words::new(&speech.say("entry-sealed"), WORDS_CHARS_MAX)),
            None => None,
        };
        Entry {
            moment: speech.moment(event.time),
            kind,
            what,
            channel: Some(speech.named("channel", event.channel.as_str())),
            facts: facts(speech, &event, note, personal.name.as_deref()),
            words: text.filter(|words| !words.text.is_empty()),
            promise: event.promise.as_ref().map(|promise| Promised {
                said: promised(speech, promise),
                words: personal
                    .promise
                    .as_deref()
                    .map(|text| Words::new(text, WORDS_CHARS_MAX)),
            }),
            case: case.map(|case| case.to_string()),
        }
    }

    pub(super) fn of_step(speech: &Speech, step: &StepEntry, case: Option<CaseId>) -> Entry {
        let department = step.department.as_ref().map(|department| {
            let said = speech.department(department);
            (
                speech.say("entry-department"),
                Words::line(&said, FACT_CHARS_MAX),
            )
        });
        Entry {
            moment: speech.moment(step.time),
            kind: Kind::Step,
            what: speech.named("happened", step.what.as_str()),
            channel: None,
            facts: department.into_iter().collect(),
            words: None,
            promise: None,
            case: case.map(|case| case.to_string()),
        }
    }
}

/// Where it happened, by whom, with what.
fn facts(
    speech: &Speech,
    event: &Event,
    note: Option<&Note>,
    name: Option<&str>,
) -> Vec<(String, Words)> {
    let (stage, touchpoint, party) = match note {
        Some(note) => (&note.stage, &note.touchpoint, &note.party),
        None => (&event.stage, &event.touchpoint, &event.party),
    };
    let company = speech.company();
    let stage = crate::model::figures::stage(company, stage.as_ref(), touchpoint.as_ref());
    let label = |name: Option<&Name>| name.map(|name| speech.label(name));
    let recorded = event.recorded_by.as_ref().map(ToString::to_string);
    let said = [
        ("entry-stage", label(stage)),
        ("entry-touchpoint", label(touchpoint.as_ref())),
        ("entry-place", label(event.place.as_ref())),
        ("entry-product", label(event.product.as_ref())),
        ("entry-party", label(party.as_ref())),
        (
            "entry-score",
            event.score.as_ref().map(|score| scored(speech, score)),
        ),
        (
            "entry-amount",
            event.amount.as_ref().map(|amount| paid(speech, amount)),
        ),
        ("entry-name", name.map(str::to_owned)),
        ("entry-recorded-by", recorded),
        ("entry-source", Some(event.source.to_string())),
    ];
    let said = said.into_iter();
    said.filter_map(|(key, text)| Some((speech.say(key), Words::line(&text?, FACT_CHARS_MAX))))
        .collect()
}

fn paid(speech: &Speech, amount: &Amount) -> String {
    let of = match amount.of {
        event::event::AmountOf::Purchase => "amount-purchase",
        event::event::AmountOf::Refund => "amount-refund",
        event::event::AmountOf::Compensation => "amount-compensation",
        event::event::AmountOf::ServiceCost => "amount-service-cost",
        event::event::AmountOf::Unknown => "amount-unknown",
    };
    let value = decimal(speech, &amount.value);
    format!("{value} {} ({})", amount.currency, speech.say(of))
}

/// "nps 3 / 10".
fn scored(speech: &Speech, score: &Score) -> String {
    let metric = speech.label(&score.metric);
    let value = decimal(speech, &score.value.to_string());
    let max = decimal(speech, &score.max.to_string());
    format!("{metric} {value} / {max}")
}

/// With the mark that the reader's language puts before a fraction.
pub(super) fn decimal(speech: &Speech, number: &str) -> String {
    match speech.messages.language {
        Language::Finnish | Language::Swedish => number.replace('.', ","),
        Language::English => number.to_owned(),
    }
}

/// "Luvattu: hyvitys, viimeistään 25.11.2026, Talous".
fn promised(speech: &Speech, promise: &Promise) -> String {
    use event::event::PromiseState;
    let state = match promise.state {
        PromiseState::Made => "promise-made",
        PromiseState::Kept => "promise-kept",
        PromiseState::Broken => "promise-broken",
        PromiseState::Withdrawn => "promise-withdrawn",
        PromiseState::Unknown => "promise-unknown",
    };
    let mut said = format!(
        "{}: {}",
        speech.say(state),
        what_promised(speech, &promise.what)
    );
    if let Some(due) = promise.due {
        said.push_str(", ");
        said.push_str(&speech.with("promise-due", [("day", speech.day(due).into())]));
    }
    if let Some(keeper) = &promise.keeper {
        said.push_str(", ");
        said.push_str(&speech.department(keeper));
    }
    said
}

/// What the desk lets people promise, and what the company calls everything else.
pub(super) const PROMISES: [(&str, &str); 6] = [
    ("answer", "promised-answer"),
    ("call-back", "promised-call-back"),
    ("refund", "promised-refund"),
    ("replacement", "promised-replacement"),
    ("delivery", "promised-delivery"),
    ("other", "promised-other"),
];

pub(super) fn what_promised(speech: &Speech, what: &Name) -> String {
    match PROMISES
        .into_iter()
        .find(|(name, _)| *name == what.as_str())
    {
        Some((_, key)) => speech.say(key),
        None => speech.label(what),
    }
}
