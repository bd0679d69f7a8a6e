//! Commands: what people and machines do to a case, and what came of it.
//!
//! The machine decides; the API writes the command down, waits until the outcome is in the read model, and turns the verdict
//! into a status.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use event::{
    CaseId, CommandId, DepartmentId, Name, Record, Time, Token,
    case::{ContactHow, Phase},
    case_input::{CaseInput, Command, CommandKind},
    command_outcome::{CommandOutcome, Verdict},
};
use ingest::problem::Problem;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::ToSchema;

use super::{
    Api, Caller, Path,
    body::Body,
    cases, masked,
    refusal::{Present, Refusal},
};
use crate::credential::{Credential, Role};

/// A command.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "it describes the body, which is read field by field"
)]
#[serde(deny_unknown_fields)]
pub(super) struct CommandBody {
    #[schema(
        pattern = "^(acknowledge|contact|hand_off|accept|decline|resolve|reopen|claim|release|note|wait|resume)$",
        example = "acknowledge"
    )]
    command: String,
    /// A note's text, and why of anything else.
    reason: Option<String>,
    /// Refused with 409 when the case has another version.
    #[schema(maximum = 2_147_483_647)]
    expected_version: Option<u32>,
    /// `hand_off`: the department it is offered to.
    #[schema(pattern = "^[a-z][a-z0-9-]{0,47}$")]
    to: Option<String>,
    /// `contact`: by which way.
    #[schema(pattern = "^(phone|email|message|letter|in_person)$")]
    how: Option<String>,
    /// `contact`: whether the customer was reached.
    reached: Option<bool>,
    /// `resolve`: how the customer was told; without it `reason` says why not.
    #[schema(pattern = "^(phone|email|message|letter|in_person)$")]
    told: Option<String>,
    /// `wait`: the outside party that is waited for.
    #[schema(pattern = r"^[a-z0-9][a-z0-9._:-]{0,63}$")]
    on: Option<String>,
    /// `wait`: until when; the company's limit where absent or later.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<String>,
}

/// What a caller asks of a case.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) what: CommandKind,
    pub(crate) reason: Option<String>,
    pub(crate) expected_version: Option<u32>,
    pub(crate) to: Option<DepartmentId>,
    pub(crate) how: Option<ContactHow>,
    pub(crate) reached: Option<bool>,
    pub(crate) told: Option<ContactHow>,
    pub(crate) on: Option<Name>,
    pub(crate) until: Option<Time>,
}

