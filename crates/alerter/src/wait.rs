//! Waiting for an outside party: the department's clocks stand still, the customer's does not, and the final deadline stays.
//!
//! While a case waits its deadlines stay as they were when the wait began, and are not looked at. When it ends, each gets back the
//! business time that it had left. It ends when the party is heard of, when the owner says so, when the case is
//! resolved or another department accepts it, and at the latest when its time is over.

use calendar::{Calendar, Calendars};
use event::{
    Time,
    case::StepKind,
    case_input::{Command, Signal, SignalKind},
    notice::Why,
};
use machine::Outcome;

use crate::{
    case::{Case, Change},
    deadline::LENGTH_MIN,
    turn::Turn,
};

impl Case {
    /// Ends the wait, if there is one: what is due from the department is due later by as long as it waited.
    pub(crate) fn stop_waiting(&mut self, calendars: &Calendars, now: Time) {
        let state = &mut self.state;
        state.waiting_on = None;
        state.waiting_until = None;
        let Some(since) = state.waiting_since.take() else {
            return;
        };
        let calendar = calendars.get(Some(&state.owner));
        for due in [&mut self.acknowledge_due, &mut self.contact_due] {
            *due = due.map(|due| shift(calendar, due, since, now));
        }
    }
}

/// A deadline with as much business time left from `to` as it had left from `from`.
pub(crate) fn shift(calendar: &Calendar, due: Time, from: Time, to: Time) -> Time {
    calendar.add(to, calendar.between(from, due).max(LENGTH_MIN))
}

impl Turn<'_, '_> {
    /// The owner waits from now on. One who waits already goes on waiting, for somebody else or for longer.
    pub(crate) fn wait(&self, change: &mut Change, command: &Command, time: Time) {
        let limit = self.now + self.company.deadlines.wait.max(LENGTH_MIN);
        let until = command.until.unwrap_or(limit).min(limit);
        let state = &mut change.case.state;
        state.waiting_on = command.on.clone();
        state.waiting_since = state.waiting_since.or(Some(time));
        state.waiting_until = Some(until.max(self.now + LENGTH_MIN));
        change.step(StepKind::Waiting, time).whom = command.on.clone();
    }

    pub(crate) fn resume(&self, change: &mut Change, time: Time) {
        let party = change.case.state.waiting_on.clone();
        change.case.stop_waiting(&self.calendars, self.now);
        change.step(StepKind::Resumed, time).whom = party;
    }

    /// The time to wait is over, and nothing was heard.
    pub(crate) fn stop_waiting_at(&self, change: &mut Change, at: Time) {
        if change
            .case
            .state
            .waiting_until
            .is_none_or(|until| until > at)
        {
            return;
        }
        let party = change.case.state.waiting_on.clone();
        change.case.stop_waiting(&self.calendars, at);
        let step = change.step(StepKind::Resumed, at);
        step.whom = party;
        step.reason = Some("nothing was heard".to_owned());
        change.tell_owner(Why::Resumed, None);
    }

    /// What a party did ends the wait for it. Nothing else is done with it, so that it is not kept.
    pub(crate) fn news(&mut self, signal: &Signal) -> Outcome {
        let Some(case) = self.case(signal.case) else {
            return Outcome::Unasked;
        };
        let mut change = Change::of(case);
        self.answered(&mut change, signal);
        if change.steps.is_empty() {
            return Outcome::Unasked;
        }
        self.save(change);
        Outcome::Applied
    }

    /// Ends the wait if this is news of the party that is waited for: something it did, or what its system says. That a
    /// customer complains of the party is no news of it.
    pub(crate) fn answered(&self, change: &mut Change, signal: &Signal) {
        let is_news = match signal.what {
            SignalKind::Progress | SignalKind::Solved | SignalKind::Reopened => {
                !signal.withdrawn && !signal.history
            }
            SignalKind::Complaint
            | SignalKind::Feedback
            | SignalKind::Contact
            | SignalKind::Praise
            | SignalKind::ThirdContact
            | SignalKind::TwoChannels
            | SignalKind::AnotherComplaint
            | SignalKind::ScoreDrop
            | SignalKind::PromiseDue
            | SignalKind::PromiseBroken
            | SignalKind::Silence
            | SignalKind::Unknown => false,
        };
        let state = &change.case.state;
        let is_theirs = state.waiting_on.is_some() && state.waiting_on == signal.party;
        if !is_news || !is_theirs || Some(signal.received) < state.waiting_since {
            return;
        }
        change.case.stop_waiting(&self.calendars, self.now);
        let step = change.step(StepKind::Resumed, self.now);
        step.whom = signal.party.clone();
        step.event = Some(signal.event);
        step.matter = Some(signal.matter);
        step.reason = Some(signal.name.to_string());
        change.tell_owner(Why::Resumed, None);
    }
}
