//! The company that the stories happen in.

use event::{
    Class, Company, DepartmentId, Kind, Millis, Name, Token,
    rules::{Deadlines, Department, Journey, Matcher, Route, Signs, TypeRule},
};

use super::story::Mood;

/// All of whom a notice may be sent to.
pub(super) const DEPARTMENTS: [&str; 5] = ["care", "delivery", "product", "billing", "canary"];

/// The complaints there are: one a subject, so that a matter without a reference is about one of them.
pub(super) const COMPLAINTS: [&str; 4] = [
    "delivery.late",
    "product.broken",
    "billing.wrong",
    "staff.rude",
];

pub(super) fn department(text: &str) -> DepartmentId {
    DepartmentId::new(text).expect("the departments' names are ids")
}

pub(super) fn name(text: &str) -> Name {
    Name::new(text).expect("the stories' names are names")
}

/// What of its rules a tangled story changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Strictness {
    pub(super) blocked: Vec<Token>,
    /// Type -> with how many stronger values one may be seen; how long it links.
    pub(super) types: Vec<(&'static str, u32, Option<Millis>)>,
    pub(super) identifiers_max: Option<u32>,
    pub(super) merges_max: Option<u32>,
}

/// Its rules. No two of the deadlines, nor their sums, come within a minute of the moments at which something happens, so that a
/// run that takes a little longer meets the same deadlines in the same order.
pub(super) fn company(version: u64, strict: &Strictness, mood: Mood) -> Company {
    let mut company = Company {
        version,
        name: "Simulated".to_owned(),
        departments: DEPARTMENTS[1..4]
            .iter()
            .map(|id| (department(id), whose(id)))
            .collect(),
        deadlines: Deadlines {
            acknowledge: minutes(47),
            contact: minutes(188),
            offer: minutes(67),
            again: minutes(109),
            final_after: minutes(327),
            wait: minutes(83),
        },
        routes: routes(),
        journeys: [(name("purchase"), Journey::default())].into(),
        blocked: strict.blocked.clone(),
        ..Company::default()
    };
    company.matters.window = match mood {
        Mood::Calm => Millis::from_days(7),
        Mood::Wild | Mood::Tangled => Millis::from_hours(2),
    };
    // Signs have scenarios and properties of their own. Which of them are seen for a moment, and taken back, is a matter of the order of
    // arrival, by which stories are not compared.
    company.signs = Signs {
        contacts: 0,
        two_channels: false,
        another_complaint: false,
        score_drop: 0.0,
        silence: Millis::ZERO,
        opens: Vec::new(),
    };
    let identity = &mut company.identity;
    identity.identifiers_max = strict.identifiers_max.unwrap_or(identity.identifiers_max);
    identity.merges_max = strict.merges_max.unwrap_or(identity.merges_max);
    for of in company.types() {
        let mut rules = strict.types.iter();
        let Some((_, limit, window)) = rules.find(|(kind, ..)| *kind == of.name.as_str()) else {
            continue;
        };
        let table = match of.class {
            Class::Identifier => &mut company.identifiers,
            Class::Reference => &mut company.references,
        };
        let rule = TypeRule {
            limit: Some(*limit),
            window: *window,
            ..of.rule
        };
        table.insert(of.name, rule);
    }
    company
}

fn whose(id: &str) -> Department {
    Department {
        name: id.to_uppercase(),
        escalates_to: (id == "billing").then(|| department("product")),
        parties: vec![name("carrier")],
        ..Department::default()
    }
}

fn routes() -> Route {
    let to = |receiver: &str, pattern: &str, goes_on: bool| Route {
        name: Some(name(receiver)),
        receiver: Some(department(receiver)),
        matchers: Matcher {
            name: Some(pattern.to_owned()),
            ..Matcher::default()
        },
        goes_on,
        ..Route::default()
    };
    let complaints = Route {
        name: Some(name("complaints")),
        matchers: Matcher {
            kind: Some(Kind::Complaint),
            ..Matcher::default()
        },
        routes: vec![
            to("delivery", "delivery.*", false),
            to("product", "product.*", true),
            to("billing", "product.b*", false),
            to("billing", "billing.*", false),
        ],
        ..Route::default()
    };
    Route {
        name: Some(name("root")),
        receiver: Some(department("care")),
        routes: vec![complaints],
        ..Route::default()
    }
}

fn minutes(minutes: i64) -> Millis {
    Millis::from_secs(minutes * 60)
}
