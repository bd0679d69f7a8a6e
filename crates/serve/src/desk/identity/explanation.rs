//! Why two events are on one timeline, fact by fact, or what keeps them apart.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use event::{EventId, ProfileId, Token, access::AccessKind};

use super::{
    asked::Pairs,
    note_reading,
    shown::{Evidence, Look, Values, Word},
};
use crate::{
    access::Opened,
    api::{Api, Path, customers},
    desk::{
        page::{Frame, Person, Place, page, see},
        trouble::Trouble,
    },
    model::why::{self, Barrier, Cause, Explained, Explanation, Hop, How, Side, Why},
};

#[derive(Template)]
#[template(path = "explanation.html")]
struct ExplanationPage {
    frame: Frame,
    back: String,
    events: Vec<Evidence>,
    chain: Option<Chain>,
    barriers: Option<Vec<Said>>,
    /// Where somebody who knows better goes.
    wrong: Option<(String, String)>,
}

/// From what the one event follows to what the other does.
struct Chain {
    start: Values,
    hops: Vec<Step>,
}

struct Step {
    text: String,
    to: Values,
    word: Option<Word>,
}

/// Something that keeps two apart.
struct Said {
    text: String,
    values: Values,
    word: Option<Word>,
}

/// Of two entries of a customer's timeline.
pub(crate) async fn explain(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Trouble> {
    let asked = customers::asked(&id)?;
    may_ask(&person)?;
    let customer = {
        let state = api.state();
        customers::permitted(&api, &state, &person.credential, asked)?
    };
    match two(query.as_deref())? {
        Some((a, b)) => show(&api, &person, Some(customer), a, b).await,
        // Nothing was chosen, or only one: back to where that is done.
        None => Ok(see(&format!("/customers/{customer}?why=1"))),
    }
}

/// Of any two events.
pub(crate) async fn explain_any(
    State(api): State<Api>,
    person: Person,
    RawQuery(query): RawQuery,
) -> Result<Response, Trouble> {
    may_ask(&person)?;
    let (a, b) = two(query.as_deref())?.ok_or(Trouble::Unreadable)?;
    show(&api, &person, None, a, b).await
}

fn may_ask(person: &Person) -> Result<(), Trouble> {
    if person.credential.explains() {
        Ok(())
    } else {
        Err(Trouble::Forbidden)
    }
}

/// Two different events: `a` and `b`, or two boxes that were ticked.
fn two(query: Option<&str>) -> Result<Option<(EventId, EventId)>, Trouble> {
    let pairs = Pairs::of_query(query);
    let mut ids: Vec<EventId> = Vec::new();
    for name in ["a", "b", "of"] {
        ids.extend(pairs.ids::<EventId>(name)?);
    }
    ids.dedup();
    Ok(match ids.as_slice() {
        [a, b] => Some((*a, *b)),
        _ => None,
    })
}

async fn show(
    api: &Api,
    person: &Person,
    from: Option<ProfileId>,
    a: EventId,
    b: EventId,
) -> Result<Response, Trouble> {
    let opened = Opened::default();
    let (template, read) = {
        let state = api.state();
        let speech = person.speech(api, &state, None);
        let look = Look {
            api,
            state: &state,
            speech: &speech,
            person,
            opened: &opened,
        };
        let explained = state.explain(a, b);
        let sides = explained.iter().flat_map(|found| [&found.a, &found.b]);
        // Whether there is such an event is not told to who may not read its customer.
        if !sides.clone().all(|side| look.may_read(side.customer)) {
            return Err(Trouble::Forbidden);
        }
        let read: Vec<ProfileId> = sides.map(|side| side.customer).collect();
        let explained = explained.ok_or(Trouble::NotFound)?;
        let from = from.unwrap_or(explained.a.customer);
        (ExplanationPage::new(look, from, &explained), read)
    };
    let others = opened.customers().into_iter();
    let others = others.filter(|other| !read.contains(other));
    note_reading(api, person, AccessKind::Profile, others).await?;
    note_reading(api, person, AccessKind::Timeline, read).await?;
    page(&template)
}

impl ExplanationPage {
    fn new(look: Look<'_>, from: ProfileId, explained: &Explained) -> ExplanationPage {
        let speech = look.speech;
        let (a, b) = (&explained.a, &explained.b);
        let events = [a, b].into_iter();
        let (title, chain, barriers) = match &explained.why {
            Explanation::Together { chain, .. } => {
                let chain = Chain {
                    start: look.values(&[a.follows]),
                    hops: chain.iter().map(|hop| step(look, hop)).collect(),
                };
                ("explain-title-together", Some(chain), None)
            }
            Explanation::Apart { because, .. } => {
                let said = because.iter().map(|barrier| said(look, barrier));
                ("explain-title-apart", None, Some(said.collect()))
            }
        };
        let title = speech.say(title);
        ExplanationPage {
            frame: Frame::new(look.state, look.person, Place::Elsewhere, title),
            back: format!("/customers/{from}"),
            events: events
                .filter_map(|side| look.evidence(side.event))
                .collect(),
            wrong: wrong(look, from, explained),
            chain,
            barriers,
        }
    }
}

/// What a person can decide about it.
fn wrong(look: Look<'_>, from: ProfileId, explained: &Explained) -> Option<(String, String)> {
    if !look.person.credential.decides() {
        return None;
    }
    let (a, b) = (&explained.a, &explained.b);
    Some(match explained.why {
        Explanation::Together { .. } => {
            let leave = leaving(look, a, b).into_iter();
            let leave: Vec<String> = leave
                .map(|token| format!("leave={}", ProfileId::new(token)))
                .collect();
            let mark = if leave.is_empty() { "" } else { "?" };
            let address = format!("/customers/{from}/split{mark}{}", leave.join("&"));
            (address, look.speech.say("explain-wrong"))
        }
        Explanation::Apart { .. } => {
            let (a, b) = (a.customer, b.customer);
            let address = format!("/customers/merge?customers={a}&customers={b}");
            (address, look.speech.say("explain-wrong-apart"))
        }
    })
}

/// What the second event names and the first does not: likely somebody else's.
fn leaving(look: Look<'_>, a: &Side, b: &Side) -> Vec<Token> {
    let own = b.values.iter().copied();
    own.filter(|token| !a.values.contains(token))
        .filter(|token| {
            let known = look.state.identity.get(*token);
            known.is_some_and(|known| known.value.is_identifier() && !known.out)
        })
        .collect()
}

fn step(look: Look<'_>, hop: &Hop) -> Step {
    let is_reference = |token: Token| {
        let known = look.state.identity.get(token);
        known.is_some_and(|known| !known.value.is_identifier())
    };
    let key = match (&hop.evidence, hop.how) {
        (why::Evidence::Decision { .. }, _) => "explain-decided",
        (why::Evidence::Event { .. }, How::Named) => "explain-set",
        (why::Evidence::Event { .. }, How::Beside) => "explain-beside",
        // A reference is somebody's, and somebody has it.
        (why::Evidence::Event { .. }, How::Adopted | How::Kept) => {
            if is_reference(hop.other) {
                "explain-has"
            } else {
                "explain-adopted"
            }
        }
    };
    Step {
        text: look.speech.say(key),
        to: look.values(&[hop.other]),
        word: Some(look.word(&hop.evidence)),
    }
}

fn said(look: Look<'_>, barrier: &Barrier) -> Said {
    let speech = look.speech;
    let said = |text: String, values: &[Token], word: Option<Word>| Said {
        text,
        values: look.values(values),
        word,
    };
    match barrier {
        Barrier::Out { value, cause } => match cause {
            Cause::Rule => said(speech.say("explain-out-rule"), &[*value], None),
            Cause::Decision(id) => {
                let text = speech.say("explain-out-decision");
                said(text, &[*value], look.decided(*id))
            }
            Cause::Limit { limit, seen, kind } => {
                let kind = crate::desk::customer::kind(speech, kind.as_str());
                let values = [
                    ("count", (*seen).into()),
                    ("kind", kind.into()),
                    ("limit", (*limit).into()),
                ];
                said(speech.with("explain-out-limit", values), &[*value], None)
            }
        },
        Barrier::Refused {
            one,
            other,
            why,
            evidence,
        } => {
            let text = speech.say(refusal(*why));
            said(text, &[*one, *other], Some(look.word(evidence)))
        }
        Barrier::Apart {
            one,
            other,
            evidence,
        } => {
            let text = speech.say("explain-apart");
            said(text, &[*one, *other], Some(look.word(evidence)))
        }
        Barrier::Reference { reference, .. } => {
            said(speech.say("explain-reference"), &[*reference], None)
        }
        Barrier::Unlinked => said(speech.say("explain-nothing"), &[], None),
    }
}

const fn refusal(why: Why) -> &'static str {
    match why {
        Why::Apart => "explain-refused-apart",
        Why::Exclusive => "explain-refused-exclusive",
        Why::Identifiers | Why::Merges => "explain-refused-ceiling",
        Why::Untrusted => "explain-refused-untrusted",
    }
}
