//! The rows against ordered maps, which do the same and know no shelves.

use std::{
    collections::BTreeMap,
    ops::{Bound, RangeBounds},
};

use event::Token;
use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize};

use super::*;
use crate::{Rank, Shelf};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Kind {
    /// On one shelf.
    Timer(u8),
    /// Alone.
    Seen(u8),
    /// On a shelf for each token.
    Digest(u8, u8),
}

impl Key for Kind {
    fn shelf(&self) -> Shelf {
        match *self {
            Kind::Timer(_) => Shelf::of_kind(0),
            Kind::Seen(_) => Shelf::Alone,
            Kind::Digest(profile, _) => Shelf::of(1, Token::new([profile; 16])),
        }
    }

    /// Some rows share one.
    fn rank(&self) -> Rank {
        match *self {
            Kind::Timer(number) => (u128::from(number / 16), u128::from(number % 16 / 4), 0),
            Kind::Seen(_) => (0, 0, 0),
            Kind::Digest(_, event) => (0, u128::from(event), 0),
        }
    }
}

/// On one shelf with all others.
impl Key for u8 {}

type Bounds<K> = (Bound<K>, Bound<K>);

#[derive(Clone, Debug)]
enum Act<K> {
    Put(K, u8),
    Remove(K),
    Range(Bounds<K>),
    Commit,
    Abort,
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        any::<u8>().prop_map(Kind::Timer),
        (0..40_u8).prop_map(Kind::Seen),
        // A giant, and others that have few.
        (0..3_u8, any::<u8>()).prop_map(|(profile, event)| Kind::Digest(profile * profile, event)),
        (3..40_u8, 0..6_u8).prop_map(|(profile, event)| Kind::Digest(profile, event)),
    ]
}

fn bound<K: Clone + std::fmt::Debug>(
    key: impl Strategy<Value = K>,
) -> impl Strategy<Value = Bound<K>> {
    (key, 0..9_u8).prop_map(|(key, how)| match how {
        0 => Bound::Unbounded,
        1..4 => Bound::Excluded(key),
        _ => Bound::Included(key),
    })
}

fn act<K: Clone + std::fmt::Debug + 'static>(
    key: fn() -> BoxedStrategy<K>,
) -> impl Strategy<Value = Act<K>> {
    prop_oneof![
        12 => (key(), any::<u8>()).prop_map(|(key, row)| Act::Put(key, row)),
        5 => key().prop_map(Act::Remove),
        3 => (bound(key()), bound(key())).prop_map(Act::Range),
        1 => Just(Act::Commit),
        1 => Just(Act::Abort),
    ]
}

/// The bounds that mean a range; an ordered map panics at others.
fn means_a_range<K: Ord>(bounds: &Bounds<K>) -> bool {
    match bounds {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
        (Bound::Excluded(start), Bound::Excluded(end)) => start < end,
        (
            Bound::Included(start) | Bound::Excluded(start),
            Bound::Included(end) | Bound::Excluded(end),
        ) => start <= end,
    }
}

/// Committed rows, and those of the batch.
struct Oracle<K> {
    committed: BTreeMap<K, u8>,
    rows: BTreeMap<K, u8>,
}

impl<K: Key + Copy> Oracle<K> {
    fn check(&self, overlay: &Overlay<'_, K, u8>, bounds: &Bounds<K>) {
        let expected: Vec<_> = if means_a_range(bounds) {
            self.rows
                .range(*bounds)
                .map(|(key, row)| (*key, *row))
                .collect()
        } else {
            Vec::new()
        };
        let found: Vec<_> = overlay
            .range((bounds.start_bound().cloned(), bounds.end_bound().cloned()))
            .map(|(key, row)| (*key, *row))
            .collect();
        assert_eq!(found, expected, "{bounds:?}");
    }

    fn check_state(&self, state: &State<K, u8>) {
        assert_eq!(state.len(), self.committed.len());
        assert_eq!(state.is_empty(), self.committed.is_empty());
        let mut rows: Vec<_> = state.iter().map(|(key, row)| (*key, *row)).collect();
        rows.sort_unstable();
        assert!(
            rows.iter()
                .copied()
                .eq(self.committed.iter().map(|(key, row)| (*key, *row)))
        );
        let mut by_place: Vec<_> = (0..state.places())
            .filter_map(|place| state.at(place))
            .map(|(key, row)| (*key, *row))
            .collect();
        by_place.sort_unstable();
        assert_eq!(by_place, rows);
        let copy: State<K, u8> = rows.into_iter().rev().collect();
        assert_eq!(&copy, state);
    }
}

