//! Kirjaa: what a person heard from a customer becomes an ordinary event, by the door of source `desk`.
//!
//! The form keeps what was typed until it is saved. Its number makes a form that is sent twice one event.

mod draft;
mod names;
mod recorded;
mod subject;

use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use event::{CaseId, Company, Name, ProfileId, access::AccessKind, reject::Reason};
use ingest::{Answer, Permission};
use serde::Deserialize;

pub(super) use self::recorded::recorded;
use self::{
    draft::{Draft, Faults, Same},
    subject::{Known, Subject},
};
use super::{
    customer::{self, Identifier},
    entry::PROMISES,
    form::Posted,
    page::{Frame, Person, Place, Tone, page, see},
    search::{Choice, types},
    speech::{Clock, Speech, Words},
    trouble::Trouble,
};
use crate::{
    access,
    api::{Api, customers},
    model,
};

#[derive(Template)]
#[template(path = "record.html")]
struct RecordPage {
    frame: Frame,
    draft: Draft,
    faults: Faults,
    /// The customer that it is about.
    known: Option<Shown>,
    /// Several whom the typed value may mean.
    several: Vec<Shown>,
    /// Nobody of the reader's customers is known by what was typed.
    is_new: bool,
    matters: Vec<Matter>,
    types: Vec<Choice>,
    topics: Vec<Choice>,
    reference_types: Vec<Choice>,
    places: Vec<Choice>,
    stages: Vec<Choice>,
    touchpoints: Vec<Choice>,
    promises: Vec<Choice>,
    keepers: Vec<Choice>,
}

