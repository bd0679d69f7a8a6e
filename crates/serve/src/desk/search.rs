//! Looking for a customer by anything exact: what was typed goes in a form, never into an address.

use askama::Template;
use axum::{extract::State, response::Response};
use identifier::Invalid;

use super::{
    customer::{self, Identifier},
    form::{Fields, Posted},
    page::{Frame, Person, Place, page},
    speech::{Moment, Speech, Words},
    trouble::Trouble,
};
use crate::{
    api::{
        Api,
        customers::{self, CustomerView},
        masked,
    },
    model,
};

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    frame: Frame,
    types: Vec<Choice>,
    identifier: String,
    reason: String,
    reasons: Vec<String>,
    /// What is wrong with what was typed.
    identifier_fault: Option<String>,
    reason_fault: Option<String>,
    found: Option<Vec<Found>>,
}

/// One of a list to choose from.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) text: String,
    pub(super) is_chosen: bool,
}

struct Found {
    /// Of one that the person may read.
    address: Option<String>,
    name: Words,
    values: Vec<Identifier>,
    open: String,
    last_seen: Option<Moment>,
}

/// What is most often the reason.
const REASONS: [&str; 4] = [
    "search-reason-contact",
    "search-reason-visit",
    "search-reason-case",
    "search-reason-order",
];

pub(super) async fn form(State(api): State<Api>, person: Person) -> Result<Response, Trouble> {
    page(&search_page(
        &api,
        &api.state(),
        &person,
        &Fields::default(),
    ))
}

pub(super) async fn search(
    State(api): State<Api>,
    Posted { person, fields }: Posted,
) -> Result<Response, Trouble> {
    let mut template = search_page(&api, &api.state(), &person, &fields);
    let messages = super::language::Messages::of(person.view.language);
    if fields.get("reason").is_none() {
        template.reason_fault = Some(messages.say("search-no-reason"));
    }
    let Some(raw) = fields.get("identifier") else {
        template.identifier_fault = Some(messages.say("search-nothing-typed"));
        return page(&template);
    };
    let company = api.state().companies.current();
    let tokens = match fields.get("type") {
        Some(kind) => crate::search::tokens(&company, &api.doors, &api.pepper, kind, raw),
        None => Ok(crate::search::any(&company, &api.doors, &api.pepper, raw)),
    };
    let tokens = match tokens {
        Ok(tokens) => tokens,
        Err(invalid) => {
            template.identifier_fault = Some(messages.say(fault(&invalid)));
            return page(&template);
        }
    };
    let Some(reason) = fields.get("reason") else {
        return page(&template);
    };
    let found = customers::look_up(&api, &person.credential, &tokens, Some(masked(reason))).await?;
    let state = api.state();
    let speech = person.speech(&api, &state, None);
    let found = found.iter().map(|view| listed(&speech, view));
    template.found = Some(found.collect());
    page(&template)
}

fn search_page(api: &Api, state: &model::State, person: &Person, fields: &Fields) -> SearchPage {
    let speech = person.speech(api, state, None);
    let typed = |name: &str| fields.get(name).unwrap_or_default().to_owned();
    SearchPage {
        frame: Frame::new(state, person, Place::Search, speech.say("search-title")),
        types: types(&speech, fields.get("type")),
        identifier: typed("identifier"),
        reason: typed("reason"),
        reasons: REASONS.map(|key| speech.say(key)).to_vec(),
        identifier_fault: None,
        reason_fault: None,
        found: None,
    }
}

/// Every type that a customer can be found by.
pub(super) fn types(speech: &Speech, chosen: Option<&str>) -> Vec<Choice> {
    let types = speech.company().types().into_iter();
    let types = types.map(|known| Choice {
        text: customer::kind(speech, known.name.as_str()),
        is_chosen: chosen == Some(known.name.as_str()),
        value: known.name.to_string(),
    });
    types.collect()
}

fn listed(speech: &Speech, view: &CustomerView) -> Found {
    let values = customer::identifiers(speech, &view.identifiers);
    let references = customer::identifiers(speech, &view.references);
    Found {
        address: view.is_open().then(|| format!("/customers/{}", view.id)),
        name: customer::name(speech, view),
        values: values
            .into_iter()
            .chain(references)
            .take(VALUES_MAX)
            .collect(),
        open: speech.with("search-open-cases", [("count", view.open_cases.into())]),
        last_seen: view.last_seen.map(|time| speech.moment(time)),
    }
}

/// A customer of many orders is told by the first few.
const VALUES_MAX: usize = 8;

/// Why what was typed is not of its type.
pub(super) const fn fault(invalid: &Invalid) -> &'static str {
    match invalid {
        Invalid::Email => "search-bad-email",
        Invalid::Phone => "search-bad-phone",
        Invalid::Digits => "search-bad-digits",
        Invalid::UnknownType | Invalid::TooLong | Invalid::ControlCharacter | Invalid::Empty => {
            "search-bad-value"
        }
    }
}
