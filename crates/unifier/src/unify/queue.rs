//! Work that is more than a step may put out. It waits as rows and is done in order, at ticks; nothing of it is dropped.
//!
//! Each piece says where it goes on and is true of the state as it finds it, so that it never matters what came in between.

use event::{EventId, MatterId, ProfileId, Token};
use machine::{Outcome, Overlay};
use serde::{Deserialize, Serialize};

use super::{
    matter,
    row::{FIRST, Key, Place, Row, mismatch},
    timeline,
    turn::Turn,
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// Send on the digests of a value that a newer move took away, from this event on.
    SendDigests {
        profile: ProfileId,
        value: Token,
        from: EventId,
    },
    /// The same for steps.
    SendSteps {
        profile: ProfileId,
        value: Token,
        from: Token,
    },
    /// Let the digests at rest choose their routes again under the present rules, from this one on.
    Reroute {
        profile: ProfileId,
        value: Token,
        from: EventId,
    },
    /// Show the entries of a matter anew, from this one on, since its case became known.
    ShowCase {
        profile: ProfileId,
        matter: MatterId,
        value: Token,
        from: EventId,
    },
    /// Take the case of this window to the rest of its run.
    Spread(Place),
}

impl Work {
    pub(super) fn reroute_all() -> Work {
        Work::Reroute {
            profile: ProfileId::new(FIRST),
            value: FIRST,
            from: EventId::new(FIRST),
        }
    }
}

/// Does a piece of work now, as far as there is room.
pub(super) fn run(turn: &mut Turn<'_, '_>, work: Work) {
    if !turn.has_room() {
        push(turn, work);
        return;
    }
    match work {
        Work::SendDigests {
            profile,
            value,
            from,
        } => timeline::digest::send_on(turn, profile, value, from),
        Work::SendSteps {
            profile,
            value,
            from,
        } => timeline::step::send_on(turn, profile, value, from),
        Work::Reroute {
            profile,
            value,
            from,
        } => timeline::digest::reroute(turn, profile, value, from),
        Work::ShowCase {
            profile,
            matter,
            value,
            from,
        } => timeline::digest::show_case(turn, profile, matter, (value, from)),
        Work::Spread(place) => matter::spread(turn, &place),
    }
}

/// Does what waits, as far as there is room.
pub(super) fn drain(turn: &mut Turn<'_, '_>) -> Outcome {
    while turn.has_room() {
        let Some((number, work)) = first(turn.state) else {
            break;
        };
        let work = work.clone();
        turn.state.remove(Key::Queue(number));
        run(turn, work);
    }
    Outcome::Ticked
}

pub(super) fn waits(state: &Overlay<'_, Key, Row>) -> bool {
    first(state).is_some()
}

/// Puts a piece of work behind all others.
pub(super) fn push(turn: &mut Turn<'_, '_>, work: Work) {
    let number = match turn.state.get(&Key::QueueEnd) {
        None => 0,
        Some(Row::QueueEnd(number)) => *number,
        Some(row) => mismatch(row),
    };
    turn.state.put(Key::Queue(number), Row::Queue(work));
    turn.state.put(Key::QueueEnd, Row::QueueEnd(number + 1));
}

fn first<'s>(state: &'s Overlay<'_, Key, Row>) -> Option<(u64, &'s Work)> {
    let (key, row) = state
        .range(Key::Queue(u64::MIN)..=Key::Queue(u64::MAX))
        .next()?;
    let (Key::Queue(number), Row::Queue(work)) = (key, row) else {
        mismatch(row)
    };
    Some((*number, work))
}
