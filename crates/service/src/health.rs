//! The parts of the process, whether each lives and is ready, and why not.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;

/// What one part says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Condition {
    /// Not ready yet; the text says what it waits for.
    Starting {
        what: String,
    },
    Ready,
    /// It cannot go on; the text says why.
    Failed {
        why: String,
    },
}

/// The conditions of all parts; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Health {
    parts: Arc<Mutex<BTreeMap<&'static str, Condition>>>,
}

impl Health {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn set(&self, part: &'static str, condition: Condition) {
        self.lock().insert(part, condition);
    }

    /// No part has failed. Says nothing of the log or the network: restarting a process does not mend those.
    pub fn is_live(&self) -> bool {
        self.lock()
            .values()
            .all(|condition| !matches!(condition, Condition::Failed { .. }))
    }

    /// Every part is ready.
    pub fn is_ready(&self) -> bool {
        let parts = self.lock();
        !parts.is_empty()
            && parts
                .values()
                .all(|condition| *condition == Condition::Ready)
    }

    pub fn parts(&self) -> BTreeMap<&'static str, Condition> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Condition>> {
        // A panic while the map was held cannot leave it half changed: each change is one insert.
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_ready_when_every_part_is_and_live_until_one_failed() {
        let health = Health::new();
        assert!(!health.is_ready());
        health.set(
            "unify",
            Condition::Starting {
                what: "restoring".to_owned(),
            },
        );
        health.set("doors", Condition::Ready);
        assert!(health.is_live() && !health.is_ready());
        health.set("unify", Condition::Ready);
        assert!(health.is_ready());
        health.set(
            "unify",
            Condition::Failed {
                why: "fenced".to_owned(),
            },
        );
        assert!(!health.is_live() && !health.is_ready());
    }
}
