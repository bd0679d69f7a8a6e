//! What signals do to a case: it opens, hears, wakes, goes elsewhere, reopens, or proves to be an error.

use event::{
    CaseId, DepartmentId, EventId, Perspective,
    case::{Phase, StepKind},
    case_input::{Anchor, Signal, SignalKind},
    notice::Why,
};
use machine::Outcome;

use crate::{
    case::{Case, Change},
    cases::{Key, Row},
    notice,
    queue::{Output, Work},
    route,
    sign::{self, is_sign},
    signal::{self, asks, opens},
    status::is_status,
    turn::{Turn, signal_of},
};

impl Turn<'_, '_> {
    /// Keeps a signal, or sends it on if a newer decision gave its matter to another case.
    pub(crate) fn hear(&mut self, mut signal: Signal) -> Outcome {
        match signal.perspective {
            Perspective::Customer | Perspective::Test => {}
            Perspective::MysteryShopper
            | Perspective::Simulation
            | Perspective::Competitor
            | Perspective::Employee
            | Perspective::Unknown => return Outcome::Anonymous,
        }
        if let Some(forward) = self.forward(signal.case, signal.matter)
            && forward.version > signal.matter_version
        {
            signal.matter_version = forward.version;
            if forward.to != signal.case {
                signal.case = forward.to;
                self.send(forward.to, Work::Hear(signal));
                return Outcome::Forwarded;
            }
        }
        if signal.what == SignalKind::Progress && !self.company.cases.opens.contains(&signal.name) {
            return self.news(&signal);
        }
        let key = Key::Signal(signal.case, signal.matter, signal.event, signal.what);
        let known = self.state.get(&key).map(|row| signal_of(row).clone());
        let heard = match &known {
            None => signal,
            Some(known) => match signal::newer(known, &signal) {
                None => return Outcome::Duplicate,
                Some(newer) => newer,
            },
        };
        self.state.put(key, Row::Signal(Box::new(heard.clone())));
        let anchor = Anchor {
            route: heard.route,
            profile: heard.profile,
            version: heard.route_version,
        };
        self.know(heard.case, &anchor);
        if known.is_none() {
            self.pass_praise(&heard);
        }
        self.take_in(&heard, known.as_ref());
        self.tell_keeper(&heard, known.as_ref());
        Outcome::Applied
    }

    /// Thanks are passed on once, when they are first heard; imported history tells nobody.
    fn pass_praise(&mut self, signal: &Signal) {
        if signal.what != SignalKind::Praise || signal.withdrawn || signal.history {
            return;
        }
        let case = self.case(signal.case);
        let case = case.as_ref().map(|case| &case.state);
        let notices: Vec<_> = notice::of_praise(&self.company, signal, case).collect();
        for notice in notices {
            self.put(Output::Notice(notice));
        }
    }

    fn take_in(&mut self, signal: &Signal, known: Option<&Signal>) {
        let id = signal.case;
        let Some(mut case) = self.case(id) else {
            if opens(&self.company, signal) {
                let mut change = Change::of(self.unopened(id, signal));
                self.settle(&mut change);
                self.save(change);
            }
            return;
        };
        if opens(&self.company, signal) || signal.withdrawn {
            case.awaited.remove(&signal.matter);
        }
        match known {
            None => case.figures.add(&self.company, signal),
            Some(_) => case.figures = self.figures(id),
        }
        let mut change = Change::of(case);
        let runs = change.case.state.phase != Phase::Closed;
        let is_new = runs && known.is_none() && !signal.withdrawn;
        let is_withdrawn = runs && signal.withdrawn && known.is_some_and(|known| !known.withdrawn);
        let is_sign = is_sign(signal.what);
        if is_sign {
            // What it says of the case comes when the case is what its signals say.
        } else if is_new {
            if !is_status(signal) {
                self.hear_again(&mut change, signal);
            }
            self.answered(&mut change, signal);
        } else if is_withdrawn {
            let time = self.time_of(signal);
            let step = change.step(StepKind::Heard, time);
            step.event = Some(signal.event);
            step.matter = Some(signal.matter);
            step.reason = Some("withdrawn".to_owned());
        }
        self.settle(&mut change);
        if is_new && is_status(signal) {
            self.write_down(&mut change, signal);
        }
        if runs && is_sign {
            self.notice(&mut change, signal, known);
        }
        self.save(change);
    }

    /// A case before its first step, with all that was heard of its matter so far.
    fn unopened(&self, id: CaseId, opener: &Signal) -> Case {
        let decision = route::decide(&self.company, opener);
        let mut case = Case::new(id, opener, decision.owner);
        case.figures = self.figures(id);
        case
    }

    fn hear_again(&mut self, change: &mut Change, signal: &Signal) {
        let time = self.time_of(signal);
        let step = change.step(StepKind::Heard, time);
        step.event = Some(signal.event);
        step.matter = Some(signal.matter);
        let is_asked = asks(&self.company, signal) && !signal.history;
        if is_asked && change.case.is_open() {
            self.stir(&mut change.case);
            change.tell_owner(Why::Heard, None);
        }
    }

    /// History happened when it happened; what is live happens to the case now.
    pub(crate) fn time_of(&self, signal: &Signal) -> event::Time {
        if signal.history {
            signal.time
        } else {
            self.now
        }
    }

