//! The people of the demo company, each with a key of their own.

/// One person, as `[credentials.*]` names them.
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) role: &'static str,
    pub(super) departments: &'static [&'static str],
    pub(super) units: &'static [&'static str],
    /// Where they meet customers.
    pub(super) channel: Option<&'static str>,
}

const fn person(
    name: &'static str,
    role: &'static str,
    departments: &'static [&'static str],
) -> Person {
    Person {
        name,
        role,
        departments,
        units: &[],
        channel: None,
    }
}

pub(super) const PEOPLE: [Person; 12] = [
    person("aino", "advisor", &["customer-care"]),
    person("mikko", "advisor", &["customer-care"]),
    person("eero", "lead", &["customer-care"]),
    person("venla", "advisor", &["delivery"]),
    person("onni", "lead", &["delivery"]),
    person("helmi", "lead", &["products"]),
    person("siiri", "lead", &["stores"]),
    Person {
        name: "arvo",
        role: "advisor",
        departments: &["stores"],
        units: &["kamppi"],
        channel: Some("store"),
    },
    person("lempi", "lead", &["finance"]),
    Person {
        name: "toivo",
        role: "front_line",
        departments: &["stores"],
        units: &[],
        channel: Some("store"),
    },
    person("kerttu", "admin", &[]),
    // No person: what looks at everything, and compares.
    person("auditor", "admin", &[]),
];

/// Who works on the cases of a department, of whatever unit.
pub fn of(department: &str) -> Vec<&'static str> {
    PEOPLE
        .iter()
        .filter(|person| person.role == "advisor" || person.role == "lead")
        .filter(|person| person.units.is_empty() && person.departments.contains(&department))
        .map(|person| person.name)
        .collect()
}
