//! What people ask of a case. Every command gets an outcome, and a repeated one the same.

mod judge;

use event::{
    CaseId, DepartmentId, Time,
    case::{Phase, Step, StepKind},
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
            Some(case) => match judge::judge(&self.company, &case, &command) {
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
        self.stir(&mut change.case);
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
            CommandKind::Reopen => self.reopen_by(&mut change, time),
            CommandKind::Claim => claim(&mut change, command, time),
            CommandKind::Release => {
                let had_it = change.case.state.claimed_by.take();
                change.step(StepKind::Released, time).whom = had_it;
            }
            CommandKind::Note => {
                change.step(StepKind::Noted, time);
            }
            CommandKind::Wait => {
                change.case.acknowledge(time);
                self.wait(&mut change, command, time);
            }
            CommandKind::Resume => self.resume(&mut change, time),
            CommandKind::Unknown => unreachable!("nobody allows an unknown command"),
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
        change.case.heeded_from = Some(time);
        change.case.state.acknowledged = Some(time);
        change.step(StepKind::Accepted, time).other = Some(giver.clone());
        change.tell(&giver, Why::Accepted, Some(&owner));
    }

    /// Opens a resolved case again. Of an open one it says that what a system proposed is not so.
    fn reopen_by(&mut self, change: &mut Change, time: Time) {
        change.case.heeded_from = Some(time);
        if change.case.state.proposed.take().is_some() {
            change.step(StepKind::Noted, time);
            return;
        }
        change.case.reopen(self.now);
        change.step(StepKind::Reopened, time);
        change.tell_owner(Why::Reopened, None);
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

/// A person of the owner has it in hand from now on, whoever had it before.
fn claim(change: &mut Change, command: &Command, time: Time) {
    change.case.acknowledge(time);
    let had_it = change.case.state.claimed_by.replace(command.actor.clone());
    change.step(StepKind::Claimed, time).whom = had_it;
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
    change.case.by_system = false;
    let step = conclude(change, time, time);
    step.how = command.told;
    step.reached = command.told.map(|_| true);
    tell_of_the_end(change);
}

/// Nothing is left to be done from now on; it was solved at `solved`.
pub(crate) fn conclude(change: &mut Change, time: Time, solved: Time) -> &mut Step {
    let state = &mut change.case.state;
    state.phase = Phase::Resolved;
    state.resolved = Some(solved);
    state.proposed = None;
    state.waiting_on = None;
    state.waiting_since = None;
    state.waiting_until = None;
    change.step(StepKind::Resolved, time)
}

/// Who has owned it is told that it is resolved, and who was offered it that there is nothing to answer.
pub(crate) fn tell_of_the_end(change: &mut Change) {
    let state = &mut change.case.state;
    let offered_to = state.offered_to.take();
    let trail = state.trail.clone();
    for department in &trail {
        change.tell(department, Why::Resolved, None);
    }
    if let Some(offered_to) = offered_to.filter(|offered_to| !trail.contains(offered_to)) {
        change.tell(&offered_to, Why::Gone, None);
    }
}
