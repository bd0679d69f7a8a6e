//! One case: how it stands, what the customer said, everything that was done, and what the reader may do.

mod actions;
mod advice;
mod facts;
mod history;

use std::collections::BTreeSet;

use askama::Template;
use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use event::{CaseId, ProfileId, access::AccessKind, case::State as CaseState, case::Step};

pub(super) use self::actions::command;
use self::{
    actions::{Actions, Typed},
    advice::Guide,
    facts::{Clocks, Customer, Said},
    history::Spell,
};
use super::{
    inbox::Seen,
    live,
    page::{Frame, Person, Place, Tone, page_with},
    promise::Promised,
    row::{Reader, Row},
    speech::Speech,
    trouble::Trouble,
};
use crate::{access, api::Api, model, personal::Permission};

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    frame: Frame,
    case: View,
    actions: Actions,
    live: String,
    /// Where the page is, to be shown anew.
    here: String,
}

/// The case as the page shows it.
struct View {
    row: Row,
    phase: String,
    owner: String,
    /// Name and value.
    facts: Vec<(String, String)>,
    clocks: Clocks,
    customers: Vec<Customer>,
    guide: Option<Guide>,
    promises: Vec<Promised>,
    said: Vec<Said>,
    /// What else happened to the matter.
    happened: Vec<Said>,
    history: Vec<Spell>,
    /// The case that has it now.
    absorbed_by: Option<String>,
}

/// What is said first on the page.
struct Outcome {
    status: StatusCode,
    tone: Tone,
    text: String,
}

#[derive(serde::Deserialize)]
pub(super) struct Asked {
    /// What was done just now: the name of a command, or `pending`.
    done: Option<String>,
}

pub(super) async fn case(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let id = asked(&id)?;
    let done = query.map_err(|_| Trouble::Unreadable)?.0.done;
    let outcome = done.and_then(|done| {
        let key = actions::done(&done)?;
        Some(Outcome {
            status: StatusCode::OK,
            tone: Tone::Good,
            text: person.say(key),
        })
    });
    show(&api, &person, id, outcome, Typed::default()).await
}

/// Tells when the case changes. Who may no longer read it is told once more, and sees why on the page.
pub(super) async fn follow(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    query: Result<Query<Seen>, QueryRejection>,
) -> Result<Response, Trouble> {
    let id = asked(&id)?;
    let seen = query.map_err(|_| Trouble::Unreadable)?.0.seen;
    readable(&api.state(), &person, id)?;
    live::follow(&api, person.session, seen, move |state| {
        state.cases.get(id).map(revision)
    })
}

fn revision(case: &CaseState) -> String {
    case.version.to_string()
}

fn asked(id: &str) -> Result<CaseId, Trouble> {
    id.parse().map_err(|_| Trouble::NotFound)
}

fn readable<'a>(
    state: &'a model::State,
    person: &Person,
    id: CaseId,
) -> Result<&'a CaseState, Trouble> {
    let case = state.cases.get(id).ok_or(Trouble::NotFound)?;
    if state.may_read_case(&person.credential, case) {
        Ok(case)
    } else {
        Err(Trouble::Forbidden)
    }
}

/// The page, with what came of what the person did; that somebody read the case is written down before it is answered.
async fn show(
    api: &Api,
    person: &Person,
    id: CaseId,
    outcome: Option<Outcome>,
    typed: Typed,
) -> Result<Response, Trouble> {
    let (page, profiles) = {
        let state = api.state();
        let case = readable(&state, person, id)?;
        let speech = person.speech(api, &state, Some(&case.owner));
        let profiles = profiles(&state, case);
        let view = View::new(api, &state, &speech, person, case, &profiles);
        let actions = Actions::new(api, &state, &speech, person, case, typed);
        let mut frame = Frame::new(&state, person, Place::Inbox, view.row.what.clone());
        if let Some(outcome) = &outcome {
            frame.alert(outcome.tone, outcome.text.clone());
        }
        frame.record = format!("/record?case={id}");
        let page = CasePage {
            frame,
            case: view,
            actions,
            live: format!("/cases/{id}/live?seen={}", revision(case)),
            here: format!("/cases/{id}"),
        };
        (page, profiles)
    };
    let read: Vec<ProfileId> = profiles.into_iter().collect();
    let records = access::records(&person.credential, api.now(), AccessKind::Case, &read, None);
    api.append(records).await?;
    page_with(
        outcome.map_or(StatusCode::OK, |outcome| outcome.status),
        &page,
    )
}

/// The customers it concerns, by the ids they have now.
fn profiles(state: &model::State, case: &CaseState) -> BTreeSet<ProfileId> {
    case.profiles
        .iter()
        .map(|profile| state.identity.resolve(*profile).unwrap_or(*profile))
        .collect()
}

impl View {
    fn new(
        api: &Api,
        state: &model::State,
        speech: &Speech,
        person: &Person,
        case: &CaseState,
        profiles: &BTreeSet<ProfileId>,
    ) -> View {
        let reader = Reader {
            name: &person.credential.name,
            inbox: None,
            permission: Permission::Open,
        };
        let steps: Vec<&Step> = state.cases.steps(case.case).collect();
        let told = state.told_of(case);
        let latest_first = told.iter().rev();
        let (said, happened) = latest_first
            .map(|told| Said::new(speech, &told.bytes))
            .partition(Said::is_said);
        View {
            row: Row::new(state, speech, case, reader),
            phase: speech.named("phase", case.phase.as_str()),
            owner: speech.department(&case.owner),
            facts: facts::of(speech, case),
            clocks: Clocks::new(speech, case, &steps),
            customers: profiles
                .iter()
                .map(|profile| Customer::new(api, state, speech, *profile))
                .collect(),
            guide: Guide::of(state, speech, case, &told),
            promises: advice::promises(state, speech, case, &told),
            said,
            happened,
            history: history::spells(speech, case, &steps, &told),
            absorbed_by: case.absorbed_by.map(|other| format!("/cases/{other}")),
        }
    }
}
