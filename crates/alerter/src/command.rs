//! What people ask of a case. Every command gets an outcome, and a repeated one the same.

use event::{
    CaseId, Company, DepartmentId, Time,
    case::{Phase, StepKind},
    case_input::{Command, CommandKind, ContactFact},
    command_outcome::{CommandOutcome, CommandResult, Verdict},
    notice::Why,
};
use machine::Outcome;

use crate::{
    case::{Case, Change},
    cases::{Key, Row},
    life::Tell,
    queue::{Output, Work},
    route,
    turn::Turn,
};

/// From this hand-off on, each escalates.
const HAND_OFFS_MAX: u32 = 3;

impl Turn<'_, '_> {
    pub(crate) fn obey(&mut self, mut command: Command) -> Outcome {
        let id = command.case;
        let asked = command.asked.unwrap_or(id);
        if let Some(Row::Command(result)) = self.state.get(&Key::Command(id, command.id)) {
            let result = result.clone();
            self.answer(asked, result);
            return Outcome::Duplicate;
        }
        let case = self.case(id);
        if let Some(to) = self.elsewhere(id, case.as_ref()) {
            command.case = to;
            command.asked = Some(asked);
            self.send(to, Work::Obey(command));
            return Outcome::Forwarded;
        }
        let verdict = match case {
            None => Verdict::NoSuchCase,
            Some(case) => match judge(&self.company, &case, &command) {
                Ok(()) => {
                    self.carry_out(Change::of(case), &command);
                    Verdict::Applied
                }
                Err(verdict) => verdict,
            },
        };
        let after = self.case(id).map(|case| case.state);
        let result = CommandResult {
            command: command.id,
            verdict,
            case: id,
            version: after.as_ref().map(|state| state.version),
            phase: after.as_ref().map(|state| state.phase),
        };
        let row = Row::Command(result.clone());
        self.state.put(Key::Command(id, command.id), row);
        self.answer(asked, result);
        match verdict {
            Verdict::Applied => Outcome::Applied,
            Verdict::NoSuchCase
            | Verdict::NotYours
            | Verdict::VersionMismatch
            | Verdict::WrongPhase
            | Verdict::BadDepartment
            | Verdict::NoOffer
            | Verdict::CustomerNotTold
            | Verdict::Incomplete
            | Verdict::Unknown => Outcome::Refused,
        }
    }

    /// The case that answers for this one: the one that absorbed it, or the one that got its matter before it ever opened.
    /// Of a group the smallest matter gives the id, so that the way through unopened cases leads downwards and ends.
    fn elsewhere(&self, id: CaseId, case: Option<&Case>) -> Option<CaseId> {
        match case {
            Some(case) => case.state.absorbed_by,
            None => self
                .forward(id, id.matter())
                .map(|forward| forward.to)
                .filter(|to| *to < id),
        }
    }

    fn answer(&mut self, asked: CaseId, result: CommandResult) {
        self.put(Output::Outcome(CommandOutcome {
            asked,
            time: self.now,
            result,
        }));
    }

    /// Does what `judge` allowed.
    fn carry_out(&mut self, mut change: Change, command: &Command) {
        if change.case.state.dormant {
            self.wake(&mut change, Tell::Nobody);
        }
        let state = &change.case.state;
        let earliest = state
            .acted
            .map_or(state.opened, |acted| acted.max(state.opened));
        let time = command.time.min(self.now).max(earliest);
        change.case.state.acted = Some(time);
        let first = change.steps.len();
        match command.what {
            CommandKind::Acknowledge => {
                change.case.acknowledge(time);
                change.step(StepKind::Acknowledged, time);
            }
            CommandKind::Contact => contact(&mut change, command, time),
            CommandKind::HandOff => self.hand_off(&mut change, command, time),
            CommandKind::Accept => self.accept(&mut change, time),
            CommandKind::Decline => decline(&mut change, time),
            CommandKind::Resolve => resolve(&mut change, command, time),
            CommandKind::Reopen => {
                change.case.reopen(self.now);
                change.step(StepKind::Reopened, time);
                change.tell_owner(Why::Reopened, None);
            }
            CommandKind::Claim
            | CommandKind::Release
            | CommandKind::Note
            | CommandKind::Wait
            | CommandKind::Resume
            | CommandKind::Unknown => unreachable!("nobody allows an unknown command"),
        }
        let step = &mut change.steps[first];
        step.actor = Some(command.actor.clone());
        step.command = Some(command.id);
        step.reason = command.reason.clone();
        self.save(change);
    }

    /// Offers the case; the giver owns it until somebody accepts.
    fn hand_off(&mut self, change: &mut Change, command: &Command, time: Time) {
        let Some(to) = command.to.clone() else {
            unreachable!("a hand-off to nobody was allowed");
        };
        change.case.acknowledge(time);
        let state = &mut change.case.state;
        let owner = state.owner.clone();
        let had_it = state.trail.contains(&to);
        state.offered_to = Some(to.clone());
        state.hand_offs += 1;
        change.step(StepKind::Offered, time).other = Some(to.clone());
        change.tell(&to, Why::Offered, Some(&owner));
        if had_it || change.case.state.hand_offs >= HAND_OFFS_MAX {
            let trail = &change.case.state.trail;
            let trail: Vec<&str> = trail
                .iter()
                .chain([&to])
                .map(DepartmentId::as_str)
                .collect();
            self.escalate(change, time, format!("handed on: {}", trail.join(" > ")));
        }
    }

