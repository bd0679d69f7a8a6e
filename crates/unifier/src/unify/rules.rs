//! What `unify` needs of the company's rules.

use event::{
    Class, Company, Token, Value,
    rules::{CaseRules, Matters},
};
use machine::Outcome;
use serde::{Deserialize, Serialize};

use super::{
    queue::{self, Work},
    row::{Key, Row},
    turn::Turn,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    pub version: u64,
    /// In order.
    pub blocked: Vec<Token>,
    pub matters: Matters,
    pub cases: CaseRules,
}

impl Rules {
    pub fn of(company: &Company) -> Self {
        let mut blocked = company.blocked.clone();
        blocked.sort_unstable();
        blocked.dedup();
        Self {
            version: company.version,
            blocked,
            matters: company.matters.clone(),
            cases: company.cases.clone(),
        }
    }

    /// What an event follows: its strongest value that is not out, else its anchor.
    pub(super) fn route(&self, values: &[Value], anchor: Token) -> Token {
        values
            .iter()
            .find(|value| !self.is_out(value.token))
            .map_or(anchor, |value| value.token)
    }

    /// What an event is about, if it says so.
    pub(super) fn reference(&self, values: &[Value]) -> Option<Token> {
        values
            .iter()
            .find(|value| value.class == Class::Reference && !self.is_out(value.token))
            .map(|value| value.token)
    }

    fn is_out(&self, token: Token) -> bool {
        self.blocked.binary_search(&token).is_ok()
    }
}

/// Takes newer rules. The digests at rest here choose their routes again: also where the same values are out as before, since
/// some may have come from a partition that knew rules between the two.
pub(super) fn learn(turn: &mut Turn<'_, '_>, company: &Company) -> Outcome {
    if turn.state.contains(&Key::Rules) && company.version <= turn.rules().version {
        return Outcome::Stale;
    }
    let rules = Rules::of(company);
    turn.state.put(Key::Rules, Row::Rules(Box::new(rules)));
    queue::run(turn, Work::reroute_all());
    Outcome::Applied
}