impl RecordPage {
    /// The lists of what may be said besides, each with its field and its name.
    fn lists(&self) -> [(&'static str, String, &[Choice]); 4] {
        let list = |field, key, choices| (field, self.frame.say(key), choices);
        [
            list("topic", "record-topic", &self.topics[..]),
            list("place", "record-place", &self.places[..]),
            list("stage", "record-stage", &self.stages[..]),
            list("touchpoint", "record-touchpoint", &self.touchpoints[..]),
        ]
    }
}

/// A customer as the form shows whom it is about.
struct Shown {
    id: String,
    name: Words,
    values: Vec<Identifier>,
}

/// An open case that it may be about.
struct Matter {
    id: String,
    /// "Sohva myöhässä".
    what: String,
    /// "Tilaus A-77".
    reference: Option<Words>,
    waited: Clock,
    owner: String,
    is_chosen: bool,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    customer: Option<String>,
    case: Option<String>,
}

/// The empty form, about a customer or a case where the person comes from its page.
pub(super) async fn form(
    State(api): State<Api>,
    person: Person,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let asked = query.map_err(|_| Trouble::Unreadable)?.0;
    let mut draft = Draft::new(api.now());
    if let Some(case) = asked.case {
        let case: CaseId = case.parse().map_err(|_| Trouble::NotFound)?;
        draft.customer = Some(customer_of(&api, &person, case)?);
        draft.same = Some(Same::Case(case));
    } else if let Some(customer) = asked.customer {
        draft.customer = Some(customers::asked(&customer)?);
    }
    let subject = Subject::of(&api, &person, &draft).await?;
    show(&api, &person, draft, subject, Faults::default()).await
}

/// The customer of a case that the person may read: the first, where there are several.
fn customer_of(api: &Api, person: &Person, case: CaseId) -> Result<ProfileId, Trouble> {
    let state = api.state();
    let case = state.cases.get(case).ok_or(Trouble::NotFound)?;
    if !state.may_read_case(&person.credential, case) {
        return Err(Trouble::Forbidden);
    }
    let mut profiles = case.profiles.iter();
    profiles
        .find_map(|profile| customers::permitted(api, &state, &person.credential, *profile).ok())
        .ok_or(Trouble::Forbidden)
}

/// Looks for the customer, or saves.
pub(super) async fn record(
    State(api): State<Api>,
    Posted { person, fields }: Posted,
) -> Result<Response, Trouble> {
    let draft = Draft::read(&fields, api.now())?;
    let subject = Subject::of(&api, &person, &draft).await?;
    let mut faults = Faults::default();
    if fields.get("do") == Some("find") {
        if matches!(subject, Subject::Nobody) {
            faults.identifier = Some("record-nothing-typed");
        }
        return show(&api, &person, draft, subject, faults).await;
    }
    let zone = person.speech(&api, &api.state(), None);
    let due = draft.due(&zone);
    faults = draft.faults(&subject, due.as_ref());
    if let (Subject::Known(known), None) = (&subject, draft.same)
        && !matters(&api.state(), &zone, known, &draft, &api).is_empty()
    {
        faults.same = Some("record-choose-matter");
    }
    if faults.are_some() {
        return show(&api, &person, draft, subject, faults).await;
    }
    let (said, permission, company) = {
        let state = api.state();
        let names = names::of(&api, &state, &draft, &subject);
        let said = draft.event(&state, &person.credential, due.flatten(), &names);
        let permission = Permission {
            recorded_by: true,
            channel: Some(person.credential.channel),
            numbers_of: names.numbers_of,
            ..Permission::default()
        };
        (said, permission, state.companies.current())
    };
    let answer = accept(&api, &company, said, permission).await?;
    match refused(&answer) {
        None => {
            let id = draft.event_id(&api, &person.credential);
            Ok(see(&format!("/record/{id}")))
        }
        Some(faults) => show(&api, &person, draft, subject, faults).await,
    }
}

async fn accept(
    api: &Api,
    company: &Company,
    said: serde_json::Value,
    permission: Permission,
) -> Result<Answer, Trouble> {
    // The door has no thread that follows the company; the model has.
    api.desk.set_company(company);
    let source = draft::source();
    let accepted = api.desk.accept(&source, vec![said], permission);
    accepted.await.map_err(|error| match error {
        ingest::door::Error::Unavailable(error) => {
            tracing::error!(error = %error, "recording at the desk");
            Trouble::Unavailable
        }
        ingest::door::Error::UnknownSource(source) => {
            tracing::error!(source = %source, "there is no door for the desk");
            Trouble::Internal
        }
    })
}

/// Why the door refused; nothing of a repeat, also where the model knows more now than when it was first sent.
fn refused(answer: &Answer) -> Option<Faults> {
    let item = answer.items.first()?;
    if item.reason == Reason::Conflict {
        return None;
    }
    let mut faults = Faults::default();
    for line in item.detail.lines() {
        match line.split([':', '.']).next().unwrap_or_default() {
            "identifiers" => faults.identifier = Some("record-bad-identifier"),
            "references" => faults.reference = Some("record-bad-reference"),
            "promise" => faults.promise = Some("record-bad-promise"),
            "text" => faults.text = Some("record-bad-text"),
            _ => faults.other = true,
        }
    }
    Some(faults)
}

/// The form as it stands; a customer that it names is read, and that is written down first.
async fn show(
    api: &Api,
    person: &Person,
    draft: Draft,
    subject: Subject,
    faults: Faults,
) -> Result<Response, Trouble> {
    if let Subject::Known(known) = &subject {
        let reason = {
            let state = api.state();
            person.speech(api, &state, None).say("record-reason")
        };
        let records = access::records(
            &person.credential,
            api.now(),
            AccessKind::Profile,
            &[known.customer.id],
            Some(reason),
        );
        api.append(records).await?;
    }
    let template = record_page(api, &api.state(), person, draft, subject, faults);
    page(&template)
}

fn record_page(
    api: &Api,
    state: &model::State,
    person: &Person,
    mut draft: Draft,
    subject: Subject,
    faults: Faults,
) -> RecordPage {
    let speech = person.speech(api, state, None);
    let mut frame = Frame::new(state, person, Place::Record, speech.say("record-title"));
    if faults.other {
        frame.alert(Tone::Bad, speech.say("record-refused"));
    } else if faults.are_some() {
        frame.alert(Tone::Bad, speech.say("record-check"));
    }
    let shown = |view: &customers::CustomerView| Shown {
        id: view.id.clone(),
        name: customer::name(&speech, view),
        values: customer::identifiers(&speech, &view.identifiers),
    };
    let (known, several, is_new, matters) = match &subject {
        Subject::Nobody => (None, Vec::new(), false, Vec::new()),
        Subject::Named(_) => (None, Vec::new(), true, Vec::new()),
        Subject::Several(views) => (None, views.iter().map(shown).collect(), false, Vec::new()),
        Subject::Known(known) => {
            draft.customer = Some(known.customer.id);
            let matters = matters(state, &speech, known, &draft, api);
            (Some(shown(&known.view)), Vec::new(), false, matters)
        }
    };
    let company = speech.company();
    let references = types(&speech, draft.reference_type.as_deref().or(Some("order")));
    let is_reference = |choice: &Choice| {
        let mut types = company.types().into_iter();
        types.any(|known| {
            known.class == event::Class::Reference && known.name.as_str() == choice.value
        })
    };
    let mut keepers = choices(
        state
            .departments()
            .iter()
            .map(|id| (id.to_string(), speech.department(id))),
        draft.keeper.as_ref().map(event::DepartmentId::as_str),
    );
    keepers.retain(|keeper| keeper.value != "canary");
    RecordPage {
        types: types(&speech, draft.identifier_type.as_deref()),
        topics: topics(state, &speech, draft.topic.as_ref()),
        reference_types: references.into_iter().filter(is_reference).collect(),
        places: places(state, &speech, person, draft.place.as_ref()),
        stages: labelled(&speech, stages(company), draft.stage.as_ref()),
        touchpoints: labelled(&speech, touchpoints(company), draft.touchpoint.as_ref()),
        promises: choices(
            PROMISES.map(|(name, key)| (name.to_owned(), speech.say(key))),
            draft.promise.as_ref().map(Name::as_str),
        ),
        keepers,
        frame,
        faults,
        known,
        several,
        is_new,
        matters,
        draft,
    }
}

/// The customer's open cases, whoever has them: the one that waited longest first.
fn matters(
    state: &model::State,
    speech: &Speech,
    known: &Known,
    draft: &Draft,
    api: &Api,
) -> Vec<Matter> {
    let tokens = state.identity.tokens(known.customer.id);
    let mut open: Vec<_> = state
        .cases_of(&tokens)
        .filter(|case| case.phase.is_open() && !case.test)
        .collect();
    open.sort_by_key(|case| (case.happened, case.case));
    open.into_iter()
        .map(|case| {
            let join = names::join(api, state, case, &tokens);
            let reference = join.and_then(|join| join.reference).map(|(kind, value)| {
                let said = format!("{} {value}", customer::kind(speech, kind.as_str()));
                Words::line(&said, MATTER_CHARS_MAX)
            });
            Matter {
                id: case.case.to_string(),
                what: super::row::what(speech, case),
                reference,
                waited: speech.since(case.happened),
                owner: speech.department(&case.owner),
                is_chosen: draft.same == Some(Same::Case(case.case)),
            }
        })
        .collect()
}

const MATTER_CHARS_MAX: usize = 80;
const CHOICES_MAX: usize = 200;
const TOPICS_MAX: usize = 30;

fn choices(all: impl IntoIterator<Item = (String, String)>, chosen: Option<&str>) -> Vec<Choice> {
    let choices = all.into_iter().map(|(value, text)| Choice {
        is_chosen: chosen == Some(value.as_str()),
        value,
        text,
    });
    choices.collect()
}

/// By what people call them.
fn labelled<'a>(
    speech: &Speech,
    names: impl IntoIterator<Item = &'a Name>,
    chosen: Option<&Name>,
) -> Vec<Choice> {
    let names: std::collections::BTreeSet<(String, &Name)> = names
        .into_iter()
        .map(|name| (Speech::sentence(&speech.label(name)), name))
        .collect();
    let names = names.into_iter().take(CHOICES_MAX);
    choices(
        names.map(|(text, name)| (name.to_string(), text)),
        chosen.map(Name::as_str),
    )
}

