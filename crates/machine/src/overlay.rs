use std::ops::RangeBounds;

use crate::{
    Key,
    key::Hashed,
    table::{Range, Table},
};

/// The committed rows of one shard.
pub type State<K, R> = Table<K, R>;

/// What a batch changes: `None` removes the row.
pub type Changes<K, R> = Table<K, Option<R>>;

/// A shard's rows with uncommitted changes over them.
#[derive(Debug)]
pub struct Overlay<'a, K: Key, R> {
    state: &'a State<K, R>,
    changes: Changes<K, R>,
}

impl<'a, K: Key, R> Overlay<'a, K, R> {
    pub const fn new(state: &'a State<K, R>) -> Self {
        Self {
            state,
            changes: Changes::new(),
        }
    }

    /// Goes on where an earlier overlay over the same state stopped.
    pub const fn resume(state: &'a State<K, R>, changes: Changes<K, R>) -> Self {
        Self { state, changes }
    }

    pub fn into_changes(self) -> Changes<K, R> {
        self.changes
    }

    /// The rows without the batch's changes, for who looks at all of them by their places.
    pub const fn committed(&self) -> &'a State<K, R> {
        self.state
    }

    pub fn get(&self, key: &K) -> Option<&R> {
        let hash = Hashed::of(key);
        match self.changes.get_hashed(hash, key) {
            Some(change) => change.as_ref(),
            None => self.state.get_hashed(hash, key),
        }
    }

    pub fn contains(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    pub fn put(&mut self, key: K, row: R) {
        self.changes.insert(key, Some(row));
    }

    pub fn remove(&mut self, key: K) {
        let hash = Hashed::of(&key);
        if self.state.get_hashed(hash, &key).is_some() {
            self.changes.insert(key, None);
        } else {
            self.changes.remove_hashed(hash, &key);
        }
    }

    /// The rows in a range of keys, in order, changes included.
    pub fn range<B: RangeBounds<K>>(&self, range: B) -> Rows<'_, K, R> {
        let mut changes = self.changes.range((range.start_bound(), range.end_bound()));
        let mut state = self.state.range(range);
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
    state: Range<'s, K, R>,
    changes: Range<'s, K, Option<R>>,
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

#[cfg(test)]
mod tests;
