use std::{
    collections::{BTreeSet, btree_set},
    fmt,
    hint::black_box,
    iter::Peekable,
    ops::{Bound, RangeBounds},
    vec,
};

use hashbrown::{HashTable, hash_table};

use crate::{
    Key, Rank, Shelf,
    key::Hashed,
    shelves::{Books, Shelves},
    slab::{self, Slab},
};

/// Rows that are found by their key at once and read in order where they stand on one shelf.
///
/// A row lies in a place of its own, which stays the same as long as the row is there. The index and the shelves only say where:
/// to look a row up costs the same however many there are.
#[derive(Clone)]
pub struct Table<K, R> {
    index: HashTable<Entry>,
    slab: Slab<Lying<K, R>>,
    shelves: Shelves,
}

/// Half of a key's hash saves a look at most rows that are not meant, and at all rows when the index grows.
#[derive(Clone, Copy)]
struct Entry {
    hash: Hashed,
    place: u32,
}

#[derive(Clone, Debug)]
struct Lying<K, R> {
    key: K,
    row: R,
}

impl<K, R> Lying<K, R> {
    fn both(&self) -> (&K, &R) {
        (&self.key, &self.row)
    }
}

impl<K, R> Default for Table<K, R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, R> Table<K, R> {
    pub const fn new() -> Self {
        Self {
            index: HashTable::new(),
            slab: Slab::new(),
            shelves: Shelves::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.slab.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One past the last place that a row may lie in.
    pub fn places(&self) -> u32 {
        self.slab.places()
    }

    /// The row in a place.
    pub fn at(&self, place: u32) -> Option<(&K, &R)> {
        self.slab.get(place).map(Lying::both)
    }

    /// All rows, by place: in no order that means anything, but the same after the same changes.
    pub fn iter(&self) -> Iter<'_, K, R> {
        Iter(self.slab.iter())
    }
}

impl<K: Key, R> Table<K, R> {
    pub fn get(&self, key: &K) -> Option<&R> {
        self.get_hashed(Hashed::of(key), key)
    }

    pub(crate) fn get_hashed(&self, hash: Hashed, key: &K) -> Option<&R> {
        let place = self.find(hash, key)?;
        self.slab.get(place).map(|lying| &lying.row)
    }

    /// Looks at where rows would lie, so that they are near when they are asked for: first at the index for all of them, then at the
    /// rows. Each time memory is waited for together, as no look hangs on the one before.
    pub fn glance(&self, keys: &[K]) {
        let hashes: Vec<Hashed> = keys.iter().map(Hashed::of).collect();
        for hash in &hashes {
            black_box(self.index.find(hash.spread(), |entry| entry.hash == *hash));
        }
        for (hash, key) in hashes.into_iter().zip(keys) {
            black_box(self.get_hashed(hash, key));
        }
    }

    /// Looks at the shelf of a key and at all others of its token, for who will read them in order.
    pub fn glance_at_shelf(&self, key: &K) {
        if let Books::Few(mut places) = self.shelves.get(key.shelf()) {
            black_box(places.next());
        }
    }

    pub(crate) fn at_mut(&mut self, place: u32) -> Option<&mut R> {
        self.slab.get_mut(place).map(|lying| &mut lying.row)
    }

    pub fn contains_key(&self, key: &K) -> bool {
        self.place(key).is_some()
    }

    /// Puts a row in, and gives back the one that was there.
    pub fn insert(&mut self, key: K, row: R) -> Option<R> {
        self.put(key, row).1
    }

    /// The same, and says in which place it lies.
    pub(crate) fn put(&mut self, key: K, row: R) -> (u32, Option<R>) {
        let hash = Hashed::of(&key);
        let slab = &mut self.slab;
        let entry = self.index.entry(
            hash.spread(),
            |entry| is_of(slab, *entry, hash, &key),
            |entry| entry.hash.spread(),
        );
        match entry {
            hash_table::Entry::Occupied(entry) => {
                let place = entry.get().place;
                let known = slab.get_mut(place).expect(INDEXED);
                (place, Some(std::mem::replace(&mut known.row, row)))
            }
            hash_table::Entry::Vacant(entry) => {
                let shelf = key.shelf();
                let place = slab.push(Lying { key, row });
                entry.insert(Entry { hash, place });
                let rank = |place| slab.get(place).expect(INDEXED).key.rank();
                self.shelves.put(shelf, place, rank);
                (place, None)
            }
        }
    }

