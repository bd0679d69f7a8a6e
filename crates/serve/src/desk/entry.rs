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
use crate::{
    model::{Note, page::Happened},
    personal,
};

pub(super) struct Entry {
    /// Of an event: its id, to ask about it.
    pub(super) id: Option<String>,
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
    /// The matter that it is about.
    pub(super) matter: Option<String>,
    /// What it said before it was corrected, the latest version first.
    pub(super) before: Vec<Before>,
}

/// A version of an event that another replaced.
pub(super) struct Before {
    /// "Korjattu tänään klo 11.31. Sitä ennen luki:"
    pub(super) said: String,
    /// None of a version that named somebody else.
    pub(super) entry: Option<Entry>,
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
    fn of(event: &Event) -> Kind {
        match event.kind {
            event::Kind::Feedback => Kind::Feedback,
            event::Kind::Complaint => Kind::Complaint,
            event::Kind::Service | event::Kind::Unknown => Kind::Service,
        }
    }

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
    pub(super) fn of_event(speech: &Speech, happened: &Happened, case: Option<CaseId>) -> Entry {
        let note = happened.note.as_ref();
        Entry {
            case: case.map(|case| case.to_string()),
            matter: note.map(|note| note.matter.to_string()),
            before: before(speech, happened),
            ..Entry::of_version(speech, &happened.bytes, note)
        }
    }

    /// One version of an event, as its source told it.
    fn of_version(speech: &Speech, bytes: &[u8], note: Option<&Note>) -> Entry {
        let event = personal::event(bytes);
        let kind = Kind::of(&event);
        let personal = personal::open(&event);
        let is_sealed = personal.is_none();
        let personal = personal.unwrap_or_default();
        let text = match &personal.text {
            Some(text) => Some(Words::new(text, WORDS_CHARS_MAX)),
            None if is_sealed => Some(Words::new(&speech.say("entry-sealed"), WORDS_CHARS_MAX)),
            None => None,
        };
        Entry {
            id: Some(event.id.to_string()),
            moment: speech.moment(event.time),
            kind,
            what: what(speech, &event),
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
            case: None,
            matter: None,
            before: Vec::new(),
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
            id: None,
            moment: speech.moment(step.time),
            kind: Kind::Step,
            what: speech.named("happened", step.what.as_str()),
            channel: None,
            facts: department.into_iter().collect(),
            words: None,
            promise: None,
            case: case.map(|case| case.to_string()),
            matter: Some(step.matter.to_string()),
            before: Vec::new(),
        }
    }
}

/// The versions in whose place another stands, each with when that came.
fn before(speech: &Speech, happened: &Happened) -> Vec<Before> {
    let versions = happened.corrected.iter().map(|version| &version.bytes);
    let all: Vec<_> = versions.chain([&happened.bytes]).collect();
    let next = all.iter().skip(1);
    let corrected = happened.corrected.iter().zip(next).rev();
    corrected
        .map(|(version, next)| {
            let time = speech.moment(personal::event(next).received).text;
            let key = if version.is_theirs {
                "entry-corrected"
            } else {
                "entry-corrected-other"
            };
            Before {
                said: speech.with(key, [("time", time.into())]),
                entry: version
                    .is_theirs
                    .then(|| Entry::of_version(speech, &version.bytes, None)),
            }
        })
        .collect()
}

/// "Valitus: myöhässä".
pub(super) fn what(speech: &Speech, event: &Event) -> String {
    let said = speech.named("entry-kind", Kind::of(event).as_str());
    if event.name.as_str() == event.kind.as_str() {
        said
    } else {
        format!("{said}: {}", speech.label(&event.name))
    }
}

/// What people call a source.
pub(super) fn source(speech: &Speech, id: &str) -> String {
    id.parse()
        .map_or_else(|_| id.to_owned(), |name| speech.label(&name))
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
        ("entry-source", Some(source(speech, event.source.as_str()))),
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
