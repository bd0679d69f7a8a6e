//! What commands came to, as long as the log keeps it.

use std::collections::{HashMap, VecDeque};

use event::{CaseId, CommandId, Millis, Time, Topic, command_outcome::CommandOutcome, topic::Kept};

#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    rows: HashMap<(CaseId, CommandId), CommandOutcome>,
    /// In the order they were read, which is close to the order of time.
    ages: VecDeque<(Time, CaseId, CommandId)>,
    latest: Time,
}

impl Outcomes {
    pub(crate) fn apply(&mut self, outcome: CommandOutcome) {
        let key = (outcome.asked, outcome.result.command);
        self.latest = self.latest.max(outcome.time);
        self.ages.push_back((outcome.time, key.0, key.1));
        self.rows.insert(key, outcome);
        let oldest = self.latest - kept();
        while let Some((time, case, command)) = self.ages.front().copied() {
            if time >= oldest {
                break;
            }
            self.ages.pop_front();
            // A repeat is answered by a newer record, which has a place of its own in the queue.
            let key = (case, command);
            if self.rows.get(&key).is_some_and(|row| row.time == time) {
                self.rows.remove(&key);
            }
        }
    }

    pub(crate) fn get(&self, asked: CaseId, command: CommandId) -> Option<&CommandOutcome> {
        self.rows.get(&(asked, command))
    }
}

fn kept() -> Millis {
    match Topic::CommandOutcome.kept() {
        Kept::For(length) => length,
        Kept::Always | Kept::Compacted | Kept::UntilRead => Millis::new(i64::MAX),
    }
}
