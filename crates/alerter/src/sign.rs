//! Signs: what a customer's timeline shows beyond its single events. A third contact, a score that dropped, silence; a promise
//! that is due soon, or was broken.
//!
//! A sign is written down in the case of its matter, and its owner is told; the keeper of a promise is told whether there is a case
//! or not. It changes neither owner nor deadlines nor severity. Some signs open a case where there is none, as the rules say, and a
//! promise that is broken later reopens it. Who was told of a sign is told when it is taken back.

use event::{
    Company, DepartmentId, Millis, Name, Perspective,
    case::{Phase, Step, StepKind},
    case_input::{Signal, SignalKind},
    notice::Why,
};

use crate::{
    case::Change,
    notice,
    queue::Output,
    route,
    turn::{Bound, Turn, signal_key, signal_of},
};

pub(crate) fn is_sign(what: SignalKind) -> bool {
    match what {
        SignalKind::ThirdContact
        | SignalKind::TwoChannels
        | SignalKind::AnotherComplaint
        | SignalKind::ScoreDrop
        | SignalKind::PromiseDue
        | SignalKind::PromiseBroken
        | SignalKind::Silence => true,
        SignalKind::Complaint
        | SignalKind::Feedback
        | SignalKind::Contact
        | SignalKind::Praise
        | SignalKind::Progress
        | SignalKind::Solved
        | SignalKind::Reopened
        | SignalKind::Unknown => false,
    }
}

/// The department that has to keep the promise a sign is about, if it is one of ours.
pub(crate) fn keeper(company: &Company, signal: &Signal) -> Option<DepartmentId> {
    let keeper = signal
        .department
        .as_ref()
        .filter(|_| is_promise(signal.what))?;
    if signal.perspective == Perspective::Test {
        return Some(route::canary());
    }
    company
        .departments
        .contains_key(keeper)
        .then(|| keeper.clone())
}

fn is_promise(what: SignalKind) -> bool {
    matches!(what, SignalKind::PromiseDue | SignalKind::PromiseBroken)
}

fn step_of(what: SignalKind) -> StepKind {
    if what == SignalKind::PromiseDue {
        StepKind::Warned
    } else if what == SignalKind::PromiseBroken {
        StepKind::Broken
    } else {
        StepKind::Noticed
    }
}

fn why_of(what: SignalKind) -> Why {
    if what == SignalKind::PromiseDue {
        Why::PromiseDue
    } else if what == SignalKind::PromiseBroken {
        Why::PromiseBroken
    } else {
        Why::Noticed
    }
}

/// Says what a step was caused by: an event, or a sign, which is none.
pub(crate) fn point_to(step: &mut Step, signal: &Signal) {
    step.matter = Some(signal.matter);
    if is_sign(signal.what) {
        let sign = Name::new(signal.what.as_str());
        step.sign = Some(sign.expect("every kind of signal is a name"));
    } else {
        step.event = Some(signal.event);
    }
}

impl Turn<'_, '_> {
    /// Writes a sign down that is new in a case, or one that was taken back, and tells whom it concerns.
    pub(crate) fn notice(&mut self, change: &mut Change, signal: &Signal, known: Option<&Signal>) {
        let stood = known.is_some_and(|known| !known.withdrawn);
        let is_over = change.case.state.phase == Phase::Closed;
        if is_over || stood != signal.withdrawn || self.is_known_otherwise(change, signal) {
            return;
        }
        self.write_sign(change, signal);
        if signal.history || !change.case.is_open() {
            return;
        }
        let why = if signal.withdrawn {
            Why::TakenBack
        } else {
            why_of(signal.what)
        };
        change.tell_owner(why, None);
        if let Some(keeper) = keeper(&self.company, signal) {
            change.tell(&keeper, why, None);
        }
    }

