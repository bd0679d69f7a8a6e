//! One step of the machine: what it may look at, and where what it does goes.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use calendar::{Calendar, Calendars};
use event::{
    CaseId, Company, DepartmentId, EventId, MatterId, ProfileId, Time, Token,
    case::{Step, StepKind},
    case_input::{Anchor, Signal, SignalKind},
    timeline_input::StepNote,
};
use machine::{Effects, Outcome, Overlay, Shard};

use crate::{
    case::{Case, Change, SHOWN_MAX},
    cases::{FIRST, Forward, Key, Known, LAST, Noted, Row, Rules, first_timer},
    notice,
    queue::{Output, Work},
    signal::Figures,
};

/// A tick fires timers only while a step has room for what several of them put out.
const ROOM_FOR_TIMERS: usize = machine::RECORDS_MAX / 2;

pub(crate) struct Turn<'t, 's> {
    pub(crate) now: Time,
    pub(crate) shard: Shard,
    pub(crate) company: Arc<Company>,
    pub(crate) calendars: Arc<Calendars>,
    pub(crate) state: &'t mut Overlay<'s, Key, Row>,
    pub(crate) effects: &'t mut Effects,
    /// Work of this step for its own partition.
    pub(crate) own: VecDeque<Work>,
    /// Work waits in the state: all that is new goes behind it.
    pub(crate) waiting: bool,
    /// How many pieces of work this step has done.
    pub(crate) done: usize,
}

impl<'t, 's> Turn<'t, 's> {
    pub(crate) fn new(
        now: Time,
        shard: Shard,
        state: &'t mut Overlay<'s, Key, Row>,
        effects: &'t mut Effects,
    ) -> Self {
        let Rules { company, calendars } = match state.get(&Key::Rules) {
            Some(Row::Rules(rules)) => rules.clone(),
            Some(_) | None => Rules::default(),
        };
        let mut queue = state.range(Key::Queue(0)..=Key::Queue(u64::MAX));
        let waiting = queue.next().is_some();
        Self {
            now,
            shard,
            company,
            calendars,
            state,
            effects,
            own: VecDeque::new(),
            waiting,
            done: 0,
        }
    }

    /// Does what waits, then fires the timers that are due, each at its own time.
    pub(crate) fn tick(&mut self, due: Time) -> Outcome {
        self.drain();
        while !self.waiting && self.own.is_empty() && self.effects.room() >= ROOM_FOR_TIMERS {
            match first_timer(self.state) {
                Some((at, case)) if at <= due => self.expire(at, case),
                Some(_) | None => break,
            }
        }
        Outcome::Ticked
    }

    pub(crate) fn calendar(&self, department: &DepartmentId) -> &Calendar {
        self.calendars.get(Some(department))
    }

    pub(crate) fn case(&self, id: CaseId) -> Option<Case> {
        let row = self.state.get(&Key::Case(id))?;
        let Row::Case(case) = row else {
            unreachable!("the row of case {id} is {row:?}");
        };
        Some(Case::clone(case))
    }

    pub(crate) fn forward(&self, case: CaseId, matter: MatterId) -> Option<Forward> {
        let row = self.state.get(&Key::Forward(case, matter))?;
        let Row::Forward(forward) = row else {
            unreachable!("a forward is {row:?}");
        };
        Some(*forward)
    }

    /// Where a stored signal belongs, if not here.
    pub(crate) fn way_out(&self, signal: &Signal) -> Option<Forward> {
        self.forward(signal.case, signal.matter)
            .filter(|forward| forward.to != signal.case && forward.version > signal.matter_version)
    }

    /// The signals a case holds, but for those about to be sent on.
    pub(crate) fn signals(&self, case: CaseId) -> impl Iterator<Item = &Signal> {
        let all = signal_key(case, MatterId::new(FIRST), Bound::First)
            ..=signal_key(case, MatterId::new(LAST), Bound::Last);
        self.state
            .range(all)
            .map(|(_, row)| signal_of(row))
            .filter(|signal| self.way_out(signal).is_none())
    }

    pub(crate) fn figures(&self, case: CaseId) -> Figures {
        Figures::of(&self.company, self.signals(case))
    }

