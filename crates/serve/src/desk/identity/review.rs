//! What waits for a person to decide: each with its evidence, and with what can be decided about it.

use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use event::{ProfileId, Token, access::AccessKind, link::DecisionKind};
use serde::Deserialize;

use super::{
    asked, note_reading,
    shown::{Look, Values, Who, Word},
};
use crate::{
    access::Opened,
    api::Api,
    desk::{
        page::{Frame, Person, Place, page},
        speech::{Moment, Words},
        trouble::Trouble,
    },
    model::{
        decision,
        why::{Item, What},
    },
};

#[derive(Template)]
#[template(path = "review.html")]
struct ReviewPage {
    frame: Frame,
    tabs: Vec<Tab>,
    items: Vec<Waiting>,
    first: Option<String>,
    next: Option<String>,
}

/// A link to one kind of what waits.
struct Tab {
    text: String,
    count: usize,
    address: String,
    is_here: bool,
}

/// Something that waits.
struct Waiting {
    id: Token,
    kind: String,
    since: Moment,
    asks: String,
    values: Values,
    customers: Vec<Who>,
    evidence: Vec<Word>,
    actions: Vec<Action>,
    /// Why the reader cannot decide it.
    cannot: Option<String>,
    why: Option<String>,
}

/// What can be decided.
struct Action {
    text: String,
    /// Whom it is given to.
    name: Option<Words>,
    address: String,
}

#[derive(Default, Deserialize)]
pub(crate) struct Asked {
    what: Option<String>,
    /// How many are before.
    #[serde(default)]
    from: usize,
}

const ITEMS_MAX: usize = 10;
const CUSTOMERS_MAX: usize = 4;
const EVIDENCE_MAX: usize = 3;

pub(crate) async fn review(
    State(api): State<Api>,
    person: Person,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    super::decides(&person)?;
    let asked = query.map_err(|_| Trouble::Unreadable)?.0;
    let what = match asked.what.as_deref().filter(|what| !what.is_empty()) {
        None => None,
        Some(name) => Some(
            What::ALL
                .into_iter()
                .find(|what| what.as_str() == name)
                .ok_or(Trouble::NotFound)?,
        ),
    };
    let opened = Opened::default();
    let template = {
        let state = api.state();
        let speech = person.speech(&api, &state, None);
        let look = Look {
            api: &api,
            state: &state,
            speech: &speech,
            person: &person,
            opened: &opened,
        };
        let own: Vec<Item> = state
            .review()
            .into_iter()
            .filter(|item| is_own(look, item))
            .collect();
        review_page(look, &own, what, asked.from)
    };
    note_reading(&api, &person, AccessKind::Profile, opened.customers()).await?;
    page(&template)
}

fn is_own(look: Look<'_>, item: &Item) -> bool {
    let customers = item.profiles.iter().copied();
    let caller = &look.person.credential;
    look.state
        .may_look_into(caller, &look.api.grants, customers, look.api.now())
}

fn review_page(look: Look<'_>, own: &[Item], what: Option<What>, from: usize) -> ReviewPage {
    let speech = look.speech;
    let chosen = || {
        own.iter()
            .filter(|item| what.is_none_or(|what| item.what == what))
    };
    let shown: Vec<&Item> = chosen().skip(from).take(ITEMS_MAX).collect();
    let has_more = chosen().nth(from + ITEMS_MAX).is_some();
    ReviewPage {
        frame: Frame::new(
            look.state,
            look.person,
            Place::Identity,
            speech.say("identity-title"),
        ),
        tabs: tabs(look, own, what),
        items: shown.iter().map(|item| Waiting::new(look, item)).collect(),
        first: (from > 0).then(|| address(what, 0)),
        next: has_more.then(|| address(what, from + ITEMS_MAX)),
    }
}

fn address(what: Option<What>, from: usize) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(what) = what {
        query.append_pair("what", what.as_str());
    }
    if from > 0 {
        query.append_pair("from", &from.to_string());
    }
    let query = query.finish();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("/identity/review{mark}{query}")
}

fn tabs(look: Look<'_>, own: &[Item], chosen: Option<What>) -> Vec<Tab> {
    let all = [None].into_iter().chain(What::ALL.map(Some));
    let tabs = all.map(|what| Tab {
        text: match what {
            None => look.speech.say("review-all"),
            Some(what) => look.speech.named("review-kind", what.as_str()),
        },
        count: own
            .iter()
            .filter(|item| what.is_none_or(|what| item.what == what))
            .count(),
        address: address(what, 0),
        is_here: what == chosen,
    });
    tabs.collect()
}

