//! Something that was promised to a customer, as pages show it.

use event::{DepartmentId, Name, Time};
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
    pub(super) fn new(
        speech: &Speech,
        what: &str,
        keeper: Option<&DepartmentId>,
        due: Option<Time>,
        (key, tone): (&str, &'static str),
    ) -> Promised {
        Promised {
            what: Speech::sentence(what),
            words: None,
            keeper: keeper.map(|keeper| speech.department(keeper)),
            due: due.map(|due| speech.moment(due)),
            state: speech.say(key),
            tone,
        }
    }

    /// What the timeline knows of it; what the company says to everybody in its own words.
    pub(super) fn of(speech: &Speech, promised: &figures::Promised) -> Promised {
        let what = said_to_all(speech, &promised.what).filter(|_| promised.is_standing);
        let what = what.unwrap_or_else(|| what_promised(speech, &promised.what));
        let state = match promised.outcome {
            Outcome::Open => ("promise-open", "soon"),
            Outcome::Kept => ("promise-kept", "good"),
            Outcome::Broken => ("promise-broken", "bad"),
            Outcome::Withdrawn => ("promise-withdrawn", ""),
        };
        let keeper = promised.keeper.as_ref();
        Promised::new(speech, &what, keeper, promised.due, state)
    }
}

fn said_to_all(speech: &Speech, name: &Name) -> Option<String> {
    let said = &speech.company().promises.get(name)?.said;
    (!said.is_empty()).then(|| said.clone())
}