    /// Writes a changed case and puts out its steps, its state and its notices.
    pub(crate) fn save(&mut self, mut change: Change) {
        let id = change.case.state.case;
        let before = self.case(id);
        change.case.count();
        let state = &mut change.case.state;
        state.unit = notice::unit(&self.company, &state.owner, state.place.as_ref());
        self.settle_deadlines(&mut change.case, self.now);
        let Change {
            mut case,
            mut steps,
            told,
        } = change;
        let profiles: BTreeSet<ProfileId> = self
            .anchors(id)
            .into_iter()
            .map(|anchor| anchor.profile)
            .collect();
        case.state.profiles = profiles.into_iter().take(SHOWN_MAX).collect();
        assert!(
            case.state.deadline.is_some() || !case.is_open() || case.state.dormant,
            "A-1: case {id} is open without a deadline"
        );
        let old = before.as_ref().and_then(|before| before.state.deadline);
        if let Some(deadline) = old {
            self.state.remove(Key::Timer(deadline, id));
        }
        if let Some(deadline) = case.state.deadline {
            self.state.put(Key::Timer(deadline, id), Row::Timer);
        }
        for step in &mut steps {
            step.deadline = case.state.deadline;
        }
        self.note(&steps);
        for step in steps {
            self.put(Output::Step(step));
        }
        if before.is_none_or(|before| before.state != case.state) {
            self.put(Output::State(case.state.clone()));
        }
        for told in told {
            let notice = notice::of_step(&self.company, &case.state, told);
            self.put(Output::Notice(notice));
        }
        self.state.put(Key::Case(id), Row::Case(Box::new(case)));
    }

    /// Keeps the steps that timelines show and tells them to every customer the case knows.
    fn note(&mut self, steps: &[Step]) {
        let Some(first) = steps.first() else { return };
        let anchors = self.anchors(first.case);
        for step in steps.iter().filter(|step| step.what != StepKind::Heard) {
            let noted = Noted {
                time: step.time,
                what: step.what,
                owner: step.owner.clone(),
                matter: step.matter.unwrap_or_else(|| step.case.matter()),
            };
            for anchor in &anchors {
                self.put(Output::Note(note(step.case, step.step, &noted, anchor)));
            }
            self.state
                .put(Key::Step(step.case, step.step), Row::Step(noted));
        }
    }

    /// Remembers a customer. One who is new gets all that happened so far.
    pub(crate) fn know(&mut self, case: CaseId, anchor: &Anchor) {
        let key = Key::Anchor(case, anchor.route);
        let known = match self.state.get(&key) {
            Some(Row::Anchor(known)) => Some(*known),
            Some(other) => unreachable!("an anchor is {other:?}"),
            None => None,
        };
        if known.is_some_and(|known| known.version >= anchor.version) {
            return;
        }
        let now_known = Known {
            profile: anchor.profile,
            version: anchor.version,
        };
        self.state.put(key, Row::Anchor(now_known));
        if known.is_none() {
            let rows = self
                .state
                .range(Key::Step(case, 0)..=Key::Step(case, u32::MAX));
            let notes: Vec<StepNote> = rows
                .map(|(key, row)| match (key, row) {
                    (Key::Step(case, step), Row::Step(noted)) => note(*case, *step, noted, anchor),
                    (key, row) => unreachable!("a step is {row:?} at {key:?}"),
                })
                .collect();
            for note in notes {
                self.put(Output::Note(note));
            }
        }
    }

    pub(crate) fn anchors(&self, case: CaseId) -> Vec<Anchor> {
        self.state
            .range(Key::Anchor(case, FIRST)..=Key::Anchor(case, LAST))
            .map(|(key, row)| match (key, row) {
                (Key::Anchor(_, route), Row::Anchor(known)) => Anchor {
                    route: *route,
                    profile: known.profile,
                    version: known.version,
                },
                (key, row) => unreachable!("an anchor is {row:?} at {key:?}"),
            })
            .collect()
    }

    /// Forgets the customers that no signal here names any more: what comes now is not theirs.
    pub(crate) fn forget_strangers(&mut self, case: CaseId) {
        let routes: BTreeSet<Token> = self.signals(case).map(|signal| signal.route).collect();
        for anchor in self.anchors(case) {
            if !routes.contains(&anchor.route) {
                self.state.remove(Key::Anchor(case, anchor.route));
            }
        }
    }
}

/// A step as a timeline is told it. Its id stays the same when cases are joined.
fn note(case: CaseId, step: u32, noted: &Noted, anchor: &Anchor) -> StepNote {
    let parts: [&[u8]; 2] = [case.as_bytes(), &step.to_be_bytes()];
    StepNote {
        profile: anchor.profile,
        route: anchor.route,
        version: anchor.version,
        case,
        matter: noted.matter,
        id: Token::hash("step", &parts),
        step,
        time: noted.time,
        what: noted.what,
        department: Some(noted.owner.clone()),
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Bound {
    First,
    Last,
}

/// The first or the last key that a signal of this matter can have.
pub(crate) fn signal_key(case: CaseId, matter: MatterId, bound: Bound) -> Key {
    let (event, kind) = match bound {
        Bound::First => (FIRST, SignalKind::Complaint),
        Bound::Last => (LAST, SignalKind::Unknown),
    };
    Key::Signal(case, matter, EventId::new(event), kind)
}

pub(crate) fn signal_of(row: &Row) -> &Signal {
    let Row::Signal(signal) = row else {
        unreachable!("a signal is {row:?}");
    };
    signal
}
