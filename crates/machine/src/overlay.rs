use std::{
    collections::{BTreeMap, btree_map},
    iter::Peekable,
    ops::{Bound, RangeBounds},
};

/// The committed rows of one shard, ordered by key.
pub type State<K, R> = BTreeMap<K, R>;

/// What a batch changes: `None` removes the row.
pub type Changes<K, R> = BTreeMap<K, Option<R>>;

/// A shard's rows with uncommitted changes over them.
#[derive(Debug)]
pub struct Overlay<'a, K, R> {
    state: &'a State<K, R>,
    changes: Changes<K, R>,
}

impl<'a, K: Clone + Ord, R: Clone> Overlay<'a, K, R> {
    pub fn new(state: &'a State<K, R>) -> Self {
        Self {
            state,
            changes: Changes::new(),
        }
    }

    /// Goes on where an earlier overlay over the same state stopped.
    pub fn resume(state: &'a State<K, R>, changes: Changes<K, R>) -> Self {
        Self { state, changes }
    }

    pub fn into_changes(self) -> Changes<K, R> {
        self.changes
    }

    pub fn get(&self, key: &K) -> Option<&R> {
        match self.changes.get(key) {
            Some(change) => change.as_ref(),
            None => self.state.get(key),
        }
    }

    pub fn contains(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    pub fn put(&mut self, key: K, row: R) {
        self.changes.insert(key, Some(row));
    }

    pub fn remove(&mut self, key: K) {
        if self.state.contains_key(&key) {
            self.changes.insert(key, None);
        } else {
            self.changes.remove(&key);
        }
    }

    /// The rows in a range of keys, in order, changes included.
    pub fn range<B: RangeBounds<K> + Clone>(&self, range: B) -> Rows<'_, K, R> {
        if is_empty(&range) {
            return Rows {
                state: self.state.range(..).peekable(),
                changes: self.changes.range(..).peekable(),
                done: true,
            };
        }
        Rows {
            state: self.state.range(range.clone()).peekable(),
            changes: self.changes.range(range).peekable(),
            done: false,
        }
    }
}

/// `BTreeMap::range` panics on these.
fn is_empty<K: Ord, B: RangeBounds<K>>(range: &B) -> bool {
    match (range.start_bound(), range.end_bound()) {
        (Bound::Included(start), Bound::Included(end)) => start > end,
        (Bound::Included(start) | Bound::Excluded(start), Bound::Excluded(end))
        | (Bound::Excluded(start), Bound::Included(end)) => start >= end,
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
    }
}

/// See `Overlay::range`.
#[derive(Debug)]
pub struct Rows<'s, K, R> {
    state: Peekable<btree_map::Range<'s, K, R>>,
    changes: Peekable<btree_map::Range<'s, K, Option<R>>>,
    done: bool,
}

impl<'s, K: Ord, R> Iterator for Rows<'s, K, R> {
    type Item = (&'s K, &'s R);

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        loop {
            let changed_first = match (self.state.peek(), self.changes.peek()) {
                (None, None) => return None,
                (Some(_), None) => false,
                (None, Some(_)) => true,
                (Some((state, _)), Some((change, _))) => change <= state,
            };
            if !changed_first {
                return self.state.next();
            }
            let (key, change) = self.changes.next()?;
            if self.state.peek().is_some_and(|(state, _)| *state == key) {
                self.state.next();
            }
            if let Some(row) = change {
                return Some((key, row));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlay_reads_as_the_state_it_would_leave() {
        let state = State::from([(1, "a"), (3, "c"), (5, "e"), (7, "g")]);
        let mut overlay = Overlay::new(&state);
        overlay.put(2, "b");
        overlay.put(3, "C");
        overlay.remove(5);
        overlay.remove(6);
        let rows: Vec<_> = overlay.range(..).map(|(key, row)| (*key, *row)).collect();
        assert_eq!(rows, [(1, "a"), (2, "b"), (3, "C"), (7, "g")]);
        let some: Vec<_> = overlay
            .range(2..=5)
            .map(|(key, row)| (*key, *row))
            .collect();
        assert_eq!(some, [(2, "b"), (3, "C")]);
        assert_eq!(overlay.range(4..4).count(), 0);
        assert_eq!(overlay.get(&5), None);
        assert_eq!(
            overlay.into_changes(),
            Changes::from([(2, Some("b")), (3, Some("C")), (5, None)])
        );
    }
}
