//! When a case of the customer was open, as the steps that rest at the profile say.

use event::{CaseId, MatterId, ProfileId, Time, case::StepKind};

use super::{
    super::{
        row::{FIRST, LAST},
        timeline,
        turn::Turn,
    },
    fact::{Key, Row, mismatch},
};

/// So many of a customer's cases are looked at for one complaint.
const CASES_MAX: usize = 16;

/// Whether a step opens or closes its case, if it does either.
pub(super) fn opens(what: StepKind) -> Option<bool> {
    match what {
        StepKind::Opened | StepKind::Reopened | StepKind::Joined => Some(true),
        StepKind::Resolved | StepKind::Absorbed | StepKind::OpenedInError => Some(false),
        StepKind::Heard
        | StepKind::Acknowledged
        | StepKind::Contacted
        | StepKind::Offered
        | StepKind::Accepted
        | StepKind::Declined
        | StepKind::Returned
        | StepKind::Escalated
        | StepKind::Missed
        | StepKind::Parted
        | StepKind::Claimed
        | StepKind::Released
        | StepKind::Noted
        | StepKind::Proposed
        | StepKind::Waiting
        | StepKind::Resumed
        | StepKind::Noticed
        | StepKind::Warned
        | StepKind::Broken
        | StepKind::Unknown => None,
    }
}

/// Whether somebody does something by it: what nobody waits for in vain any more.
pub(super) fn is_answer(what: StepKind) -> bool {
    match what {
        StepKind::Acknowledged
        | StepKind::Contacted
        | StepKind::Offered
        | StepKind::Accepted
        | StepKind::Declined
        | StepKind::Resolved
        | StepKind::Claimed
        | StepKind::Noted
        | StepKind::Proposed
        | StepKind::Waiting => true,
        StepKind::Opened
        | StepKind::Heard
        | StepKind::Returned
        | StepKind::Escalated
        | StepKind::Missed
        | StepKind::Reopened
        | StepKind::Joined
        | StepKind::Absorbed
        | StepKind::Parted
        | StepKind::OpenedInError
        | StepKind::Released
        | StepKind::Resumed
        | StepKind::Noticed
        | StepKind::Warned
        | StepKind::Broken
        | StepKind::Unknown => false,
    }
}

/// The times during which a case was open: from the first, to the end of time while it is.
pub(super) fn spells(turn: &Turn<'_, '_>, profile: ProfileId, case: CaseId) -> Vec<(Time, Time)> {
    let mut spells = Vec::new();
    let mut since = None;
    let phases = turn.profile_rows(
        Key::Phase(profile, case, 0),
        Key::Phase(profile, case, u32::MAX),
    );
    for (key, row) in phases {
        let Row::Phase(phase) = row else {
            unreachable!("a phase is {row:?} at {key:?}");
        };
        if phase.opens {
            since.get_or_insert(phase.time);
        } else if let Some(since) = since.take() {
            spells.push((since, phase.time));
        }
    }
    spells.extend(since.map(|since| (since, Time::MAX)));
    spells
}

/// Changes the phases of a case, and with them until when it is known as open.
pub(super) fn change(
    turn: &mut Turn<'_, '_>,
    profile: ProfileId,
    case: CaseId,
    change: impl FnOnce(&mut Turn<'_, '_>),
) {
    // The clock of another instance may be behind: a later spell may end before an earlier one does.
    let until = |turn: &Turn<'_, '_>| {
        let spells = spells(turn, profile, case);
        spells.into_iter().map(|(_, to)| to).max()
    };
    let before = until(turn);
    change(turn);
    let after = until(turn);
    if before == after {
        return;
    }
    if let Some(before) = before {
        turn.remove_profile(Key::Until(profile, before, case));
    }
    if let Some(after) = after {
        turn.put_profile(Key::Until(profile, after, case), Row::Present);
    }
}

/// The cases that were open at a moment or after it.
pub(super) fn open_after(turn: &Turn<'_, '_>, profile: ProfileId, time: Time) -> Vec<CaseId> {
    turn.profile_rows(
        Key::Until(profile, time, CaseId::new(FIRST)),
        Key::Until(profile, Time::MAX, CaseId::new(LAST)),
    )
    .take(CASES_MAX)
    .map(|(key, row)| {
        let Key::Until(_, _, case) = key else {
            mismatch(row)
        };
        *case
    })
    .collect()
}

/// The case that handles a matter, as far as the profile heard; its own until then.
pub(super) fn case_of(turn: &Turn<'_, '_>, profile: ProfileId, matter: MatterId) -> CaseId {
    timeline::case_of(turn, profile, matter).unwrap_or_else(|| matter.own_case())
}
