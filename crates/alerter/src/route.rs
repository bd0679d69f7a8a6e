//! Which department a case goes to first, and why: the routing tree.

mod check;

use std::collections::BTreeSet;

use event::{
    Company, DepartmentId, Name, Perspective,
    case::Severity,
    case_input::Signal,
    rules::{self, Matcher, Route},
};

use crate::sign;

pub use self::check::check;

/// Where the tree sends a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Who owns it.
    pub owner: DepartmentId,
    /// Who is told of it too: the receivers of routes reached past a `continue`.
    pub also: Vec<DepartmentId>,
    /// The names of the routes that led to the owner, from the root.
    pub names: Vec<Name>,
    /// What the routes say of its severity.
    pub severity: Option<Severity>,
}

/// The first department for what this signal tells. There always is one: the keeper of a broken promise where no route takes it.
pub fn decide(company: &Company, signal: &Signal) -> Decision {
    if signal.perspective == Perspective::Test {
        return Decision {
            owner: canary(),
            also: Vec::new(),
            names: vec![Name::new("canary").expect("`canary` is a name")],
            severity: None,
        };
    }
    let takes = |child: &Route| matches(&child.matchers, signal);
    if let Some(keeper) = sign::keeper(company, signal)
        && !company.routes.routes.iter().any(takes)
    {
        return Decision {
            owner: keeper,
            also: Vec::new(),
            names: vec![Name::new("keeper").expect("`keeper` is a name")],
            severity: None,
        };
    }
    let mut found = Vec::new();
    let from_root = Decision {
        owner: root_receiver(company),
        also: Vec::new(),
        names: Vec::new(),
        severity: None,
    };
    descend(&company.routes, from_root, signal, &mut found);
    let mut found = found.into_iter();
    let mut first = found.next().expect("the root matches everything");
    for decision in found {
        if decision.owner != first.owner && !first.also.contains(&decision.owner) {
            first.also.push(decision.owner);
        }
    }
    first
}

/// Who gets what no other route takes, and what escalates from a department that names nobody.
pub fn root_receiver(company: &Company) -> DepartmentId {
    let receiver = company.routes.receiver.clone();
    receiver.unwrap_or_else(|| {
        DepartmentId::new("customer-care").expect("`customer-care` is a department id")
    })
}

/// Who gets what is sent to test the path. It counts in no figure.
pub fn canary() -> DepartmentId {
    DepartmentId::new("canary").expect("`canary` is a department id")
}

/// Every department that these rules can send a notice to: each needs its topic.
pub fn departments(company: &Company) -> BTreeSet<DepartmentId> {
    fn receivers(route: &Route, all: &mut BTreeSet<DepartmentId>) {
        all.extend(route.receiver.clone());
        for child in &route.routes {
            receivers(child, all);
        }
    }
    let mut all = BTreeSet::from([canary(), root_receiver(company)]);
    receivers(&company.routes, &mut all);
    for (id, department) in &company.departments {
        all.insert(id.clone());
        all.extend(department.escalates_to.clone());
    }
    all
}

/// Takes the deepest routes that match below this one, which matches; this one itself when no child does.
fn descend(route: &Route, inherited: Decision, signal: &Signal, found: &mut Vec<Decision>) {
    let mut here = inherited;
    if let Some(receiver) = &route.receiver {
        here.owner = receiver.clone();
    }
    here.severity = route.severity.or(here.severity);
    here.names.extend(route.name.clone());
    let before = found.len();
    for child in &route.routes {
        if matches(&child.matchers, signal) {
            descend(child, here.clone(), signal, found);
            if !child.goes_on {
                break;
            }
        }
    }
    if found.len() == before {
        found.push(here);
    }
}

fn matches(matcher: &Matcher, signal: &Signal) -> bool {
    let Matcher {
        kind,
        name,
        channel,
        source,
        place,
        party,
        stage,
        touchpoint,
        product,
    } = matcher;
    kind.is_none_or(|kind| kind == signal.kind)
        && channel.is_none_or(|channel| channel == signal.channel)
        && fits(name.as_deref(), Some(signal.name.as_str()))
        && fits(source.as_deref(), Some(signal.source.as_str()))
        && fits(place.as_deref(), signal.place.as_ref().map(Name::as_str))
        && fits(party.as_deref(), signal.party.as_ref().map(Name::as_str))
        && fits(stage.as_deref(), signal.stage.as_ref().map(Name::as_str))
        && fits(
            touchpoint.as_deref(),
            signal.touchpoint.as_ref().map(Name::as_str),
        )
        && fits(
            product.as_deref(),
            signal.product.as_ref().map(Name::as_str),
        )
}

/// A pattern asks for a value; one that ends in `*` for a value that begins so.
fn fits(pattern: Option<&str>, value: Option<&str>) -> bool {
    match (pattern, value) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(pattern), Some(value)) => rules::fits(pattern, value),
    }
}

#[cfg(test)]
mod tests;
