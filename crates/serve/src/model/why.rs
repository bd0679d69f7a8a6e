//! Why two events are one customer's or not, and what waits for a person to decide: the decision maker's own answers.

use event::{EventId, ProfileId, Token, link::DecisionKind};
pub(crate) use unifier::identify::{
    Cause, Why,
    explain::{Barrier, Evidence, Explanation, Hop, How},
    review::{Item, What},
};

use super::{State, decision::Asked};

/// Why two events are on one timeline, or on two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Explained {
    pub(crate) a: Side,
    pub(crate) b: Side,
    pub(crate) why: Explanation,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) event: EventId,
    pub(crate) customer: ProfileId,
    /// In order of strength.
    pub(crate) values: Vec<Token>,
    /// The value that the event follows.
    pub(crate) follows: Token,
}

/// Customers to whom a reference could be given, in what can be decided of it.
const OPTIONS_MAX: usize = 5;

impl State {
    /// Why two events are on one timeline or not; `None` when one of them is not known or on no timeline.
    pub(crate) fn explain(&self, a: EventId, b: EventId) -> Option<Explained> {
        let (a, b) = (self.side(a)?, self.side(b)?);
        let why = self.replica.explain(&a.values, &b.values);
        Some(Explained { a, b, why })
    }

    fn side(&self, event: EventId) -> Option<Side> {
        let row = self.events.get(event).filter(|row| row.place.has_page())?;
        let follows = row.route(|value| self.identity.is_out(value));
        let own = ProfileId::new(follows);
        Some(Side {
            event,
            customer: self.identity.resolve(own).unwrap_or(own),
            values: row.values.to_vec(),
            follows,
        })
    }

    /// All that waits for a person to decide, the oldest first.
    pub(crate) fn review(&self) -> Vec<Item> {
        self.replica.review()
    }

    /// What can be decided of it, the likeliest first.
    pub(crate) fn options(&self, item: &Item) -> Vec<Asked> {
        let asked = |what, one: &[Token], other: &[Token]| Asked {
            what,
            one: one.to_vec(),
            other: other.to_vec(),
            undoes: None,
        };
        match (item.what, item.values.as_slice()) {
            (What::Conflict | What::Suggestion | What::Ceiling, [one, others @ ..]) => {
                // Only what it names goes over the rules: of both customers all.
                let together = self.merge(&item.profiles).ok();
                let apart = asked(DecisionKind::Apart, &[*one], others);
                together.into_iter().chain([apart]).collect()
            }
            (What::Conflict | What::Suggestion | What::Ceiling, []) => Vec::new(),
            (What::Shared, values) => vec![
                asked(DecisionKind::Block, values, &[]),
                asked(DecisionKind::Allow, values, &[]),
            ],
            (What::Unowned, values) => {
                let customers = item.profiles.iter().take(OPTIONS_MAX);
                let owners = customers.map(|customer| [customer.token()]);
                owners
                    .map(|owner| asked(DecisionKind::Together, &owner, values))
                    .collect()
            }
        }
    }
}
