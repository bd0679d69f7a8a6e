//! What events name together, as `identity.link` is told.
//!
//! A set is reported once for each trust of its sources, and again, to renew it, when a quarter of the shortest window of its types
//! has passed. It is taken back when every event that named it was withdrawn, and one named again later is reported anew. An event
//! that nothing withdraws settles that for good, so that most events cost no row.

use std::hash::Hasher as _;

use event::{
    Event, EventId, Record, Standing, Token,
    link::{Link, Set},
};

use siphasher::sip128::{Hasher128 as _, SipHasher13};

use super::{
    row::{FIRST, Key, LAST, Reported, Row, mismatch},
    turn::Turn,
};

pub(super) fn report(turn: &mut Turn<'_, '_>, event: &Event) {
    let set = hash(event);
    match event.standing {
        Standing::Withdrawn => withdraw(turn, set, event),
        Standing::Correctable => name(turn, set, event, false),
        Standing::Final | Standing::Unknown => name(turn, set, event, true),
    }
}

fn name(turn: &mut Turn<'_, '_>, set: Token, event: &Event, is_final: bool) {
    let known = reported(turn, set);
    if !is_final && !known.is_some_and(|known| known.is_final) {
        turn.state.put(Key::Names(set, event.id), Row::Present);
    }
    let is_due = known.is_none_or(|known| {
        let age = event.received - known.time;
        turn.rules().renews(&event.values, age)
    });
    let now = Reported {
        time: known
            .filter(|_| !is_due)
            .map_or(event.received, |known| known.time),
        is_final: is_final || known.is_some_and(|known| known.is_final),
    };
    if known != Some(now) {
        turn.state.put(Key::Reported(set), Row::Reported(now));
    }
    if is_due {
        tell(turn, event, false);
    }
}

fn withdraw(turn: &mut Turn<'_, '_>, set: Token, event: &Event) {
    turn.state.remove(Key::Names(set, event.id));
    let is_named = turn
        .state
        .range(Key::Names(set, EventId::new(FIRST))..=Key::Names(set, EventId::new(LAST)))
        .next()
        .is_some();
    if reported(turn, set).is_some_and(|known| !known.is_final) && !is_named {
        turn.state.remove(Key::Reported(set));
        tell(turn, event, true);
    }
}

fn tell(turn: &mut Turn<'_, '_>, event: &Event, withdrawn: bool) {
    turn.effects.emit(Record::Link(Link::Set(Set {
        anchor: event.anchor,
        values: event.values.clone(),
        trusted: event.trusted,
        source: event.source.clone(),
        event: event.id,
        time: event.received,
        withdrawn,
    })));
}

/// SipHash-1-3 over the values and the trust. Values are keyed, so that nobody can choose sets that collide, and the hash does not
/// leave the state.
pub(super) fn hash(event: &Event) -> Token {
    let mut hasher = SipHasher13::new();
    for value in &event.values {
        hasher.write(value.token.as_bytes());
    }
    hasher.write_u8(u8::from(event.trusted));
    Token::new(hasher.finish128().as_bytes())
}

fn reported(turn: &Turn<'_, '_>, set: Token) -> Option<Reported> {
    match turn.state.get(&Key::Reported(set)) {
        None => None,
        Some(Row::Reported(reported)) => Some(*reported),
        Some(row) => mismatch(row),
    }
}
