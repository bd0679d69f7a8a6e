//! What is to be delivered to one endpoint, and when. Knows neither clock, network nor log.
//!
//! A window of the department's notices is held: those read and not settled yet. It slides over the log as the oldest of them
//! are settled, so that an endpoint that is dead holds a window and no more.
//!
//! - Notices of one case are sent in their order, one after the other.
//! - A notice that fails comes again after a wait of its own; the notices of other cases go on.
//! - An endpoint at which attempt after attempt fails is asked by one at a time. Once it answers again, all that waited go.
//! - A notice leaves the window when it was delivered, here or by another instance, or when it was given up.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use event::{CaseId, NoticeId, Time, notice::Notice, sent::SentKind, time::Millis};
use stream::Offset;

use crate::{backoff::Backoff, endpoint::Answer};

#[cfg(test)]
mod tests;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How long an attempt may take, from the look-up of the name to the end of the answer.
    pub(crate) answered_within: Duration,
    /// Notices held at a time.
    pub(crate) window_max: usize,
    /// Attempts under way at a time.
    pub(crate) abreast_max: usize,
    pub(crate) backoff: Backoff,
    /// An endpoint at which everything failed for so long is disabled; a notice that alone failed for so long is given up.
    pub(crate) patience: Millis,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answered_within: Duration::from_secs(15),
            window_max: 64,
            abreast_max: 4,
            backoff: Backoff::default(),
            patience: Millis::from_days(5),
        }
    }
}

/// After so many failures in a row it is the endpoint that fails, not a notice.
const DOWN_AFTER: u32 = 3;

#[derive(Debug)]
pub(crate) struct Queue {
    limits: Limits,
    window: BTreeMap<Offset, Entry>,
    /// Where to read on.
    next: Offset,
    under_way: usize,
    /// Failures since the endpoint last took a notice.
    failures: u32,
    failing_since: Option<Time>,
    is_disabled: bool,
}

#[derive(Debug)]
struct Entry {
    notice: Arc<Notice>,
    /// When the log took it.
    told: Time,
    due: Time,
    is_under_way: bool,
    /// Another instance delivered it while it was under way here.
    is_settled: bool,
    failures: u32,
    failing_since: Option<Time>,
}

/// A notice that is to be sent now; `finish` is told what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) offset: Offset,
    pub(crate) notice: Arc<Notice>,
}

/// What the sent log is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) what: SentKind,
    pub(crate) notice: NoticeId,
    /// Where the notice lies; of `Disabled`, where to read on some day.
    pub(crate) offset: Offset,
    pub(crate) attempts: u32,
}

impl Queue {
    /// `failing_since`: an earlier process saw the endpoint fail and never take a notice after.
    pub(crate) fn new(limits: Limits, from: Offset, failing_since: Option<Time>) -> Self {
        Self {
            limits,
            window: BTreeMap::new(),
            next: from,
            under_way: 0,
            failures: 0,
            failing_since,
            is_disabled: false,
        }
    }

    /// How many notices may be read now.
    pub(crate) fn room(&self) -> usize {
        if self.is_disabled {
            0
        } else {
            self.limits.window_max.saturating_sub(self.window.len())
        }
    }

    pub(crate) fn next(&self) -> Offset {
        self.next
    }

    /// What lies here is no notice to send.
    pub(crate) fn pass(&mut self, offset: Offset) {
        self.next = self.next.max(offset.next());
    }

    pub(crate) fn take(&mut self, offset: Offset, told: Time, notice: Notice) {
        assert!(offset >= self.next, "a notice is taken once");
        self.pass(offset);
        let entry = Entry {
            notice: Arc::new(notice),
            told,
            due: Time::MIN,
            is_under_way: false,
            is_settled: false,
            failures: 0,
            failing_since: None,
        };
        self.window.insert(offset, entry);
    }

    /// Everything below is settled.
    pub(crate) fn floor(&self) -> Offset {
        self.window
            .first_key_value()
            .map_or(self.next, |(offset, _)| *offset)
    }

    /// When the oldest notice that is not settled was told.
    pub(crate) fn oldest(&self) -> Option<Time> {
        self.window.values().map(|entry| entry.told).min()
    }

