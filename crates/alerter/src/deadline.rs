//! By when something has to happen to a case, and what happens when it did not.

use event::{
    CaseId, DepartmentId, Millis, Time,
    case::{Phase, StepKind},
    notice::Why,
};

use crate::{
    case::{Case, Change},
    route,
    turn::Turn,
};

/// Whatever the rules say, a deadline lies ahead.
pub(crate) const LENGTH_MIN: Millis = Millis::from_secs(1);

/// Of four hours this makes centuries.
const DOUBLED_MAX: u32 = 20;

impl Turn<'_, '_> {
    /// Gives an open case the deadlines it lacks, counted from now, and takes them from any other. While it waits for an outside
    /// party it gets none. The published deadline is the next of them.
    pub(crate) fn settle_deadlines(&self, case: &mut Case, now: Time) {
        if !case.is_open() || case.state.dormant {
            case.acknowledge_due = None;
            case.contact_due = None;
            case.missed = 0;
            case.state.offer_due = None;
            case.state.deadline = None;
            return;
        }
        let lengths = &self.company.deadlines;
        let calendar = self.calendar(&case.state.owner);
        case.acknowledge_due = match case.state.phase {
            Phase::Open => case
                .acknowledge_due
                .or_else(|| Some(calendar.add(now, lengths.acknowledge.max(LENGTH_MIN)))),
            Phase::Acknowledged | Phase::Resolved | Phase::Closed | Phase::Unknown => None,
        };
        if case.contact_due.is_none() && case.state.waiting_on.is_none() {
            case.contact_due = Some(calendar.add(now, lengths.contact.max(LENGTH_MIN)));
        }
        if case.state.final_deadline.is_none() {
            case.state.final_deadline = Some(now + lengths.final_after.max(LENGTH_MIN));
        }
        case.state.offer_due = match case.state.offered_to {
            None => None,
            Some(_) => case
                .state
                .offer_due
                .or_else(|| Some(calendar.add(now, lengths.offer.max(LENGTH_MIN)))),
        };
        case.state.deadline = next(case);
    }

    /// A timer is due: what was missed is said, at the time it was due, and somebody else is told. Nothing closes.
    pub(crate) fn expire(&mut self, at: Time, id: CaseId) {
        let Some(case) = self.case(id) else {
            unreachable!("a timer of case {id}, which does not exist");
        };
        assert!(
            case.state.deadline == Some(at),
            "A-1: the timer of case {id} is not at its deadline"
        );
        let mut change = Change::of(case);
        self.return_offer(&mut change, at);
        self.stop_waiting_at(&mut change, at);
        let again = self.again(&change.case, at);
        let mut missed = Vec::new();
        let waits = change.case.state.waiting_on.is_some();
        if !waits && change.case.acknowledge_due.is_some_and(|due| due <= at) {
            change.case.acknowledge_due = Some(again);
            missed.push("acknowledge");
        }
        if !waits && change.case.contact_due.is_some_and(|due| due <= at) {
            change.case.contact_due = Some(again);
            missed.push("contact");
        }
        if !missed.is_empty() {
            change.case.missed += 1;
        }
        if !change.case.final_missed
            && change
                .case
                .state
                .final_deadline
                .is_some_and(|due| due <= at)
        {
            change.case.final_missed = true;
            missed.push("final");
        }
        if !missed.is_empty() {
            let missed = missed.join(", ");
            change.step(StepKind::Missed, at).reason = Some(missed.clone());
            change.tell_owner(Why::Missed, None);
            self.escalate(&mut change, at, missed);
        }
        // A wait that is over may leave an answered customer without the next time to be contacted.
        self.settle_deadlines(&mut change.case, at);
        assert!(
            change.case.state.deadline > Some(at),
            "A-1: case {id} stays at the deadline it missed"
        );
        self.save(change);
    }

    /// When something that was missed is missed again: each time in a row after twice as long, so that a case which nobody ever touches is
    /// never forgotten, and does not fill its history.
    fn again(&self, case: &Case, from: Time) -> Time {
        let length = self.company.deadlines.again.max(LENGTH_MIN);
        let times = 1 << case.missed.min(DOUBLED_MAX);
        let length = Millis::new(length.as_millis().saturating_mul(times));
        self.calendar(&case.state.owner).add(from, length)
    }

    /// Somebody does something, or the customer asks again: what was put off is due no later than if it began now.
    pub(crate) fn stir(&self, case: &mut Case) {
        if case.missed == 0 {
            return;
        }
        case.missed = 0;
        // While it waits, its deadlines are those of when the wait began.
        let from = case.state.waiting_since.unwrap_or(self.now);
        let calendar = self.calendar(&case.state.owner);
        let lengths = &self.company.deadlines;
        for (due, length) in [
            (&mut case.acknowledge_due, lengths.acknowledge),
            (&mut case.contact_due, lengths.contact),
        ] {
            let anew = calendar.add(from, length.max(LENGTH_MIN));
            *due = due.map(|due| due.min(anew));
        }
    }

    /// An offer that nobody answered in time comes back to the giver, who owned the case all along.
    fn return_offer(&mut self, change: &mut Change, at: Time) {
        if change.case.state.offer_due.is_none_or(|due| due > at) {
            return;
        }
        change.case.state.offer_due = None;
        let Some(offered_to) = change.case.state.offered_to.take() else {
            unreachable!("an offer is due that was made to nobody");
        };
        change.step(StepKind::Returned, at).other = Some(offered_to.clone());
        change.tell_owner(Why::Returned, Some(&offered_to));
        let reason = format!("{offered_to} did not answer");
        self.escalate(change, at, reason);
    }

    /// Tells the department that sees to it when this one does not. The owner stays.
    pub(crate) fn escalate(&mut self, change: &mut Change, at: Time, reason: String) {
        change.case.state.escalations += 1;
        let owner = change.case.state.owner.clone();
        let to = if change.case.state.test {
            route::canary()
        } else {
            self.escalates_to(&owner)
        };
        let step = change.step(StepKind::Escalated, at);
        step.other = Some(to.clone());
        step.reason = Some(reason);
        change.tell(&to, Why::Escalated, Some(&owner));
    }

    fn escalates_to(&self, owner: &DepartmentId) -> DepartmentId {
        let department = self.company.departments.get(owner);
        department
            .and_then(|department| department.escalates_to.clone())
            .unwrap_or_else(|| route::root_receiver(&self.company))
    }
}

fn next(case: &Case) -> Option<Time> {
    let last = case.state.final_deadline.filter(|_| !case.final_missed);
    let ours = match case.state.waiting_until {
        Some(until) => [Some(until), None],
        None => [case.acknowledge_due, case.contact_due],
    };
    ours.into_iter()
        .chain([case.state.offer_due, last])
        .flatten()
        .min()
}