    pub fn remove(&mut self, key: &K) -> Option<R> {
        let place = self.place(key)?;
        self.remove_at(place)
    }

    /// Removes the row in a place.
    pub(crate) fn remove_at(&mut self, place: u32) -> Option<R> {
        let Lying { key, row } = self.slab.remove(place)?;
        let entry = self
            .index
            .find_entry(Hashed::of(&key).spread(), |entry| entry.place == place);
        assert!(entry.is_ok(), "{INDEXED}");
        if let Ok(entry) = entry {
            entry.remove();
        }
        self.shelves.take(key.shelf(), place, key.rank());
        Some(row)
    }

    /// The rows in a range of keys, in order.
    pub fn range<B: RangeBounds<K>>(&self, range: B) -> Range<'_, K, R> {
        let Some(shelf) = shelf(&range) else {
            return sorted(self.iter().filter(|(key, _)| range.contains(key)));
        };
        match self.shelves.get(shelf) {
            Books::Few(places) => {
                let rows = places.filter_map(|place| self.at(place));
                sorted(rows.filter(|(key, _)| range.contains(key)))
            }
            Books::Many(places) => match OnShelf::new(self, places, &range) {
                Some(rows) => Range::Shelf(Box::new(rows)),
                None => Range::Few(None),
            },
        }
    }

    pub(crate) fn place(&self, key: &K) -> Option<u32> {
        self.find(Hashed::of(key), key)
    }

    fn find(&self, hash: Hashed, key: &K) -> Option<u32> {
        let entry = self
            .index
            .find(hash.spread(), |entry| is_of(&self.slab, *entry, hash, key))?;
        Some(entry.place)
    }
}

/// Whether an entry of the index is that of a key.
fn is_of<K: Key, R>(slab: &Slab<Lying<K, R>>, entry: Entry, hash: Hashed, key: &K) -> bool {
    let is_key = |lying: &Lying<K, R>| lying.key == *key;
    entry.hash == hash && slab.get(entry.place).is_some_and(is_key)
}

const INDEXED: &str = "the index names the places that hold a row, and only those";

/// The shelf that a range lies on, if it lies on one.
fn shelf<K: Key, B: RangeBounds<K>>(range: &B) -> Option<Shelf> {
    let of = |bound: Bound<&K>| match bound {
        Bound::Included(key) | Bound::Excluded(key) => key.shelf(),
        Bound::Unbounded => Shelf::Alone,
    };
    let start = of(range.start_bound());
    let is_one = start != Shelf::Alone && start == of(range.end_bound());
    is_one.then_some(start)
}

pub(crate) fn sorted<'t, K: Ord, R>(
    mut rows: impl Iterator<Item = (&'t K, &'t R)>,
) -> Range<'t, K, R> {
    let Some(first) = rows.next() else {
        return Range::Few(None);
    };
    let Some(second) = rows.next() else {
        return Range::Few(Some(first));
    };
    let mut all = vec![first, second];
    all.extend(rows);
    all.sort_unstable_by_key(|(key, _)| *key);
    Range::Sorted(all.into_iter())
}

/// See `Table::range`.
pub enum Range<'t, K, R> {
    /// One or none, as nearly always.
    Few(Option<(&'t K, &'t R)>),
    Sorted(vec::IntoIter<(&'t K, &'t R)>),
    Shelf(Box<OnShelf<'t, K, R>>),
}

impl<K, R> Range<'_, K, R> {
    pub(crate) const fn none() -> Self {
        Range::Few(None)
    }
}

impl<'t, K: Key, R> Iterator for Range<'t, K, R> {
    type Item = (&'t K, &'t R);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Range::Few(row) => row.take(),
            Range::Sorted(rows) => rows.next(),
            Range::Shelf(rows) => rows.next(),
        }
    }
}