    /// Makes the case what its signals say, whatever order they came in.
    pub(crate) fn settle(&mut self, change: &mut Change) {
        let case = &mut change.case;
        let Some(opener) = case.figures.opener.clone() else {
            let untouched = case.state.acted.is_none() && case.awaited.is_empty();
            if (case.is_open() || case.by_system) && untouched {
                self.close_in_error(change);
            }
            return;
        };
        if case.state.phase == Phase::Closed {
            self.open(change, &opener);
            self.heed(change);
            return;
        }
        if case.state.dormant && case.figures.live {
            self.wake(change, Tell::Owner);
        }
        if change.case.state.acted.is_none() {
            self.route_again(change, &opener);
        }
        let asked = change.case.figures.asked;
        let resolved = change.case.state.resolved;
        let broken = change.case.figures.broken;
        if change.case.state.phase == Phase::Resolved && asked.max(broken) > resolved {
            let reason = if asked > resolved {
                "the customer asked again"
            } else {
                "a promise was broken"
            };
            self.reopen(change, Some(reason.to_owned()), None);
        }
        self.heed(change);
    }

    fn open(&mut self, change: &mut Change, opener: &Signal) {
        let decision = route::decide(&self.company, opener);
        let case = &mut change.case;
        case.describe(&self.company, opener, &decision);
        let dormant = !case.figures.live;
        let time = if dormant { opener.time } else { self.now };
        case.absorbed = None;
        case.contacts.clear();
        case.final_missed = false;
        case.by_system = false;
        case.heeded_from = None;
        let state = &mut case.state;
        state.phase = Phase::Open;
        state.owner = decision.owner.clone();
        state.trail = vec![decision.owner.clone()];
        state.opened = time;
        state.dormant = dormant;
        state.offered_to = None;
        state.final_deadline = None;
        state.escalations = 0;
        state.hand_offs = 0;
        state.acknowledged = None;
        state.contacted = None;
        state.resolved = None;
        state.claimed_by = None;
        state.waiting_on = None;
        state.waiting_since = None;
        state.waiting_until = None;
        state.proposed = None;
        state.absorbed_by = None;
        state.acted = None;
        let step = change.step(StepKind::Opened, time);
        sign::point_to(step, opener);
        step.route = decision.names;
        change.tell_owner(Why::Opened, None);
        for also in &decision.also {
            change.tell(also, Why::Opened, None);
        }
        self.show_signs(change);
    }

    /// A dormant case gets its first live event or command: its clocks start now.
    pub(crate) fn wake(&mut self, change: &mut Change, tell: Tell) {
        change.case.state.dormant = false;
        change.case.state.final_deadline = None;
        let route = change.case.state.route.clone();
        let step = change.step(StepKind::Opened, self.now);
        step.reason = Some("dormant until now".to_owned());
        step.route = route;
        match tell {
            Tell::Owner => change.tell_owner(Why::Opened, None),
            Tell::Nobody => {}
        }
    }

    /// Nobody acted on it yet, so that the first owner still is what the routes say of the signal that opens it.
    fn route_again(&mut self, change: &mut Change, opener: &Signal) {
        if change.case.decided_by == Some((opener.event, opener.revision)) {
            return;
        }
        let decision = route::decide(&self.company, opener);
        let before = change.case.state.owner.clone();
        change.case.describe(&self.company, opener, &decision);
        if before == decision.owner {
            return;
        }
        if change.case.by_system {
            // Another department's system has no say in it.
            change.case.reopen(self.now);
        }
        self.give(change, decision.owner);
        let time = self.time_of(opener);
        let step = change.step(StepKind::Opened, time);
        step.other = Some(before.clone());
        step.reason = Some("another event decides the route".to_owned());
        sign::point_to(step, opener);
        step.route = decision.names;
        change.tell_owner(Why::Opened, Some(&before));
        change.tell(&before, Why::Gone, None);
    }

    /// Another department owns the case from now on: who had it in hand there, and what was waited for, is past.
    pub(crate) fn give(&mut self, change: &mut Change, owner: DepartmentId) {
        let case = &mut change.case;
        self.stir(case);
        case.stop_waiting(&self.calendars, self.now);
        case.acknowledge_due = None;
        case.state.claimed_by = None;
        case.state.proposed = None;
        case.state.trail.push(owner.clone());
        case.state.owner = owner;
    }

    /// What was resolved is not, as a signal says.
    pub(crate) fn reopen(
        &mut self,
        change: &mut Change,
        reason: Option<String>,
        event: Option<EventId>,
    ) {
        change.case.reopen(self.now);
        let step = change.step(StepKind::Reopened, self.now);
        step.reason = reason;
        step.event = event;
        change.tell_owner(Why::Reopened, None);
    }

    /// What it was opened for is not so, and nobody acted on it: it closes, and all who were told are told.
    fn close_in_error(&mut self, change: &mut Change) {
        let state = &mut change.case.state;
        state.phase = Phase::Closed;
        state.offered_to = None;
        state.proposed = None;
        change.case.by_system = false;
        change.step(StepKind::OpenedInError, self.now);
        for department in change.case.told.clone() {
            change.tell(&department, Why::Gone, None);
        }
        change.case.state.dormant = false;
        change.case.told.clear();
    }
}

impl Case {
    /// Somebody has to do something again, or it is dormant again. A final deadline that has passed counts anew, one ahead
    /// stays where it is.
    pub(crate) fn reopen(&mut self, now: event::Time) {
        self.by_system = false;
        self.state.dormant = !self.figures.live && self.state.acted.is_none();
        self.state.phase = Phase::Open;
        self.state.acknowledged = None;
        self.state.resolved = None;
        if self.state.final_deadline.is_some_and(|due| due <= now) {
            self.state.final_deadline = None;
            self.final_missed = false;
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Tell {
    Owner,
    Nobody,
}
