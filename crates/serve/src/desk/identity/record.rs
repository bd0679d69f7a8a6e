//! The record of decisions: what was decided, by whom, when and why, and whether it holds.

use std::collections::BTreeSet;

use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use event::{DecisionId, ProfileId, Token, access::AccessKind, link::DecisionKind};
use serde::Deserialize;

use super::{
    asked, note_reading,
    proposal::{self, Side},
    shown::{Look, Who},
};
use crate::{
    access::Opened,
    api::{Api, Path},
    desk::{
        page::{Frame, Person, Place, Tone, page},
        speech::{Moment, Words},
        trouble::Trouble,
    },
    model::decision::{self, Decided},
};

#[derive(Template)]
#[template(path = "decisions.html")]
struct DecisionsPage {
    frame: Frame,
    decisions: Vec<Line>,
    first: Option<String>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "decision.html")]
struct DecisionPage {
    frame: Frame,
    /// None of one that is still on its way.
    decision: Option<Line>,
    sides: Vec<Side>,
    undoes: Option<String>,
    /// The decision by which it does not hold any more.
    undone_by: Option<String>,
    customers: Vec<Who>,
    undo: Option<String>,
    here: String,
}

/// A decision in short.
struct Line {
    address: String,
    what: String,
    reason: Words,
    by: String,
    time: Moment,
    holds: bool,
    state: String,
}

#[derive(Deserialize)]
pub(crate) struct Listed {
    /// How many are before.
    #[serde(default)]
    from: usize,
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    /// What was decided just now, or `pending`.
    done: Option<String>,
}

const LINES_MAX: usize = 50;
const REASON_CHARS_MAX: usize = 1_000;
const CUSTOMERS_MAX: usize = 6;

pub(crate) async fn decisions(
    State(api): State<Api>,
    person: Person,
    query: Result<Query<Listed>, QueryRejection>,
) -> Result<Response, Trouble> {
    super::decides(&person)?;
    let from = query.map_err(|_| Trouble::Unreadable)?.0.from;
    // A line of the list names no value.
    let opened = Opened::default();
    let state = api.state();
    let speech = person.speech(&api, &state, None);
    let look = Look {
        api: &api,
        state: &state,
        speech: &speech,
        person: &person,
        opened: &opened,
    };
    let all = state.decisions().into_iter();
    let own: Vec<Decided> = all
        .filter(|decided| may_look(look, decided))
        .skip(from)
        .take(LINES_MAX + 1)
        .collect();
    let lines = own.iter().take(LINES_MAX);
    page(&DecisionsPage {
        frame: Frame::new(
            &state,
            &person,
            Place::Identity,
            speech.say("identity-title"),
        ),
        decisions: lines.map(|decided| Line::new(look, decided)).collect(),
        first: (from > 0).then(|| "/identity/decisions".to_owned()),
        next: (own.len() > LINES_MAX)
            .then(|| format!("/identity/decisions?from={}", from + LINES_MAX)),
    })
}

/// One decision, and what became of it.
pub(crate) async fn decision(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    super::decides(&person)?;
    let id: DecisionId = id.parse().map_err(|_| Trouble::NotFound)?;
    let done = query.map_err(|_| Trouble::Unreadable)?.0.done;
    let opened = Opened::default();
    let template = one(&api, &person, id, done.as_deref(), &opened)?;
    note_reading(&api, &person, AccessKind::Profile, opened.customers()).await?;
    page(&template)
}

