//! Two people on one page: what belongs to the other one is chosen, and what would move is shown.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use event::{ProfileId, Token, access::AccessKind};

use super::{
    asked::Pairs,
    decide::tried,
    note_reading,
    proposal::{Proposal, Tried},
    shown::{Look, Value},
};
use crate::{
    access::Opened,
    api::{Api, Path, customers},
    desk::{
        page::{Frame, Person, Place, page, see},
        trouble::Trouble,
    },
};

#[derive(Template)]
#[template(path = "split.html")]
struct SplitPage {
    frame: Frame,
    here: String,
    back: String,
    choices: Vec<Choice>,
    /// What is wrong with what was chosen.
    fault: Option<String>,
    proposal: Option<Proposal>,
}

/// An identifier that may be somebody else's.
struct Choice {
    id: ProfileId,
    value: Value,
    is_chosen: bool,
}

pub(crate) async fn split(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Trouble> {
    super::decides(&person)?;
    let asked = customers::asked(&id)?;
    let leave: Vec<ProfileId> = Pairs::of_query(query.as_deref()).ids("leave")?;
    let leave: Vec<Token> = leave.into_iter().map(|id| id.token()).collect();
    let (customer, chosen) = {
        let state = api.state();
        let customer = customers::permitted(&api, &state, &person.credential, asked)?;
        let chosen = (!leave.is_empty()).then(|| state.split(customer, &leave));
        (customer, chosen)
    };
    if customer != asked {
        return Ok(see(&format!("/customers/{customer}/split")));
    }
    let (fault, proposed) = match chosen {
        None => (None, None),
        Some(Err(_)) => (Some("split-none"), None),
        Some(Ok(asked)) => {
            let trial = tried(&api, &person, &asked)?;
            (None, Some((asked, trial)))
        }
    };
    let opened = Opened::default();
    let chosen = (leave.as_slice(), fault, proposed);
    let template = split_page(&api, &person, customer, chosen, &opened);
    note_reading(&api, &person, AccessKind::Profile, opened.customers()).await?;
    page(&template)
}

fn split_page(
    api: &Api,
    person: &Person,
    customer: ProfileId,
    (leave, fault, proposed): (&[Token], Option<&'static str>, Option<Tried>),
    opened: &Opened,
) -> SplitPage {
    let state = api.state();
    let speech = person.speech(api, &state, None);
    let look = Look {
        api,
        state: &state,
        speech: &speech,
        person,
        opened,
    };
    let tokens: Vec<Token> = state
        .identity
        .tokens(customer)
        .into_iter()
        .filter(|token| {
            let known = state.identity.get(*token);
            known.is_some_and(|known| known.value.is_identifier() && !known.out)
        })
        .collect();
    let choices = look.in_order(&tokens).into_iter().map(|token| Choice {
        id: ProfileId::new(token),
        value: look.value(token),
        is_chosen: leave.contains(&token),
    });
    let back = format!("/customers/{customer}");
    SplitPage {
        frame: Frame::new(&state, person, Place::Elsewhere, speech.say("split-title")),
        here: format!("/customers/{customer}/split"),
        choices: choices.collect(),
        fault: fault.map(|key| speech.say(key)),
        proposal: proposed.map(|(asked, trial)| Proposal::new(look, &asked, &trial, back.clone())),
        back,
    }
}
