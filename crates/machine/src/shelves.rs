use std::{
    collections::{BTreeSet, HashMap, hash_map},
    slice,
};

use event::Token;
use smallvec::SmallVec;

use crate::{Rank, Shelf, key::TokenHashes, slab::Slab};

/// The places of rows that are read in order with others, by the token of their shelf: who looks at one shelf of a token mostly looks
/// at others of the same.
#[derive(Clone)]
pub(crate) struct Shelves {
    racks: HashMap<Token, Rack, TokenHashes>,
    /// The rows of large shelves.
    many: Slab<BTreeSet<(Rank, u32)>>,
}

/// What stands on all shelves of one token, in no order. Never empty.
type Rack = SmallVec<[Mark; 2]>;

/// What stands on a shelf of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// One row among others.
    Row { kind: u8, place: u32 },
    /// All its rows.
    Many { kind: u8, at: u32 },
}

/// The rows of one shelf. Few are put in order when they are read, many are kept in order.
pub(crate) enum Books<'s> {
    Few(Few<'s>),
    Many(&'s BTreeSet<(Rank, u32)>),
}

/// The places of a few rows, maybe of none.
pub(crate) struct Few<'s> {
    marks: slice::Iter<'s, Mark>,
    kind: u8,
}

/// Sorting so many takes no longer than a few look-ups in a tree.
const FEW: usize = 24;

const MARKED: &str = "the mark of a large shelf says where its rows are";

impl Shelves {
    pub(crate) const fn new() -> Self {
        Self {
            racks: HashMap::with_hasher(TokenHashes::new()),
            many: Slab::new(),
        }
    }

    /// What stands on a shelf. Most shelves that are looked for are empty.
    pub(crate) fn get(&self, shelf: Shelf) -> Books<'_> {
        let Shelf::Of { kind, token } = shelf else {
            return Books::Few(Few::none());
        };
        let Some(rack) = self.racks.get(&token) else {
            return Books::Few(Few::none());
        };
        match many(rack, kind) {
            Some(at) => Books::Many(self.many.get(at).expect(MARKED)),
            None => Books::Few(Few::of(rack, kind)),
        }
    }

    /// Puts a place on a shelf; `rank` says how the key begins that lies in a place.
    pub(crate) fn put(&mut self, shelf: Shelf, place: u32, rank: impl Fn(u32) -> Rank) {
        let Shelf::Of { kind, token } = shelf else {
            return;
        };
        let rack = self.racks.entry(token).or_default();
        if let Some(at) = many(rack, kind) {
            let places = self.many.get_mut(at).expect(MARKED);
            places.insert((rank(place), place));
            return;
        }
        rack.push(Mark::Row { kind, place });
        if rack.len() > FEW && Few::of(rack, kind).count() > FEW {
            let places = Few::of(rack, kind).map(|place| (rank(place), place));
            let at = self.many.push(places.collect());
            rack.retain(|mark| mark.row_of(kind).is_none());
            rack.push(Mark::Many { kind, at });
        }
    }

    pub(crate) fn take(&mut self, shelf: Shelf, place: u32, rank: Rank) {
        let Shelf::Of { kind, token } = shelf else {
            return;
        };
        let hash_map::Entry::Occupied(mut entry) = self.racks.entry(token) else {
            return;
        };
        let rack = entry.get_mut();
        let mut gone = Mark::Row { kind, place };
        if let Some(at) = many(rack, kind) {
            let places = self.many.get_mut(at).expect(MARKED);
            places.remove(&(rank, place));
            if !places.is_empty() {
                return;
            }
            self.many.remove(at);
            gone = Mark::Many { kind, at };
        }
        rack.retain(|mark| *mark != gone);
        if rack.is_empty() {
            entry.remove();
        }
    }
}

/// Where the rows of a shelf are, if they are many.
fn many(rack: &Rack, kind: u8) -> Option<u32> {
    rack.iter().find_map(|mark| match mark {
        Mark::Many { kind: of, at } if *of == kind => Some(*at),
        Mark::Many { .. } | Mark::Row { .. } => None,
    })
}

impl Mark {
    /// The place of a row on a shelf of that kind.
    fn row_of(&self, kind: u8) -> Option<u32> {
        match self {
            Mark::Row { kind: of, place } if *of == kind => Some(*place),
            Mark::Row { .. } | Mark::Many { .. } => None,
        }
    }
}

impl<'s> Few<'s> {
    fn none() -> Self {
        Self {
            marks: [].iter(),
            kind: 0,
        }
    }

    fn of(rack: &'s Rack, kind: u8) -> Self {
        let marks = rack.iter();
        Self { marks, kind }
    }
}

impl Iterator for Few<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.marks.find_map(|mark| mark.row_of(self.kind))
    }
}
