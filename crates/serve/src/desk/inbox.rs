//! A department's inbox: what waits for it, the most urgent first, live.

mod show;

use std::collections::BTreeSet;

use askama::Template;
use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::HeaderMap,
    response::Response,
};
use event::{
    DepartmentId, Millis, Name, Time,
    case::{Phase, State as CaseState},
    notice::{Notice, Why},
};
use serde::Deserialize;

use self::show::Show;
use super::{
    live,
    page::{Frame, Person, Place, page},
    promise::Promised,
    row::{Reader, Row},
    speech::{Moment, Speech},
    trouble::Trouble,
};
use crate::{
    api::{Api, departments},
    model::{self, page::Cursor, promised::ToKeep},
    personal::Permission,
};

#[derive(Deserialize)]
pub(super) struct Asked {
    unit: Option<String>,
    show: Option<String>,
    /// The last row of the page before.
    after: Option<String>,
}

const ROWS_MAX: usize = 50;
/// Of thanks, the latest.
const PRAISE_MAX: usize = 100;
/// What was resolved longer ago is found by its customer.
const LATELY: Millis = Millis::from_days(7);

#[derive(Template)]
#[template(path = "inbox.html")]
struct InboxPage {
    frame: Frame,
    list: List,
    departments: Vec<Tab>,
    units: Vec<Tab>,
    live: String,
}

/// The part of the page that is shown anew when something changes.
#[derive(Template)]
#[template(path = "inbox_list.html")]
struct List {
    /// What is said of the list when it changes.
    said: String,
    /// Where the list is, for who has no script.
    here: String,
    refresh: String,
    tabs_name: String,
    tabs: Vec<Tab>,
    heading: String,
    rows: Vec<RowView>,
    promises: Vec<Kept>,
    praise: Vec<Praise>,
    promise_due: String,
    empty: String,
    next: Option<(String, String)>,
}

struct Tab {
    id: String,
    text: String,
    count: Option<usize>,
    address: String,
    is_here: bool,
}

/// A row with the words around its values.
struct RowView {
    row: Row,
    waited: String,
    waiting_on: Option<String>,
    severe: Option<String>,
    proposed: Option<String>,
    resolved: Option<String>,
}

/// A promise to keep, and where the customer is.
struct Kept {
    promised: Promised,
    customer: String,
}

struct Praise {
    what: String,
    details: String,
    time: Moment,
    case: Option<String>,
}

/// What the inbox is of, and what of it is asked for.
struct Inbox {
    department: DepartmentId,
    unit: Option<Name>,
    show: Show,
    after: Option<Cursor>,
}

/// A case with its place in the order.
struct Placed<'a> {
    case: &'a CaseState,
    shows: BTreeSet<Show>,
}

pub(super) async fn inbox(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    query: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let asked = query.map_err(|_| Trouble::Unreadable)?.0;
    let state = api.state();
    let inbox = Inbox::asked(&state, &person, &id, &asked)?;
    let speech = person.speech(&api, &state, Some(&inbox.department));
    let list = inbox.list(&state, &speech, &person);
    if headers.contains_key(PART) {
        return page(&list);
    }
    let title = inbox.title(&speech);
    let seen = revision(&state, &inbox.department);
    let departments = inbox.departments(&state, &speech, &person);
    let units = inbox.units(&speech, &person);
    page(&InboxPage {
        list,
        departments,
        units,
        live: format!("/inbox/{}/live?seen={seen}", inbox.department),
        frame: Frame::new(&state, &person, Place::Inbox, title),
    })
}

/// A script asks by this header for the list alone.
pub(super) const PART: &str = "polku-part";

#[derive(Deserialize)]
pub(super) struct Seen {
    #[serde(default)]
    pub(super) seen: String,
}

/// Tells when the inbox changes.
pub(super) async fn follow(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    query: Result<Query<Seen>, QueryRejection>,
) -> Result<Response, Trouble> {
    let seen = query.map_err(|_| Trouble::Unreadable)?.0.seen;
    let department = departments::permitted(&api.state(), &person.credential, &id)?;
    live::follow(&api, person.session, seen, move |state| {
        Some(revision(state, &department))
    })
}

/// Another text whenever a case or a notice of the department changes.
fn revision(state: &model::State, department: &DepartmentId) -> String {
    let notices = state.notices.watch(department);
    let notices = notices.map_or(0, |next| next.borrow().0);
    format!("{}.{notices}", state.cases.revision(department))
}

