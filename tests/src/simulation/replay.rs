//! The decider once more, from the log alone: a step a record, without a loop, batches or faults.

use std::collections::BTreeMap;

use event::{
    CaseId, MatterId, Partition, Record, Time, Token,
    assignment::Assignment,
    case_input::CaseInput,
    link::Link,
    timeline_input::{Out, TimelineInput},
};
use machine::{Effects, Input, Machine as _, Outcome, Shard, State};
use unifier::identify::{self, Identify};

/// What it decided in the end.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    pub(super) assignments: BTreeMap<Token, Assignment>,
    /// The case of each matter that ever had another than its own.
    pub(super) cases: BTreeMap<MatterId, CaseId>,
    /// Each partition's changes to the list of values that are out.
    pub(super) outs: BTreeMap<Partition, Vec<Out>>,
}

pub(super) fn replay(links: &[Link], partitions: u32) -> Replayed {
    let identify = Identify::new(partitions);
    let shard = Shard {
        partition: Partition(0),
        partitions: 1,
    };
    let mut state = State::default();
    let mut replayed = Replayed::default();
    let records = links.iter().cloned().map(identify::Record::Link);
    for record in records {
        let mut input = Some(Input::Record(record));
        while let Some(now) = input.take() {
            let mut overlay = state.overlay();
            let mut effects = Effects::new();
            let outcome = identify.step(Time::MIN, shard, now, &mut overlay, &mut effects);
            assert_ne!(outcome, Outcome::Rejected, "a step takes whatever it hears");
            if identify.next_due(&overlay).is_some() {
                input = Some(Input::Tick { due: Time::MIN });
            }
            state.commit();
            for record in effects.into_records() {
                replayed.take(record);
            }
        }
    }
    replayed
}

impl Replayed {
    fn take(&mut self, record: Record) {
        if let Record::Assignment(assignment) = record {
            self.assignments.insert(assignment.token(), assignment);
        } else if let Record::CaseInput(CaseInput::Regroup(regroup)) = record {
            self.cases.insert(regroup.matter, regroup.to);
        } else if let Record::TimelineInput(TimelineInput::Out(out)) = record {
            self.outs.entry(out.partition).or_default().push(out);
        }
    }
}
