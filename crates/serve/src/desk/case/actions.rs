//! What a reader may do to a case, as forms, and what comes of it.

use std::collections::BTreeSet;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use event::{
    DepartmentId, Name, Time,
    case::{ContactHow, Phase, State as CaseState},
    case_input::CommandKind,
    command_outcome::Verdict,
};

use super::{Outcome, asked, readable, show};
use crate::{
    api::{
        Api,
        commands::{self, Asked},
        refusal::Refusal,
    },
    desk::{
        form::{Fields, Posted},
        page::{Person, Tone, see},
        speech::Speech,
        trouble::Trouble,
    },
    model,
};

/// The forms of the page: those that the person may send now.
pub(super) struct Actions {
    /// One button each, the likeliest first.
    pub(super) buttons: Vec<Button>,
    /// Those that ask something.
    pub(super) forms: Vec<Form>,
    pub(super) version: u32,
    /// Makes one sending of a form one command, however often it is sent.
    pub(super) key: String,
    pub(super) departments: Vec<(String, String)>,
    pub(super) parties: Vec<(String, String)>,
    pub(super) ways: Vec<(&'static str, String)>,
    pub(super) is_proposed: bool,
    pub(super) typed: Typed,
}

pub(super) struct Button {
    pub(super) command: &'static str,
    pub(super) text: String,
    pub(super) is_first: bool,
}

/// A form that asks something, of the messages `act-…`.
pub(super) struct Form {
    what: CommandKind,
    pub(super) command: &'static str,
    pub(super) text: String,
    /// It was sent and refused.
    pub(super) is_open: bool,
}

impl Form {
    /// What was written down or happened outside stays true, whatever has become of the case meanwhile.
    pub(super) fn expects_version(&self) -> bool {
        !matches!(self.what, CommandKind::Note | CommandKind::Contact)
    }

    pub(super) fn needs_reason(&self) -> bool {
        matches!(
            self.what,
            CommandKind::Note | CommandKind::HandOff | CommandKind::Decline
        )
    }
}

/// What was typed into a form that was refused; it is kept.
#[derive(Default)]
pub(super) struct Typed {
    command: String,
    fields: Fields,
}

impl Typed {
    /// What was typed into a field of the command's form.
    pub(super) fn get(&self, command: &str, field: &str) -> &str {
        if self.command == command {
            self.fields.get(field).unwrap_or_default()
        } else {
            ""
        }
    }

