use std::{fmt, ops::RangeBounds};

use crate::{
    Key,
    key::Hashed,
    overlay::Overlay,
    table::{self, Table},
};

/// The rows of one shard.
///
/// A batch changes them where they lie, so that they are found as fast as all others, and leaves beside them how they were: to commit
/// costs nothing by the row, and what is not committed is undone.
#[derive(Clone)]
pub struct State<K, R> {
    rows: Table<K, Slot<R>>,
    /// How each row was that the batch at hand changed, in the order of their first changes.
    before: Vec<Before<R>>,
    /// Places of rows that it removed. It may have put others there since.
    emptied: Vec<u32>,
    /// Its number.
    batch: u32,
    len: usize,
    /// How many rows there were before it.
    committed: usize,
}

/// Where a row lies. One that was removed leaves its slot empty until that is committed.
#[derive(Clone, Debug)]
struct Slot<R> {
    row: Option<R>,
    /// The batch that changed it last.
    batch: u32,
}

#[derive(Clone)]
struct Before<R> {
    place: u32,
    row: Option<R>,
}

/// The number of no batch.
const NONE: u32 = 0;

impl<K, R> State<K, R> {
    pub const fn new() -> Self {
        Self {
            rows: Table::new(),
            before: Vec::new(),
            emptied: Vec::new(),
            batch: NONE + 1,
            len: 0,
            committed: 0,
        }
    }

    pub const fn len(&self) -> usize {
        self.len
    }

    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// One past the last place that a row may lie in.
    pub fn places(&self) -> u32 {
        self.rows.places()
    }

    /// The row in a place. It stays there as long as it is.
    pub fn at(&self, place: u32) -> Option<(&K, &R)> {
        self.rows.at(place).and_then(row)
    }

    /// All rows, by place: in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &R)> {
        self.rows.iter().filter_map(row)
    }

    /// Whether the batch at hand changed the row in a place.
    pub fn is_changed(&self, place: u32) -> bool {
        let slot = self.rows.at(place);
        slot.is_some_and(|(_, slot)| slot.batch == self.batch)
    }

    /// How many rows the batch at hand changed.
    pub const fn changed(&self) -> usize {
        self.before.len()
    }

    /// What the batch at hand changed, in the order of the first changes: `None` for a row that it removed. What it put in and removed
    /// again is not among them.
    pub fn changes(&self) -> impl Iterator<Item = (&K, Option<&R>)> {
        self.before.iter().filter_map(|before| {
            let (key, slot) = self.rows.at(before.place)?;
            let is_nothing = before.row.is_none() && slot.row.is_none();
            (!is_nothing).then_some((key, slot.row.as_ref()))
        })
    }
}

impl<K: Key, R> State<K, R> {
    pub fn get(&self, key: &K) -> Option<&R> {
        self.get_hashed(Hashed::of(key), key)
    }

