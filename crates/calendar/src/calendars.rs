use std::collections::BTreeMap;

use event::{DepartmentId, rules::Department};
use serde::{Deserialize, Serialize};

use crate::Calendar;

/// The calendars of all departments, each read once: to read one takes far longer than to ask it.
///
/// It is written as what it was read from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Departments", into = "Departments")]
pub struct Calendars {
    departments: Departments,
    calendars: BTreeMap<DepartmentId, Calendar>,
    always: Calendar,
}

type Departments = BTreeMap<DepartmentId, Department>;

impl Calendars {
    /// Keeps nothing of the departments but their hours.
    pub fn of(departments: &Departments) -> Self {
        let hours = |department: &Department| Department {
            zone: department.zone.clone(),
            hours: department.hours.clone(),
            holidays: department.holidays.clone(),
            ..Department::default()
        };
        let departments = departments.iter();
        let departments: Departments = departments
            .map(|(id, department)| (id.clone(), hours(department)))
            .collect();
        departments.into()
    }

    /// That of a department; of nobody's, one that is always open.
    pub fn get(&self, department: Option<&DepartmentId>) -> &Calendar {
        department
            .and_then(|id| self.calendars.get(id))
            .unwrap_or(&self.always)
    }
}

impl From<Departments> for Calendars {
    fn from(departments: Departments) -> Self {
        let calendar = |id: &DepartmentId| (id.clone(), Calendar::of(&departments, id));
        Self {
            calendars: departments.keys().map(calendar).collect(),
            always: Calendar::always(),
            departments,
        }
    }
}

impl From<Calendars> for Departments {
    fn from(calendars: Calendars) -> Self {
        calendars.departments
    }
}

impl PartialEq for Calendars {
    fn eq(&self, other: &Self) -> bool {
        self.departments == other.departments
    }
}
