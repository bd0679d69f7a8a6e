//! Access records: who read whom, when and why.

use event::{
    ProfileId, Record, Time,
    access::{Access, AccessKind},
};

use crate::credential::Credential;

/// One record for each profile read, or one that says nobody was found.
pub(crate) fn records(
    reader: &Credential,
    time: Time,
    what: AccessKind,
    profiles: &[ProfileId],
    reason: Option<String>,
) -> Vec<Record> {
    let record = |profile| {
        Record::Access(Access {
            credential: reader.name.clone(),
            time,
            what,
            profile,
            reason: reason.clone(),
        })
    };
    if profiles.is_empty() {
        return vec![record(None)];
    }
    profiles
        .iter()
        .map(|profile| record(Some(*profile)))
        .collect()
}
