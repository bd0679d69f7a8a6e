//! Who is who after a sequence of links, as one slow batch program over plain maps. It shares no code with the machines.
//!
//! Sets, renewals, withdrawals and the passing of time are gone through in order, since age makes a set lose what nobody named for
//! long. Everything else is computed from what is left at the end: what is out, who hangs together, whose the references are.

mod history;
mod present;

use std::collections::BTreeMap;

use event::{CaseId, MatterId, ProfileId, Token, Value, link::Link};

use self::{history::History, present::Present};

/// Who everybody is.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) values: BTreeMap<Token, Owned>,
    /// How many values left a set by age.
    pub(super) expired: u64,
    /// The case of each reference whose matter is one with others.
    pub(super) cases: BTreeMap<MatterId, CaseId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owned {
    pub(super) profile: ProfileId,
    pub(super) out: bool,
}

impl World {
    pub(super) fn of(links: &[Link]) -> World {
        let mut history = History::new();
        for link in links {
            history.hear(link);
        }
        let present = Present::of(&history);
        let people = present.people();
        World {
            values: present.values(&people),
            expired: history.expired,
            cases: present.cases(),
        }
    }

    /// On whose page an event is that names these.
    pub(super) fn page(&self, values: &[Value], anchor: Token) -> ProfileId {
        let tokens = values.iter().map(|value| value.token);
        let route = tokens.clone().find(|token| !self.is_out(*token));
        let route = route.unwrap_or(anchor);
        self.values
            .get(&route)
            .map_or_else(|| ProfileId::new(route), |owned| owned.profile)
    }

    fn is_out(&self, token: Token) -> bool {
        self.values.get(&token).is_some_and(|owned| owned.out)
    }
}
