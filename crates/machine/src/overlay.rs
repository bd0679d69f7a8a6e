use std::ops::RangeBounds;

use crate::{
    Key,
    key::Hashed,
    state::{self, State},
    table::{self, Table},
};

/// What a trial changes: `None` removes the row.
pub type Changes<K, R> = Table<K, Option<R>>;

/// A shard's rows as a machine sees them, with all that it changes.
#[derive(Debug)]
pub struct Overlay<'a, K: Key, R>(Under<'a, K, R>);

#[derive(Debug)]
enum Under<'a, K: Key, R> {
    /// A batch: the rows are changed.
    Batch(&'a mut State<K, R>),
    /// A trial: the rows stay as they are, and what is changed lies over them.
    Trial(&'a State<K, R>, Changes<K, R>),
}

impl<'a, K: Key, R> Overlay<'a, K, R> {
    /// Over rows that others look at meanwhile: they are left as they are, and what is changed goes with the overlay.
    pub const fn trial(state: &'a State<K, R>) -> Self {
        Self(Under::Trial(state, Changes::new()))
    }

    pub(crate) const fn within(state: &'a mut State<K, R>) -> Self {
        Self(Under::Batch(state))
    }

    /// What a trial changed. A batch changed the rows themselves.
    pub fn into_changes(self) -> Changes<K, R> {
        match self.0 {
            Under::Batch(_) => Changes::new(),
            Under::Trial(_, changes) => changes,
        }
    }

    /// The rows by their places, for who looks at all of them. A trial's are as they were before it.
    pub const fn by_place(&self) -> &State<K, R> {
        match &self.0 {
            Under::Batch(state) => state,
            Under::Trial(state, _) => state,
        }
    }

    pub fn get(&self, key: &K) -> Option<&R> {
        match &self.0 {
            Under::Batch(state) => state.get(key),
            Under::Trial(state, changes) => {
                let hash = Hashed::of(key);
                match changes.get_hashed(hash, key) {
                    Some(change) => change.as_ref(),
                    None => state.get_hashed(hash, key),
                }
            }
        }
    }

    pub fn contains(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    pub fn put(&mut self, key: K, row: R) {
        match &mut self.0 {
            Under::Batch(state) => state.put(key, row),
            Under::Trial(_, changes) => {
                changes.insert(key, Some(row));
            }
        }
    }

    pub fn remove(&mut self, key: K) {
        match &mut self.0 {
            Under::Batch(state) => state.take_out(&key),
            Under::Trial(state, changes) => {
                if state.contains_key(&key) {
                    changes.insert(key, None);
                } else {
                    changes.remove(&key);
                }
            }
        }
    }

    /// The rows in a range of keys, in order, changes included.
    pub fn range<B: RangeBounds<K>>(&self, range: B) -> Rows<'_, K, R> {
        let mut changes = match &self.0 {
            Under::Batch(_) => table::Range::none(),
            Under::Trial(_, changes) => changes.range((range.start_bound(), range.end_bound())),
        };
        let mut state = self.by_place().range(range);
        Rows {
            next_change: changes.next(),
            next_row: state.next(),
            changes,
            state,
        }
    }
}

/// See `Overlay::range`.
pub struct Rows<'s, K, R> {
    state: state::Range<'s, K, R>,
    changes: table::Range<'s, K, Option<R>>,
    next_row: Option<(&'s K, &'s R)>,
    next_change: Option<(&'s K, &'s Option<R>)>,
}

impl<'s, K: Key, R> Iterator for Rows<'s, K, R> {
    type Item = (&'s K, &'s R);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some((key, change)) = self.next_change else {
                let row = self.next_row?;
                self.next_row = self.state.next();
                return Some(row);
            };
            if let Some(row) = self.next_row.filter(|(other, _)| *other <= key) {
                self.next_row = self.state.next();
                if row.0 < key {
                    return Some(row);
                }
            }
            self.next_change = self.changes.next();
            if let Some(row) = change {
                return Some((key, row));
            }
        }
    }
}
