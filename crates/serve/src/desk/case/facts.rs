//! How a case stands: what it is about, whom it concerns, how long each has waited, and what the customer said.

use std::sync::Arc;

use event::{
    Class, Event, Millis, ProfileId, Time,
    case::{State as CaseState, Step, StepKind},
};

use crate::{
    api::Api,
    desk::{
        customer, row,
        speech::{Clock, Moment, Speech, Words},
    },
    model,
    personal::{self},
};

/// What it is about, in pairs of name and value.
pub(super) fn of(speech: &Speech, case: &CaseState) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut add = |key: &str, value: Option<String>| {
        facts.extend(value.map(|value| (speech.say(key), value)));
    };
    let label = |name: &event::Name| speech.label(name);
    add("fact-place", case.place.as_ref().map(label));
    add("fact-unit", row::unit(speech.company(), case));
    add("fact-party", case.party.as_ref().map(label));
    let channels: Vec<String> = case
        .channels
        .iter()
        .map(|channel| speech.named("channel", channel.as_str()))
        .collect();
    add(
        "fact-channels",
        Some(channels.join(", ")).filter(|text| !text.is_empty()),
    );
    add(
        "fact-severity",
        Some(speech.named("severity", case.severity.as_str())),
    );
    add(
        "fact-claimed",
        case.claimed_by.as_ref().map(ToString::to_string),
    );
    let trail: Vec<String> = case.trail.iter().map(|id| speech.department(id)).collect();
    add(
        "fact-trail",
        Some(trail.join(" → ")).filter(|_| trail.len() > 1),
    );
    let route: Vec<String> = case.route.iter().map(label).collect();
    add(
        "fact-route",
        Some(route.join(" → ")).filter(|text| !text.is_empty()),
    );
    facts
}

/// The three clocks and what is due. In calendar time: what the business hours make of it is in the deadlines.
pub(super) struct Clocks {
    pub(super) customer: Clock,
    pub(super) owner: Clock,
    /// The outside party's, since it is waited for, and the sum of the times before.
    pub(super) party: Option<(String, Clock)>,
    pub(super) due: Vec<Deadline>,
}

pub(super) struct Deadline {
    pub(super) what: String,
    pub(super) at: Moment,
    pub(super) is_past: bool,
}

impl Clocks {
    pub(super) fn new(speech: &Speech, case: &CaseState, steps: &[&Step]) -> Clocks {
        let is_open = case.phase.is_open();
        let last = steps.last().map_or(case.opened, |step| step.time);
        let end = case.resolved.filter(|_| !is_open).unwrap_or(last);
        let clock = |since: Time| {
            if is_open {
                speech.since(since)
            } else {
                speech.stood(since, end)
            }
        };
        let now = if is_open { speech.now } else { end };
        Clocks {
            customer: clock(case.happened),
            owner: clock(row::owner_since(case, steps)),
            party: party(speech, case, steps, now),
            due: due(speech, case),
        }
    }
}

/// How long an outside party had it: the waits for it, one after another.
fn party(speech: &Speech, case: &CaseState, steps: &[&Step], now: Time) -> Option<(String, Clock)> {
    let mut waited = Millis::ZERO;
    let mut since: Option<Time> = None;
    let mut whom = None;
    for step in steps {
        let begins = step.what == StepKind::Waiting;
        let ends = matches!(
            step.what,
            StepKind::Resumed | StepKind::Resolved | StepKind::Accepted | StepKind::Absorbed
        );
        if begins {
            since = since.or(Some(step.time));
            whom = step.whom.as_ref().or(whom);
        } else if ends && let Some(began) = since.take() {
            waited = waited + (step.time - began);
        }
    }
    let whom = case.waiting_on.as_ref().or(whom)?;
    // A clock that goes on began so much earlier that it shows the sum.
    let clock = match since.or(case.waiting_since) {
        Some(began) if case.waiting_on.is_some() => speech.since(began - waited),
        Some(_) | None => speech.stood(now - waited, now),
    };
    Some((speech.label(whom), clock))
}

