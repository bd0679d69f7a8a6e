//! A customer: who it is, how it stands, what is open, and everything that happened, in every channel, newest first.

mod filter;
mod standing;

use askama::Template;
use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use event::{CaseId, ProfileId, access::AccessKind, case::State as CaseState};
use serde::Deserialize;

use self::filter::Fields;
use super::{
    entry::Entry,
    inbox::{PART, Seen},
    live,
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
        page::{At, Cursor, Order, Page, What},
    },
    personal::{Permission, Why},
};

#[derive(Template)]
#[template(path = "customer.html")]
struct CustomerPage {
    frame: Frame,
    id: String,
    name: Words,
    /// The link had an old id of the customer.
    is_moved: bool,
    identifiers: Vec<Identifier>,
    references: Vec<Identifier>,
    first_seen: Option<Moment>,
    last_seen: Option<Moment>,
    /// How the customer stands, in pairs of name and value.
    standing: Vec<(String, String)>,
    open: Vec<Matter>,
    filter: Fields,
    /// The reader may ask why two entries are together.
    why: Option<String>,
    may_decide: bool,
    live: String,
    list: List,
    /// That this reading was written down.
    noted: String,
}

/// The part of the page that is shown anew when something changes.
#[derive(Template)]
#[template(path = "customer_list.html")]
struct List {
    speech: Speech,
    /// What is said of the list when it changes.
    said: String,
    entries: Vec<Entry>,
    /// Two entries are to be chosen: where that leads, and where it is left.
    choice: Option<(String, String)>,
    /// The query of one matter alone, before its id.
    only: String,
    empty: String,
    older: Option<String>,
    newer: Option<String>,
    newest: Option<String>,
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

#[derive(Default, Deserialize)]
pub(super) struct Asked {
    /// The page of what happened before an entry, or after it.
    before: Option<String>,
    after: Option<String>,
    /// The old id that led here.
    was: Option<String>,
    /// Two entries are to be chosen.
    why: Option<String>,
    #[serde(flatten)]
    filter: filter::Asked,
}

/// What was read of the customer, from one look.
struct Found {
    asked: Asked,
    view: CustomerView,
    cases: Vec<CaseState>,
    timeline: Page,
    standing: Vec<(String, String)>,
    /// What the page shows, in short.
    seen: String,
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
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let id = customers::asked(&id)?;
    let asked = query.map_err(|_| Trouble::Unreadable)?.0;
    let at = asked.at()?;
    let caller = &person.credential;
    let found = {
        let state = api.state();
        let profile = match customers::permitted(&api, &state, caller, id) {
            Ok(profile) => profile,
            Err(Refusal::Forbidden(_)) if caller.role == Role::FrontLine => {
                return closed(&state, &person);
            }
            Err(refusal) => return Err(refusal.into()),
        };
        if profile != id {
            return Ok(see(&format!("/customers/{profile}?was={id}")));
        }
        let filter = asked.filter.filter(&person.speech(&api, &state, None))?;
        let timeline = state.page(profile, &filter, Order::NewestFirst, at, ENTRIES_MAX);
        let standing = standing::lines(
            &person.speech(&api, &state, None),
            &state.profile(profile).figures(api.now()),
        );
        let customer = state.customer(profile);
        (customer, timeline, standing, revision(&state, profile))
    };
    let (customer, timeline, standing, seen) = found;
    let reason = api.grants.reason(caller, customer.id, api.now());
    let records = access::records(
        caller,
        api.now(),
        AccessKind::Timeline,
        &[id],
        reason.clone(),
    );
    api.append(records).await?;
    let found = Found {
        cases: customer.cases.clone(),
        view: customers::view(&api, caller, customer),
        asked,
        timeline,
        standing,
        seen,
        reason,
    };
    let template = customer_page(&api, &api.state(), &person, found);
    if headers.contains_key(PART) {
        return page(&template.list);
    }
    page(&template)
}

/// Tells when something of the customer changes. Who may no longer read it is told once more, and sees why on the page.
pub(super) async fn follow(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    query: Result<Query<Seen>, QueryRejection>,
) -> Result<Response, Trouble> {
    let seen = query.map_err(|_| Trouble::Unreadable)?.0.seen;
    let asked = customers::asked(&id)?;
    let profile = customers::permitted(&api, &api.state(), &person.credential, asked)?;
    live::follow(&api, person.session, seen, move |state| {
        Some(revision(state, profile))
    })
}

/// Another text whenever something on the customer's page changes, or the customer has another id.
fn revision(state: &model::State, profile: ProfileId) -> String {
    let changed = state.identity.changed(profile);
    let is_here = state.identity.resolve(profile) == Some(profile);
    format!("{}.{}", changed.any.max(changed.lost), u8::from(is_here))
}

/// The front line searches first; the page says so, and not whether there is such a customer.
fn closed(state: &model::State, person: &Person) -> Result<Response, Trouble> {
    let title = super::language::Messages::of(person.view.language).say("customer-closed-title");
    let frame = Frame::new(state, person, Place::Elsewhere, title);
    page_with(StatusCode::FORBIDDEN, &ClosedPage { frame })
}

impl Asked {
    fn at(&self) -> Result<At, Trouble> {
        let cursor = |text: &str| text.parse::<Cursor>().map_err(|_| Trouble::Unreadable);
        // Newest first: what happened before an entry comes after it.
        Ok(match (&self.before, &self.after) {
            (Some(before), _) => At::After(cursor(before)?),
            (None, Some(after)) => At::Before(cursor(after)?),
            (None, None) => At::Start,
        })
    }

