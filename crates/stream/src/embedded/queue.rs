//! What waits for the writer.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use event::{Partition, topic::MachineName};

use super::{group::MemberId, storage::Place};
use crate::{Error, Offset, Severity, log::TopicSpec};

/// More than this waits only for those who may not be turned away: the machines, each with one commit at a time.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// As much is merged into one transaction, and one piece of work more.
const MERGED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What a record costs besides its key and value.
const RECORD_BYTES: usize = 64;

/// How the caller hears how it went.
pub(super) type Reply = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// A record whose topic and partition were found.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) place: Place,
    pub(super) key: Bytes,
    pub(super) value: Option<Bytes>,
}

pub(super) enum Work {
    Append {
        records: Vec<Placed>,
        reply: Reply,
    },
    Commit {
        machine: MachineName,
        member: MemberId,
        records: Vec<Placed>,
        next: Vec<(Partition, Place, Offset)>,
        reply: Reply,
    },
    Create {
        specs: Vec<TopicSpec>,
        reply: Reply,
    },
    Trim {
        place: Place,
        below: Offset,
        reply: Reply,
    },
    /// Asks for nothing but an answer after everything that came before.
    Settle {
        reply: Reply,
    },
}

impl Work {
    pub(super) fn reply(self) -> Reply {
        match self {
            Work::Append { reply, .. }
            | Work::Commit { reply, .. }
            | Work::Create { reply, .. }
            | Work::Trim { reply, .. }
            | Work::Settle { reply } => reply,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Work::Append { records, .. } | Work::Commit { records, .. } => records
                .iter()
                .map(|record| {
                    RECORD_BYTES + record.key.len() + record.value.as_ref().map_or(0, Bytes::len)
                })
                .sum(),
            Work::Create { .. } | Work::Trim { .. } | Work::Settle { .. } => 0,
        }
    }
}

#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Default)]
struct Waiting {
    work: VecDeque<(Work, usize)>,
    bytes: usize,
    closed: bool,
}

impl Queue {
    /// # Errors
    /// When the log is closed, or when too much waits and the work is an append.
    pub(super) fn push(&self, work: Work) -> Result<(), Error> {
        let bytes = work.bytes();
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(closed());
        }
        if matches!(work, Work::Append { .. })
            && waiting.bytes > 0
            && waiting.bytes + bytes > WAITING_BYTES_MAX
        {
            return Err(Error::Log {
                doing: "appending".to_owned(),
                text: format!("{} bytes wait to be written already", waiting.bytes),
                severity: Severity::Retry,
            });
        }
        waiting.bytes += bytes;
        waiting.work.push_back((work, bytes));
        drop(waiting);
        self.arrived.notify_one();
        Ok(())
    }

    /// The work for the next transaction, none of it when none came within `wait`; `None` once the queue is closed and empty.
    pub(super) fn take(&self, wait: Duration) -> Option<Vec<Work>> {
        let (mut waiting, _) = self
            .arrived
            .wait_timeout_while(self.lock(), wait, |waiting| {
                waiting.work.is_empty() && !waiting.closed
            })
            .expect("nothing panics while it holds the queue");
        if waiting.work.is_empty() && waiting.closed {
            return None;
        }
        let mut taken = Vec::new();
        let mut merged = 0;
        while merged < MERGED_BYTES_MAX
            && let Some((work, bytes)) = waiting.work.pop_front()
        {
            waiting.bytes -= bytes;
            merged += bytes;
            taken.push(work);
        }
        Some(taken)
    }

    /// Takes nothing more; what waits already can still be taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// Drops what waits; its callers hear that the log is closed.
    pub(super) fn clear(&self) {
        let mut waiting = self.lock();
        waiting.bytes = 0;
        let work = std::mem::take(&mut waiting.work);
        drop(waiting);
        drop(work);
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.lock().work.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting
            .lock()
            .expect("nothing panics while it holds the queue")
    }
}

/// What callers hear when the writer has ended.
pub(super) fn closed() -> Error {
    Error::Log {
        doing: "writing to the log".to_owned(),
        text: "it is closed".to_owned(),
        severity: Severity::Fatal,
    }
}
