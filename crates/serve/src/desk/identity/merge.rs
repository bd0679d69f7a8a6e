//! One person on two pages: both are chosen, by a link or by a search, and what would become of them is shown. What belongs to nobody is
//! given to somebody in the same way.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use event::{ProfileId, access::AccessKind};

use super::{
    asked::Pairs,
    decide::tried,
    note_reading,
    proposal::{Proposal, Tried},
    shown::{Look, Who},
};
use crate::{
    access::Opened,
    api::{Api, customers, masked},
    desk::{
        form::Posted,
        page::{Frame, Person, Place, page_with},
        trouble::Trouble,
    },
    model::{self, decision::Asked},
};

#[derive(Template)]
#[template(path = "merge.html")]
struct MergePage {
    frame: Frame,
    /// Where a search is sent to.
    here: String,
    customers: Vec<Chosen>,
    /// While one of the two is missing.
    find: Option<Find>,
    proposal: Option<Proposal>,
}

/// A customer that was chosen.
struct Chosen {
    title: String,
    who: Who,
}

/// The search for a customer.
#[derive(Default)]
struct Find {
    title: String,
    typed: String,
    fault: Option<String>,
    found: Option<Vec<Found>>,
}

struct Found {
    who: Who,
    /// Of one that is not chosen yet and that the person may read.
    choose: Option<String>,
    /// Why it cannot be chosen.
    why: &'static str,
}

/// What was asked for.
struct Pair {
    customers: Vec<ProfileId>,
}

/// What was typed, and what it found.
#[derive(Default)]
struct Searched {
    typed: String,
    fault: Option<&'static str>,
    found: Option<Vec<ProfileId>>,
}

pub(crate) async fn merge(
    State(api): State<Api>,
    person: Person,
    RawQuery(query): RawQuery,
) -> Result<Response, Trouble> {
    super::decides(&person)?;
    let pair = Pair::asked(&api, &person, query.as_deref())?;
    show(&api, &person, &pair, Searched::default()).await
}

/// The other customer is looked for: what was typed goes in a form, never into an address.
pub(crate) async fn find(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
    Posted { person, fields }: Posted,
) -> Result<Response, Trouble> {
    super::decides(&person)?;
    let pair = Pair::asked(&api, &person, query.as_deref())?;
    let typed = fields.get("identifier").unwrap_or_default().to_owned();
    let mut searched = Searched {
        typed,
        ..Searched::default()
    };
    if searched.typed.is_empty() {
        searched.fault = Some("search-nothing-typed");
        return show(&api, &person, &pair, searched).await;
    }
    let company = api.state().companies.current();
    let tokens = crate::search::any(&company, &api.doors, &api.pepper, &searched.typed);
    let is_customers = pair
        .customers
        .first()
        .is_none_or(|customer| has_identifier(&api.state(), *customer));
    let reason = person.say(if is_customers {
        "merge-reason"
    } else {
        "give-reason"
    });
    let reason = Some(masked(&reason));
    let found = customers::look_up(&api, &person.credential, &tokens, reason).await?;
    let found = found.iter().filter_map(|view| view.id.parse().ok());
    searched.found = Some(found.collect());
    show(&api, &person, &pair, searched).await
}

impl Pair {
    /// By their present ids, each once.
    fn asked(api: &Api, person: &Person, query: Option<&str>) -> Result<Pair, Trouble> {
        let ids: Vec<ProfileId> = Pairs::of_query(query).ids("customers")?;
        let state = api.state();
        let mut customers = Vec::new();
        for id in ids.into_iter().take(2) {
            let customer = customers::permitted(api, &state, &person.credential, id)?;
            if !customers.contains(&customer) {
                customers.push(customer);
            }
        }
        Ok(Pair { customers })
    }

    fn address(&self, more: Option<ProfileId>) -> String {
        let ids = self.customers.iter().copied().chain(more);
        let ids: Vec<String> = ids.map(|id| format!("customers={id}")).collect();
        let mark = if ids.is_empty() { "" } else { "?" };
        format!("/customers/merge{mark}{}", ids.join("&"))
    }
}

/// A profile of references alone is nobody yet.
fn has_identifier(state: &model::State, customer: ProfileId) -> bool {
    let tokens = state.identity.tokens(customer);
    let mut known = tokens.iter().filter_map(|token| state.identity.get(*token));
    known.any(|known| known.value.is_identifier())
}

async fn show(
    api: &Api,
    person: &Person,
    pair: &Pair,
    searched: Searched,
) -> Result<Response, Trouble> {
    let asked = match pair.customers.as_slice() {
        [_, _] => Some(api.state().merge(&pair.customers)),
        _ => None,
    };
    let proposed = match asked {
        None => None,
        Some(Err(fault)) => Some((joined(pair), Err(fault))),
        Some(Ok(asked)) => {
            let trial = tried(api, person, &asked)?;
            Some((asked, trial))
        }
    };
    let status = if searched.fault.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let opened = Opened::default();
    let page = merge_page(api, person, pair, searched, (proposed, &opened));
    note_reading(api, person, AccessKind::Profile, opened.customers()).await?;
    page_with(status, &page)
}

/// Two customers of whom the model makes no decision.
fn joined(pair: &Pair) -> Asked {
    let tokens: Vec<event::Token> = pair.customers.iter().map(|id| id.token()).collect();
    super::asked::decision(event::link::DecisionKind::Together, &tokens, &[])
}

fn merge_page(
    api: &Api,
    person: &Person,
    pair: &Pair,
    searched: Searched,
    (proposed, opened): (Option<Tried>, &Opened),
) -> MergePage {
    let state = api.state();
    let speech = person.speech(api, &state, None);
    let look = Look {
        api,
        state: &state,
        speech: &speech,
        person,
        opened,
    };
    let first = pair.customers.first();
    let is_given = first.is_some_and(|customer| !has_identifier(&state, *customer));
    let title = if is_given {
        "give-title"
    } else {
        "merge-title"
    };
    let keys = ["merge-first", "merge-second"];
    let chosen = pair
        .customers
        .iter()
        .zip(keys)
        .map(|(customer, key)| Chosen {
            title: speech.say(key),
            who: look.who(*customer),
        });
    let find = (pair.customers.len() < 2).then(|| Find {
        title: speech.say(if first.is_none() {
            "merge-find-first"
        } else {
            "merge-find"
        }),
        typed: searched.typed,
        fault: searched.fault.map(|key| speech.say(key)),
        found: searched
            .found
            .map(|found| found.iter().map(|id| Found::new(look, pair, *id)).collect()),
    });
    let leave = first.map_or_else(
        || "/identity/review".to_owned(),
        |customer| format!("/customers/{customer}"),
    );
    MergePage {
        frame: Frame::new(&state, person, Place::Elsewhere, speech.say(title)),
        here: pair.address(None),
        customers: chosen.collect(),
        find,
        proposal: proposed.map(|(asked, trial)| Proposal::new(look, &asked, &trial, leave)),
    }
}

impl Found {
    fn new(look: Look<'_>, pair: &Pair, customer: ProfileId) -> Found {
        let is_chosen = pair.customers.contains(&customer);
        let is_open = look.may_read(customer);
        Found {
            who: look.who(customer),
            choose: (!is_chosen && is_open).then(|| pair.address(Some(customer))),
            why: if is_chosen {
                "merge-same"
            } else {
                "search-not-yours"
            },
        }
    }
}