impl Waiting {
    fn new(look: Look<'_>, item: &Item) -> Waiting {
        let speech = look.speech;
        let name = item.what.as_str();
        let customers = item.profiles.iter().take(CUSTOMERS_MAX);
        let customers: Vec<Who> = customers.map(|customer| look.who(*customer)).collect();
        let (possible, impossible): (Vec<_>, Vec<_>) = proposals(look, item)
            .into_iter()
            .partition(|proposal| proposal.is_allowed);
        Waiting {
            id: item.id,
            kind: speech.named("review-kind", name),
            since: speech.moment(item.since),
            asks: speech.named("review-asks", name),
            values: look.values(&item.values),
            evidence: item
                .evidence
                .iter()
                .take(EVIDENCE_MAX)
                .map(|said| look.word(said))
                .collect(),
            cannot: (possible.is_empty() && !impossible.is_empty())
                .then(|| speech.say("review-not-yours")),
            actions: possible
                .into_iter()
                .map(|proposal| proposal.action)
                .collect(),
            why: why(look, item),
            customers,
        }
    }
}

/// What can be decided, and whether the reader may.
struct Possible {
    action: Action,
    is_allowed: bool,
}

fn proposals(look: Look<'_>, item: &Item) -> Vec<Possible> {
    let options = look.state.options(item);
    let mut possible: Vec<Possible> = options
        .iter()
        .map(|asked| Possible::of(look, item.what, asked))
        .collect();
    let page = |key: &str, customer: ProfileId, address: String| Possible {
        is_allowed: look.may_read(customer),
        action: Action {
            text: look.speech.say(key),
            name: None,
            address,
        },
    };
    match item.what {
        What::Conflict | What::Suggestion => {
            // What seems to connect two is often the weaker of the values: everybody's.
            let weaker = look.in_order(&item.values).into_iter().next_back();
            possible.extend(weaker.map(|weaker| Possible {
                action: Action {
                    text: look.speech.say("review-do-block-one"),
                    name: Some(look.value(weaker).text),
                    address: asked::address(&block(&[weaker])),
                },
                ..Possible::of(look, item.what, &block(&[weaker]))
            }));
        }
        What::Ceiling => {
            possible.extend(item.profiles.iter().map(|customer| {
                let address = format!("/customers/{customer}/split");
                page("review-do-split", *customer, address)
            }));
        }
        What::Unowned => {
            possible.extend(item.values.first().map(|value| {
                let alone = ProfileId::new(*value);
                let address = format!("/customers/merge?customers={alone}");
                page("review-do-give-search", alone, address)
            }));
            possible.push(Possible::of(look, item.what, &block(&item.values)));
        }
        What::Shared => {}
    }
    possible
}

fn block(values: &[Token]) -> decision::Asked {
    asked::decision(DecisionKind::Block, values, &[])
}

impl Possible {
    fn of(look: Look<'_>, waits: What, asked: &decision::Asked) -> Possible {
        let (key, name) = match (asked.what, waits) {
            (DecisionKind::Together, What::Unowned) => {
                let owner = asked.one.first().map(|token| ProfileId::new(*token));
                ("review-do-give", owner.map(|owner| look.who(owner).name))
            }
            (DecisionKind::Together, _) => ("review-do-together", None),
            (DecisionKind::Apart, _) => ("review-do-apart", None),
            (DecisionKind::Block, _) => ("review-do-block", None),
            (DecisionKind::Allow, _) => ("review-do-allow", None),
            (DecisionKind::Undo | DecisionKind::Unknown, _) => ("decision-do-undo", None),
        };
        let caller = &look.person.credential;
        Possible {
            is_allowed: look
                .state
                .may_decide(caller, &look.api.grants, asked, look.api.now()),
            action: Action {
                text: look.speech.say(key),
                name,
                address: asked::address(asked),
            },
        }
    }
}

/// Why two customers are apart although something speaks for them being one: by an event of each.
fn why(look: Look<'_>, item: &Item) -> Option<String> {
    let [one, other] = item.profiles.as_slice() else {
        return None;
    };
    let is_open = look.may_read(*one) && look.may_read(*other);
    let event_of = |customer: ProfileId| {
        let customer = look.state.customer(customer);
        customer
            .latest
            .first()
            .map(|bytes| crate::personal::event(bytes).id)
    };
    let (a, b) = (event_of(*one)?, event_of(*other)?);
    is_open.then(|| format!("/identity/explain?a={a}&b={b}"))
}