    fn is_choosing(&self) -> bool {
        self.why.is_some()
    }

    /// Another page of the same part.
    fn address(&self, id: &str, more: &[(&str, &str)]) -> String {
        let why = ("why", "1");
        let mut all = more.to_vec();
        all.extend(self.is_choosing().then_some(why));
        let query = self.filter.query(&all);
        let mark = if query.is_empty() { "" } else { "?" };
        format!("/customers/{id}{mark}{query}")
    }
}

fn customer_page(api: &Api, state: &model::State, person: &Person, found: Found) -> CustomerPage {
    let speech = person.speech(api, state, None);
    let id = &found.view.id;
    let name = name(&speech, &found.view);
    let title = speech.say("customer-title");
    let mut frame = Frame::new(state, person, Place::Elsewhere, title);
    frame.record = format!("/record?customer={id}");
    let reader = Reader {
        name: &person.credential.name,
        inbox: None,
        permission: Permission::Masked,
    };
    let cases = &found.cases;
    let open = cases.iter().filter(|case| case.phase.is_open());
    let open = open.map(|case| Matter {
        row: Row::new(state, &speech, case, reader),
        is_readable: state.may_read_case(&person.credential, case),
    });
    let open = open.collect();
    let may_ask = person.credential.explains() && !found.asked.is_choosing();
    CustomerPage {
        id: id.clone(),
        is_moved: found.asked.was.is_some(),
        list: List::new(state, &speech, person, &found),
        live: format!("/customers/{id}/live?seen={}", found.seen),
        noted: match &found.reason {
            None => speech.say("customer-noted"),
            Some(_) => speech.say("customer-noted-reason"),
        },
        identifiers: identifiers(&speech, &found.view.identifiers),
        references: identifiers(&speech, &found.view.references),
        first_seen: found.view.first_seen.map(|time| speech.moment(time)),
        last_seen: found.view.last_seen.map(|time| speech.moment(time)),
        standing: found.standing.clone(),
        filter: Fields::new(&speech, &found.asked.filter, cases),
        why: may_ask.then(|| found.asked.address(id, &[("why", "1")])),
        may_decide: person.credential.decides(),
        name,
        frame,
        open,
    }
}

impl List {
    fn new(state: &model::State, speech: &Speech, person: &Person, found: &Found) -> List {
        let id = &found.view.id;
        let asked = &found.asked;
        let readable = |case: CaseId| {
            let known = state.cases.get(case)?;
            state
                .may_read_case(&person.credential, known)
                .then_some(case)
        };
        let entries = found.timeline.items.iter().map(|item| match &item.what {
            What::Event(happened) => {
                Entry::of_event(speech, happened, happened.case.and_then(readable))
            }
            What::Step(step) => Entry::of_step(speech, step, readable(step.case)),
        });
        let entries: Vec<Entry> = entries.collect();
        let here = Asked {
            filter: asked.filter.clone(),
            ..Asked::default()
        };
        let at = |name: &str, cursor: Option<Cursor>| {
            let cursor = cursor?.to_string();
            Some(asked.address(id, &[(name, cursor.as_str())]))
        };
        let is_newest = asked.before.is_none() && asked.after.is_none();
        let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
        List {
            said: speech.with("customer-said", [("count", count.into())]),
            choice: asked
                .is_choosing()
                .then(|| (format!("/customers/{id}/explain"), here.address(id, &[]))),
            only: format!("/customers/{id}?matter="),
            empty: speech.say(if asked.filter.is_set() {
                "customer-filter-none"
            } else {
                "customer-no-entries"
            }),
            older: at("before", found.timeline.next),
            newer: at("after", found.timeline.previous),
            newest: (!is_newest).then(|| asked.address(id, &[])),
            speech: speech.clone(),
            entries,
        }
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
    const OURS: [(&str, &str); 10] = [
        ("customer_number", "value-customer-number"),
        ("loyalty_card", "value-loyalty-card"),
        ("email", "value-email"),
        ("phone", "value-phone"),
        ("device", "value-device"),
        ("order", "value-order"),
        ("shipment", "value-shipment"),
        ("ticket", "value-ticket"),
        ("thread", "value-thread"),
        ("receipt", "value-receipt"),
    ];
    match OURS.into_iter().find(|(ours, _)| *ours == name) {
        Some((_, key)) => speech.say(key),
        None => name
            .parse()
            .map_or_else(|_| name.to_owned(), |name| speech.label(&name)),
    }
}
