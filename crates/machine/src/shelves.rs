use std::collections::{BTreeSet, HashMap, hash_map};

use event::Token;

use crate::{Rank, Shelf, key::TokenHashes};

/// The places of rows that are read in order with others, by the token of their shelf and then by its kind: who looks at one shelf of a
/// token mostly looks at others of the same.
#[derive(Clone)]
pub(crate) struct Shelves(HashMap<Token, Rack, TokenHashes>);

/// All shelves of one token. None is empty.
#[derive(Clone)]
enum Rack {
    One(u8, Books),
    Some(Vec<(u8, Books)>),
}

/// The rows of one shelf. Few are put in order when they are read, many are kept in order.
#[derive(Clone)]
pub(crate) enum Books {
    One(u32),
    Few(Vec<u32>),
    Many(BTreeSet<(Rank, u32)>),
}

/// Sorting so many takes no longer than a few look-ups in a tree.
const FEW: usize = 24;

impl Shelves {
    pub(crate) const fn new() -> Self {
        Self(HashMap::with_hasher(TokenHashes::new()))
    }

    /// What stands on a shelf. Most shelves that are looked for are not there.
    pub(crate) fn get(&self, shelf: Shelf) -> Option<&Books> {
        let Shelf::Of { kind, token } = shelf else {
            return None;
        };
        match self.0.get(&token)? {
            Rack::One(only, books) => (*only == kind).then_some(books),
            Rack::Some(all) => {
                let found = all.iter().find(|(other, _)| *other == kind);
                found.map(|(_, books)| books)
            }
        }
    }

    /// Puts a place on a shelf; `rank` says how the key begins that lies in a place.
    pub(crate) fn put(&mut self, shelf: Shelf, place: u32, rank: impl Fn(u32) -> Rank) {
        let Shelf::Of { kind, token } = shelf else {
            return;
        };
        let rack = match self.0.entry(token) {
            hash_map::Entry::Vacant(rack) => {
                rack.insert(Rack::One(kind, Books::One(place)));
                return;
            }
            hash_map::Entry::Occupied(rack) => rack.into_mut(),
        };
        match rack.books_mut(kind) {
            Some(books) => books.put(place, rank),
            None => rack.add(kind, Books::One(place)),
        }
    }

    pub(crate) fn take(&mut self, shelf: Shelf, place: u32, rank: Rank) {
        let Shelf::Of { kind, token } = shelf else {
            return;
        };
        let hash_map::Entry::Occupied(mut entry) = self.0.entry(token) else {
            return;
        };
        let rack = entry.get_mut();
        let is_empty = rack
            .books_mut(kind)
            .is_some_and(|books| books.take(place, rank));
        if is_empty && rack.remove(kind) {
            entry.remove();
        }
    }
}

impl Rack {
    fn books_mut(&mut self, kind: u8) -> Option<&mut Books> {
        match self {
            Rack::One(only, books) => (*only == kind).then_some(books),
            Rack::Some(all) => {
                let found = all.iter_mut().find(|(other, _)| *other == kind);
                found.map(|(_, books)| books)
            }
        }
    }

    fn add(&mut self, kind: u8, books: Books) {
        match self {
            Rack::One(only, first) => {
                let first = std::mem::replace(first, Books::One(0));
                *self = Rack::Some(vec![(*only, first), (kind, books)]);
            }
            Rack::Some(all) => all.push((kind, books)),
        }
    }

    /// Whether that was the last one.
    fn remove(&mut self, kind: u8) -> bool {
        match self {
            Rack::One(only, _) => *only == kind,
            Rack::Some(all) => {
                all.retain(|(other, _)| *other != kind);
                all.is_empty()
            }
        }
    }
}

impl Books {
    fn put(&mut self, place: u32, rank: impl Fn(u32) -> Rank) {
        match self {
            Books::One(first) => *self = Books::Few(vec![*first, place]),
            Books::Few(places) => {
                places.push(place);
                if places.len() > FEW {
                    let ranked = places.iter().map(|place| (rank(*place), *place));
                    *self = Books::Many(ranked.collect());
                }
            }
            Books::Many(places) => {
                places.insert((rank(place), place));
            }
        }
    }

    /// Whether nothing is left.
    fn take(&mut self, place: u32, rank: Rank) -> bool {
        match self {
            Books::One(only) => *only == place,
            Books::Few(places) => {
                places.retain(|other| *other != place);
                places.is_empty()
            }
            Books::Many(places) => {
                places.remove(&(rank, place));
                places.is_empty()
            }
        }
    }
}
