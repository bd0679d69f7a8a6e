//! The list of values that are out: they link nothing, and nothing follows them.
//!
//! `identify` alone decides what is out, and sends every change of the list, numbered, to every partition. A digest carries the
//! number of the list by which its route was chosen. Where a newer list is known its route is chosen anew as it arrives; where an
//! older one is known it is not, so that it never goes back and forth between a partition that has heard of a change and one that
//! has not. A digest at rest is looked at when a change concerns it: when its route goes out, or a stronger value that it had
//! to skip comes back. A route that goes out while its digest lies with another profile is moved to the profile of its own by
//! the same decision, and the digest with it.

use event::{Class, ProfileId, Token, Value, timeline_input::Out};
use machine::Outcome;

use super::{
    queue::{self, Work},
    row::{FIRST, Key, Row, Spot},
    turn::Turn,
};

/// What an event follows: its strongest value that is not out, else its anchor.
pub(super) fn route(turn: &Turn<'_, '_>, values: &[Value], anchor: Token) -> Token {
    values
        .iter()
        .map(|value| value.token)
        .find(|token| !turn.is_out(*token))
        .unwrap_or(anchor)
}

/// What an event is about, if it says so.
pub(super) fn reference(turn: &Turn<'_, '_>, values: &[Value]) -> Option<Token> {
    values
        .iter()
        .filter(|value| value.class == Class::Reference)
        .map(|value| value.token)
        .find(|token| !turn.is_out(*token))
}

/// Takes the next change of the list, and lets the digests that it concerns choose their routes anew.
pub(super) fn learn(turn: &mut Turn<'_, '_>, change: &Out) -> Outcome {
    let known = turn.out_number;
    if change.number <= known {
        return Outcome::Stale;
    }
    assert_eq!(
        change.number,
        known + 1,
        "the changes of the list come without gaps"
    );
    turn.out_number = change.number;
    turn.state
        .put(Key::OutNumber, Row::OutNumber(change.number));
    for value in &change.out {
        turn.state.put(Key::Out(*value), Row::Present);
    }
    for value in &change.back {
        turn.state.remove(Key::Out(*value));
    }
    for value in &change.out {
        let own = ProfileId::new(*value);
        if turn.holds(own) {
            let from = Spot::first(own, *value);
            queue::run(turn, Work::Reroute { from });
        }
    }
    for value in &change.back {
        let from = Spot::first(ProfileId::new(FIRST), FIRST);
        queue::run(
            turn,
            Work::Restore {
                value: *value,
                from,
            },
        );
    }
    Outcome::Applied
}