    /// Writes down what is known of a case that opens: the signs that led to it, and those that came before it.
    pub(crate) fn show_signs(&mut self, change: &mut Change) {
        let mut signs: Vec<Signal> = self
            .signals(change.case.state.case)
            .filter(|signal| is_sign(signal.what) && !signal.withdrawn)
            .cloned()
            .collect();
        signs.sort_by_key(|signal| (signal.time, signal.event));
        for signal in &signs {
            self.write_sign(change, signal);
            let keeper = keeper(&self.company, signal).filter(|_| !signal.history);
            if let Some(keeper) = keeper.filter(|keeper| *keeper != change.case.state.owner) {
                change.tell(&keeper, why_of(signal.what), None);
            }
        }
    }

    fn write_sign(&self, change: &mut Change, signal: &Signal) {
        let keeper = keeper(&self.company, signal);
        let time = self.told_at(signal);
        let step = change.step(step_of(signal.what), time);
        point_to(step, signal);
        step.other = keeper;
        step.reason = if signal.withdrawn {
            Some("taken back".to_owned())
        } else {
            signal
                .promise
                .as_ref()
                .map(|promise| promise.what.to_string())
        };
    }

    /// What was told because time passed is of the time it was due, however late anybody looked.
    fn told_at(&self, signal: &Signal) -> event::Time {
        let by_time = matches!(
            signal.what,
            SignalKind::PromiseDue | SignalKind::PromiseBroken | SignalKind::Silence
        );
        if by_time && !signal.withdrawn {
            signal.time.min(self.now)
        } else {
            self.time_of(signal)
        }
    }

    /// Whether the case knows better, or the same from elsewhere: a profile sees only what rests there.
    fn is_known_otherwise(&self, change: &Change, signal: &Signal) -> bool {
        let case = change.case.state.case;
        let is_same = |other: &Signal| {
            let same = other.what == signal.what && other.time == signal.time;
            same && other.event != signal.event && !other.withdrawn
        };
        let of_matter = signal_key(case, signal.matter, Bound::First)
            ..=signal_key(case, signal.matter, Bound::Last);
        let mut others = self.state.range(of_matter).map(|(_, row)| signal_of(row));
        if others.any(is_same) {
            return true;
        }
        match signal.what {
            // It is about the case itself.
            SignalKind::AnotherComplaint => self.signals(case).any(|other| {
                let is_it = other.time == signal.time && other.received == signal.received;
                other.what == SignalKind::Complaint && is_it && other.source == signal.source
            }),
            // Somebody did something, and the timeline did not hear of it.
            SignalKind::Silence => {
                let complained = signal.time - self.company.signs.silence.max(Millis::ZERO);
                change.case.state.acted >= Some(complained)
            }
            SignalKind::Complaint
            | SignalKind::Feedback
            | SignalKind::Contact
            | SignalKind::Praise
            | SignalKind::Progress
            | SignalKind::Solved
            | SignalKind::Reopened
            | SignalKind::ThirdContact
            | SignalKind::TwoChannels
            | SignalKind::ScoreDrop
            | SignalKind::PromiseDue
            | SignalKind::PromiseBroken
            | SignalKind::Unknown => false,
        }
    }

    /// The keeper of a promise is warned, and told that it was broken, also where no case is open.
    pub(crate) fn tell_keeper(&mut self, signal: &Signal, known: Option<&Signal>) {
        let stood = known.is_some_and(|known| !known.withdrawn);
        // Whoever was told of a case that proves to be none is told so of the case.
        let phase = self.case(signal.case).map(|case| case.state.phase);
        let is_handled = phase
            .is_some_and(|phase| phase.is_open() || (signal.withdrawn && phase == Phase::Closed));
        if signal.history || is_handled || stood != signal.withdrawn {
            return;
        }
        let Some(keeper) = keeper(&self.company, signal) else {
            return;
        };
        let why = if signal.withdrawn {
            Why::TakenBack
        } else {
            why_of(signal.what)
        };
        let notice = notice::of_promise(&self.company, signal, keeper, why);
        self.put(Output::Notice(notice));
    }
}
