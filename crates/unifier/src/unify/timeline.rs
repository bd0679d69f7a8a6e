//! What happened to a profile. Digests and steps rest at the profile that their route value belongs to, and follow it.
//!
//! Each carries the version of the decision that sent it here; the profile keeps for each value that left it a forward with the
//! version of the move. What arrives with an older version than the forward's is sent on with the forward's. What rests is
//! sent on as soon as a newer move takes its value away. Nothing else is needed for every digest to come to rest at the right
//! profile, in whatever order digests and moves arrive: the newest move of a value is at the end of every path.

pub(super) mod digest;
mod revision;
pub(super) mod step;

use event::{CaseId, MatterId, ProfileId, Token, Version, timeline_input::Move};
use machine::Outcome;

use super::{
    queue::{self, Work},
    row::{FIRST, Forward, Key, Row, Spot, mismatch},
    turn::Turn,
};

/// How it ended for a digest or a step that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    Rests,
    Repeat,
    /// To another partition.
    SentOn,
}

impl From<Arrival> for Outcome {
    fn from(arrival: Arrival) -> Outcome {
        match arrival {
            Arrival::Rests => Outcome::Applied,
            Arrival::Repeat => Outcome::Duplicate,
            Arrival::SentOn => Outcome::Forwarded,
        }
    }
}

/// Values leave a profile, and what follows them leaves with them.
pub(super) fn depart(turn: &mut Turn<'_, '_>, moved: &Move) -> Outcome {
    assert!(
        turn.holds(moved.from),
        "a move comes to the profile that loses the values: {moved:?}"
    );
    let mut outcome = Outcome::Stale;
    for value in &moved.values {
        let known = turn.forward(moved.from, *value);
        if known.is_some_and(|known| known.version >= moved.version) {
            continue;
        }
        outcome = Outcome::Applied;
        let forward = Forward {
            to: moved.to,
            version: moved.version,
        };
        turn.state
            .put(Key::Forward(moved.from, *value), Row::Forward(forward));
        let from = Spot::first(moved.from, *value);
        queue::run(turn, Work::SendDigests { from });
        queue::run(
            turn,
            Work::SendSteps {
                profile: moved.from,
                value: *value,
                from: FIRST,
            },
        );
    }
    outcome
}

/// Where what follows a value comes to when it arrives at a profile with this version: there, or at the end of the forwards
/// that this partition knows.
fn follow(
    turn: &Turn<'_, '_>,
    mut profile: ProfileId,
    value: Token,
    mut version: Version,
) -> (ProfileId, Version) {
    while let Some(forward) = turn.forward(profile, value)
        && forward.version > version
    {
        profile = forward.to;
        version = forward.version;
    }
    (profile, version)
}

/// The case that handles a matter, as the profile heard.
pub(super) fn case_of(turn: &Turn<'_, '_>, profile: ProfileId, matter: MatterId) -> Option<CaseId> {
    match turn.state.get(&Key::Case(profile, matter)) {
        None => None,
        Some(Row::Case(taken)) => Some(taken.case),
        Some(row) => mismatch(row),
    }
}
