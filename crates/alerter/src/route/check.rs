mod journey;

use std::collections::{BTreeMap, BTreeSet};

use calendar::{Calendar, Fault};
use event::{
    Company, DepartmentId, Millis, Name,
    rules::{Department, Matcher, Route},
};

use super::root_receiver;
use crate::sign::is_sign;

/// So many contacts are no sign of anything any more.
const CONTACTS_MAX: u32 = 100;

/// What is wrong with the parts of the rules that cases go by: departments, hours, deadlines, routes.
pub fn check(company: &Company) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (id, department) in &company.departments {
        if let Err(found) = Calendar::new(department) {
            let table = format!("departments.{id}");
            faults.extend(found.into_iter().map(|fault| fault.within(&table)));
        }
        if let Some(to) = &department.escalates_to {
            known(
                company,
                to,
                &format!("departments.{id}.escalates_to"),
                &mut faults,
            );
        }
        units(id, department, &mut faults);
    }
    journey::journeys(company, &mut faults);
    deadlines(company, &mut faults);
    promises(company, &mut faults);
    signs(company, &mut faults);
    shares(company, &mut faults);
    statuses(company, &mut faults);
    labels(company, &mut faults);
    if company.routes.receiver.is_none() && !company.departments.is_empty() {
        let receiver = root_receiver(company);
        if !company.departments.contains_key(&receiver) {
            let problem = format!(
                "the root needs a receiver: name a department, or make one called `{receiver}`"
            );
            faults.push(Fault::new("routes.receiver", problem));
        }
    }
    if company.routes.matchers != Matcher::default() {
        let problem = "the root takes everything: put the conditions into a child route";
        faults.push(Fault::new("routes.match", problem));
    }
    branch(
        company,
        &company.routes,
        "routes",
        &mut Vec::new(),
        &mut faults,
    );
    faults
}

fn known(company: &Company, id: &DepartmentId, field: &str, faults: &mut Vec<Fault>) {
    if company.departments.contains_key(id) {
        return;
    }
    let names: Vec<&str> = company
        .departments
        .keys()
        .map(DepartmentId::as_str)
        .collect();
    let problem = if names.is_empty() {
        format!("there is no department `{id}`: add [departments.{id}]")
    } else {
        format!("there is no department `{id}`, only: {}", names.join(", "))
    };
    faults.push(Fault::new(field, problem));
}

/// A unit has places, and a place lies in one unit.
fn units(id: &DepartmentId, department: &Department, faults: &mut Vec<Fault>) {
    let mut taken: BTreeMap<&str, &Name> = BTreeMap::new();
    for (unit, part) in &department.units {
        let field = format!("departments.{id}.units.{unit}.places");
        if part.places.is_empty() {
            faults.push(Fault::new(&*field, "a unit without a place gets no case"));
        }
        for (index, place) in part.places.iter().enumerate() {
            let field = format!("{field}[{index}]");
            let prefix = place.strip_suffix('*').unwrap_or(place);
            if !prefix.is_empty() && Name::new(prefix).is_err() {
                let problem =
                    format!("`{place}` is no place: write one like `store:kamppi` or `store:*`");
                faults.push(Fault::new(&*field, problem));
            }
            if let Some(other) = taken.insert(place, unit) {
                let problem = format!("`{place}` is a place of unit `{other}` already");
                faults.push(Fault::new(field, problem));
            }
        }
    }
}

/// A type that says solved says nothing else.
fn statuses(company: &Company, faults: &mut Vec<Fault>) {
    for (index, name) in company.cases.reopened.iter().enumerate() {
        if company.cases.solved.contains(name) {
            let problem =
                format!("`{name}` is in `cases.solved` too: it says the one or the other");
            faults.push(Fault::new(format!("cases.reopened[{index}]"), problem));
        }
    }
    for (index, name) in company.cases.opens.iter().enumerate() {
        let is_status = [&company.cases.solved, &company.cases.reopened];
        if is_status.iter().any(|types| types.contains(name)) {
            let problem =
                format!("`{name}` tells of a status in another system, which opens no case");
            faults.push(Fault::new(format!("cases.opens[{index}]"), problem));
        }
    }
}

fn labels(company: &Company, faults: &mut Vec<Fault>) {
    for (language, labels) in &company.labels {
        if !is_language(language) {
            let problem = format!("`{language}` is no language code: write one like `fi`");
            faults.push(Fault::new(format!("labels.{language}"), problem));
        }
        for (name, label) in labels {
            if label.trim().is_empty() {
                let problem = "an empty label shows nothing: remove it to show the name itself";
                faults.push(Fault::new(format!("labels.{language}.{name}"), problem));
            }
        }
    }
}

