//! Corrected events: several revisions of one event, at rest at a profile.
//!
//! A correction that changes whose an event is withdraws it first, by a digest with the old values and a revision in between. That
//! one follows the old values for ever, and whatever comes there of an earlier revision goes out. The old and the new values
//! may come to belong to one profile: then the highest revision that rests there says what the profile shows of the event.

use event::{
    case_input::{CaseInput, Signal},
    timeline_input::Digest,
};

use super::{
    super::{
        row::{Key, Row, mismatch},
        signal,
        turn::Turn,
    },
    digest,
};

/// Where a later revision is found. What was said first is not looked for, so that an event that is never corrected costs no row.
pub(super) fn key(digest: &Digest) -> Option<Key> {
    (digest.revision > 0).then_some(Key::Revision(digest.profile, digest.event, digest.revision))
}

/// The highest revision of the same event at rest at the same profile, if it is higher than this one. Then this one is past.
pub(super) fn above(turn: &Turn<'_, '_>, digest: &Digest) -> Option<Digest> {
    later(turn, digest).last()
}

/// Whether the profile shows a digest that rests there: what is withdrawn it does not, nor what a later word replaced.
pub(super) fn is_shown(turn: &Turn<'_, '_>, digest: &Digest) -> bool {
    !digest.withdrawn && later(turn, digest).all(|later| later.withdrawn)
}

/// The higher revisions of the same event at rest at the same profile, in order.
fn later<'t>(turn: &'t Turn<'_, '_>, digest: &Digest) -> impl Iterator<Item = Digest> + 't {
    let key = |revision| Key::Revision(digest.profile, digest.event, revision);
    let from = key(digest.revision.saturating_add(1));
    turn.state
        .range(from..=key(u32::MAX))
        .filter_map(|(_, row)| {
            let Row::Revision(spot) = row else {
                mismatch(row)
            };
            digest::at(turn, **spot)
        })
}

/// Takes back what a digest signalled, unless a later revision says the like about the same matter and so replaces it.
pub(super) fn take_back(turn: &mut Turn<'_, '_>, old: &Digest, new: &Digest) {
    let rules = &turn.rules().cases;
    let Some(said) = signal::of(old, rules) else {
        return;
    };
    let is_replaced =
        !new.withdrawn && new.matter == old.matter && signal::of(new, rules).is_some();
    if !is_replaced {
        turn.tell_case(CaseInput::Signal(Signal {
            revision: new.revision,
            withdrawn: true,
            ..said
        }));
    }
}
