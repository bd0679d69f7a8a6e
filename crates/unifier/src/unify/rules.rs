//! What `unify` needs of the company's rules.

use std::{collections::BTreeMap, sync::Arc};

use event::{
    Class, Company, Millis, Name, Value,
    rules::{CaseRules, Matters, TypeOf},
};
use machine::Outcome;
use serde::{Deserialize, Serialize};

use super::{
    profile,
    row::{Key, Row},
    sweep,
    turn::Turn,
};

/// After so long a reference leaves, if its type says nothing else: as `identify` has it.
const REFERENCE_WINDOW: Millis = Millis::from_days(400);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    pub version: u64,
    pub matters: Matters,
    pub cases: CaseRules,
    /// Touchpoint -> the stage of a journey that it belongs to.
    pub stages: BTreeMap<Name, Name>,
    /// After how long a set is reported again that names a value of such a type.
    pub renewals: Vec<Renewal>,
    /// Signs and promises.
    pub profile: profile::Rules,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    pub class: Class,
    pub name: Name,
    pub after: Millis,
}

impl Rules {
    pub fn of(company: &Company) -> Self {
        let stages = company
            .journeys
            .values()
            .rev()
            .flat_map(|journey| journey.touchpoints.clone())
            .collect();
        let mut renewals: Vec<Renewal> = company
            .types()
            .into_iter()
            .filter_map(|of| {
                Some(Renewal {
                    after: Millis::new(window(&of)?.as_millis() / 4),
                    class: of.class,
                    name: of.name,
                })
            })
            .collect();
        renewals.sort_by_key(|renewal| renewal.after);
        Self {
            version: company.version,
            matters: company.matters.clone(),
            cases: company.cases.clone(),
            stages,
            renewals,
            profile: profile::Rules::of(company),
        }
    }

    pub(super) fn stage_of(&self, touchpoint: &Name) -> Option<&Name> {
        self.stages.get(touchpoint)
    }

    /// Whether a set of these values that was reported so long ago has to be reported again.
    pub(super) fn renews(&self, values: &[Value], age: Millis) -> bool {
        self.renewals
            .iter()
            .take_while(|renewal| renewal.after <= age)
            .any(|renewal| {
                let is_of =
                    |value: &Value| value.class == renewal.class && value.kind == renewal.name;
                values.iter().any(is_of)
            })
    }
}

/// How long a set that names such a value links, after it was named last.
fn window(of: &TypeOf) -> Option<Millis> {
    match of.class {
        Class::Identifier => of.rule.window,
        Class::Reference => of.rule.window.or(Some(REFERENCE_WINDOW)),
    }
}

/// Takes newer rules. They hold for what comes from now on.
pub(super) fn learn(turn: &mut Turn<'_, '_>, company: &Company) -> Outcome {
    if turn.state.contains(&Key::Rules) && company.version <= turn.rules().version {
        return Outcome::Stale;
    }
    turn.rules = Arc::new(Rules::of(company));
    let row = Row::Rules(Arc::clone(&turn.rules));
    turn.state.put(Key::Rules, row);
    sweep::set_up(turn);
    Outcome::Applied
}
