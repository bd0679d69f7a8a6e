//! A customer: who it is, what is open, and everything that happened, in every channel, newest first.

use askama::Template;
use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use event::{CaseId, access::AccessKind, case::State as CaseState};
use serde::Deserialize;

use super::{
    entry::Entry,
    page::{Frame, Person, Place, page, page_with, see},
    row::{Reader, Row},
    speech::{Moment, Speech, Words},
    trouble::Trouble,
};
use crate::{
    access,
    api::{
        Api,
        customers::{self, CustomerView, ValueView},
        refusal::Refusal,
    },
    credential::Role,
    model::{
        self,
        page::{Cursor, Item, Order, Page},
    },
    personal::{Permission, Why},
};

#[derive(Template)]
#[template(path = "customer.html")]
struct CustomerPage {
    frame: Frame,
    name: Words,
    identifiers: Vec<Identifier>,
    references: Vec<Identifier>,
    first_seen: Option<Moment>,
    last_seen: Option<Moment>,
    open: Vec<Matter>,
    entries: Vec<Entry>,
    /// The page of what happened before.
    older: Option<String>,
    is_newest: bool,
    /// That this reading was written down.
    noted: String,
}

/// How the customer is known.
pub(super) struct Identifier {
    pub(super) kind: String,
    pub(super) value: Words,
    /// Why only a mask is shown.
    pub(super) why: Option<String>,
}

/// An open case of the customer.
struct Matter {
    row: Row,
    /// The reader may look at it.
    is_readable: bool,
}

#[derive(Template)]
#[template(path = "customer_closed.html")]
struct ClosedPage {
    frame: Frame,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    before: Option<String>,
}

/// What was read of the customer, from one look.
struct Found {
    view: CustomerView,
    cases: Vec<CaseState>,
    timeline: Page,
    is_newest: bool,
    /// Why the reader looked for the customer.
    reason: Option<String>,
}

const ENTRIES_MAX: usize = 50;
const VALUE_CHARS_MAX: usize = 256;

pub(super) async fn customer(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let asked = customers::asked(&id)?;
    let before = query.map_err(|_| Trouble::Unreadable)?.0.before;
    let before: Option<Cursor> = before
        .map(|before| before.parse().map_err(|_| Trouble::Unreadable))
        .transpose()?;
    let caller = &person.credential;
    let (customer, timeline) = {
        let state = api.state();
        let profile = match customers::permitted(&api, &state, caller, asked) {
            Ok(profile) => profile,
            Err(Refusal::Forbidden(_)) if caller.role == Role::FrontLine => {
                return closed(&state, &person);
            }
            Err(refusal) => return Err(refusal.into()),
        };
        if profile != asked {
            return Ok(see(&format!("/customers/{profile}")));
        }
        let timeline = state.page(profile, before, Order::NewestFirst, ENTRIES_MAX);
        (state.customer(profile), timeline)
    };
    let found = Found {
        cases: customer.cases.clone(),
        reason: api.grants.reason(caller, customer.id, api.now()),
        view: customers::view(&api, caller, customer, None),
        timeline,
        is_newest: before.is_none(),
    };
    let reason = found.reason.clone();
    let records = access::records(caller, api.now(), AccessKind::Timeline, &[asked], reason);
    api.append(records).await?;
    let template = customer_page(&api, &api.state(), &person, found);
    page(&template)
}

/// The front line searches first; the page says so, and not whether there is such a customer.
fn closed(state: &model::State, person: &Person) -> Result<Response, Trouble> {
    let title = super::language::Messages::of(person.view.language).say("customer-closed-title");
    let frame = Frame::new(state, person, Place::Elsewhere, title);
    page_with(StatusCode::FORBIDDEN, &ClosedPage { frame })
}

fn customer_page(api: &Api, state: &model::State, person: &Person, found: Found) -> CustomerPage {
    let speech = person.speech(api, state, None);
    let id = &found.view.id;
    let name = name(&speech, &found.view);
    let mut frame = Frame::new(
        state,
        person,
        Place::Elsewhere,
        speech.say("customer-title"),
    );
    frame.record = format!("/record?customer={id}");
    let is_readable = |case: CaseId| {
        let case = state.cases.get(case);
        case.is_some_and(|case| state.may_read_case(&person.credential, case))
    };
    let reader = Reader {
        name: &person.credential.name,
        inbox: None,
        permission: Permission::Masked,
    };
    let open = found.cases.iter().filter(|case| case.phase.is_open());
    let open = open.map(|case| Matter {
        row: Row::new(state, &speech, case, reader),
        is_readable: is_readable(case.case),
    });
    let open = open.collect();
    let older = found.timeline.next;
    let entries = found.timeline.items.into_iter().map(|item| match item {
        Item::Event { bytes, note, case } => {
            let case = case.filter(|case| is_readable(*case));
            Entry::of_event(&speech, &bytes, note.as_ref(), case)
        }
        Item::Step(step) => Entry::of_step(
            &speech,
            &step,
            Some(step.case).filter(|case| is_readable(*case)),
        ),
    });
    CustomerPage {
        entries: entries.collect(),
        older: older.map(|older| format!("/customers/{id}?before={older}")),
        is_newest: found.is_newest,
        noted: match &found.reason {
            None => speech.say("customer-noted"),
            Some(_) => speech.say("customer-noted-reason"),
        },
        identifiers: identifiers(&speech, &found.view.identifiers),
        references: identifiers(&speech, &found.view.references),
        first_seen: found.view.first_seen.map(|time| speech.moment(time)),
        last_seen: found.view.last_seen.map(|time| speech.moment(time)),
        name,
        frame,
        open,
    }
}

/// The name that was given, else the strongest value that can be shown.
pub(super) fn name(speech: &Speech, view: &CustomerView) -> Words {
    let values = view.identifiers.iter().chain(&view.references);
    let shown = view.name.as_ref().map(|name| name.shown.clone());
    let shown = shown.or_else(|| values.map(|value| value.shown.shown.clone()).next());
    match shown {
        Some(shown) => Words::line(&shown, VALUE_CHARS_MAX),
        None => Words::line(&speech.say("customer-nameless"), VALUE_CHARS_MAX),
    }
}

pub(super) fn identifiers(speech: &Speech, values: &[ValueView]) -> Vec<Identifier> {
    let shown = values.iter().map(|value| Identifier {
        kind: kind(speech, &value.kind),
        value: Words::line(&value.shown.shown, VALUE_CHARS_MAX),
        why: value.shown.why.map(|why| match why {
            Why::NotPermitted => speech.say("customer-not-permitted"),
            Why::NotReadable => speech.say("customer-not-readable"),
        }),
    });
    shown.collect()
}

/// What people call a type of identifier or reference: ours are said in the reader's language, the company's own as it labels
/// them.
pub(super) fn kind(speech: &Speech, name: &str) -> String {
    const OURS: [(&str, &str); 9] = [
        ("customer_number", "value-customer-number"),
        ("loyalty_card", "value-loyalty-card"),
        ("email", "value-email"),
        ("phone", "value-phone"),
        ("device", "value-device"),
        ("order", "value-order"),
        ("shipment", "value-shipment"),
        ("ticket", "value-ticket"),
        ("thread", "value-thread"),
    ];
    match OURS.into_iter().find(|(ours, _)| *ours == name) {
        Some((_, key)) => speech.say(key),
        None => name
            .parse()
            .map_or_else(|_| name.to_owned(), |name| speech.label(&name)),
    }
}
