//! What a customer's timeline adds up to, by the unifier's own fold over what stands on the page.

use event::ProfileId;
use unifier::unify::profile::figures::{Fact, Profile, StepFact};

use super::{State, page::What};

impl State {
    /// The profile's state. What the unifier has not placed yet is no part of it.
    pub(crate) fn profile(&self, profile: ProfileId) -> Profile {
        let (mut facts, mut steps) = (Vec::new(), Vec::new());
        for item in self.everything(profile) {
            match item.what {
                What::Step(step) => steps.push(StepFact::from(&step)),
                What::Event(happened) => {
                    let Some(note) = happened.note else { continue };
                    let event = crate::personal::event(&happened.bytes);
                    let references = event.values.iter().filter(|value| {
                        !value.is_identifier() && !self.identity.is_out(value.token)
                    });
                    facts.push(Fact {
                        event: event.id,
                        revision: event.revision,
                        withdrawn: false,
                        time: event.time,
                        kind: event.kind,
                        name: event.name,
                        channel: event.channel,
                        matter: note.matter,
                        references: references.map(|value| value.token).collect(),
                        case: happened.case,
                        party: note.party,
                        stage: note.stage,
                        score: event.score,
                        promise: event.promise,
                    });
                }
            }
        }
        Profile::of(&self.companies.current(), facts, steps)
    }
}
