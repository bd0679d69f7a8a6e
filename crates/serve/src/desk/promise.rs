//! Something that was promised to a customer, as pages show it.

use event::Name;
use unifier::unify::profile::figures::{self, Outcome};

use super::{
    entry::what_promised,
    speech::{Moment, Speech, Words},
};

pub(super) struct Promised {
    pub(super) what: String,
    pub(super) words: Option<Words>,
    pub(super) keeper: Option<String>,
    pub(super) due: Option<Moment>,
    pub(super) state: String,
    /// How the state is marked.
    pub(super) tone: &'static str,
}

impl Promised {
    /// What the timeline knows of it; what the company says to everybody in its own words.
    pub(super) fn of(speech: &Speech, promised: &figures::Promised) -> Promised {
        let what = said_to_all(speech, &promised.what).filter(|_| promised.id.is_none());
        let what = what.unwrap_or_else(|| what_promised(speech, &promised.what));
        let (state, tone) = match promised.outcome {
            Outcome::Open => ("promise-open", "soon"),
            Outcome::Kept => ("promise-kept", "good"),
            Outcome::Broken => ("promise-broken", "bad"),
            Outcome::Withdrawn => ("promise-withdrawn", ""),
        };
        let keeper = promised.keeper.as_ref();
        Promised {
            what: Speech::sentence(&what),
            words: None,
            keeper: keeper.map(|keeper| speech.department(keeper)),
            due: promised.due.map(|due| speech.moment(due)),
            state: speech.say(state),
            tone,
        }
    }
}

fn said_to_all(speech: &Speech, name: &Name) -> Option<String> {
    let said = &speech.company().promises.get(name)?.said;
    (!said.is_empty()).then(|| said.clone())
}