impl Inbox {
    fn asked(
        state: &model::State,
        person: &Person,
        id: &str,
        asked: &Asked,
    ) -> Result<Inbox, Trouble> {
        let department = departments::permitted(state, &person.credential, id)?;
        let company = state.companies.current();
        let unit = match asked.unit.as_deref().filter(|unit| !unit.is_empty()) {
            None => None,
            Some(unit) => {
                let unit = Name::new(unit).map_err(|_| Trouble::NotFound)?;
                let known = company.departments.get(&department);
                if !known.is_some_and(|known| known.units.contains_key(&unit)) {
                    return Err(Trouble::NotFound);
                }
                if !person.credential.acts_for_unit(Some(&unit)) {
                    return Err(Trouble::Forbidden);
                }
                Some(unit)
            }
        };
        Ok(Inbox {
            department,
            unit,
            show: Show::of(asked.show.as_deref()).ok_or(Trouble::NotFound)?,
            after: match asked.after.as_deref() {
                None => None,
                Some(after) => Some(after.parse().map_err(|_| Trouble::Unreadable)?),
            },
        })
    }

    fn title(&self, speech: &Speech) -> String {
        let department = speech.department(&self.department);
        match &self.unit {
            None => department,
            Some(unit) => format!(
                "{department}: {}",
                unit_name(speech, &self.department, unit)
            ),
        }
    }

    fn address(&self, show: Show, unit: Option<&Name>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(unit) = unit {
            query.append_pair("unit", unit.as_str());
        }
        if show != Show::All {
            query.append_pair("show", show.as_str());
        }
        let query = query.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("/inbox/{}{mark}{query}", self.department)
    }

    fn departments(&self, state: &model::State, speech: &Speech, person: &Person) -> Vec<Tab> {
        let departments = person.departments(state);
        if departments.len() < 2 {
            return Vec::new();
        }
        let tab = |id: DepartmentId| Tab {
            id: format!("department-{id}"),
            text: speech.department(&id),
            count: None,
            is_here: id == self.department,
            address: format!("/inbox/{id}"),
        };
        departments.into_iter().map(tab).collect()
    }

    /// The units whose inboxes the person reads, and all of them together.
    fn units(&self, speech: &Speech, person: &Person) -> Vec<Tab> {
        let known = speech.company().departments.get(&self.department);
        let units = known.into_iter().flat_map(|known| known.units.keys());
        let mine = units.filter(|unit| person.credential.acts_for_unit(Some(unit)));
        let tabs: Vec<Tab> = mine
            .map(|unit| Tab {
                id: format!("unit-{unit}"),
                text: unit_name(speech, &self.department, unit),
                count: None,
                address: self.address(Show::All, Some(unit)),
                is_here: self.unit.as_ref() == Some(unit),
            })
            .collect();
        if tabs.is_empty() {
            return tabs;
        }
        let all = Tab {
            id: "unit-all".to_owned(),
            text: speech.say("inbox-all-units"),
            count: None,
            address: self.address(Show::All, None),
            is_here: self.unit.is_none(),
        };
        std::iter::once(all).chain(tabs).collect()
    }

    fn list(&self, state: &model::State, speech: &Speech, person: &Person) -> List {
        let cases = self.cases(state, person, speech.now);
        let praise = self.praise(state, person);
        let promises = self.promises(state, person, speech.now);
        let count = |show: Show| match show {
            Show::Praise => praise.len(),
            Show::Promises => promises.len(),
            Show::All
            | Show::New
            | Show::DueSoon
            | Show::Overdue
            | Show::Mine
            | Show::Unclaimed
            | Show::Waiting
            | Show::Offered
            | Show::Resolved
            | Show::Dormant => {
                let of_it = cases.iter().filter(|placed| placed.shows.contains(&show));
                of_it.count()
            }
        };
        let tabs: Vec<Tab> = Show::EVERY
            .into_iter()
            .map(|show| Tab {
                id: format!("show-{}", show.as_str()),
                text: speech.named("show", show.as_str()),
                count: Some(count(show)),
                address: self.address(show, self.unit.as_ref()),
                is_here: show == self.show,
            })
            .collect();
        let here = self.address(self.show, self.unit.as_ref());
        let (rows, last) = self.rows(state, speech, person, &cases);
        let separator = if here.contains('?') { '&' } else { '?' };
        let next = last.map(|last| {
            let address = format!("{here}{separator}after={last}");
            (address, speech.say("inbox-next"))
        });
        let shown = [("count", count(self.show).into())];
        List {
            said: speech.with("inbox-said", shown),
            refresh: speech.say("inbox-refresh"),
            tabs_name: speech.say("inbox-tabs"),
            heading: speech.named("show", self.show.as_str()),
            tabs,
            rows,
            promises: if self.show == Show::Promises {
                let shown = promises.iter().map(|to_keep| Kept {
                    promised: Promised::of(speech, &to_keep.promised),
                    customer: format!("/customers/{}", to_keep.customer),
                });
                shown.collect()
            } else {
                Vec::new()
            },
            praise: if self.show == Show::Praise {
                thanks(state, speech, person, &praise)
            } else {
                Vec::new()
            },
            promise_due: speech.say("case-promise-due"),
            empty: speech.named("inbox-empty", self.show.as_str()),
            next,
            here,
        }
    }

