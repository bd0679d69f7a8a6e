//! A department's own part of a journey, told for whoever works there: where customers meet it, who works there, and what helps.

use event::{DepartmentId, Name, rules::Journey};

use crate::desk::{
    guide::{self, Advice},
    speech::Speech,
};

/// A stage of the department's own.
pub(super) struct Part {
    pub(super) name: String,
    /// Name and value: touchpoints, unit, party, roles.
    pub(super) facts: Vec<(String, String)>,
    pub(super) guide: Option<Advice>,
    pub(super) offer: Option<Advice>,
    /// What is told of a touchpoint of its own.
    pub(super) touchpoints: Vec<Touchpoint>,
}

pub(super) struct Touchpoint {
    pub(super) name: String,
    pub(super) guide: Option<Advice>,
    pub(super) offer: Option<Advice>,
}

/// The parts of the journey that are the department's, in their order.
pub(super) fn parts(speech: &Speech, journey: &Journey, department: &DepartmentId) -> Vec<Part> {
    let own = journey.stages.iter();
    let own = own.filter(|stage| journey.owners.get(*stage) == Some(department));
    own.map(|stage| Part::new(speech, journey, department, stage))
        .collect()
}

impl Part {
    fn new(speech: &Speech, journey: &Journey, department: &DepartmentId, stage: &Name) -> Part {
        let label = |name: &Name| Speech::sentence(&speech.label(name));
        let touchpoints = || {
            let all = journey.touchpoints.iter();
            all.filter(|(_, of)| *of == stage).map(|(name, _)| name)
        };
        let named: Vec<String> = touchpoints().map(label).collect();
        let roles = journey.roles.get(stage).map(|roles| roles.join(", "));
        let unit = journey.units.get(stage);
        let facts = [
            ("path-part-touchpoints", Some(named.join(", "))),
            (
                "path-part-unit",
                unit.map(|id| unit_name(speech, department, id)),
            ),
            ("path-part-party", journey.parties.get(stage).map(label)),
            ("path-part-roles", roles),
        ];
        let facts = facts.into_iter().filter_map(|(key, value)| {
            let value = value.filter(|value| !value.is_empty())?;
            Some((speech.say(key), value))
        });
        let told = touchpoints().map(|name| Touchpoint {
            name: label(name),
            guide: guide::guide(speech, name),
            offer: guide::offer(speech, name),
        });
        Part {
            name: label(stage),
            facts: facts.collect(),
            guide: guide::guide(speech, stage),
            offer: guide::offer(speech, stage),
            touchpoints: told
                .filter(|told| told.guide.is_some() || told.offer.is_some())
                .collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        let is_told = self.guide.is_some() || self.offer.is_some();
        self.facts.is_empty() && !is_told && self.touchpoints.is_empty()
    }
}

/// What people call a unit of the department.
fn unit_name(speech: &Speech, department: &DepartmentId, id: &Name) -> String {
    let department = speech.company().departments.get(department);
    match department.and_then(|department| department.units.get(id)) {
        Some(unit) if !unit.name.is_empty() => unit.name.clone(),
        Some(_) | None => speech.label(id),
    }
}

/// What the company promises everybody and the department keeps, each in a sentence.
pub(super) fn promises(speech: &Speech, department: &DepartmentId) -> Vec<String> {
    let all = speech.company().promises.values();
    let own = all.filter(|promise| promise.keeper == *department);
    own.map(|promise| {
        // Of opening hours a day has few: they are not said in days.
        let minutes = promise.within.as_millis() / 60_000;
        let (hours, minutes) = (minutes / 60, minutes % 60);
        let time = match (hours, minutes) {
            (0, _) => speech.with("length-minutes", [("minutes", minutes.into())]),
            (_, 0) => speech.with("length-hours", [("hours", hours.into())]),
            (_, _) => {
                let values = [("hours", hours.into()), ("minutes", minutes.into())];
                speech.with("length-hours-minutes", values)
            }
        };
        let values = [("said", promise.said.clone().into()), ("time", time.into())];
        speech.with("path-promise", values)
    })
    .collect()
}