/// What a command came to.
#[derive(Serialize, ToSchema)]
pub(super) struct OutcomeView {
    command: String,
    /// `applied`, a reason why not, or `pending`.
    verdict: &'static str,
    /// The case that answered: another than was asked, once that one was absorbed.
    case: String,
    version: Option<u32>,
    state: Option<&'static str>,
    /// Where to ask again while it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

/// Give a command to a case.
///
/// The same `Idempotency-Key` of the same credential to the same case is the same command: it is carried out once, and each
/// repeat gets the first one's outcome.
#[utoipa::path(
    post, path = "/v1/cases/{id}/commands", tag = "cases", security(("bearer" = [])),
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255)),
    request_body = CommandBody,
    responses(
        (status = 200, body = OutcomeView), (status = 202, body = OutcomeView),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 429, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn give(
    State(api): State<Api>,
    Caller(caller): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let case = cases::asked(&id)?;
    let key = headers.get("idempotency-key").map(HeaderValue::as_bytes);
    let id = command_id(&api, case, &caller, key)?;
    let asked = read(Body::read(&headers, bytes)?)?;
    match carry_out(&api, &caller, case, id, asked).await? {
        Some(outcome) => answer(&api, &caller, &outcome),
        None => Ok(pending(case, id)),
    }
}

/// Writes the command down, unless its outcome is known already, and waits for what it comes to; `None` when that takes longer
/// than callers wait.
///
/// # Errors
/// When the case is another unit's, or the log does not take the command.
pub(crate) async fn carry_out(
    api: &Api,
    caller: &Credential,
    case: CaseId,
    id: CommandId,
    asked: Asked,
) -> Result<Option<CommandOutcome>, Refusal> {
    if let Some(outcome) = known(api, case, id) {
        return Ok(Some(outcome));
    }
    if !may_give(api, caller, case, id).await {
        return Err(cases::NOT_YOURS);
    }
    let command = command(api, caller, case, id, asked);
    api.append(vec![Record::CaseInput(CaseInput::Command(command))])
        .await?;
    Ok(wait(api, case, id).await)
}

/// What a command came to. 202 while no outcome is known.
#[utoipa::path(
    get, path = "/v1/cases/{id}/commands/{command}", tag = "cases", security(("bearer" = [])),
    params(("id" = String, Path), ("command" = String, Path)),
    responses(
        (status = 200, body = OutcomeView), (status = 202, body = OutcomeView),
        (status = 401, body = Problem), (status = 429, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem),
    )
)]
pub(super) async fn outcome(
    State(api): State<Api>,
    Caller(caller): Caller,
    Path((id, command)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let case = cases::asked(&id)?;
    let no_command = || Refusal::NotFound("there is no such command");
    let command: CommandId = command.parse().map_err(|_| no_command())?;
    if !may_ask(&api, &caller, case, command) {
        return Err(cases::NOT_YOURS);
    }
    match known(&api, case, command) {
        Some(outcome) => answer(&api, &caller, &outcome),
        None => Ok(pending(case, command)),
    }
}

/// A reader of the case, or who gave the command: after a decline the case may no longer be its department's.
fn may_ask(api: &Api, caller: &Credential, case: CaseId, command: CommandId) -> bool {
    let state = api.state();
    let Some(row) = state.cases.get(case) else {
        return caller.units.is_empty();
    };
    state.may_read_case(caller, row)
        || state
            .cases
            .steps(case)
            .any(|step| step.command == Some(command) && step.actor.as_ref() == Some(&caller.name))
}

/// Nothing of a stranger's reaches the log, and the machine knows no units. Somebody who was told of a case before the model was
/// is no stranger: the model is given a moment.
async fn may_give(api: &Api, caller: &Credential, case: CaseId, command: CommandId) -> bool {
    let mut applied = api.model.applied();
    let allowed = async {
        loop {
            applied.mark_unchanged();
            if may_ask(api, caller, case, command) {
                return true;
            }
            if applied.changed().await.is_err() {
                return false;
            }
        }
    };
    let wait = Duration::from_millis(api.config.command_wait_ms_max.min(MODEL_BEHIND_MS_MAX));
    timeout(wait, allowed).await.unwrap_or(false)
}

/// How far the model usually is behind the log, and more.
const MODEL_BEHIND_MS_MAX: u64 = 500;

/// The same for the same key; without one every request is a command of its own.
pub(crate) fn command_id(
    api: &Api,
    case: CaseId,
    caller: &Credential,
    key: Option<&[u8]>,
) -> Result<CommandId, Refusal> {
    let name = caller.name.as_str().as_bytes();
    let token = match key {
        Some(key) if key.is_empty() || key.len() > KEY_BYTES_MAX => {
            return Err(Refusal::Unparseable(format!(
                "header Idempotency-Key has 1 to {KEY_BYTES_MAX} bytes"
            )));
        }
        Some(key) => Token::hash("command.key", &[case.as_bytes(), name, key]),
        None => {
            // The hasher is seeded by the system and anew for each, and so tells apart what comes at one moment.
            let time = api.now().as_millis();
            let nonce = RandomState::new().hash_one(time).to_be_bytes();
            let time = time.to_be_bytes();
            Token::hash("command.nonce", &[case.as_bytes(), name, &nonce, &time])
        }
    };
    Ok(CommandId::new(token))
}

const KEY_BYTES_MAX: usize = 255;

fn read(mut body: Body) -> Result<Asked, Refusal> {
    let commands = "one of acknowledge, contact, hand_off, accept, decline, resolve, reopen, claim, release, note, wait, resume";
    let ways = "one of phone, email, message, letter, in_person";
    let versions = "a whole number from 0 to 2147483647";
    let what: Option<CommandKind> = body.required("command", commands);
    if what == Some(CommandKind::Unknown) {
        body.fault("command", format!("is not {commands}"));
    }
    let asked = Asked {
        what: what.unwrap_or(CommandKind::Unknown),
        reason: body.optional("reason", "a text"),
        expected_version: body.optional("expected_version", versions),
        to: body.optional("to", "the id of a department"),
        how: body.optional("how", ways),
        reached: body.optional("reached", "true or false"),
        told: body.optional("told", ways),
        on: body.optional("on", "the name of a party"),
        until: body.optional("until", "a time as in RFC 3339, with its offset"),
    };
    for (field, way) in [("how", asked.how), ("told", asked.told)] {
        if way == Some(ContactHow::Unknown) {
            body.fault(field, format!("is not {ways}"));
        }
    }
    if asked
        .expected_version
        .is_some_and(|version| version > VERSION_MAX)
    {
        body.fault("expected_version", format!("is not {versions}"));
    }
    body.finish()?;
    Ok(asked)
}

/// What a document can say of a number of 32 bits.
const VERSION_MAX: u32 = i32::MAX as u32;

fn command(api: &Api, caller: &Credential, case: CaseId, id: CommandId, asked: Asked) -> Command {
    Command {
        case,
        id,
        actor: caller.name.clone(),
        departments: caller.departments.iter().cloned().collect(),
        any_department: match caller.role {
            Role::Admin => true,
            Role::Advisor | Role::Lead | Role::FrontLine | Role::Machine => false,
        },
        what: asked.what,
        reason: asked
            .reason
            .map(|reason| masked(reason.trim()))
            .filter(|reason| !reason.is_empty()),
        expected_version: asked.expected_version,
        time: api.now(),
        to: asked.to,
        how: asked.how,
        reached: asked.reached,
        told: asked.told,
        on: asked.on,
        until: asked.until,
        asked: None,
    }
}

fn known(api: &Api, case: CaseId, command: CommandId) -> Option<CommandOutcome> {
    api.state().outcomes.get(case, command).cloned()
}

/// The outcome, once it and the state of the case that it led to can be read, so that who asks for the case next sees it.
async fn wait(api: &Api, case: CaseId, command: CommandId) -> Option<CommandOutcome> {
    let mut applied = api.model.applied();
    let settled = async {
        loop {
            applied.mark_unchanged();
            if is_settled(api, case, command) || applied.changed().await.is_err() {
                return;
            }
        }
    };
    let wait = Duration::from_millis(api.config.command_wait_ms_max);
    // The time ran out or not: an outcome that is known is answered, even if the case's own row is late.
    let _settled = timeout(wait, settled).await.is_ok();
    known(api, case, command)
}

fn is_settled(api: &Api, case: CaseId, command: CommandId) -> bool {
    let state = api.state();
    let Some(outcome) = state.outcomes.get(case, command) else {
        return false;
    };
    let row = state.cases.get(outcome.result.case);
    outcome
        .result
        .version
        .is_none_or(|version| row.is_some_and(|row| row.version >= version))
}

fn answer(api: &Api, caller: &Credential, outcome: &CommandOutcome) -> Result<Response, Refusal> {
    let result = &outcome.result;
    let conflict = |detail: &str| Refusal::Conflict {
        detail: detail.to_owned(),
        present: present(api, caller, outcome),
    };
    match result.verdict {
        Verdict::Applied => {
            let view = OutcomeView {
                command: result.command.to_string(),
                verdict: result.verdict.as_str(),
                case: result.case.to_string(),
                version: result.version,
                state: result.phase.map(Phase::as_str),
                link: None,
            };
            Ok(Json(view).into_response())
        }
        Verdict::NoSuchCase => Err(Refusal::NotFound("there is no such case")),
        Verdict::NotYours => Err(cases::NOT_YOURS),
        Verdict::VersionMismatch => Err(conflict("the case has another version")),
        Verdict::WrongPhase => Err(conflict("the state of the case does not allow it")),
        Verdict::NoOffer => Err(conflict("no offer waits for an answer")),
        Verdict::BadDepartment => Err(Refusal::fault(
            "to",
            "is not a department of the company, or has the case already",
        )),
        Verdict::CustomerNotTold => Err(Refusal::fault(
            "told",
            "is missing: say how the customer was told, or in `reason` why not",
        )),
        Verdict::Incomplete => Err(Refusal::fault(
            "command",
            "needs another field: `hand_off` needs `to`, `contact` needs `how` and `reached`, `decline` and `note` need `reason`, `wait` needs `on`",
        )),
        Verdict::Unknown => Err(Refusal::Internal(
            "the command has an outcome that this version of Polku does not know",
        )),
    }
}

/// How the case stands: by the model where the caller may read it and it is not behind, else as the outcome says.
fn present(api: &Api, caller: &Credential, outcome: &CommandOutcome) -> Present {
    let result = &outcome.result;
    let state = api.state();
    let row = state
        .cases
        .get(result.case)
        .filter(|row| state.may_read_case(caller, row) && Some(row.version) >= result.version);
    Present {
        case: result.case.to_string(),
        version: row.map(|row| row.version).or(result.version),
        state: row.map(|row| row.phase).or(result.phase).map(Phase::as_str),
        owner: row.map(|row| row.owner.to_string()),
    }
}

fn pending(case: CaseId, command: CommandId) -> Response {
    let link = format!("/v1/cases/{case}/commands/{command}");
    let location = HeaderValue::from_str(&link).expect("ids are hexadecimal digits");
    let view = OutcomeView {
        command: command.to_string(),
        verdict: "pending",
        case: case.to_string(),
        version: None,
        state: None,
        link: Some(link),
    };
    let headers = [
        (header::LOCATION, location),
        (header::RETRY_AFTER, HeaderValue::from_static("1")),
    ];
    (StatusCode::ACCEPTED, headers, Json(view)).into_response()
}
