//! What the company says of signs and promises.

use std::collections::BTreeMap;

use calendar::{Calendar, Calendars};
use event::{
    Company, DepartmentId, Millis, Name,
    rules::{Signs, StandingPromise},
};
use serde::{Deserialize, Serialize};

/// Nobody can tell so many contacts apart: above it no number of contacts is a sign.
const CONTACTS_MAX: u32 = 100;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    pub(super) signs: Signs,
    pub(super) promises: BTreeMap<Name, StandingPromise>,
    calendars: Calendars,
    /// So long before a promise is due that somebody made by name, its keeper is warned: as long as a department may take to
    /// answer anything.
    pub(super) warn_before: Millis,
}

impl Rules {
    pub fn of(company: &Company) -> Self {
        Self {
            signs: company.signs.clone(),
            promises: company.promises.clone(),
            calendars: Calendars::of(&company.departments),
            warn_before: company.deadlines.acknowledge,
        }
    }

    /// How many contacts are a sign, if any number is.
    pub(super) fn contacts(&self) -> Option<usize> {
        let contacts = self.signs.contacts;
        (1..=CONTACTS_MAX)
            .contains(&contacts)
            .then(|| usize::try_from(contacts).ok())
            .flatten()
    }

    /// How long nothing may happen after a complaint, if it is ever a sign.
    pub(super) fn silence(&self) -> Option<Millis> {
        Some(self.signs.silence).filter(|silence| *silence > Millis::ZERO)
    }

    /// Whether a score fell too far. What was said in tenths is compared without their rounding.
    pub(super) fn drops(&self, before: f64, after: f64) -> bool {
        self.signs.score_drop > 0.0 && before - after >= self.signs.score_drop - 1e-9
    }

    pub(super) fn calendar(&self, keeper: Option<&DepartmentId>) -> &Calendar {
        self.calendars.get(keeper)
    }

    /// Whether an event of this type may end a wait for a standing promise.
    pub(super) fn keeps(&self, name: &Name) -> bool {
        self.promises
            .values()
            .any(|promise| fits(&promise.kept_by, name))
    }
}

/// A type fits itself, and a head all below it.
pub(super) fn fits(names: &[Name], name: &Name) -> bool {
    names.iter().any(|wanted| {
        let rest = name.as_str().strip_prefix(wanted.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}
