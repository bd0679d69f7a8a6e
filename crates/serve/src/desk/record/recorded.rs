//! After it was saved: where it is now. The page waits a moment until the matter is somewhere.

use std::time::Duration;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use event::{EventId, Kind, ProfileId};
use tokio::time::timeout;

use crate::{
    api::Api,
    desk::{
        page::{Frame, Person, Place, page},
        trouble::Trouble,
    },
    model, personal,
};

#[derive(Template)]
#[template(path = "recorded.html")]
struct RecordedPage {
    frame: Frame,
    /// "Se on nyt osastolla Kuljetukset."
    said: String,
    case: Option<String>,
    customer: Option<String>,
    /// It is on its way still: the page can be asked again.
    is_pending: bool,
}

/// As long as a person waits without wondering.
const WAIT: Duration = Duration::from_secs(2);

pub(in crate::desk) async fn recorded(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let id: EventId = id.parse().map_err(|_| Trouble::NotFound)?;
    let mut applied = api.model.applied();
    let settled = async {
        loop {
            applied.mark_unchanged();
            if is_settled(&api.state(), id) || applied.changed().await.is_err() {
                return;
            }
        }
    };
    let _came_in_time = timeout(WAIT, settled).await.is_ok();
    let template = recorded_page(&api, &api.state(), &person, id)?;
    page(&template)
}

/// Whether what is to become of it can be seen: its place on a timeline, and of a complaint the case.
fn is_settled(state: &model::State, id: EventId) -> bool {
    let Some(row) = state.events.get(id) else {
        return false;
    };
    let event = personal::event(&row.bytes);
    if event.values.is_empty() {
        return true;
    }
    match event.kind {
        Kind::Complaint => case_of(state, id).is_some(),
        Kind::Feedback | Kind::Service | Kind::Unknown => state.annotations.note(id).is_some(),
    }
}

fn case_of(state: &model::State, id: EventId) -> Option<&event::case::State> {
    let note = state.annotations.note(id)?;
    let case = state.cases.of_matter(note.matter).or(note.case)?;
    state.cases.get(case)
}

fn recorded_page(
    api: &Api,
    state: &model::State,
    person: &Person,
    id: EventId,
) -> Result<RecordedPage, Trouble> {
    let speech = person.speech(api, state, None);
    let mut frame = Frame::new(state, person, Place::Record, speech.say("recorded-title"));
    let Some(row) = state.events.get(id) else {
        return Ok(RecordedPage {
            said: speech.say("recorded-on-its-way"),
            case: None,
            customer: None,
            is_pending: true,
            frame,
        });
    };
    let event = personal::event(&row.bytes);
    if event.recorded_by.as_ref() != Some(&person.credential.name) {
        return Err(Trouble::NotFound);
    }
    let case = case_of(state, id);
    let said = match case {
        Some(case) => {
            let department = speech.department(&case.owner);
            speech.with("recorded-at", [("department", department.into())])
        }
        None if event.values.is_empty() => speech.say("recorded-for-nobody"),
        None => speech.say("recorded-on-the-timeline"),
    };
    let profile = event
        .values
        .first()
        .map(|value| ProfileId::new(value.token));
    let profile = profile.and_then(|profile| state.identity.resolve(profile));
    let may_read = |profile: &ProfileId| {
        state.may_read_customer(&person.credential, &api.grants, *profile, api.now())
    };
    let customer = profile.filter(may_read);
    if let Some(customer) = customer {
        frame.record = format!("/record?customer={customer}");
    }
    Ok(RecordedPage {
        case: case
            .filter(|case| state.may_read_case(&person.credential, case))
            .map(|case| format!("/cases/{}", case.case)),
        customer: customer.map(|customer| format!("/customers/{customer}")),
        is_pending: !is_settled(state, id),
        said,
        frame,
    })
}