fn is_language(code: &str) -> bool {
    (2..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn deadlines(company: &Company, faults: &mut Vec<Fault>) {
    let lengths = &company.deadlines;
    for (field, length) in [
        ("acknowledge", lengths.acknowledge),
        ("contact", lengths.contact),
        ("offer", lengths.offer),
        ("again", lengths.again),
        ("final_after", lengths.final_after),
        ("wait", lengths.wait),
    ] {
        if length < Millis::from_secs(1) {
            let problem = format!("{length} is too short: at least 1s");
            faults.push(Fault::new(format!("deadlines.{field}"), problem));
        }
    }
}

/// A standing promise that nothing begins or keeps, or that nobody has to keep, would be broken unseen, or always.
fn promises(company: &Company, faults: &mut Vec<Fault>) {
    for (name, promise) in &company.promises {
        let field = |field: &str| format!("promises.{name}.{field}");
        known(company, &promise.keeper, &field("keeper"), faults);
        if promise.said.trim().is_empty() {
            let problem = "say what customers are promised, as they are told it";
            faults.push(Fault::new(field("said"), problem));
        }
        for (of, types) in [
            ("starts_on", &promise.starts_on),
            ("kept_by", &promise.kept_by),
        ] {
            if types.is_empty() {
                let problem = "name at least one type of event";
                faults.push(Fault::new(field(of), problem));
            }
        }
        if promise.within < Millis::from_secs(1) {
            let problem = format!("{} is too short: at least 1s", promise.within);
            faults.push(Fault::new(field("within"), problem));
        }
        if promise.warn_before >= promise.within {
            let problem = format!(
                "{} is as long as the promise itself: warn later than it is made",
                promise.warn_before
            );
            faults.push(Fault::new(field("warn_before"), problem));
        }
    }
}

fn signs(company: &Company, faults: &mut Vec<Fault>) {
    let signs = &company.signs;
    if signs.contacts > CONTACTS_MAX {
        let problem = format!(
            "{} is more than can be told apart: at most {CONTACTS_MAX}, or 0 for never",
            signs.contacts
        );
        faults.push(Fault::new("signs.contacts", problem));
    }
    if !(0.0..=1.0).contains(&signs.score_drop) {
        let problem = format!(
            "{} is no share of a scale: write 0.0 (never) to 1.0",
            signs.score_drop
        );
        faults.push(Fault::new("signs.score_drop", problem));
    }
    for (index, what) in signs.opens.iter().enumerate() {
        if !is_sign(*what) {
            let problem = format!("`{}` is no sign", what.as_str());
            faults.push(Fault::new(format!("signs.opens[{index}]"), problem));
        }
    }
}

fn shares(company: &Company, faults: &mut Vec<Fault>) {
    for (field, share) in [
        ("praise_from", company.cases.praise_from),
        ("opens_below", company.cases.opens_below),
    ] {
        if !(0.0..=1.0).contains(&share) {
            let problem = format!("{share} is no share of a scale: write 0.0 to 1.0");
            faults.push(Fault::new(format!("cases.{field}"), problem));
        }
    }
}

/// `above` holds the conditions of all routes from the root to this one.
fn branch<'a>(
    company: &Company,
    route: &'a Route,
    path: &str,
    above: &mut Vec<&'a Matcher>,
    faults: &mut Vec<Fault>,
) {
    if let Some(receiver) = &route.receiver {
        known(company, receiver, &format!("{path}.receiver"), faults);
    }
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    for (index, child) in route.routes.iter().enumerate() {
        let path = format!("{path}.routes[{index}]");
        for (field, pattern) in patterns(&child.matchers) {
            if pattern.is_some_and(|pattern| pattern.trim_end_matches('*').contains('*')) {
                let problem = "`*` stands only at the end of a pattern";
                faults.push(Fault::new(format!("{path}.match.{field}"), problem));
            }
        }
        above.push(&child.matchers);
        let earlier = taken
            .iter()
            .find(|earlier| covers(&route.routes[**earlier].matchers, above));
        if let Some(earlier) = earlier {
            let problem = format!("never reached: route [{earlier}] before it takes all of it");
            faults.push(Fault::new(&*path, problem));
        } else if contradicts(above) {
            let problem = "never reached: its conditions exclude each other or those above it";
            faults.push(Fault::new(&*path, problem));
        }
        branch(company, child, &path, above, faults);
        above.pop();
        if !child.goes_on {
            taken.insert(index);
        }
    }
}

fn patterns(matcher: &Matcher) -> [(&'static str, Option<&str>); 7] {
    [
        ("type", matcher.name.as_deref()),
        ("source", matcher.source.as_deref()),
        ("place", matcher.place.as_deref()),
        ("party", matcher.party.as_deref()),
        ("stage", matcher.stage.as_deref()),
        ("touchpoint", matcher.touchpoint.as_deref()),
        ("product", matcher.product.as_deref()),
    ]
}

/// Whether all that meets `conditions` also meets `wide`.
fn covers(wide: &Matcher, conditions: &[&Matcher]) -> bool {
    let asks = |held: &dyn Fn(&Matcher) -> bool| conditions.iter().any(|matcher| held(matcher));
    let kind = wide.kind.is_none() || asks(&|matcher| matcher.kind == wide.kind);
    let channel = wide.channel.is_none() || asks(&|matcher| matcher.channel == wide.channel);
    kind && channel
        && patterns(wide)
            .into_iter()
            .enumerate()
            .all(|(field, (_, wide))| {
                wide.is_none_or(|wide| {
                    asks(&|matcher| {
                        let narrow = patterns(matcher)[field].1;
                        narrow.is_some_and(|narrow| is_within(narrow, wide))
                    })
                })
            })
}

/// Whether every value that fits `narrow` fits `wide`.
fn is_within(narrow: &str, wide: &str) -> bool {
    match wide.strip_suffix('*') {
        Some(prefix) => narrow.trim_end_matches('*').starts_with(prefix),
        None => narrow == wide,
    }
}

/// Whether the last of these conditions can never hold together with the others.
fn contradicts(conditions: &[&Matcher]) -> bool {
    let Some((last, above)) = conditions.split_last() else {
        return false;
    };
    above.iter().any(|upper| {
        let kinds = upper.kind.zip(last.kind).is_some_and(|(a, b)| a != b);
        let channels = upper.channel.zip(last.channel).is_some_and(|(a, b)| a != b);
        let texts = patterns(upper)
            .into_iter()
            .zip(patterns(last))
            .any(|((_, a), (_, b))| {
                a.zip(b)
                    .is_some_and(|(a, b)| !is_within(a, b) && !is_within(b, a))
            });
        kinds || channels || texts
    })
}
