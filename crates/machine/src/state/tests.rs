//! The rows against ordered maps, which do the same and know no shelves.

use std::{
    collections::BTreeMap,
    ops::{Bound, RangeBounds},
};

use event::Token;
use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize};

use super::*;
use crate::{Changes, Rank, Shelf};

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
    fn new() -> Self {
        Self {
            committed: BTreeMap::new(),
            rows: BTreeMap::new(),
        }
    }

    /// Does to an overlay what is done to the oracle's rows.
    fn act(&mut self, overlay: &mut Overlay<'_, K, u8>, act: &Act<K>) {
        match act {
            Act::Put(key, row) => {
                overlay.put(*key, *row);
                self.rows.insert(*key, *row);
                assert_eq!(overlay.get(key), Some(row));
            }
            Act::Remove(key) => {
                overlay.remove(*key);
                self.rows.remove(key);
                assert!(!overlay.contains(key));
            }
            Act::Range(bounds) => self.check(overlay, bounds),
            Act::Commit | Act::Abort => {
                self.check(overlay, &(Bound::Unbounded, Bound::Unbounded));
                for key in self.rows.keys().chain(self.committed.keys()) {
                    assert_eq!(overlay.get(key), self.rows.get(key), "{key:?}");
                }
            }
        }
    }

    fn end(&mut self, is_committed: bool) {
        if is_committed {
            self.committed.clone_from(&self.rows);
        } else {
            self.rows.clone_from(&self.committed);
        }
    }

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

    /// What differs from what was committed: all of it, and that a row was written that is the same again is no harm.
    fn check_changes<'c>(&self, changes: impl Iterator<Item = (&'c K, Option<&'c u8>)>) {
        let changes: BTreeMap<K, Option<u8>> =
            changes.map(|(key, row)| (*key, row.copied())).collect();
        for (key, row) in &changes {
            assert_eq!(row.as_ref(), self.rows.get(key), "{key:?}");
        }
        for key in self.rows.keys().chain(self.committed.keys()) {
            let differs = self.rows.get(key) != self.committed.get(key);
            assert!(!differs || changes.contains_key(key), "{key:?}");
        }
    }

    fn check_state(&self, state: &State<K, u8>) {
        assert_eq!(state.len(), self.committed.len());
        assert_eq!(state.is_empty(), self.committed.is_empty());
        assert_eq!((state.changed(), state.changes().count()), (0, 0));
        let mut rows: Vec<_> = state.iter().map(|(key, row)| (*key, *row)).collect();
        rows.sort_unstable();
        assert!(
            rows.iter()
                .copied()
                .eq(self.committed.iter().map(|(key, row)| (*key, *row)))
        );
        let mut by_place: Vec<_> = (0..state.places())
            .filter(|place| !state.is_changed(*place))
            .filter_map(|place| state.at(place))
            .map(|(key, row)| (*key, *row))
            .collect();
        by_place.sort_unstable();
        assert_eq!(by_place, rows);
        let copy: State<K, u8> = rows.into_iter().rev().collect();
        assert_eq!(&copy, state);
    }
}

fn reads_as_an_ordered_map<K: Key + Copy>(acts: &[Act<K>], mut state: State<K, u8>) {
    let mut oracle = Oracle::new();
    for act in acts {
        oracle.act(&mut state.overlay(), act);
        let is_committed = match act {
            Act::Put(..) | Act::Remove(_) | Act::Range(_) => continue,
            Act::Commit => true,
            Act::Abort => false,
        };
        oracle.check_changes(state.changes());
        if is_committed {
            state.commit();
        } else {
            state.undo();
        }
        oracle.end(is_committed);
        oracle.check_state(&state);
    }
}

/// A trial does the same, and leaves the rows as they are.
fn tries_as_an_ordered_map<K: Key + Copy>(acts: &[Act<K>]) {
    let mut state = State::new();
    let mut oracle = Oracle::new();
    for acts in acts.split_inclusive(|act| matches!(act, Act::Commit | Act::Abort)) {
        let before = state.clone();
        let mut overlay = Overlay::trial(&state);
        for act in acts {
            oracle.act(&mut overlay, act);
        }
        let changes = overlay.into_changes();
        oracle.check_changes(changes.iter().map(|(key, row)| (key, row.as_ref())));
        assert_eq!(state, before);
        let is_committed = matches!(acts.last(), Some(Act::Commit));
        if is_committed {
            for (key, row) in changes {
                match row {
                    Some(row) => state.insert(key, row),
                    None => {
                        state.remove(&key);
                        0
                    }
                };
            }
        }
        oracle.end(is_committed);
        oracle.check_state(&state);
    }
}

