//! Everything that happened to a case, in words: who had it and for how long, and what was done meanwhile.

use std::collections::HashMap;

use event::{
    DepartmentId, EventId, Name, Time,
    case::{ContactHow, State as CaseState, Step, StepKind},
};

use crate::{
    desk::speech::{Clock, Moment, Speech, Words},
    model::Told,
    personal,
};

/// A time during which one department had the case.
pub(super) struct Spell {
    pub(super) owner: String,
    pub(super) length: Clock,
    pub(super) steps: Vec<Line>,
}

/// A step in words.
pub(super) struct Line {
    pub(super) text: String,
    /// Who did it; a rule or a clock otherwise.
    pub(super) actor: Option<String>,
    /// What the actor wrote.
    pub(super) reason: Option<Words>,
    pub(super) time: Moment,
    pub(super) is_trouble: bool,
}

const REASON_CHARS_MAX: usize = 1_000;

pub(super) fn spells(
    speech: &Speech,
    case: &CaseState,
    steps: &[&Step],
    told: &[Told],
) -> Vec<Spell> {
    let types: HashMap<EventId, String> = told
        .iter()
        .map(|told| (told.id, speech.label(&personal::event(&told.bytes).name)))
        .collect();
    let mut spells: Vec<(&DepartmentId, Time, Vec<Line>)> = Vec::new();
    for step in steps {
        let line = Line::new(speech, step, &types);
        match spells.last_mut() {
            Some((owner, _, lines)) if **owner == step.owner => lines.push(line),
            Some(_) | None => spells.push((&step.owner, step.time, vec![line])),
        }
    }
    let ends: Vec<Time> = spells.iter().skip(1).map(|(_, from, _)| *from).collect();
    let last = match case.resolved.filter(|_| !case.phase.is_open()) {
        Some(resolved) => Some(resolved),
        None if case.phase.is_open() => None,
        None => steps.last().map(|step| step.time),
    };
    spells
        .into_iter()
        .enumerate()
        .map(|(index, (owner, from, steps))| Spell {
            owner: speech.department(owner),
            length: match ends.get(index).copied().or(last) {
                Some(end) => speech.stood(from, end),
                None => speech.since(from),
            },
            steps,
        })
        .collect()
}

impl Line {
    fn new(speech: &Speech, step: &Step, types: &HashMap<EventId, String>) -> Line {
        let words = || {
            let reason = step.reason.as_deref()?;
            Some(Words::new(reason, REASON_CHARS_MAX))
        };
        Line {
            text: text(speech, step, types),
            actor: step.actor.as_ref().map(ToString::to_string),
            // What a machine wrote is in the text already, in the reader's language.
            reason: step.actor.as_ref().and_then(|_| words()),
            time: speech.moment(step.time),
            is_trouble: matches!(
                step.what,
                StepKind::Missed
                    | StepKind::Escalated
                    | StepKind::Declined
                    | StepKind::Returned
                    | StepKind::Warned
                    | StepKind::Broken
            ),
        }
    }
}

fn text(speech: &Speech, step: &Step, types: &HashMap<EventId, String>) -> String {
    let department = |id: &DepartmentId| speech.department(id);
    let owner = department(&step.owner);
    let other = step.other.as_ref().map(department).unwrap_or_default();
    // Whoever has to keep a promise; the owner, where nobody else was named.
    let keeper = || department(step.other.as_ref().unwrap_or(&step.owner));
    let whom = step.whom.as_ref().map(|name| speech.label(name));
    let how = |how: ContactHow| speech.named("how", how.as_str());
    let event = step.event.and_then(|event| types.get(&event).cloned());
    match step.what {
        StepKind::Opened => speech.with("step-opened", [("owner", owner.into())]),
        StepKind::Heard => match event {
            Some(event) => speech.with("step-heard", [("event", event.into())]),
            None => speech.say("step-heard-something"),
        },
        StepKind::Acknowledged => speech.say("step-acknowledged"),
        StepKind::Contacted => {
            let key = match step.reached {
                Some(true) => "step-contacted",
                Some(false) | None => "step-tried",
            };
            let how = how(step.how.unwrap_or(ContactHow::Unknown));
            speech.with(key, [("how", how.into())])
        }
        StepKind::Offered => speech.with("step-offered", [("other", other.into())]),
        StepKind::Accepted => speech.with("step-accepted", [("owner", owner.into())]),
        StepKind::Declined => speech.with("step-declined", [("other", other.into())]),
        StepKind::Returned => speech.with("step-returned", [("other", other.into())]),
        StepKind::Escalated => speech.with("step-escalated", [("other", other.into())]),
        StepKind::Missed => {
            let missed = missed(speech, step.reason.as_deref().unwrap_or_default());
            speech.with("step-missed", [("what", missed.into())])
        }
        StepKind::Resolved => match step.how {
            Some(told) => speech.with("step-resolved", [("how", how(told).into())]),
            None => speech.say("step-resolved-untold"),
        },
        StepKind::Reopened => speech.say("step-reopened"),
        StepKind::Joined => speech.say("step-joined"),
        StepKind::Absorbed => speech.say("step-absorbed"),
        StepKind::Parted => speech.say("step-parted"),
        StepKind::OpenedInError => speech.say("step-opened-in-error"),
        StepKind::Claimed => speech.say("step-claimed"),
        StepKind::Released => speech.say("step-released"),
        StepKind::Noted => match (&step.actor, event) {
            (None, Some(event)) => speech.with("step-noted-by-system", [("event", event.into())]),
            (Some(_), _) | (None, None) => speech.say("step-noted"),
        },
        StepKind::Proposed => speech.say("step-proposed"),
        StepKind::Waiting => {
            let whom = whom.unwrap_or_default();
            speech.with("step-waiting", [("whom", whom.into())])
        }
        StepKind::Resumed => match (event, step.actor.as_ref()) {
            (Some(event), _) => speech.with("step-resumed-heard", [("event", event.into())]),
            (None, Some(_)) => speech.say("step-resumed"),
            (None, None) => speech.say("step-resumed-in-vain"),
        },
        StepKind::Noticed => match step.sign.as_ref().and_then(|sign| signed(speech, sign)) {
            Some(sign) => speech.with("step-noticed", [("sign", sign.into())]),
            None => speech.say("step-noticed-something"),
        },
        StepKind::Warned => speech.with("step-warned", [("keeper", keeper().into())]),
        StepKind::Broken => speech.with("step-broken", [("keeper", keeper().into())]),
        StepKind::Unknown => speech.say("step-unknown"),
    }
}

/// What the customer's timeline showed.
fn signed(speech: &Speech, sign: &Name) -> Option<String> {
    const SIGNS: [(&str, &str); 5] = [
        ("third_contact", "sign-third-contact"),
        ("two_channels", "sign-two-channels"),
        ("another_complaint", "sign-another-complaint"),
        ("score_drop", "sign-score-drop"),
        ("silence", "sign-silence"),
    ];
    let (_, key) = SIGNS.into_iter().find(|(name, _)| *name == sign.as_str())?;
    Some(speech.say(key))
}

/// What was missed, as the machine lists it.
fn missed(speech: &Speech, listed: &str) -> String {
    let said: Vec<String> = listed
        .split(", ")
        .map(|what| match what {
            "acknowledge" | "contact" | "final" => speech.named("missed", what),
            other => other.to_owned(),
        })
        .collect();
    said.join(", ")
}
