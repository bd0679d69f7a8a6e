use std::{
    collections::{BTreeSet, HashMap, btree_set, hash_map},
    fmt,
    hint::black_box,
    iter::Peekable,
    ops::{Bound, RangeBounds},
    vec,
};

use event::Token;
use hashbrown::{HashTable, hash_table};

use crate::{
    Key, Rank, Shelf,
    key::{Hashed, TokenHashes},
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
    shelves: HashMap<(u8, Token), Books, TokenHashes>,
}

/// Half of a key's hash saves a look at most rows that are not meant, and at all rows when the index grows.
#[derive(Clone, Copy)]
struct Entry {
    hash: Hashed,
    place: u32,
}

/// A row with its key, and the key's hash: what is put into another table is not hashed again.
#[derive(Clone, Debug)]
struct Lying<K, R> {
    hash: Hashed,
    key: K,
    row: R,
}

impl<K, R> Lying<K, R> {
    fn both(&self) -> (&K, &R) {
        (&self.key, &self.row)
    }
}

/// The rows of one shelf. Few are put in order when they are read, many are kept in order.
#[derive(Clone)]
enum Books {
    One(u32),
    Few(Vec<u32>),
    Many(BTreeSet<(Rank, u32)>),
}

/// Sorting so many takes no longer than a few look-ups in a tree.
const FEW: usize = 24;

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
            shelves: HashMap::with_hasher(TokenHashes::new()),
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
        for key in keys {
            self.glance_at_index(Hashed::of(key));
        }
        for key in keys {
            black_box(self.get(key));
        }
    }

    fn glance_at_index(&self, hash: Hashed) -> Option<&Entry> {
        black_box(self.index.find(hash.spread(), |entry| entry.hash == hash))
    }

    /// Looks at the shelf of a key, for who will read it in order.
    pub fn glance_at_shelf(&self, key: &K) {
        if let Shelf::Of { kind, token } = key.shelf() {
            black_box(self.shelves.get(&(kind, token)));
        }
    }

    pub fn get_mut(&mut self, key: &K) -> Option<&mut R> {
        let place = self.place(key)?;
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
    pub fn put(&mut self, key: K, row: R) -> (u32, Option<R>) {
        self.put_hashed(Hashed::of(&key), key, row)
    }

    fn put_hashed(&mut self, hash: Hashed, key: K, row: R) -> (u32, Option<R>) {
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
                let place = slab.push(Lying { hash, key, row });
                entry.insert(Entry { hash, place });
                self.put_on_shelf(shelf, place);
                (place, None)
            }
        }
    }

    pub fn remove(&mut self, key: &K) -> Option<R> {
        self.remove_hashed(Hashed::of(key), key)
    }

    pub(crate) fn remove_hashed(&mut self, hash: Hashed, key: &K) -> Option<R> {
        let slab = &self.slab;
        let found = self
            .index
            .find_entry(hash.spread(), |entry| is_of(slab, *entry, hash, key));
        let (Entry { place, .. }, _) = found.ok()?.remove();
        self.take_off_shelf(key, place);
        self.slab.remove(place).map(|lying| lying.row)
    }

    /// Lets what a batch changed be so, and gives back the empty table: the next batch needs as much room.
    pub fn take(&mut self, mut changes: Table<K, Option<R>>) -> Table<K, Option<R>> {
        for changes in changes.slab.drain() {
            for change in changes.iter().flatten() {
                self.glance_at_index(change.hash);
                self.glance_at_shelf(&change.key);
            }
            for change in changes.iter().flatten() {
                self.glance_where_it_goes(change.hash, &change.key);
            }
            for Lying { hash, key, row } in changes.drain(..).flatten() {
                match row {
                    Some(row) => self.put_hashed(hash, key, row).1,
                    None => self.remove_hashed(hash, &key),
                };
            }
        }
        changes.index.clear();
        changes.shelves.clear();
        changes
    }

    /// Looks at the row in whose place another will be put, and at the end of its shelf.
    fn glance_where_it_goes(&self, hash: Hashed, key: &K) {
        if let Some(entry) = self.glance_at_index(hash) {
            black_box(self.slab.get(entry.place).map(|lying| lying.hash));
        }
        if let Shelf::Of { kind, token } = key.shelf()
            && let Some(Books::Few(places)) = self.shelves.get(&(kind, token))
        {
            black_box(places.last());
        }
    }

    fn put_on_shelf(&mut self, shelf: Shelf, place: u32) {
        let Shelf::Of { kind, token } = shelf else {
            return;
        };
        let slab = &self.slab;
        let ranked = |place| {
            let lying: &Lying<K, R> = slab.get(place).expect(INDEXED);
            (lying.key.rank(), place)
        };
        let books = match self.shelves.entry((kind, token)) {
            hash_map::Entry::Vacant(shelf) => {
                shelf.insert(Books::One(place));
                return;
            }
            hash_map::Entry::Occupied(shelf) => shelf.into_mut(),
        };
        match books {
            Books::One(first) => *books = Books::Few(vec![*first, place]),
            Books::Few(places) if places.len() < FEW => places.push(place),
            Books::Few(places) => {
                places.push(place);
                *books = Books::Many(places.iter().map(|place| ranked(*place)).collect());
            }
            Books::Many(places) => {
                places.insert(ranked(place));
            }
        }
    }

    fn take_off_shelf(&mut self, key: &K, place: u32) {
        let Shelf::Of { kind, token } = key.shelf() else {
            return;
        };
        let hash_map::Entry::Occupied(mut shelf) = self.shelves.entry((kind, token)) else {
            return;
        };
        let is_empty = match shelf.get_mut() {
            Books::One(_) => true,
            Books::Few(places) => {
                places.retain(|other| *other != place);
                places.is_empty()
            }
            Books::Many(places) => {
                places.remove(&(key.rank(), place));
                places.is_empty()
            }
        };
        if is_empty {
            shelf.remove();
        }
    }

    /// The rows in a range of keys, in order.
    pub fn range<B: RangeBounds<K>>(&self, range: B) -> Range<'_, K, R> {
        let Some(shelf) = shelf(&range) else {
            return sorted(self.iter().filter(|(key, _)| range.contains(key)));
        };
        // Most ranges are of shelves that are not there.
        match self.shelves.get(&shelf) {
            None => Range::Few(None),
            Some(Books::One(place)) => {
                let row = self.at(*place).filter(|(key, _)| range.contains(key));
                Range::Few(row)
            }
            Some(Books::Few(places)) => {
                let rows = places.iter().filter_map(|place| self.at(*place));
                sorted(rows.filter(|(key, _)| range.contains(key)))
            }
            Some(Books::Many(places)) => match OnShelf::new(self, places, &range) {
                Some(rows) => Range::Shelf(Box::new(rows)),
                None => Range::Few(None),
            },
        }
    }

    fn place(&self, key: &K) -> Option<u32> {
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

const INDEXED: &str = "the index names only places that hold a row";

/// The shelf that a range lies on, if it lies on one.
fn shelf<K: Key, B: RangeBounds<K>>(range: &B) -> Option<(u8, Token)> {
    let of = |bound: Bound<&K>| match bound {
        Bound::Included(key) | Bound::Excluded(key) => match key.shelf() {
            Shelf::Of { kind, token } => Some((kind, token)),
            Shelf::Alone => None,
        },
        Bound::Unbounded => None,
    };
    let start = of(range.start_bound())?;
    let end = of(range.end_bound())?;
    (start == end).then_some(start)
}

fn sorted<'t, K: Ord, R>(mut rows: impl Iterator<Item = (&'t K, &'t R)>) -> Range<'t, K, R> {
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
        self.0.next().map(|Lying { key, row, .. }| (key, row))
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
