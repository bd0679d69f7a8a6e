//! What is wrong with a journey. A name that is written otherwise than the stage it means would be heeded nowhere, and nobody would know.

use std::collections::BTreeMap;

use calendar::Fault;
use event::{Company, Name, rules::Journey};

use super::{is_language, known};

pub(super) fn journeys(company: &Company, faults: &mut Vec<Fault>) {
    for (name, journey) in &company.journeys {
        let table = format!("journeys.{name}");
        owners(company, journey, &table, faults);
        for (touchpoint, stage) in &journey.touchpoints {
            let field = format!("{table}.touchpoints.{touchpoint}");
            place(journey, stage, &[], field, faults);
        }
        for (of, stages) in [
            ("owners", names(&journey.owners)),
            ("units", names(&journey.units)),
            ("parties", names(&journey.parties)),
            ("roles", names(&journey.roles)),
        ] {
            for stage in stages {
                place(journey, stage, &[], format!("{table}.{of}.{stage}"), faults);
            }
        }
        let touchpoints = names(&journey.touchpoints);
        for (of, texts) in [("guides", &journey.guides), ("offers", &journey.offers)] {
            for (at, texts) in texts {
                let field = format!("{table}.{of}.{at}");
                place(journey, at, &touchpoints, field.clone(), faults);
                languages(texts, &field, faults);
            }
        }
    }
}

fn names<T>(table: &BTreeMap<Name, T>) -> Vec<&Name> {
    table.keys().collect()
}

/// The department of a stage has to be there, and its unit to be the department's.
fn owners(company: &Company, journey: &Journey, table: &str, faults: &mut Vec<Fault>) {
    for (stage, owner) in &journey.owners {
        known(company, owner, &format!("{table}.owners.{stage}"), faults);
    }
    for (stage, unit) in &journey.units {
        let field = format!("{table}.units.{stage}");
        let Some(owner) = journey.owners.get(stage) else {
            let problem = "a unit is a part of a department: name the stage's in `owners` too";
            faults.push(Fault::new(field, problem));
            continue;
        };
        let department = company.departments.get(owner);
        if department.is_some_and(|department| !department.units.contains_key(unit)) {
            let problem = format!("`{owner}` has no unit `{unit}`");
            faults.push(Fault::new(field, problem));
        }
    }
}

fn place(journey: &Journey, at: &Name, also: &[&Name], field: String, faults: &mut Vec<Fault>) {
    if journey.stages.contains(at) || also.contains(&at) {
        return;
    }
    let stages: Vec<&str> = journey.stages.iter().map(Name::as_str).collect();
    let problem = if stages.is_empty() {
        format!("there is no stage `{at}`: name it in `stages`")
    } else {
        format!("there is no stage `{at}`, only: {}", stages.join(", "))
    };
    faults.push(Fault::new(field, problem));
}

fn languages(texts: &BTreeMap<String, String>, table: &str, faults: &mut Vec<Fault>) {
    for (language, text) in texts {
        let field = format!("{table}.{language}");
        if !is_language(language) {
            let problem = format!("`{language}` is no language code: write one like `fi`");
            faults.push(Fault::new(field, problem));
        } else if text.trim().is_empty() {
            faults.push(Fault::new(field, "an empty text helps nobody: remove it"));
        }
    }
}
