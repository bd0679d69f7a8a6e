//! Rows that are too old go, a few at a time.
//!
//! A row that is over says nothing any more, whether it is gone or not. So it makes no difference when the sweep comes to it.

use event::{Millis, Time};
use machine::Overlay;

use super::{
    row::{Key, Row, Sweep, mismatch},
    turn::Turn,
};

/// How long the id of an event is remembered.
const KEPT: Millis = Millis::from_days(35);

/// From the end of a sweep to the beginning of the next.
const REST: Millis = Millis::from_days(5);

/// How many places of the state a tick looks at.
const PLACES_MAX: u32 = 2_000;

pub(super) fn is_over(received: Time, now: Time) -> bool {
    now - received > KEPT
}

/// Lets the first sweep begin some time.
pub(super) fn set_up(turn: &mut Turn<'_, '_>) {
    if !turn.state.contains(&Key::Sweep) {
        let first = Row::Sweep(Sweep::Rests(turn.now + REST));
        turn.state.put(Key::Sweep, first);
    }
}

pub(super) fn next_due(state: &Overlay<'_, Key, Row>) -> Option<Time> {
    match state.get(&Key::Sweep) {
        None => None,
        Some(Row::Sweep(Sweep::Rests(until))) => Some(*until),
        Some(Row::Sweep(Sweep::At(_))) => Some(Time::MIN),
        Some(row) => mismatch(row),
    }
}

/// Looks at the next places of the state.
pub(super) fn go_on(turn: &mut Turn<'_, '_>, due: Time) {
    let from = match turn.state.get(&Key::Sweep) {
        None => return,
        Some(Row::Sweep(Sweep::Rests(until))) if *until > due => return,
        Some(Row::Sweep(Sweep::Rests(_))) => 0,
        Some(Row::Sweep(Sweep::At(place))) => *place,
        Some(row) => mismatch(row),
    };
    let rows = turn.state.by_place();
    let end = from.saturating_add(PLACES_MAX).min(rows.places());
    let places = rows.places();
    let keys = (from..end).filter_map(|place| rows.at(place).map(|(key, _)| key));
    let is_past = |key: &&Key| turn.state.get(key).is_some_and(|row| is_old(row, due));
    let past: Vec<Key> = keys.filter(is_past).cloned().collect();
    for key in past {
        turn.state.remove(key);
    }
    let next = if end == places {
        Sweep::Rests(due + REST)
    } else {
        Sweep::At(end)
    };
    turn.state.put(Key::Sweep, Row::Sweep(next));
}

fn is_old(row: &Row, now: Time) -> bool {
    matches!(row, Row::Seen(seen) if is_over(seen.received, now))
}