    fn accept(&mut self, change: &mut Change, time: Time) {
        let Some(owner) = change.case.state.offered_to.take() else {
            unreachable!("no offer was accepted");
        };
        let giver = change.case.state.owner.clone();
        self.give(change, owner.clone());
        change.case.state.acknowledged = Some(time);
        change.step(StepKind::Accepted, time).other = Some(giver.clone());
        change.tell(&giver, Why::Accepted, Some(&owner));
    }
}

impl Case {
    /// Whatever the owner does shows that it knows of the case.
    fn acknowledge(&mut self, time: Time) {
        if self.state.phase == Phase::Open {
            self.state.phase = Phase::Acknowledged;
            self.state.acknowledged = Some(time);
        }
    }

    /// A contact with the customer is a fact, also an attempt: reply clocks stop only on it.
    fn contact(&mut self, fact: ContactFact) {
        if fact.reached {
            self.state.contacted = self.state.contacted.max(Some(fact.time));
        }
        self.contacts.push(fact);
        self.contact_due = None;
    }
}

fn contact(change: &mut Change, command: &Command, time: Time) {
    let (Some(how), Some(reached)) = (command.how, command.reached) else {
        unreachable!("a contact without its facts was allowed");
    };
    change.case.acknowledge(time);
    change.case.contact(ContactFact {
        time,
        how,
        reached,
        step: StepKind::Contacted,
    });
    let step = change.step(StepKind::Contacted, time);
    step.how = Some(how);
    step.reached = Some(reached);
}

fn decline(change: &mut Change, time: Time) {
    let Some(offered_to) = change.case.state.offered_to.take() else {
        unreachable!("no offer was declined");
    };
    change.step(StepKind::Declined, time).other = Some(offered_to.clone());
    change.tell_owner(Why::Declined, Some(&offered_to));
}

fn resolve(change: &mut Change, command: &Command, time: Time) {
    if let Some(how) = command.told {
        change.case.contact(ContactFact {
            time,
            how,
            reached: true,
            step: StepKind::Resolved,
        });
    }
    let state = &mut change.case.state;
    state.phase = Phase::Resolved;
    state.resolved = Some(time);
    let offered_to = state.offered_to.take();
    let trail = state.trail.clone();
    let step = change.step(StepKind::Resolved, time);
    step.how = command.told;
    step.reached = command.told.map(|_| true);
    for department in &trail {
        change.tell(department, Why::Resolved, None);
    }
    if let Some(offered_to) = offered_to.filter(|offered_to| !trail.contains(offered_to)) {
        change.tell(&offered_to, Why::Gone, None);
    }
}

/// Whether the case allows the command, and why not.
fn judge(company: &Company, case: &Case, command: &Command) -> Result<(), Verdict> {
    let state = &case.state;
    let theirs = match command.what {
        CommandKind::Accept | CommandKind::Decline => {
            state.offered_to.as_ref().ok_or(Verdict::NoOffer)?
        }
        CommandKind::Acknowledge
        | CommandKind::Contact
        | CommandKind::HandOff
        | CommandKind::Resolve
        | CommandKind::Reopen => &state.owner,
        CommandKind::Claim
        | CommandKind::Release
        | CommandKind::Note
        | CommandKind::Wait
        | CommandKind::Resume
        | CommandKind::Unknown => return Err(Verdict::Unknown),
    };
    if !command.any_department && !command.departments.contains(theirs) {
        return Err(Verdict::NotYours);
    }
    if command
        .expected_version
        .is_some_and(|expected| expected != state.version)
    {
        return Err(Verdict::VersionMismatch);
    }
    let has_reason = command
        .reason
        .as_ref()
        .is_some_and(|reason| !reason.trim().is_empty());
    let allow = |allowed: bool, otherwise: Verdict| if allowed { Ok(()) } else { Err(otherwise) };
    match command.what {
        CommandKind::Acknowledge => allow(state.phase == Phase::Open, Verdict::WrongPhase),
        CommandKind::Contact => {
            allow(state.phase != Phase::Closed, Verdict::WrongPhase)?;
            allow(
                command.how.is_some() && command.reached.is_some(),
                Verdict::Incomplete,
            )
        }
        CommandKind::HandOff => {
            allow(
                case.is_open() && state.offered_to.is_none(),
                Verdict::WrongPhase,
            )?;
            let to = command.to.as_ref().ok_or(Verdict::Incomplete)?;
            let known =
                company.departments.contains_key(to) || *to == route::root_receiver(company);
            allow(known && *to != state.owner, Verdict::BadDepartment)
        }
        CommandKind::Accept => allow(case.is_open(), Verdict::WrongPhase),
        CommandKind::Decline => {
            allow(case.is_open(), Verdict::WrongPhase)?;
            allow(has_reason, Verdict::Incomplete)
        }
        CommandKind::Resolve => {
            allow(case.is_open(), Verdict::WrongPhase)?;
            allow(
                command.told.is_some() || has_reason,
                Verdict::CustomerNotTold,
            )
        }
        CommandKind::Reopen => allow(state.phase == Phase::Resolved, Verdict::WrongPhase),
        CommandKind::Claim
        | CommandKind::Release
        | CommandKind::Note
        | CommandKind::Wait
        | CommandKind::Resume
        | CommandKind::Unknown => Err(Verdict::Unknown),
    }
}