fn reads_as_an_ordered_map<K: Key + Copy>(acts: Vec<Act<K>>) {
    let mut state = State::new();
    let mut changes = Changes::new();
    let mut oracle = Oracle {
        committed: BTreeMap::new(),
        rows: BTreeMap::new(),
    };
    for act in acts {
        let mut overlay = Overlay::resume(&state, changes);
        match &act {
            Act::Put(key, row) => {
                overlay.put(*key, *row);
                oracle.rows.insert(*key, *row);
                assert_eq!(overlay.get(key), Some(row));
            }
            Act::Remove(key) => {
                overlay.remove(*key);
                oracle.rows.remove(key);
                assert!(!overlay.contains(key));
            }
            Act::Range(bounds) => oracle.check(&overlay, bounds),
            Act::Commit | Act::Abort => {
                oracle.check(&overlay, &(Bound::Unbounded, Bound::Unbounded));
                for key in oracle.rows.keys().chain(oracle.committed.keys()) {
                    assert_eq!(overlay.get(key), oracle.rows.get(key), "{key:?}");
                }
            }
        }
        changes = overlay.into_changes();
        match act {
            Act::Put(..) | Act::Remove(_) | Act::Range(_) => {}
            Act::Commit => {
                changes = state.take(std::mem::take(&mut changes));
                assert!(changes.is_empty(), "{changes:?}");
                oracle.committed.clone_from(&oracle.rows);
                oracle.check_state(&state);
            }
            Act::Abort => {
                changes = Changes::new();
                oracle.rows.clone_from(&oracle.committed);
                oracle.check_state(&state);
            }
        }
    }
}

proptest! {
    #[test]
    fn rows_on_shelves_read_as_an_ordered_map(acts in vec(act(|| kind().boxed()), 0..400)) {
        reads_as_an_ordered_map(acts);
    }

    #[test]
    fn rows_of_a_machine_that_says_nothing_of_shelves_read_as_an_ordered_map(
        acts in vec(act(|| any::<u8>().boxed()), 0..200),
    ) {
        reads_as_an_ordered_map(acts);
    }
}

#[test]
fn an_overlay_reads_as_the_state_it_would_leave() {
    let state = State::from([(1_u8, 'a'), (3, 'c'), (5, 'e'), (7, 'g')]);
    let mut overlay = Overlay::new(&state);
    overlay.put(2, 'b');
    overlay.put(3, 'C');
    overlay.remove(5);
    overlay.remove(6);
    let rows: Vec<_> = overlay.range(..).map(|(key, row)| (*key, *row)).collect();
    assert_eq!(rows, [(1, 'a'), (2, 'b'), (3, 'C'), (7, 'g')]);
    let some: Vec<_> = overlay
        .range(2..=5)
        .map(|(key, row)| (*key, *row))
        .collect();
    assert_eq!(some, [(2, 'b'), (3, 'C')]);
    assert_eq!(overlay.range(4..4).count(), 0);
    assert_eq!(overlay.get(&5), None);
    assert_eq!(
        overlay.into_changes(),
        Changes::from([(2, Some('b')), (3, Some('C')), (5, None)])
    );
}

/// In a wide range of numbers, so that there are many rows.
impl Key for u32 {
    fn shelf(&self) -> Shelf {
        Shelf::Alone
    }
}

#[test]
fn a_table_of_changes_that_were_taken_is_as_good_as_a_new_one() {
    let mut state: State<u32, u32> = State::new();
    let mut changes = Changes::new();
    let mut oracle = BTreeMap::new();
    // More than a piece of a slab, less than one, and several.
    for (round, count) in (0..).zip([3_000, 10, 0, 1_024, 5_000, 1_025]) {
        let mut overlay = Overlay::resume(&state, changes);
        for number in 0..count {
            let key = number * 7 % 4_001;
            if (number + round) % 3 == 0 {
                overlay.remove(key);
                oracle.remove(&key);
            } else {
                overlay.put(key, round);
                oracle.insert(key, round);
            }
        }
        changes = state.take(overlay.into_changes());
        assert!(changes.is_empty());
        let rows: BTreeMap<u32, u32> = state.iter().map(|(key, row)| (*key, *row)).collect();
        assert_eq!(rows, oracle);
        assert!(oracle.iter().all(|(key, row)| state.get(key) == Some(row)));
    }
}

#[test]
fn a_row_keeps_its_place_while_others_come_and_go() {
    let mut state: State<Kind, u32> = State::new();
    state.insert(Kind::Seen(7), 7);
    let place = (0..state.places())
        .find(|place| state.at(*place).is_some())
        .unwrap();
    for round in 0..3_u8 {
        for number in 0..u8::MAX {
            state.insert(Kind::Digest(round, number), u32::from(number));
        }
        for number in (0..u8::MAX).step_by(2) {
            assert_eq!(
                state.remove(&Kind::Digest(round, number)),
                Some(u32::from(number))
            );
        }
        assert_eq!(state.at(place), Some((&Kind::Seen(7), &7)));
    }
    assert_eq!(state.len(), 1 + 3 * 127);
}