    pub(crate) fn get_hashed(&self, hash: Hashed, key: &K) -> Option<&R> {
        self.rows.get_hashed(hash, key)?.row.as_ref()
    }

    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// The rows in a range of keys, in order.
    pub fn range<B: RangeBounds<K>>(&self, range: B) -> Range<'_, K, R> {
        Range(self.rows.range(range))
    }

    /// See `Table::glance`.
    pub fn glance(&self, keys: &[K]) {
        self.rows.glance(keys);
    }

    /// See `Table::glance_at_shelf`.
    pub fn glance_at_shelf(&self, key: &K) {
        self.rows.glance_at_shelf(key);
    }

    /// Puts in a row that is committed already; in which place it lies.
    pub fn insert(&mut self, key: K, row: R) -> u32 {
        assert!(self.before.is_empty(), "{BETWEEN}");
        let slot = Slot {
            row: Some(row),
            batch: NONE,
        };
        let (place, before) = self.rows.put(key, slot);
        self.len += usize::from(before.is_none());
        self.committed = self.len;
        place
    }

    /// Removes a row whose removal is committed already.
    pub fn remove(&mut self, key: &K) -> Option<R> {
        assert!(self.before.is_empty(), "{BETWEEN}");
        let row = self.rows.remove(key)?.row;
        self.len -= 1;
        self.committed = self.len;
        row
    }

    pub(crate) fn put(&mut self, key: K, row: R) {
        let slot = Slot {
            row: Some(row),
            batch: self.batch,
        };
        let (place, before) = self.rows.put(key, slot);
        let (row, is_first) = match before {
            None => (None, true),
            Some(slot) => (slot.row, slot.batch != self.batch),
        };
        self.len += usize::from(row.is_none());
        if is_first {
            self.before.push(Before { place, row });
        }
    }

    pub(crate) fn take_out(&mut self, key: &K) {
        let Some(place) = self.rows.place(key) else {
            return;
        };
        let slot = self.rows.at_mut(place).expect(THERE);
        let Some(row) = slot.row.take() else {
            return;
        };
        self.len -= 1;
        self.emptied.push(place);
        if slot.batch != self.batch {
            slot.batch = self.batch;
            let row = Some(row);
            self.before.push(Before { place, row });
        }
    }

    /// Lets machines change the rows. What they do is one batch until it is committed or undone.
    pub const fn overlay(&mut self) -> Overlay<'_, K, R> {
        Overlay::within(self)
    }

    /// What the batch at hand changed is so.
    pub fn commit(&mut self) {
        for place in self.emptied.drain(..) {
            let slot = self.rows.at(place);
            if slot.is_some_and(|(_, slot)| slot.row.is_none()) {
                self.rows.remove_at(place);
            }
        }
        self.before.clear();
        self.committed = self.len;
        self.next_batch();
    }

    /// What the batch at hand changed never was.
    pub fn undo(&mut self) {
        for Before { place, row } in self.before.drain(..).rev() {
            if row.is_some() {
                let slot = self.rows.at_mut(place).expect(THERE);
                *slot = Slot { row, batch: NONE };
            } else {
                self.rows.remove_at(place);
            }
        }
        self.emptied.clear();
        self.len = self.committed;
        self.next_batch();
    }

    fn next_batch(&mut self) {
        self.batch = self.batch.checked_add(1).unwrap_or_else(|| {
            for place in 0..self.rows.places() {
                if let Some(slot) = self.rows.at_mut(place) {
                    slot.batch = NONE;
                }
            }
            NONE + 1
        });
    }
}

const BETWEEN: &str = "rows come from elsewhere only between two batches";

const THERE: &str = "a row that a batch removed leaves its slot until that is committed or undone";

fn row<'s, K, R>((key, slot): (&'s K, &'s Slot<R>)) -> Option<(&'s K, &'s R)> {
    Some((key, slot.row.as_ref()?))
}

/// See `State::range`.
pub struct Range<'s, K, R>(table::Range<'s, K, Slot<R>>);

impl<'s, K: Key, R> Iterator for Range<'s, K, R> {
    type Item = (&'s K, &'s R);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.by_ref().find_map(row)
    }
}

impl<K, R> Default for State<K, R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Key, R> Extend<(K, R)> for State<K, R> {
    fn extend<I: IntoIterator<Item = (K, R)>>(&mut self, rows: I) {
        for (key, row) in rows {
            self.insert(key, row);
        }
    }
}

impl<K: Key, R> FromIterator<(K, R)> for State<K, R> {
    fn from_iter<I: IntoIterator<Item = (K, R)>>(rows: I) -> Self {
        let mut state = Self::new();
        state.extend(rows);
        state
    }
}

impl<K: Key, R, const N: usize> From<[(K, R); N]> for State<K, R> {
    fn from(rows: [(K, R); N]) -> Self {
        rows.into_iter().collect()
    }
}

/// Wherever the rows lie.
impl<K: Key, R: PartialEq> PartialEq for State<K, R> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, row)| other.get(key) == Some(row))
    }
}

impl<K: Key, R: Eq> Eq for State<K, R> {}

impl<K: Key, R: fmt::Debug> fmt::Debug for State<K, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(table::sorted(self.iter())).finish()
    }
}

#[cfg(test)]
mod tests;
