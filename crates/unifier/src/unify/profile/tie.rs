//! Matters that are one: their references were named together, or one case handles them.
//!
//! An order's promise is kept by a carrier that names only a shipment. What says that the two are one is an event that names both,
//! or a step of the case that has both.

use event::{
    Class, MatterId, ProfileId, Token,
    timeline_input::{Digest, StepNote},
};

use super::{
    super::turn::Turn,
    fact::{Cause, FIRST_MATTER, Key, LAST_MATTER, Row},
};

/// No more matters than this are looked at as one.
const MATTERS_MAX: usize = 16;

/// All matters that are one with this one, itself first.
pub(super) fn group(turn: &Turn<'_, '_>, profile: ProfileId, matter: MatterId) -> Vec<MatterId> {
    let mut group = vec![matter];
    let mut looked_at = 0;
    while looked_at < group.len() && group.len() < MATTERS_MAX {
        let from = group[looked_at];
        looked_at += 1;
        let mut next = Key::Tie(profile, from, FIRST_MATTER, Cause::FIRST);
        let last = Key::Tie(profile, from, LAST_MATTER, Cause::LAST);
        while let Some((other, reference)) = first(turn, next, last.clone()) {
            let is_out = reference.is_some_and(|reference| turn.is_out(reference));
            if !is_out && !group.contains(&other) && group.len() < MATTERS_MAX {
                group.push(other);
            }
            if other == LAST_MATTER {
                break;
            }
            // Many events may name the same two.
            next = Key::Tie(profile, from, after(other), Cause::FIRST);
        }
    }
    group
}

/// Whether anything says that two matters are one.
pub(super) fn are_tied(
    turn: &Turn<'_, '_>,
    profile: ProfileId,
    one: MatterId,
    other: MatterId,
) -> bool {
    let from = Key::Tie(profile, one, other, Cause::FIRST);
    first(turn, from, Key::Tie(profile, one, other, Cause::LAST)).is_some()
}

fn first(turn: &Turn<'_, '_>, from: Key, to: Key) -> Option<(MatterId, Option<Token>)> {
    match turn.profile_rows(from, to).next() {
        None => None,
        Some((Key::Tie(_, _, other, _), Row::Tie(reference))) => Some((*other, *reference)),
        Some((key, row)) => unreachable!("a tie is {row:?} at {key:?}"),
    }
}

/// The least matter that is greater.
fn after(matter: MatterId) -> MatterId {
    let number = u128::from_be_bytes(*matter.as_bytes());
    MatterId::new(Token::new(number.saturating_add(1).to_be_bytes()))
}

/// One direction of a tie.
pub(super) type Tie = (Key, Row);

/// What a digest ties together: its strongest reference, which is its matter, with each other one.
pub(super) fn of_digest(turn: &Turn<'_, '_>, digest: &Digest) -> Vec<Tie> {
    let mut ties = Vec::new();
    if ties_nothing(digest) {
        return ties;
    }
    let mut strongest = None;
    for reference in references(digest).filter(|reference| !turn.is_out(*reference)) {
        let matter = MatterId::of_reference(reference);
        let Some((first, of)) = strongest else {
            strongest = Some((matter, reference));
            continue;
        };
        if matter != first {
            let id = Cause::of(digest);
            ties.push((
                Key::Tie(digest.profile, first, matter, id),
                Row::Tie(Some(reference)),
            ));
            ties.push((
                Key::Tie(digest.profile, matter, first, id),
                Row::Tie(Some(of)),
            ));
        }
    }
    ties
}

/// Every tie that a digest may ever have made, whatever was out at that time.
pub(super) fn all_of_digest(digest: &Digest) -> Vec<Key> {
    let mut ties = Vec::new();
    if ties_nothing(digest) {
        return ties;
    }
    let matters: Vec<MatterId> = references(digest).map(MatterId::of_reference).collect();
    for (place, one) in matters.iter().enumerate() {
        for other in &matters[place + 1..] {
            let id = Cause::of(digest);
            ties.push(Key::Tie(digest.profile, *one, *other, id));
            ties.push(Key::Tie(digest.profile, *other, *one, id));
        }
    }
    ties
}

fn references(digest: &Digest) -> impl Iterator<Item = Token> {
    let values = digest.values.iter();
    let references = values.filter(|value| value.class == Class::Reference);
    references.map(|value| value.token)
}

/// Most digests name at most one reference.
fn ties_nothing(digest: &Digest) -> bool {
    references(digest).nth(1).is_none()
}

/// A step ties the matter it is about to the one its case has its id of.
pub(super) fn of_step(note: &StepNote) -> Vec<Tie> {
    let (one, other) = (note.matter, note.case.matter());
    if one == other {
        return Vec::new();
    }
    let id = Cause::of_step(note);
    vec![
        (Key::Tie(note.profile, one, other, id), Row::Tie(None)),
        (Key::Tie(note.profile, other, one, id), Row::Tie(None)),
    ]
}
