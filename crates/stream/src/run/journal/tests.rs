//! Pages against an ordered map, on a log that may drop whatever compaction allows.

use std::collections::{BTreeMap, BTreeSet};

use event::Partition;
use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;
use crate::log::Append;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Number(u8);

impl Key for Number {}

const SPARE: Spare = Spare { rows: 10, times: 1 };

/// A commit: a key with a text, or without one.
type Changed = Vec<(u8, Option<String>)>;

fn place() -> Place {
    Place::new(MachineName::Cases, Partition(3), 1)
}

/// The log of one partition of `state.cases`.
#[derive(Default)]
struct Log(Vec<Append>);

impl Log {
    /// Drops some of the records that others follow with the same key, in any order; and removals that have nothing to remove.
    fn compact(&mut self, chosen: &[Index]) {
        for index in chosen {
            if self.0.is_empty() {
                return;
            }
            let nth = index.index(self.0.len());
            let Append { key, value, .. } = &self.0[nth];
            let superseded = self.0[nth + 1..].iter().any(|later| later.key == *key);
            let idle = value.is_none() && self.0[..nth].iter().all(|earlier| earlier.key != *key);
            if superseded || idle {
                self.0.remove(nth);
            }
        }
    }

    fn restored(&self) -> (State<Number, String>, Journal) {
        let mut reading = Reading::new(place());
        for (offset, append) in (0..).zip(&self.0) {
            let read = Read {
                at: append.at.clone(),
                offset: Offset(offset),
                time: Time::MIN,
                key: append.key.clone(),
                value: append.value.clone(),
            };
            reading.take(&read).unwrap();
        }
        reading.finish()
    }

    /// What no compaction drops.
    fn kept_bytes(&self) -> usize {
        let mut seen = BTreeSet::new();
        let kept = self.0.iter().rev().filter(|it| seen.insert(it.key.clone()));
        kept.filter_map(|it| Some(it.value.as_ref()?.len())).sum()
    }
}

fn empty() -> (State<Number, String>, Journal) {
    Log::default().restored()
}

fn change(state: &mut State<Number, String>, changed: &Changed) {
    let mut overlay = state.overlay();
    for (key, row) in changed {
        match row {
            Some(row) => overlay.put(Number(*key), row.clone()),
            None => overlay.remove(Number(*key)),
        }
    }
}

fn rows(state: &State<Number, String>) -> BTreeMap<u8, String> {
    state
        .iter()
        .map(|(key, row)| (key.0, row.clone()))
        .collect()
}

/// Writes the batch at hand.
fn write(journal: &Journal, state: &State<Number, String>) -> (Turned, Vec<Append>) {
    let mut outbox = Outbox::default();
    let turned = journal.write(state, SPARE, &mut outbox);
    (turned, outbox.into_appends())
}

#[derive(Clone, Debug)]
enum Act {
    Commit(Changed),
    Abort(Changed),
    Compact(Vec<Index>),
    Restart,
}

fn changed() -> impl Strategy<Value = Changed> {
    vec(
        (0..30_u8, proptest::option::weighted(0.7, "[a-z]{0,4}")),
        0..12,
    )
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => changed().prop_map(Act::Commit),
        1 => changed().prop_map(Act::Abort),
        3 => vec(any::<Index>(), 0..60).prop_map(Act::Compact),
        1 => Just(Act::Restart),
    ]
}

proptest! {
    #[test]
    fn pages_say_what_an_ordered_map_would_whatever_is_compacted(acts in vec(act(), 0..120)) {
        let mut log = Log::default();
        let (mut state, mut journal) = empty();
        let mut expected = BTreeMap::new();
        for act in acts {
            match act {
                Act::Commit(changed) => {
                    change(&mut state, &changed);
                    let (turned, appends) = write(&journal, &state);
                    log.0.extend(appends);
                    journal.turn(turned);
                    state.commit();
                    for (key, row) in changed {
                        match row {
                            Some(row) => expected.insert(key, row),
                            None => expected.remove(&key),
                        };
                    }
                }
                Act::Abort(changed) => {
                    change(&mut state, &changed);
                    drop(write(&journal, &state));
                    state.undo();
                }
                Act::Compact(chosen) => log.compact(&chosen),
                Act::Restart => (state, journal) = log.restored(),
            }
            prop_assert_eq!(&rows(&state), &expected);
            prop_assert_eq!(&rows(&log.restored().0), &expected);
        }
    }
}

#[test]
fn pages_do_not_grow_for_ever() {
    let mut log = Log::default();
    let (mut state, mut journal) = empty();
    let mut rounds = 0;
    let mut most = 0;
    for number in 0..2_000_u32 {
        let key = (number * 7 % 50) as u8;
        let changed = vec![(key, Some(number.to_string())), (200, Some("x".to_owned()))];
        change(&mut state, &changed);
        let (turned, appends) = write(&journal, &state);
        log.0.extend(appends);
        rounds += u32::from(journal.turn(turned));
        state.commit();
        most = most.max(log.kept_bytes());
    }
    assert!(rounds > 10, "{rounds} rounds");
    // A row has some 10 bytes, and 51 are there.
    assert!(most < 5_000, "{most} bytes");
    assert_eq!(rows(&log.restored().0), rows(&state));
}

#[test]
fn what_is_more_than_a_page_goes_on_in_the_next() {
    let text = |number: u8| char::from(b'a' + number % 26).to_string().repeat(50_000);
    let changed = (0..20).map(|number| (number, Some(text(number)))).collect();
    let (mut state, journal) = empty();
    change(&mut state, &changed);
    let (turned, appends) = write(&journal, &state);
    assert!(appends.len() > 3, "{} pages", appends.len());
    for append in &appends {
        assert!(append.value.as_ref().unwrap().len() < PAGE_BYTES + 50_100);
    }
    assert_eq!(turned.pages.iter().sum::<usize>(), 20);
    state.commit();
    assert_eq!(rows(&Log(appends).restored().0), rows(&state));
}