fn one(
    api: &Api,
    person: &Person,
    id: DecisionId,
    done: Option<&str>,
    opened: &Opened,
) -> Result<DecisionPage, Trouble> {
    let state = api.state();
    let speech = person.speech(api, &state, None);
    let look = Look {
        api,
        state: &state,
        speech: &speech,
        person,
        opened,
    };
    let decided = state.decided(id);
    let said = match (&decided, done) {
        (None, None) => return Err(Trouble::NotFound),
        (None, Some(_)) => Some("decided-pending"),
        (Some(_), None) => None,
        (Some(decided), Some(_)) => Some(decided_key(decided.decision.what)),
    };
    if let Some(decided) = &decided
        && !may_look(look, decided)
    {
        return Err(Trouble::Forbidden);
    }
    let mut frame = Frame::new(
        &state,
        person,
        Place::Identity,
        speech.say("identity-title"),
    );
    if let Some(said) = said {
        frame.alert(Tone::Good, speech.say(said));
    }
    let here = format!("/identity/decisions/{id}");
    Ok(match decided {
        Some(decided) => DecisionPage::new(look, frame, &decided, here),
        // Its record is written, and not read yet.
        None => DecisionPage::pending(frame, here),
    })
}

fn may_look(look: Look<'_>, decided: &Decided) -> bool {
    let (caller, grants) = (&look.person.credential, &look.api.grants);
    look.state
        .may_look_at(caller, grants, decided, look.api.now())
}

/// Those who have its values now.
fn customers(look: Look<'_>, decided: &Decided) -> BTreeSet<ProfileId> {
    look.state
        .concerned(&decision::Asked::of(&decided.decision))
}

impl DecisionPage {
    fn new(look: Look<'_>, frame: Frame, decided: &Decided, here: String) -> DecisionPage {
        let decision = &decided.decision;
        let undo = asked::undo(decision.id);
        let caller = &look.person.credential;
        let may_undo = decided.holds
            && decision.what != DecisionKind::Unknown
            && look
                .state
                .may_decide(caller, &look.api.grants, &undo, look.api.now());
        let (one, other): (&[Token], &[Token]) = (&decision.one, &decision.other);
        let customers = customers(look, decided).into_iter().take(CUSTOMERS_MAX);
        DecisionPage {
            decision: Some(Line::new(look, decided)),
            sides: proposal::sides(look, decision.what, one, other),
            undoes: decision
                .undoes
                .map(|undone| format!("/identity/decisions/{undone}")),
            undone_by: undone_by(look, decision.id),
            customers: customers
                .map(|customer| look.who(customer))
                .filter(|who| who.address.is_some())
                .collect(),
            undo: may_undo.then(|| asked::address(&undo)),
            frame,
            here,
        }
    }

    fn pending(frame: Frame, here: String) -> DecisionPage {
        DecisionPage {
            frame,
            decision: None,
            sides: Vec::new(),
            undoes: None,
            undone_by: None,
            customers: Vec::new(),
            undo: None,
            here: format!("{here}?done=pending"),
        }
    }
}

fn undone_by(look: Look<'_>, id: DecisionId) -> Option<String> {
    let mut all = look.state.decisions().into_iter();
    let undoing = all.find(|other| other.holds && other.decision.undoes == Some(id))?;
    Some(format!("/identity/decisions/{}", undoing.decision.id))
}

impl Line {
    fn new(look: Look<'_>, decided: &Decided) -> Line {
        let speech = look.speech;
        let decision = &decided.decision;
        let actor = decision.actor.to_string();
        Line {
            address: format!("/identity/decisions/{}", decision.id),
            what: speech.named("decision-was", decision.what.as_str()),
            reason: Words::new(&decision.reason, REASON_CHARS_MAX),
            by: speech.with("decision-by", [("actor", actor.into())]),
            time: speech.moment(decision.time),
            holds: decided.holds,
            state: speech.say(if decided.holds {
                "decision-holds"
            } else {
                "decision-undone"
            }),
        }
    }
}

const fn decided_key(what: DecisionKind) -> &'static str {
    match what {
        DecisionKind::Apart => "decided-apart",
        DecisionKind::Together => "decided-together",
        DecisionKind::Block => "decided-block",
        DecisionKind::Allow => "decided-allow",
        DecisionKind::Undo => "decided-undo",
        DecisionKind::Unknown => "decision-was-unknown",
    }
}
