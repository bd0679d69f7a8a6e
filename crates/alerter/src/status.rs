//! What the senders' own systems say of a case: solved there, or reopened.
//!
//! The word of a system counts where it is the owning department's (`[departments.X] sources`); what any other system says is
//! written down and changes nothing. Status changes arrive in any order, so that a case keeps the latest that each system said
//! and is made what they say together.

use event::{
    Company, EventId, SourceId, Time,
    case::{Phase, StepKind},
    case_input::{Signal, SignalKind},
    notice::Why,
    rules::OnSolved,
};
use serde::{Deserialize, Serialize};

use crate::{
    case::{Case, Change},
    command,
    turn::Turn,
};

/// What one system said of a case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    /// The latest: its time, of one moment the greater event id, and whether it is solved.
    last: Option<(Time, EventId, bool)>,
    /// When it last said that it is not solved after all.
    reopened: Option<(Time, EventId)>,
}

impl Said {
    /// The order in which they come makes no difference. A withdrawn one was never said.
    pub(crate) fn add(&mut self, signal: &Signal) {
        if signal.withdrawn {
            return;
        }
        let solved = signal.what == SignalKind::Solved;
        let said = Some((signal.time, signal.event, solved));
        self.last = self.last.max(said);
        if !solved {
            self.reopened = self.reopened.max(Some((signal.time, signal.event)));
        }
    }
}

/// What the systems of the owner say together.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    /// It is solved, and neither the customer nor a person here said otherwise since.
    solved: Option<Status>,
    /// The last time that one of them reopened it.
    reopened: Option<Status>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Status {
    time: Time,
    event: EventId,
    source: SourceId,
}

impl Word {
    /// Nothing where none of the owner's systems spoke.
    fn of(company: &Company, case: &Case) -> Option<Word> {
        let sources = &company.departments.get(&case.state.owner)?.sources;
        let said = case.figures.said.iter();
        let ours: Vec<_> = said
            .filter(|(source, _)| sources.contains(*source))
            .collect();
        if ours.is_empty() {
            return None;
        }
        let status = |source: &SourceId, (time, event)| Status {
            time,
            event,
            source: source.clone(),
        };
        let last = ours
            .iter()
            .filter_map(|(source, said)| {
                let (time, event, solved) = said.last?;
                Some((status(source, (time, event)), solved))
            })
            .max();
        let solved = last
            .filter(|(last, solved)| {
                let (time, asked) = (Some(last.time), case.figures.spoken);
                *solved && time >= asked && time > case.heeded_from
            })
            .map(|(last, _)| last);
        let reopened = ours
            .iter()
            .filter_map(|(source, said)| Some(status(source, said.reopened?)))
            .max();
        Some(Word { solved, reopened })
    }
}

pub(crate) fn is_status(signal: &Signal) -> bool {
    match signal.what {
        SignalKind::Solved | SignalKind::Reopened => true,
        SignalKind::Complaint
        | SignalKind::Feedback
        | SignalKind::Contact
        | SignalKind::Praise
        | SignalKind::Progress
        | SignalKind::ThirdContact
        | SignalKind::TwoChannels
        | SignalKind::AnotherComplaint
        | SignalKind::ScoreDrop
        | SignalKind::PromiseDue
        | SignalKind::PromiseBroken
        | SignalKind::Silence
        | SignalKind::Unknown => false,
    }
}

impl Turn<'_, '_> {
    /// Makes the case what the owner's systems say.
    pub(crate) fn heed(&mut self, change: &mut Change) {
        let Some(word) = Word::of(&self.company, &change.case) else {
            return;
        };
        if change.case.state.phase == Phase::Resolved {
            self.take_back(change, &word);
        }
        let case = &mut change.case;
        if case.is_open() {
            match (self.company.cases.on_solved, word.solved) {
                (OnSolved::Propose, Some(solved)) => self.propose(change, &solved),
                (OnSolved::Resolve, Some(solved)) => self.conclude_by(change, &solved),
                (OnSolved::Note, _) | (OnSolved::Propose | OnSolved::Resolve, None) => {
                    case.state.proposed = None;
                }
            }
        } else if case.by_system
            && let Some(solved) = word.solved
        {
            case.state.resolved = Some(solved.time);
        }
    }

    /// Reopens what was resolved by a word that no longer holds, or before a system reopened it.
    fn take_back(&mut self, change: &mut Change, word: &Word) {
        let case = &change.case;
        let reopened = word.reopened.as_ref();
        let holds = if case.by_system {
            word.solved.is_some()
        } else {
            reopened.map(|reopened| reopened.time) <= case.state.resolved
        };
        if !holds {
            let reason = reopened.map(|reopened| format!("reopened in {}", reopened.source));
            self.reopen(change, reason, reopened.map(|reopened| reopened.event));
        }
    }

    /// The owner is to say how the customer was told; until then nothing stands still.
    fn propose(&mut self, change: &mut Change, solved: &Status) {
        let before = change.case.state.proposed.replace(solved.time);
        if before.is_some() {
            return;
        }
        let time = self.moment(change, solved.time);
        let step = change.step(StepKind::Proposed, time);
        step.event = Some(solved.event);
        step.reason = Some(format!("solved in {}", solved.source));
        change.tell_owner(Why::Proposed, None);
    }

    fn conclude_by(&mut self, change: &mut Change, solved: &Status) {
        let time = self.moment(change, solved.time);
        change.case.by_system = true;
        let step = command::conclude(change, time, solved.time);
        step.event = Some(solved.event);
        step.reason = Some(format!("solved in {}", solved.source));
        command::tell_of_the_end(change);
        change.case.state.dormant = false;
    }

    /// What imported history does to a dormant case happens when it happened, everything else now.
    pub(crate) fn moment(&self, change: &Change, happened: Time) -> Time {
        if change.case.state.dormant {
            happened
        } else {
            self.now
        }
    }

    /// Writes down what a system said, unless a step says already what it did.
    pub(crate) fn write_down(&mut self, change: &mut Change, signal: &Signal) {
        let told = change.steps.iter().any(|step| {
            let does = [StepKind::Proposed, StepKind::Resolved, StepKind::Reopened];
            step.event == Some(signal.event) && does.contains(&step.what)
        });
        if told {
            return;
        }
        let time = self.time_of(signal);
        let step = change.step(StepKind::Noted, time);
        step.event = Some(signal.event);
        step.matter = Some(signal.matter);
        step.reason = Some(format!("{} in {}", signal.what.as_str(), signal.source));
    }
}
