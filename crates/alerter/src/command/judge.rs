use event::{
    Company, DepartmentId,
    case::Phase,
    case_input::{Command, CommandKind},
    command_outcome::Verdict,
};

use crate::{case::Case, route};

/// Whether the case allows the command, and why not.
pub(crate) fn judge(company: &Company, case: &Case, command: &Command) -> Result<(), Verdict> {
    let state = &case.state;
    if !may(case, command)? {
        return Err(Verdict::NotYours);
    }
    // The versions of an absorbed case say nothing about the one that absorbed it.
    let is_another = command.asked.is_some_and(|asked| asked != state.case);
    if command
        .expected_version
        .is_some_and(|expected| is_another || expected != state.version)
    {
        return Err(Verdict::VersionMismatch);
    }
    let has_reason = command
        .reason
        .as_ref()
        .is_some_and(|reason| !reason.trim().is_empty());
    let allow = |allowed: bool, otherwise: Verdict| if allowed { Ok(()) } else { Err(otherwise) };
    let in_phase = |allowed: bool| allow(allowed, Verdict::WrongPhase);
    match command.what {
        CommandKind::Acknowledge => in_phase(state.phase == Phase::Open),
        CommandKind::Contact => {
            in_phase(state.phase != Phase::Closed)?;
            let is_complete = command.how.is_some() && command.reached.is_some();
            allow(is_complete, Verdict::Incomplete)
        }
        CommandKind::HandOff => {
            in_phase(case.is_open() && state.offered_to.is_none())?;
            let to = command.to.as_ref().ok_or(Verdict::Incomplete)?;
            allow(may_take(company, case, to), Verdict::BadDepartment)
        }
        CommandKind::Accept => in_phase(case.is_open()),
        CommandKind::Decline => {
            in_phase(case.is_open())?;
            allow(has_reason, Verdict::Incomplete)
        }
        CommandKind::Resolve => {
            in_phase(case.is_open())?;
            let is_told = command.told.is_some() || has_reason;
            allow(is_told, Verdict::CustomerNotTold)
        }
        CommandKind::Reopen => {
            in_phase(state.phase == Phase::Resolved || (case.is_open() && state.proposed.is_some()))
        }
        CommandKind::Claim => {
            in_phase(case.is_open() && state.claimed_by.as_ref() != Some(&command.actor))
        }
        CommandKind::Release => in_phase(case.is_open() && state.claimed_by.is_some()),
        CommandKind::Note => {
            in_phase(state.phase != Phase::Closed)?;
            allow(has_reason, Verdict::Incomplete)
        }
        CommandKind::Wait => {
            in_phase(case.is_open())?;
            allow(command.on.is_some(), Verdict::Incomplete)
        }
        CommandKind::Resume => in_phase(state.waiting_on.is_some()),
        CommandKind::Unknown => Err(Verdict::Unknown),
    }
}

/// Whether the actor's departments may ask this of the case at all: who was offered it answers the offer, whoever may read
/// it may add a note, and everything else is the owner's.
fn may(case: &Case, command: &Command) -> Result<bool, Verdict> {
    let state = &case.state;
    let acts_for = |department: &DepartmentId| {
        command.any_department || command.departments.contains(department)
    };
    match command.what {
        CommandKind::Accept | CommandKind::Decline => {
            let offered_to = state.offered_to.as_ref().ok_or(Verdict::NoOffer)?;
            Ok(acts_for(offered_to))
        }
        CommandKind::Note => {
            let mut readers = state.trail.iter().chain(&state.offered_to);
            Ok(readers.any(acts_for))
        }
        CommandKind::Acknowledge
        | CommandKind::Contact
        | CommandKind::HandOff
        | CommandKind::Resolve
        | CommandKind::Reopen
        | CommandKind::Claim
        | CommandKind::Release
        | CommandKind::Wait
        | CommandKind::Resume => Ok(acts_for(&state.owner)),
        CommandKind::Unknown => Err(Verdict::Unknown),
    }
}

/// A test stays with the canary, and a customer never gets there.
fn may_take(company: &Company, case: &Case, to: &DepartmentId) -> bool {
    let is_known = company.departments.contains_key(to) || *to == route::root_receiver(company);
    is_known && *to != case.state.owner && !case.state.test && *to != route::canary()
}
