use std::{slice, vec};

/// Things in places that stay the same. Grows by pieces, so that what lies there is never copied, however much it becomes.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    pieces: Vec<Vec<Option<T>>>,
    /// Places that were left.
    free: Vec<u32>,
}

/// A power of two.
const PIECE: usize = 1 << 10;

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self {
            pieces: Vec::new(),
            free: Vec::new(),
        }
    }

    /// One past the last place that was ever taken.
    pub(crate) fn places(&self) -> u32 {
        let Some(last) = self.pieces.last() else {
            return 0;
        };
        let places = (self.pieces.len() - 1) * PIECE + last.len();
        u32::try_from(places).expect("a state of 4 billion rows does not fit into memory")
    }

    pub(crate) fn len(&self) -> usize {
        self.places() as usize - self.free.len()
    }

    pub(crate) fn get(&self, place: u32) -> Option<&T> {
        let place = place as usize;
        self.pieces.get(place / PIECE)?.get(place % PIECE)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        let place = place as usize;
        let piece = self.pieces.get_mut(place / PIECE)?;
        piece.get_mut(place % PIECE)?.as_mut()
    }

    pub(crate) fn push(&mut self, thing: T) -> u32 {
        if let Some(place) = self.free.pop() {
            let at = place as usize;
            self.pieces[at / PIECE][at % PIECE] = Some(thing);
            return place;
        }
        let place = self.places();
        if place as usize == self.pieces.len() * PIECE {
            // The first piece grows with what it holds: most tables are small.
            let is_first = self.pieces.is_empty();
            let room = if is_first { 0 } else { PIECE };
            self.pieces.push(Vec::with_capacity(room));
        }
        let last = self.pieces.len() - 1;
        self.pieces[last].push(Some(thing));
        place
    }

    pub(crate) fn remove(&mut self, place: u32) -> Option<T> {
        let at = place as usize;
        let thing = self
            .pieces
            .get_mut(at / PIECE)?
            .get_mut(at % PIECE)?
            .take()?;
        self.free.push(place);
        Some(thing)
    }

    pub(crate) fn iter(&self) -> Iter<'_, T> {
        Iter {
            pieces: self.pieces.iter(),
            piece: [].iter(),
        }
    }
}

pub(crate) struct Iter<'s, T> {
    pieces: slice::Iter<'s, Vec<Option<T>>>,
    piece: slice::Iter<'s, Option<T>>,
}

impl<'s, T> Iterator for Iter<'s, T> {
    type Item = &'s T;

    fn next(&mut self) -> Option<&'s T> {
        loop {
            for thing in self.piece.by_ref() {
                if thing.is_some() {
                    return thing.as_ref();
                }
            }
            self.piece = self.pieces.next()?.iter();
        }
    }
}

#[derive(Debug)]
pub(crate) struct IntoIter<T> {
    pieces: vec::IntoIter<Vec<Option<T>>>,
    piece: vec::IntoIter<Option<T>>,
}

impl<T> IntoIterator for Slab<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter {
            pieces: self.pieces.into_iter(),
            piece: Vec::new().into_iter(),
        }
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        loop {
            for thing in self.piece.by_ref() {
                if thing.is_some() {
                    return thing;
                }
            }
            self.piece = self.pieces.next()?.into_iter();
        }
    }
}
