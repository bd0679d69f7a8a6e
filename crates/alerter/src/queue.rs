//! What waits in the state because a step's output is bounded. It goes out in the order in which it came.

use event::{
    CaseId, MatterId, Record,
    case::{self, State, Step},
    case_input::{Absorb, CaseInput, Command, Signal},
    command_outcome::CommandOutcome,
    notice::Notice,
    timeline_input::{StepNote, TimelineInput},
};
use machine::{Outcome, RECORDS_MAX};
use serde::{Deserialize, Serialize};

use crate::{
    cases::{Key, Row},
    turn::Turn,
};

/// The most pieces of work one step does for itself beyond its input; the rest waits.
const WORK_MAX: usize = 1_000;

/// Room that one piece of work may need.
const ROOM_MIN: usize = RECORDS_MAX / 5;

/// A piece of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Work {
    /// Put this out.
    Put(Output),
    /// These reach a case of the same partition without a way through the log.
    Hear(Signal),
    Obey(Command),
    Absorb(Absorb),
    /// Send on the signals of a matter that belong elsewhere.
    SendOn(CaseId, MatterId),
}

/// A record to be put out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Output {
    State(State),
    Step(Step),
    Notice(Notice),
    Outcome(CommandOutcome),
    Note(StepNote),
    Signal(Signal),
    Command(Command),
    Absorb(Absorb),
}

impl From<Output> for Record {
    fn from(output: Output) -> Self {
        match output {
            Output::State(state) => Record::Case(case::Case::State(state)),
            Output::Step(step) => Record::Case(case::Case::Step(step)),
            Output::Notice(notice) => Record::Notice(notice),
            Output::Outcome(outcome) => Record::CommandOutcome(outcome),
            Output::Note(note) => Record::TimelineInput(TimelineInput::Step(note)),
            Output::Signal(signal) => Record::CaseInput(CaseInput::Signal(signal)),
            Output::Command(command) => Record::CaseInput(CaseInput::Command(command)),
            Output::Absorb(absorb) => Record::CaseInput(CaseInput::Absorb(absorb)),
        }
    }
}

impl Turn<'_, '_> {
    /// Puts a record out, behind whatever waits.
    pub(crate) fn put(&mut self, output: Output) {
        if self.waiting || self.effects.room() == 0 {
            self.queue(Work::Put(output));
        } else {
            self.effects.emit(output.into());
        }
    }

    /// Sends a signal, a command or an absorbed case to the case it names, in this partition or another.
    pub(crate) fn send(&mut self, to: CaseId, work: Work) {
        if self.shard.holds(to.as_bytes()) {
            self.own.push_back(work);
            return;
        }
        match work {
            Work::Put(output) => self.put(output),
            Work::Hear(signal) => self.put(Output::Signal(signal)),
            Work::Obey(command) => self.put(Output::Command(command)),
            Work::Absorb(absorb) => self.put(Output::Absorb(absorb)),
            Work::SendOn(..) => self.own.push_back(work),
        }
    }

    /// Does the work that the input made for its own partition; what is too much for one step waits.
    pub(crate) fn work_off(&mut self) {
        while let Some(work) = self.own.pop_front() {
            if self.waiting || self.done == WORK_MAX || self.effects.room() < ROOM_MIN {
                self.queue(work);
            } else {
                self.done += 1;
                self.work(work);
            }
        }
    }

    /// Takes waiting work, oldest first, as long as the step has room.
    pub(crate) fn drain(&mut self) {
        while self.done < WORK_MAX && self.effects.room() >= ROOM_MIN {
            let Some(work) = self.dequeue() else { return };
            self.done += 1;
            self.work(work);
            self.work_off();
        }
    }

    fn work(&mut self, work: Work) {
        let outcome = match work {
            Work::Put(output) => {
                self.effects.emit(output.into());
                Outcome::Applied
            }
            Work::Hear(signal) => self.hear(signal),
            Work::Obey(command) => self.obey(command),
            Work::Absorb(absorb) => self.absorb(absorb),
            Work::SendOn(case, matter) => self.send_on(case, matter),
        };
        assert!(
            outcome != Outcome::Rejected,
            "own work is never rejected: the log counted its cause"
        );
    }

    fn queue(&mut self, work: Work) {
        let end = match self.state.get(&Key::QueueEnd) {
            Some(Row::QueueEnd(end)) => *end,
            Some(_) | None => 0,
        };
        self.state.put(Key::Queue(end), Row::Queue(Box::new(work)));
        self.state.put(Key::QueueEnd, Row::QueueEnd(end + 1));
        self.waiting = true;
    }

    fn dequeue(&mut self) -> Option<Work> {
        let mut rows = self.state.range(Key::Queue(0)..=Key::Queue(u64::MAX));
        let (key, Row::Queue(work)) = rows.next()? else {
            unreachable!("the queue holds work");
        };
        let (key, work) = (key.clone(), Work::clone(work));
        self.waiting = rows.next().is_some();
        self.state.remove(key);
        Some(work)
    }
}
