use std::{
    fmt,
    hash::{BuildHasher as _, BuildHasherDefault, Hash, Hasher},
};

use event::Token;
use serde::{Serialize, de::DeserializeOwned};

/// What a row is found by.
///
/// Every row is found at once by its whole key. Ranges of keys are read in order wherever they lie; those within one shelf are
/// cheap, all others look at every row. What is on a shelf lies together in the order of keys: between two keys of a shelf there is
/// none of another.
pub trait Key:
    Clone + Ord + Hash + fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// All on one, unless the machine says better.
    fn shelf(&self) -> Shelf {
        Shelf::of_kind(0)
    }

    /// How the key begins, after what all keys of its shelf begin with. Large shelves are kept in order by it, since two numbers are
    /// compared where they lie and two keys are not; where it is the same for many rows, they are put in order whenever they are read.
    fn rank(&self) -> Rank {
        (0, 0, 0)
    }
}

/// Grows with the keys of a shelf: of two keys the greater one never has a smaller rank.
pub type Rank = (u128, u128, u128);

/// Where a row stands among others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shelf {
    /// By itself: nobody reads it in order with others. Costs nothing beside the row.
    Alone,
    /// Among the rows of one kind that begin with the same token.
    Of { kind: u8, token: Token },
}

impl Shelf {
    /// Among all rows of one kind.
    pub const fn of_kind(kind: u8) -> Shelf {
        Shelf::of(kind, Token::new([0; Token::LEN]))
    }

    pub const fn of(kind: u8, token: Token) -> Shelf {
        Shelf::Of { kind, token }
    }
}

/// Hashes keys that are made of tokens. Nobody outside can choose a token, since it is keyed; so nobody can make keys collide,
/// and nothing slower is needed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TokenHasher(u64);

pub(crate) type TokenHashes = BuildHasherDefault<TokenHasher>;

/// An odd number without a pattern: the fraction of the golden ratio, as wide as the multiplication.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl TokenHasher {
    #[inline]
    fn add(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word ^ FACTOR) * u128::from(FACTOR);
        let (low, high) = (product as u64, (product >> 64) as u64);
        self.0 = (low ^ high).rotate_left(23);
    }
}

impl Hasher for TokenHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.add(u64::from_le_bytes(word));
        }
    }

    #[inline]
    fn write_u8(&mut self, number: u8) {
        self.add(u64::from(number));
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.add(u64::from(number));
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.add(number);
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.add(number as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

/// A key's hash: computed once, whatever it is looked up in. Half of the bits serve all that tables use of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hashed(u32);

impl Hashed {
    #[inline]
    pub(crate) fn of<K: Key>(key: &K) -> Hashed {
        let hash = TokenHashes::new().hash_one(key);
        Hashed((hash ^ (hash >> 32)) as u32)
    }

    /// As wide as tables want it.
    #[inline]
    pub(crate) fn spread(self) -> u64 {
        u64::from(self.0).wrapping_mul(FACTOR)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// As many low bits as a table of that size would use, and the high ones it compares first.
    #[test]
    fn keys_that_differ_a_little_are_spread_over_the_whole_table() {
        let hashes = TokenHashes::default();
        let mut places = HashSet::new();
        let mut tags = HashSet::new();
        for kind in 0..4_u8 {
            for number in 0..16_384_u64 {
                let hash = hashes.hash_one((kind, number));
                places.insert(hash & 0xffff);
                tags.insert(hash >> 57);
            }
        }
        // Of 65,536 balls thrown at random into as many places 63 % are hit.
        assert!(places.len() > 40_000, "{}", places.len());
        assert_eq!(tags.len(), 128);
    }
}
