use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use event::topic::MachineName;

use super::namespace::Namespace;

/// The transactional ids of this process.
///
/// A member that is given up may leave a transaction open, and whoever asks for its partitions' offsets waits until that has run out.
/// So its id goes to the next member of the machine, whose first act is to end what was begun under it.
#[derive(Clone, Default)]
pub(super) struct Identities(Arc<Mutex<BTreeMap<MachineName, Vec<String>>>>);

impl Identities {
    /// One that nobody here has now.
    pub(super) fn take(&self, names: &Namespace, machine: MachineName) -> Identity {
        let free = self.free().entry(machine).or_default().pop();
        Identity {
            id: free.unwrap_or_else(|| names.transactional_id(machine)),
            machine,
            home: self.clone(),
        }
    }

    fn free(&self) -> MutexGuard<'_, BTreeMap<MachineName, Vec<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transactional id, until this is dropped.
pub(super) struct Identity {
    id: String,
    machine: MachineName,
    home: Identities,
}

impl Identity {
    pub(super) fn as_str(&self) -> &str {
        &self.id
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        let id = std::mem::take(&mut self.id);
        self.home.free().entry(self.machine).or_default().push(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_belongs_to_one_member_at_a_time_and_then_to_the_next() {
        let (names, ids) = (Namespace::new(""), Identities::default());
        let first = ids.take(&names, MachineName::Unify);
        let second = ids.take(&names, MachineName::Unify);
        assert_ne!(first.as_str(), second.as_str());
        let left = first.as_str().to_owned();
        drop(first);
        assert_ne!(ids.take(&names, MachineName::Cases).as_str(), left);
        assert_eq!(ids.take(&names, MachineName::Unify).as_str(), left);
    }
}