    pub(crate) fn is_disabled(&self) -> bool {
        self.is_disabled
    }

    pub(crate) fn disable(&mut self) {
        self.is_disabled = true;
    }

    /// Lets go of what others have settled.
    pub(crate) fn drop_settled(&mut self, mut is_settled: impl FnMut(Offset, NoticeId) -> bool) {
        self.window.retain(|offset, entry| {
            entry.is_settled |= is_settled(*offset, entry.notice.id);
            entry.is_under_way || !entry.is_settled
        });
    }

    /// The notices whose time has come, as many as may be under way. Each has to be finished.
    pub(crate) fn due(&mut self, now: Time) -> Vec<Attempt> {
        let mut due = Vec::new();
        let mut free = self.free();
        let mut cases = BTreeSet::new();
        for (offset, entry) in &mut self.window {
            if free == 0 {
                break;
            }
            let is_first = cases.insert(entry.notice.case);
            if is_first && !entry.is_under_way && entry.due <= now {
                entry.is_under_way = true;
                free -= 1;
                due.push(Attempt {
                    offset: *offset,
                    notice: Arc::clone(&entry.notice),
                });
            }
        }
        self.under_way += due.len();
        due
    }

    /// When `due` will have more to give, if nothing is finished or taken before.
    pub(crate) fn next_due(&self) -> Option<Time> {
        if self.free() == 0 {
            return None;
        }
        let mut cases: BTreeSet<CaseId> = BTreeSet::new();
        self.window
            .values()
            .filter(|entry| cases.insert(entry.notice.case) && !entry.is_under_way)
            .map(|entry| entry.due)
            .min()
    }

    fn free(&self) -> usize {
        let abreast = match self.is_disabled {
            true => 0,
            false if self.failures >= DOWN_AFTER => 1,
            false => self.limits.abreast_max,
        };
        abreast.saturating_sub(self.under_way)
    }

    /// What came of an attempt; `random` lies in 0..1.
    pub(crate) fn finish(
        &mut self,
        now: Time,
        offset: Offset,
        answer: Answer,
        random: f64,
    ) -> Vec<Fact> {
        self.under_way -= 1;
        let floor = self.floor();
        let entry = self
            .window
            .get_mut(&offset)
            .expect("what is under way stays in the window");
        entry.is_under_way = false;
        let fact = |what, entry: &Entry| Fact {
            what,
            notice: entry.notice.id,
            offset: if what == SentKind::Disabled {
                floor
            } else {
                offset
            },
            attempts: entry.failures + 1,
        };
        match answer {
            Answer::Delivered => {
                let delivered = fact(SentKind::Delivered, entry);
                self.window.remove(&offset);
                self.answered(now);
                vec![delivered]
            }
            Answer::Gone => {
                self.is_disabled = true;
                vec![fact(SentKind::Disabled, entry)]
            }
            Answer::Failed { retry_after, .. } => {
                let mut facts = Vec::new();
                self.failures = self.failures.saturating_add(1);
                let began = *self.failing_since.get_or_insert_with(|| {
                    facts.push(fact(SentKind::Failing, entry));
                    now
                });
                let failing_since = *entry.failing_since.get_or_insert(now);
                if now - began >= self.limits.patience {
                    self.is_disabled = true;
                    facts.push(fact(SentKind::Disabled, entry));
                } else if now - failing_since >= self.limits.patience {
                    facts.push(fact(SentKind::GivenUp, entry));
                    self.window.remove(&offset);
                } else if entry.is_settled {
                    self.window.remove(&offset);
                } else {
                    entry.failures = entry.failures.saturating_add(1);
                    entry.due = now
                        + self
                            .limits
                            .backoff
                            .wait(entry.failures, random, retry_after);
                }
                facts
            }
        }
    }

    /// The endpoint takes notices.
    fn answered(&mut self, now: Time) {
        if self.failures >= DOWN_AFTER {
            for entry in self.window.values_mut() {
                entry.due = entry.due.min(now);
            }
        }
        self.failures = 0;
        self.failing_since = None;
    }
}