/// Some rows of a large shelf, rank by rank.
pub struct OnShelf<'t, K, R> {
    table: &'t Table<K, R>,
    places: Peekable<btree_set::Range<'t, (Rank, u32)>>,
    bounds: (Bound<K>, Bound<K>),
    /// The ranks of the bounds. Whatever has a rank between them lies between the bounds.
    first: Rank,
    last: Rank,
    /// What is left of the rows of one rank.
    rows: vec::IntoIter<(&'t K, &'t R)>,
}

impl<'t, K: Key, R> OnShelf<'t, K, R> {
    /// `None` where there are none.
    fn new<B: RangeBounds<K>>(
        table: &'t Table<K, R>,
        places: &'t BTreeSet<(Rank, u32)>,
        range: &B,
    ) -> Option<Self> {
        let rank = |bound: Bound<&K>, without| match bound {
            Bound::Included(key) | Bound::Excluded(key) => key.rank(),
            Bound::Unbounded => without,
        };
        let first = rank(range.start_bound(), (u128::MIN, u128::MIN, u128::MIN));
        let last = rank(range.end_bound(), (u128::MAX, u128::MAX, u128::MAX));
        if first > last {
            // `BTreeSet::range` panics on such bounds.
            return None;
        }
        let mut places = places
            .range((first, u32::MIN)..=(last, u32::MAX))
            .peekable();
        places.peek()?;
        Some(Self {
            table,
            places,
            bounds: (range.start_bound().cloned(), range.end_bound().cloned()),
            first,
            last,
            rows: Vec::new().into_iter(),
        })
    }
}

impl<'t, K: Key, R> Iterator for OnShelf<'t, K, R> {
    type Item = (&'t K, &'t R);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.rows.next() {
                return Some(row);
            }
            let (rank, place) = *self.places.next()?;
            let row = self.table.at(place).expect(INDEXED);
            let is_alone = self.places.peek().is_none_or(|(next, _)| *next != rank);
            if is_alone && self.first < rank && rank < self.last {
                return Some(row);
            }
            let mut rows = vec![row];
            while let Some((_, place)) = self.places.next_if(|(next, _)| *next == rank) {
                rows.push(self.table.at(*place).expect(INDEXED));
            }
            rows.retain(|(key, _)| self.bounds.contains(key));
            rows.sort_unstable_by_key(|(key, _)| *key);
            self.rows = rows.into_iter();
        }
    }
}

/// See `Table::iter`.
pub struct Iter<'t, K, R>(slab::Iter<'t, Lying<K, R>>);

impl<'t, K, R> Iterator for Iter<'t, K, R> {
    type Item = (&'t K, &'t R);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(Lying::both)
    }
}

impl<'t, K, R> IntoIterator for &'t Table<K, R> {
    type Item = (&'t K, &'t R);
    type IntoIter = Iter<'t, K, R>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K, R> IntoIterator for Table<K, R> {
    type Item = (K, R);
    type IntoIter = IntoIter<K, R>;

    fn into_iter(self) -> Self::IntoIter {
        IntoIter(self.slab.into_iter())
    }
}

/// See `Table::into_iter`.
pub struct IntoIter<K, R>(slab::IntoIter<Lying<K, R>>);

impl<K, R> Iterator for IntoIter<K, R> {
    type Item = (K, R);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|Lying { key, row }| (key, row))
    }
}

impl<K: Key, R> Extend<(K, R)> for Table<K, R> {
    fn extend<I: IntoIterator<Item = (K, R)>>(&mut self, rows: I) {
        for (key, row) in rows {
            self.insert(key, row);
        }
    }
}

impl<K: Key, R> FromIterator<(K, R)> for Table<K, R> {
    fn from_iter<I: IntoIterator<Item = (K, R)>>(rows: I) -> Self {
        let mut table = Self::new();
        table.extend(rows);
        table
    }
}

impl<K: Key, R, const N: usize> From<[(K, R); N]> for Table<K, R> {
    fn from(rows: [(K, R); N]) -> Self {
        rows.into_iter().collect()
    }
}

/// Wherever the rows lie.
impl<K: Key, R: PartialEq> PartialEq for Table<K, R> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, row)| other.get(key) == Some(row))
    }
}

impl<K: Key, R: Eq> Eq for Table<K, R> {}

impl<K: Key, R: fmt::Debug> fmt::Debug for Table<K, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(sorted(self.iter())).finish()
    }
}
