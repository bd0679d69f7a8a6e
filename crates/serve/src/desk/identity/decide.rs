//! A decision, proposed and confirmed.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use event::{access::AccessKind, link::DecisionKind};

use super::{
    asked::{self, Pairs},
    note_reading,
    proposal::{Proposal, mark},
    shown::Look,
};
use crate::{
    access::Opened,
    api::{
        Api,
        identity::decide::{self as decisions, Denied},
    },
    desk::{
        form::Posted,
        page::{Frame, Person, Place, Tone, page_with, see},
        trouble::Trouble,
    },
    model::decision::{Asked, Fault, Trial},
};

#[derive(Template)]
#[template(path = "decide.html")]
struct DecidePage {
    frame: Frame,
    proposal: Proposal,
}

/// What a person did wrong, or what came in between.
struct Hitch {
    status: StatusCode,
    /// What the page says first.
    alert: Option<&'static str>,
    /// What it says at the reason.
    reason: Option<&'static str>,
}

/// What would come of a decision.
pub(crate) async fn propose(
    State(api): State<Api>,
    person: Person,
    RawQuery(query): RawQuery,
) -> Result<Response, Trouble> {
    let asked = asked::of_pairs(&Pairs::of_query(query.as_deref()))?;
    let trial = tried(&api, &person, &asked)?;
    show(&api, &person, &asked, &trial, "", None).await
}

/// A proposal was confirmed.
pub(crate) async fn decide(
    State(api): State<Api>,
    Posted { person, fields }: Posted,
) -> Result<Response, Trouble> {
    let asked = asked::of_fields(&fields)?;
    let key = fields.get("key").map(str::as_bytes);
    let id = decisions::decision_id(&api, &person.credential, key)?;
    let done =
        |kind: DecisionKind| see(&format!("/identity/decisions/{id}?done={}", kind.as_str()));
    super::decides(&person)?;
    let known = api.state().decided(id);
    if let Some(known) = known {
        return Ok(done(known.decision.what));
    }
    let trial = tried(&api, &person, &asked)?;
    let reason = fields.get("reason").unwrap_or_default();
    let hitch = if trial.as_ref().map(mark).ok().as_deref() != fields.get("seen") {
        Some(Hitch {
            status: StatusCode::CONFLICT,
            alert: Some("decide-changed"),
            reason: None,
        })
    } else if reason.is_empty() {
        Some(Hitch {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            alert: None,
            reason: Some("decide-no-reason"),
        })
    } else {
        None
    };
    if hitch.is_some() {
        return show(&api, &person, &asked, &trial, reason, hitch).await;
    }
    match decisions::decide(&api, &person.credential, id, asked.clone(), reason).await {
        Ok(Some(decided)) => Ok(done(decided.decision.what)),
        Ok(None) => Ok(see(&format!("/identity/decisions/{id}?done=pending"))),
        Err(Denied::Fault(fault)) => {
            let hitch = Hitch {
                status: StatusCode::CONFLICT,
                alert: Some("decide-refused"),
                reason: None,
            };
            show(&api, &person, &asked, &Err(fault), reason, Some(hitch)).await
        }
        Err(denied) => Err(trouble(denied)),
    }
}

/// What the decision would come to, or why nothing would come of it.
pub(super) fn tried(
    api: &Api,
    person: &Person,
    asked: &Asked,
) -> Result<Result<Trial, Fault>, Trouble> {
    match decisions::trial(api, &person.credential, asked) {
        Ok(trial) => Ok(Ok(trial)),
        Err(Denied::Fault(Fault::NoDecision)) => Err(Trouble::NotFound),
        Err(Denied::Fault(fault)) => Ok(Err(fault)),
        Err(denied) => Err(trouble(denied)),
    }
}

fn trouble(denied: Denied) -> Trouble {
    match denied {
        Denied::NotYours => Trouble::Forbidden,
        Denied::Fault(_) => Trouble::Unreadable,
        Denied::Refusal(refusal) => refusal.into(),
    }
}

async fn show(
    api: &Api,
    person: &Person,
    asked: &Asked,
    trial: &Result<Trial, Fault>,
    reason: &str,
    hitch: Option<Hitch>,
) -> Result<Response, Trouble> {
    let opened = Opened::default();
    let (status, page) = decide_page(api, person, (asked, trial), (reason, hitch), &opened);
    note_reading(api, person, AccessKind::Profile, opened.customers()).await?;
    page_with(status, &page)
}

fn decide_page(
    api: &Api,
    person: &Person,
    (asked, trial): (&Asked, &Result<Trial, Fault>),
    (reason, hitch): (&str, Option<Hitch>),
    opened: &Opened,
) -> (StatusCode, DecidePage) {
    let state = api.state();
    let speech = person.speech(api, &state, None);
    let look = Look {
        api,
        state: &state,
        speech: &speech,
        person,
        opened,
    };
    let leave = match asked.undoes {
        Some(id) => format!("/identity/decisions/{id}"),
        None => "/identity/review".to_owned(),
    };
    let title = speech.named("decide-title", asked.what.as_str());
    let mut frame = Frame::new(&state, person, Place::Identity, title);
    let mut proposal = Proposal::new(look, asked, trial, leave);
    let mut status = StatusCode::OK;
    if let Some(hitch) = hitch {
        status = hitch.status;
        if let Some(alert) = hitch.alert {
            frame.alert(Tone::Bad, speech.say(alert));
        }
        let fault = hitch.reason.map(|key| speech.say(key));
        proposal = proposal.sent_back(reason, fault);
    }
    (status, DecidePage { frame, proposal })
}
