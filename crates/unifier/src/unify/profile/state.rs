//! Reading and writing the rows of a profile.

use event::{EventId, ProfileId, timeline_input::Digest};

use super::{
    super::{row, turn::Turn},
    fact::{Cause, Key, Row},
};

impl Turn<'_, '_> {
    pub(super) fn profile_row(&self, key: Key) -> Option<&Row> {
        self.state.get(&row::Key::profile(key)).map(of_row)
    }

    pub(super) fn profile_rows(&self, from: Key, to: Key) -> impl Iterator<Item = (&Key, &Row)> {
        let range = row::Key::profile(from)..=row::Key::profile(to);
        self.state.range(range).map(|(key, row)| {
            let row::Key::Profile(key) = key else {
                row::mismatch(row)
            };
            (&**key, of_row(row))
        })
    }

    pub(super) fn put_profile(&mut self, key: Key, row: Row) {
        self.state
            .put(row::Key::profile(key), row::Row::Profile(row));
    }

    pub(super) fn remove_profile(&mut self, key: Key) {
        self.state.remove(row::Key::profile(key));
    }

    /// The digest that a row comes from, if it is still at rest at the profile and was not withdrawn.
    pub(super) fn digest(&self, profile: ProfileId, cause: Cause) -> Option<Digest> {
        let spot = row::Spot {
            profile,
            route: cause.route,
            event: EventId::new(cause.id),
            withdrawn: 0,
        };
        match self.state.get(&row::Key::Digest(spot)) {
            None => None,
            Some(row::Row::Digest(digest)) => {
                Some(digest.digest()).filter(|digest| !digest.withdrawn)
            }
            Some(row) => row::mismatch(row),
        }
    }
}

fn of_row(row: &row::Row) -> &Row {
    let row::Row::Profile(row) = row else {
        row::mismatch(row)
    };
    row
}