/// What complaints are about most often.
fn topics(state: &model::State, speech: &Speech, chosen: Option<&Name>) -> Vec<Choice> {
    let names = state.figures.complaints();
    let names = names
        .into_iter()
        .filter(|name| !matches!(name.as_str(), "complaint" | "other"))
        .take(TOPICS_MAX);
    labelled(speech, names, chosen)
}

fn stages(company: &Company) -> impl Iterator<Item = &Name> {
    company
        .journeys
        .values()
        .flat_map(|journey| &journey.stages)
}

fn touchpoints(company: &Company) -> impl Iterator<Item = &Name> {
    let journeys = company.journeys.values();
    journeys.flat_map(|journey| journey.touchpoints.keys())
}

/// The places where something happened; for a person of a unit its own place, until another is chosen.
fn places(
    state: &model::State,
    speech: &Speech,
    person: &Person,
    chosen: Option<&Name>,
) -> Vec<Choice> {
    let departments = speech.company().departments.iter();
    let units = departments
        .filter(|(id, _)| person.credential.departments.contains(*id))
        .flat_map(|(_, department)| &department.units);
    let own: Vec<Name> = units
        .filter(|(unit, _)| person.credential.units.contains(*unit))
        .flat_map(|(_, unit)| &unit.places)
        .filter_map(|place| place.parse().ok())
        .collect();
    let seen = state.figures.places().map(|(place, _)| place);
    let seen = seen.filter(|place| place.as_str() != "other");
    labelled(speech, seen.chain(&own), chosen.or_else(|| own.first()))
}
