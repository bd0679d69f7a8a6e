//! What the company configured: the latest version.

use std::sync::Arc;

use event::{Company, DepartmentId, Name, config::Config};

#[derive(Debug, Default)]
pub(crate) struct Companies {
    current: Arc<Company>,
}

/// The name under which the company's rules are in topic `config`.
pub(crate) const COMPANY: &str = "company";

impl Companies {
    pub(crate) fn apply(&mut self, config: &Config) {
        if config.name.as_str() != COMPANY || config.version < self.current.version {
            return;
        }
        // `company apply` writes no text that does not parse; one of a later Polku may have tables unknown to this one.
        match toml::from_str::<Company>(&config.text) {
            Ok(mut company) => {
                company.version = config.version;
                self.current = Arc::new(company);
            }
            Err(error) => {
                tracing::error!(
                    config.version,
                    error = error.message(),
                    "keeping the company's rules of before"
                );
            }
        }
    }

    pub(crate) fn current(&self) -> Arc<Company> {
        Arc::clone(&self.current)
    }

    /// The part of a department that a place belongs to, where the department has parts.
    pub(crate) fn unit_of(&self, department: &DepartmentId, place: Option<&Name>) -> Option<&Name> {
        self.current.departments.get(department)?.unit_of(place?)
    }

    /// What people call the department.
    pub(crate) fn name_of(&self, department: &DepartmentId) -> String {
        match self.current.departments.get(department) {
            Some(known) if !known.name.is_empty() => known.name.clone(),
            Some(_) | None => department.to_string(),
        }
    }
}