/// One in which the numbers of batches begin anew soon.
fn old<K: Key>() -> State<K, u8> {
    let mut state = State::new();
    state.batch = u32::MAX - 2;
    state
}

proptest! {
    #[test]
    fn rows_on_shelves_read_as_an_ordered_map(acts in vec(act(|| kind().boxed()), 0..400)) {
        reads_as_an_ordered_map(&acts, State::new());
        reads_as_an_ordered_map(&acts, old());
        tries_as_an_ordered_map(&acts);
    }

    #[test]
    fn rows_of_a_machine_that_says_nothing_of_shelves_read_as_an_ordered_map(
        acts in vec(act(|| any::<u8>().boxed()), 0..200),
    ) {
        reads_as_an_ordered_map(&acts, State::new());
        reads_as_an_ordered_map(&acts, old());
        tries_as_an_ordered_map(&acts);
    }
}

fn change(overlay: &mut Overlay<'_, u8, char>) {
    overlay.put(2, 'b');
    overlay.put(3, 'C');
    overlay.remove(5);
    overlay.remove(6);
    overlay.put(8, 'h');
    overlay.remove(8);
    let rows: Vec<_> = overlay.range(..).map(|(key, row)| (*key, *row)).collect();
    assert_eq!(rows, [(1, 'a'), (2, 'b'), (3, 'C'), (7, 'g')]);
    let some: Vec<_> = overlay
        .range(2..=5)
        .map(|(key, row)| (*key, *row))
        .collect();
    assert_eq!(some, [(2, 'b'), (3, 'C')]);
    assert_eq!(overlay.range(4..4).count(), 0);
    assert_eq!(overlay.get(&5), None);
}

#[test]
fn an_overlay_reads_as_the_state_it_would_leave() {
    let before = State::from([(1_u8, 'a'), (3, 'c'), (5, 'e'), (7, 'g')]);
    let mut overlay = Overlay::trial(&before);
    change(&mut overlay);
    let expected = [(2, Some('b')), (3, Some('C')), (5, None)];
    assert_eq!(overlay.into_changes(), Changes::from(expected));

    let mut state = before.clone();
    change(&mut state.overlay());
    let changes = state.changes().map(|(key, row)| (*key, row.copied()));
    let mut changes: Vec<_> = changes.collect();
    changes.sort_unstable();
    assert_eq!(changes, expected);
    state.undo();
    assert_eq!(state, before);
    change(&mut state.overlay());
    state.commit();
    assert_eq!(state, State::from([(1, 'a'), (2, 'b'), (3, 'C'), (7, 'g')]));
}

#[test]
#[should_panic(expected = "only between two batches")]
fn rows_from_elsewhere_do_not_mix_with_a_batch() {
    let mut state = State::new();
    state.overlay().put(1_u8, 'a');
    state.insert(2, 'b');
}

/// In a wide range of numbers, so that there are many rows.
impl Key for u32 {
    fn shelf(&self) -> Shelf {
        Shelf::Alone
    }
}

#[test]
fn a_batch_is_not_taken_for_an_earlier_one_of_its_number() {
    let mut state = State::new();
    state.overlay().put(1_u8, 'a');
    state.commit();
    state.batch = u32::MAX;
    state.commit();
    assert_eq!(state.batch, 1);
    state.overlay().put(1, 'A');
    state.undo();
    assert_eq!(state, State::from([(1, 'a')]));
}

#[test]
fn large_batches_leave_what_an_ordered_map_would() {
    let mut state: State<u32, u32> = State::new();
    let mut oracle = BTreeMap::new();
    // More than a piece of a slab, less than one, and several.
    for (round, count) in (0..).zip([3_000, 10, 0, 1_024, 5_000, 1_025]) {
        let is_committed = round % 4 != 3;
        let before = oracle.clone();
        let mut overlay = state.overlay();
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
        if is_committed {
            state.commit();
        } else {
            state.undo();
            oracle = before;
        }
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