    pub(super) fn is(&self, command: &str, field: &str, value: &str) -> bool {
        self.get(command, field) == value
    }
}

const WAYS: [ContactHow; 5] = [
    ContactHow::Phone,
    ContactHow::Email,
    ContactHow::Message,
    ContactHow::Letter,
    ContactHow::InPerson,
];

impl Actions {
    pub(super) fn new(
        api: &Api,
        state: &model::State,
        speech: &Speech,
        person: &Person,
        case: &CaseState,
        typed: Typed,
    ) -> Actions {
        let allowed = allowed(state, person, case);
        let buttons = BUTTONS
            .into_iter()
            .filter(|command| allowed.contains(command));
        let forms = FORMS
            .into_iter()
            .filter(|command| allowed.contains(command));
        let mut is_first = true;
        let now = api.now().as_millis();
        Actions {
            buttons: buttons
                .map(|command| Button {
                    command: command.as_str(),
                    text: speech.named("act", command.as_str()),
                    is_first: std::mem::take(&mut is_first),
                })
                .collect(),
            forms: forms
                .map(|command| Form {
                    what: command,
                    command: command.as_str(),
                    text: speech.named("act", command.as_str()),
                    is_open: typed.command == command.as_str(),
                })
                .collect(),
            version: case.version,
            key: format!("desk-{now}-{:016x}", rand::random::<u64>()),
            departments: departments(state, speech, case),
            parties: parties(speech, case),
            ways: WAYS
                .map(|way| (way.as_str(), speech.named("how", way.as_str())))
                .to_vec(),
            is_proposed: case.proposed.is_some(),
            typed,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buttons.is_empty() && self.forms.is_empty()
    }
}

/// The likeliest first.
const BUTTONS: [CommandKind; 5] = [
    CommandKind::Accept,
    CommandKind::Claim,
    CommandKind::Acknowledge,
    CommandKind::Resume,
    CommandKind::Release,
];
const FORMS: [CommandKind; 7] = [
    CommandKind::Contact,
    CommandKind::Resolve,
    CommandKind::HandOff,
    CommandKind::Wait,
    CommandKind::Decline,
    CommandKind::Reopen,
    CommandKind::Note,
];

/// What the machine would allow, as far as the page can tell; the machine decides.
fn allowed(state: &model::State, person: &Person, case: &CaseState) -> BTreeSet<CommandKind> {
    let caller = &person.credential;
    let acts_for = |department: &DepartmentId| {
        caller.acts_for(department) && caller.acts_for_unit(state.unit_in(department, case))
    };
    let is_owners = acts_for(&case.owner);
    let is_offered = case.offered_to.as_ref().is_some_and(acts_for);
    let has_had_it = case.trail.iter().any(acts_for);
    let is_open = case.phase.is_open();
    let is_mine = case.claimed_by.as_ref() == Some(&caller.name);
    let may_reopen = case.phase == Phase::Resolved || (is_open && case.proposed.is_some());
    let table = [
        (CommandKind::Accept, is_offered && is_open),
        (CommandKind::Decline, is_offered && is_open),
        (CommandKind::Claim, is_owners && is_open && !is_mine),
        (
            CommandKind::Release,
            is_owners && is_open && case.claimed_by.is_some(),
        ),
        (
            CommandKind::Acknowledge,
            is_owners && case.phase == Phase::Open,
        ),
        (CommandKind::Contact, is_owners && is_open),
        (
            CommandKind::HandOff,
            is_owners && is_open && case.offered_to.is_none(),
        ),
        (
            CommandKind::Wait,
            is_owners && is_open && case.waiting_on.is_none(),
        ),
        (CommandKind::Resume, is_owners && case.waiting_on.is_some()),
        (CommandKind::Resolve, is_owners && is_open),
        (CommandKind::Reopen, is_owners && may_reopen),
        (
            CommandKind::Note,
            (is_owners || is_offered || has_had_it) && case.phase != Phase::Closed,
        ),
    ];
    let allowed = table.into_iter().filter(|(_, is_allowed)| *is_allowed);
    allowed.map(|(command, _)| command).collect()
}

/// Whom it can be offered to.
fn departments(state: &model::State, speech: &Speech, case: &CaseState) -> Vec<(String, String)> {
    state
        .departments()
        .into_iter()
        .filter(|id| *id != case.owner && id.as_str() != crate::desk::page::CANARY)
        .map(|id| (id.to_string(), speech.department(&id)))
        .collect()
}

/// Whom it can wait for: the party of the case, and those that some department answers for.
fn parties(speech: &Speech, case: &CaseState) -> Vec<(String, String)> {
    let departments = speech.company().departments.values();
    let mut parties: Vec<&Name> = case.party.iter().collect();
    let known: BTreeSet<&Name> = departments.flat_map(|known| &known.parties).collect();
    parties.extend(
        known
            .into_iter()
            .filter(|party| Some(*party) != case.party.as_ref()),
    );
    parties
        .into_iter()
        .map(|party| (party.to_string(), speech.label(party)))
        .collect()
}

/// The message of what was done just now.
pub(super) fn done(command: &str) -> Option<&'static str> {
    Some(match command {
        "accept" => "done-accept",
        "decline" => "done-decline",
        "claim" => "done-claim",
        "release" => "done-release",
        "acknowledge" => "done-acknowledge",
        "contact" => "done-contact",
        "hand_off" => "done-hand-off",
        "wait" => "done-wait",
        "resume" => "done-resume",
        "resolve" => "done-resolve",
        "reopen" => "done-reopen",
        "note" => "done-note",
        "pending" => "done-pending",
        _ => return None,
    })
}

/// A form of the page was sent.
pub(crate) async fn command(
    State(api): State<Api>,
    Path(id): Path<String>,
    Posted { person, fields }: Posted,
) -> Result<Response, Trouble> {
    let case = asked(&id)?;
    readable(&api.state(), &person, case)?;
    let speech = person.speech(&api, &api.state(), None);
    let name = fields.get("command").unwrap_or_default().to_owned();
    let key = fields.get("key").map(str::as_bytes);
    let refused = |status: StatusCode, key: &str| Outcome {
        status,
        tone: Tone::Bad,
        text: speech.say(key),
    };
    let typed = |fields: Fields| Typed {
        command: name.clone(),
        fields,
    };
    let command = match read(&speech, &fields) {
        Ok(command) => command,
        Err(Fault::Unknown) => return Err(Trouble::Unreadable),
        Err(Fault::Missing(key)) => {
            let outcome = refused(StatusCode::UNPROCESSABLE_ENTITY, key);
            return show(&api, &person, case, Some(outcome), typed(fields)).await;
        }
    };
    let id = commands::command_id(&api, case, &person.credential, key)?;
    let outcome = match commands::carry_out(&api, &person.credential, case, id, command).await {
        Ok(outcome) => outcome,
        Err(Refusal::Unavailable(_)) => {
            let outcome = refused(StatusCode::SERVICE_UNAVAILABLE, "refused-unavailable");
            return show(&api, &person, case, Some(outcome), typed(fields)).await;
        }
        Err(refusal) => return Err(refusal.into()),
    };
    let Some(outcome) = outcome else {
        return Ok(see(&format!("/cases/{case}?done=pending")));
    };
    let answered_by = outcome.result.case;
    match refusal(outcome.result.verdict) {
        None => Ok(after(&api, &person, answered_by, &name)),
        Some((status, key)) => {
            let outcome = refused(status, key);
            show(&api, &person, answered_by, Some(outcome), typed(fields)).await
        }
    }
}

/// Back to the case; to the inbox when the case is no longer one that the person reads.
fn after(api: &Api, person: &Person, case: event::CaseId, command: &str) -> Response {
    let state = api.state();
    match readable(&state, person, case) {
        Ok(_) => see(&format!("/cases/{case}?done={command}")),
        Err(_) => see(&person.home(&state)),
    }
}

const fn refusal(verdict: Verdict) -> Option<(StatusCode, &'static str)> {
    Some(match verdict {
        Verdict::Applied => return None,
        Verdict::NoSuchCase => (StatusCode::NOT_FOUND, "refused-no-such-case"),
        Verdict::NotYours => (StatusCode::FORBIDDEN, "refused-not-yours"),
        Verdict::VersionMismatch => (StatusCode::CONFLICT, "refused-version"),
        Verdict::WrongPhase => (StatusCode::CONFLICT, "refused-phase"),
        Verdict::NoOffer => (StatusCode::CONFLICT, "refused-no-offer"),
        Verdict::BadDepartment => (StatusCode::UNPROCESSABLE_ENTITY, "refused-department"),
        Verdict::CustomerNotTold => (StatusCode::UNPROCESSABLE_ENTITY, "refused-not-told"),
        Verdict::Incomplete => (StatusCode::UNPROCESSABLE_ENTITY, "refused-incomplete"),
        Verdict::Unknown => (StatusCode::INTERNAL_SERVER_ERROR, "refused-unknown"),
    })
}

/// Why a form is no command.
enum Fault {
    /// No form of ours is so.
    Unknown,
    /// The message that says what is missing.
    Missing(&'static str),
}

fn read(speech: &Speech, fields: &Fields) -> Result<Asked, Fault> {
    let what = fields.get("command").unwrap_or_default();
    let what = BUTTONS
        .into_iter()
        .chain(FORMS)
        .find(|known| known.as_str() == what)
        .ok_or(Fault::Unknown)?;
    let way = |field: &str| match fields.get(field) {
        None => Ok(None),
        Some(way) => WAYS
            .into_iter()
            .find(|known| known.as_str() == way)
            .map(Some)
            .ok_or(Fault::Unknown),
    };
    let asked = Asked {
        what,
        reason: fields.get("reason").map(str::to_owned),
        expected_version: match fields.get("expected_version") {
            None => None,
            Some(version) => Some(version.parse().map_err(|_| Fault::Unknown)?),
        },
        to: match fields.get("to") {
            None => None,
            Some(to) => Some(DepartmentId::new(to).map_err(|_| Fault::Unknown)?),
        },
        how: way("how")?,
        reached: match fields.get("reached") {
            None => None,
            Some("yes") => Some(true),
            Some("no") => Some(false),
            Some(_) => return Err(Fault::Unknown),
        },
        told: way("told")?,
        on: match fields.get("on") {
            None => None,
            Some(on) => Some(Name::new(on).map_err(|_| Fault::Unknown)?),
        },
        until: match fields.get("until") {
            None => None,
            Some(day) => Some(end_of(speech, day).ok_or(Fault::Missing("refused-until"))?),
        },
    };
    complete(asked)
}

/// What a person can be told at once is not asked of the machine.
fn complete(asked: Asked) -> Result<Asked, Fault> {
    let has_reason = asked.reason.is_some();
    let missing = match asked.what {
        CommandKind::Contact if asked.how.is_none() => Some("refused-how"),
        CommandKind::Contact if asked.reached.is_none() => Some("refused-reached"),
        CommandKind::HandOff if asked.to.is_none() => Some("refused-to"),
        CommandKind::HandOff if !has_reason => Some("refused-why"),
        CommandKind::Decline if !has_reason => Some("refused-why"),
        CommandKind::Wait if asked.on.is_none() => Some("refused-on"),
        CommandKind::Resolve if asked.told.is_none() && !has_reason => Some("refused-not-told"),
        CommandKind::Note if !has_reason => Some("refused-note"),
        CommandKind::Acknowledge
        | CommandKind::Contact
        | CommandKind::HandOff
        | CommandKind::Accept
        | CommandKind::Decline
        | CommandKind::Resolve
        | CommandKind::Reopen
        | CommandKind::Claim
        | CommandKind::Release
        | CommandKind::Note
        | CommandKind::Wait
        | CommandKind::Resume
        | CommandKind::Unknown => None,
    };
    missing.map_or(Ok(asked), |key| Err(Fault::Missing(key)))
}

/// The end of a day, `2026-11-25`, where the department is.
fn end_of(speech: &Speech, day: &str) -> Option<Time> {
    speech.end_of(day.parse().ok()?)
}
