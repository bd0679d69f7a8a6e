//! Work that is more than a step may put out. It waits as rows and is done in order, at ticks; nothing of it is dropped.
//!
//! Each piece says where it goes on and is true of the state as it finds it, so that it never matters what came in between.

use event::{
    MatterId, ProfileId, Token,
    case_input::{CaseInput, Signal},
};
use machine::Overlay;
use serde::{Deserialize, Serialize};

use super::{
    matter,
    row::{Key, Place, Row, Spot, mismatch},
    timeline,
    turn::Turn,
};

/// How many pieces a tick takes up: what they put out is bounded by the room, what they only read by this.
const PIECES_MAX: usize = 32;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Work {
    /// Send on the digests of a value that a newer move took away, from this one on.
    SendDigests { from: Spot },
    /// The same for steps.
    SendSteps {
        profile: ProfileId,
        value: Token,
        from: Token,
    },
    /// Let the digests that follow a value which is out choose their routes anew, from this one on.
    Reroute { from: Spot },
    /// Let the digests that skip a value which is back choose their routes anew, from this one on.
    Restore { value: Token, from: Spot },
    /// Show the entries of a matter anew, from this one on, since its case became known.
    ShowCase { matter: MatterId, from: Spot },
    /// Take the case of this window to the rest of its run.
    Spread(Place),
    /// Tell a case of a sign. What was said later of the same sign may overtake it: the later revision holds.
    Tell(Box<Signal>),
}

/// Does a piece of work now, as far as there is room.
pub(super) fn run(turn: &mut Turn<'_, '_>, work: Work) {
    if !turn.has_room() {
        push(turn, work);
        return;
    }
    match work {
        Work::SendDigests { from } => timeline::digest::send_on(turn, from),
        Work::SendSteps {
            profile,
            value,
            from,
        } => timeline::step::send_on(turn, profile, value, from),
        Work::Reroute { from } => timeline::digest::reroute(turn, from),
        Work::Restore { value, from } => timeline::digest::restore(turn, value, from),
        Work::ShowCase { matter, from } => timeline::digest::show_case(turn, matter, from),
        Work::Spread(place) => matter::spread(turn, &place),
        Work::Tell(signal) => turn.tell_case(CaseInput::Signal(*signal)),
    }
}

/// Does what waits, as far as there is room.
pub(super) fn drain(turn: &mut Turn<'_, '_>) {
    for _ in 0..PIECES_MAX {
        if !turn.has_room() {
            break;
        }
        let Some((number, work)) = first(turn.state) else {
            break;
        };
        let work = Work::clone(work);
        turn.state.remove(Key::Queue(number));
        run(turn, work);
    }
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
    turn.state
        .put(Key::Queue(number), Row::Queue(Box::new(work)));
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