fn due(speech: &Speech, case: &CaseState) -> Vec<Deadline> {
    if !case.phase.is_open() {
        return Vec::new();
    }
    let last = case.final_deadline;
    let next = case.deadline.filter(|next| Some(*next) != last);
    [
        (
            "deadline-next",
            next.filter(|next| Some(*next) != case.offer_due),
        ),
        ("deadline-offer", case.offer_due),
        ("deadline-wait", case.waiting_until),
        ("deadline-final", last),
    ]
    .into_iter()
    .filter_map(|(key, at)| {
        let at = at?;
        Some(Deadline {
            what: speech.say(key),
            at: speech.moment(at),
            is_past: at <= speech.now,
        })
    })
    .collect()
}

/// Whom the case concerns, and how to reach them.
pub(super) struct Customer {
    pub(super) address: String,
    pub(super) name: Option<Words>,
    /// The type of each identifier and reference, and how it is written.
    pub(super) values: Vec<(String, Words)>,
}

const VALUES_MAX: usize = 8;
const VALUE_CHARS_MAX: usize = 120;

impl Customer {
    pub(super) fn new(
        api: &Api,
        state: &model::State,
        speech: &Speech,
        profile: ProfileId,
    ) -> Customer {
        let customer = state.customer(profile);
        let types = speech.company().types();
        let mut values: Vec<_> = customer.values.iter().collect();
        values.sort_by_key(|(value, _)| {
            let rank = types
                .iter()
                .position(|known| known.class == value.class && known.name == value.kind);
            (value.class == Class::Reference, rank, value.token)
        });
        let values = values.into_iter().filter_map(|(value, witnesses)| {
            let written = personal::written(value, witnesses, &api.pepper, &api.doors.spaces)?;
            Some((
                customer::kind(speech, value.kind.as_str()),
                Words::new(&written, VALUE_CHARS_MAX),
            ))
        });
        let name = customer
            .latest
            .iter()
            .find_map(|bytes| personal::open(&personal::event(bytes))?.name);
        Customer {
            address: format!("/customers/{profile}"),
            name: name.map(|name| Words::new(&name, VALUE_CHARS_MAX)),
            values: values.take(VALUES_MAX).collect(),
        }
    }
}

/// What the customer said, or what else happened to the matter.
pub(super) struct Said {
    pub(super) what: String,
    pub(super) words: Option<Words>,
    /// Sealed: there may be words, but nobody reads them.
    pub(super) is_sealed: bool,
    pub(super) score: Option<String>,
    pub(super) details: String,
    pub(super) time: Moment,
}

const WORDS_CHARS_MAX: usize = 4_000;

impl Said {
    /// The customer said something, in words or by a score, or may have.
    pub(super) fn is_said(&self) -> bool {
        self.words.is_some() || self.score.is_some() || self.is_sealed
    }

    pub(super) fn new(speech: &Speech, bytes: &Arc<[u8]>) -> Said {
        let event: Event = personal::event(bytes);
        let personal = personal::open(&event);
        let is_sealed = personal.is_none();
        let text = personal.and_then(|personal| personal.text);
        let text = text.filter(|text| !text.trim().is_empty());
        let mut details = vec![
            speech.named("channel", event.channel.as_str()),
            speech.named("kind", event.kind.as_str()),
        ];
        let names = [&event.place, &event.touchpoint, &event.party];
        details.extend(names.into_iter().flatten().map(|name| speech.label(name)));
        Said {
            what: Speech::sentence(&speech.label(&event.name)),
            words: text.map(|text| Words::new(&text, WORDS_CHARS_MAX)),
            is_sealed,
            score: event.score.as_ref().map(|score| {
                let values = [
                    ("metric", score.metric.to_string().to_uppercase().into()),
                    ("value", score.value.to_string().into()),
                    ("max", score.max.to_string().into()),
                ];
                speech.with("said-score", values)
            }),
            details: details.join(" · "),
            time: speech.moment(event.time),
        }
    }
}