    /// The cases that some list of this inbox shows.
    fn cases<'a>(&self, state: &'a model::State, person: &Person, now: Time) -> Vec<Placed<'a>> {
        let owned = |phase| state.cases.owned(&self.department, phase);
        let lately = |case: &&CaseState| case.resolved.is_some_and(|at| now - at <= LATELY);
        owned(Phase::Open)
            .chain(owned(Phase::Acknowledged))
            .chain(state.cases.offered(&self.department))
            .chain(owned(Phase::Resolved).filter(lately))
            .filter(|case| self.has_unit_of(state, person, case))
            .map(|case| Placed {
                case,
                shows: self.shows(state, person, case, now),
            })
            .collect()
    }

    fn has_unit_of(&self, state: &model::State, person: &Person, case: &CaseState) -> bool {
        self.is_asked(person, state.unit_in(&self.department, case))
    }

    /// The rows of this page, and where the next one begins.
    fn rows(
        &self,
        state: &model::State,
        speech: &Speech,
        person: &Person,
        cases: &[Placed<'_>],
    ) -> (Vec<RowView>, Option<Cursor>) {
        let mut placed: Vec<(Cursor, &CaseState)> = cases
            .iter()
            .filter(|placed| placed.shows.contains(&self.show))
            .map(|placed| (self.place(state, placed.case, speech.now), placed.case))
            .collect();
        placed.sort_unstable_by_key(|(place, _)| *place);
        placed.dedup_by_key(|(place, _)| *place);
        placed.retain(|(place, _)| self.after.is_none_or(|after| *place > after));
        let has_more = placed.len() > ROWS_MAX;
        placed.truncate(ROWS_MAX);
        let last = placed.last().map(|(place, _)| *place);
        let reader = Reader {
            name: &person.credential.name,
            inbox: Some(&self.department),
            permission: Permission::Open,
        };
        let rows = placed
            .into_iter()
            .map(|(_, case)| RowView::new(speech, Row::new(state, speech, case, reader)))
            .collect();
        (rows, last.filter(|_| has_more))
    }

    fn promises(&self, state: &model::State, person: &Person, now: Time) -> Vec<ToKeep> {
        let mut promises = state.to_keep(&self.department, now);
        promises.retain(|to_keep| self.is_asked(person, to_keep.unit.as_ref()));
        promises
    }

    /// Whether something of this part of the department is shown here.
    fn is_asked(&self, person: &Person, unit: Option<&Name>) -> bool {
        person.credential.acts_for_unit(unit)
            && self.unit.as_ref().is_none_or(|asked| unit == Some(asked))
    }

    fn praise<'a>(&self, state: &'a model::State, person: &Person) -> Vec<&'a Notice> {
        let latest = state.notices.latest(&self.department, Why::Praise);
        latest
            .filter(|notice| self.is_asked(person, notice.unit.as_ref()))
            .take(PRAISE_MAX)
            .collect()
    }
}

impl RowView {
    fn new(speech: &Speech, row: Row) -> RowView {
        let if_so = |is: bool, key: &str| is.then(|| speech.say(key));
        RowView {
            waited: speech.say("row-waited"),
            waiting_on: row
                .waiting_on
                .as_ref()
                .map(|party| speech.with("row-waiting-on", [("party", party.as_str().into())])),
            severe: if_so(row.is_severe, "row-severe"),
            proposed: if_so(row.is_proposed, "row-proposed"),
            resolved: if_so(row.resolved.is_some(), "row-resolved"),
            row,
        }
    }
}

fn unit_name(speech: &Speech, department: &DepartmentId, unit: &Name) -> String {
    let known = speech.company().departments.get(department);
    match known.and_then(|known| known.units.get(unit)) {
        Some(known) if !known.name.is_empty() => known.name.clone(),
        Some(_) | None => speech.label(unit),
    }
}

fn thanks(
    state: &model::State,
    speech: &Speech,
    person: &Person,
    praise: &[&Notice],
) -> Vec<Praise> {
    let view = |notice: &&Notice| {
        let case = state.cases.get(notice.case);
        let case = case.filter(|case| state.may_read_case(&person.credential, case));
        let mut details: Vec<String> = [&notice.place, &notice.party]
            .into_iter()
            .flatten()
            .map(|name| speech.label(name))
            .collect();
        let channels = notice.channels.iter();
        details.extend(channels.map(|channel| speech.named("channel", channel.as_str())));
        Praise {
            what: Speech::sentence(&speech.label(&notice.what)),
            details: details.join(" · "),
            time: speech.moment(notice.time),
            case: case.map(|case| format!("/cases/{}", case.case)),
        }
    };
    praise.iter().map(view).collect()
}
