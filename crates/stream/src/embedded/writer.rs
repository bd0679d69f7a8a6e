//! The one thread that writes: it merges whatever waits into one durable transaction, shows what is new, and answers.

use std::{sync::Arc, thread, time::Duration};

use event::{Millis, Time, topic::Kept};

use super::{
    batch::{self, Malformed},
    clock::Clock,
    compact::{Limits, Pass},
    draft::Draft,
    hub::Hub,
    queue::{Queue, Reply, Work},
    space::Reserve,
    storage::{Failure, Image, Place, RECORDS, Store},
};
use crate::{Error, Offset, Severity};

/// How long the thread sleeps when there is nothing to do but to look whether records have become old.
const IDLE: Duration = Duration::from_millis(500);

/// How often old records are looked for.
const SWEEP_EVERY: Millis = Millis::from_secs(60);

/// How many rows of a partition one sweep lets go at most.
const SWEEP_ROWS_MAX: usize = 10_000;

/// What is written is read once when it is noted and, with as much that was there before, once more when it is rewritten.
const STEP_PER_WRITTEN: u64 = 4;

pub(super) struct Parts {
    pub(super) store: Arc<Store>,
    pub(super) hub: Arc<Hub>,
    pub(super) reserve: Reserve,
    pub(super) clock: Clock,
    pub(super) compaction: Limits,
    pub(super) image: Image,
}

/// The thread and its queue. Dropping it writes what waits and ends the thread.
pub(super) struct Writer {
    pub(super) queue: Arc<Queue>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(parts: Parts) -> Result<Self, Error> {
        let queue = Arc::new(Queue::default());
        let work = Writing {
            parts,
            queue: Arc::clone(&queue),
            swept: None,
            pass: None,
            compacts: true,
            unsure: false,
        };
        let thread = thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(|| work.run())
            .map_err(|source| Error::Io {
                doing: "starting the thread that writes the log".to_owned(),
                source,
            })?;
        Ok(Self {
            queue,
            thread: Some(thread),
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes the log panicked");
        }
    }
}

/// Whoever waits hears that the log is closed, even when the thread panics.
struct Closing(Arc<Queue>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
        self.0.clear();
    }
}

struct Writing {
    parts: Parts,
    queue: Arc<Queue>,
    swept: Option<Time>,
    pass: Option<Pass>,
    /// A pass that met an error is not tried again before the file is opened again.
    compacts: bool,
    /// A transaction failed and the store could not be opened again since, so that the image may be wrong.
    unsure: bool,
}

/// Whose answer it is, for what may be said after a failure differs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Append,
    Commit,
    Other,
}

/// Why a transaction failed.
struct Trouble {
    text: String,
    disk_full: bool,
    severity: Severity,
}

impl Trouble {
    fn of(failure: Failure, store: &Store) -> Self {
        Self {
            disk_full: failure.is_disk_full(),
            severity: failure.severity(),
            text: failure.into_error("writing", store.path()).to_string(),
        }
    }
}

impl Writing {
    fn run(mut self) {
        let closing = Closing(Arc::clone(&self.queue));
        while let Some(work) = self.queue.take(self.idle()) {
            self.write(work);
            self.sweep();
        }
        drop(closing);
    }

    fn idle(&self) -> Duration {
        match self.pass {
            Some(_) => Duration::ZERO,
            None => IDLE,
        }
    }

    fn write(&mut self, work: Vec<Work>) {
        if self.unsure
            && let Err(trouble) = self.recover()
        {
            for work in work {
                // It was not even tried.
                work.reply()(Err(self.refusal(Asked::Other, &trouble, false)));
            }
            return;
        }
        let mut draft = Draft::new((self.parts.clock)());
        let mut waiting = Vec::with_capacity(work.len());
        let room = self.parts.reserve.check().is_ok();
        for work in work {
            if let Some(answer) = self.add(&mut draft, work, room) {
                waiting.push(answer);
            }
        }
        self.compact(&mut draft);
        self.finish(draft, waiting);
    }

    /// Adds a piece of work to the transaction, or answers at once why not.
    fn add(&self, draft: &mut Draft, work: Work, room: bool) -> Option<(Asked, Reply)> {
        let image = &self.parts.image;
        let (asked, reply, added) = match work {
            Work::Append { records, reply } => {
                let added = self.check_room(room);
                if added.is_ok() {
                    draft.append(image, records);
                }
                (Asked::Append, reply, added)
            }
            Work::Commit {
                machine,
                member,
                records,
                next,
                reply,
            } => {
                let added = self.check_room(room).and_then(|()| {
                    let visible = self.parts.hub.lock();
                    match next
                        .iter()
                        .find(|(partition, ..)| !visible.owns(machine, member, *partition))
                    {
                        None => Ok(()),
                        Some((partition, ..)) => Err(Error::Fenced {
                            at: format!("{} {partition}", machine.as_str()),
                        }),
                    }
                });
                if added.is_ok() {
                    for (_, place, offset) in next {
                        draft.commit(image, machine, place, offset);
                    }
                    draft.append(image, records);
                }
                (Asked::Commit, reply, added)
            }
            Work::Create { specs, reply } => (Asked::Other, reply, draft.create(image, &specs)),
            Work::Trim {
                place,
                below,
                reply,
            } => {
                draft.trim(place, below);
                (Asked::Other, reply, Ok(()))
            }
            Work::Settle { reply } => (Asked::Other, reply, Ok(())),
        };
        match added {
            Ok(()) => Some((asked, reply)),
            Err(error) => {
                reply(Err(error));
                None
            }
        }
    }

    fn check_room(&self, room: bool) -> Result<(), Error> {
        if room {
            Ok(())
        } else {
            self.parts.reserve.check()
        }
    }

    /// Adds a step of compaction. It is the larger the more is written, so that it never falls behind.
    fn compact(&mut self, draft: &mut Draft) {
        let limits = self.parts.compaction;
        let Parts { store, image, .. } = &self.parts;
        if self.pass.is_none() && self.compacts {
            self.pass = Pass::wanted(image, limits);
        }
        let Some(pass) = &mut self.pass else {
            return;
        };
        let written = u64::try_from(draft.bytes()).expect("a length fits 64 bits");
        let bytes_max = limits.step_bytes.max(STEP_PER_WRITTEN * written);
        match pass.step(store, draft, (self.parts.clock)(), bytes_max) {
            Ok(false) => {}
            Ok(true) => self.pass = None,
            Err(error) => {
                tracing::warn!(%error, "a partition of the log cannot be compacted");
                self.pass = None;
                self.compacts = false;
            }
        }
    }

    /// Makes the transaction durable, then visible, then known to who waits for it.
    fn finish(&mut self, mut draft: Draft, waiting: Vec<(Asked, Reply)>) {
        let Parts {
            store, hub, image, ..
        } = &mut self.parts;
        if !draft.is_empty() {
            if let Err(failure) = store.write(|txn| draft.apply(image, txn)) {
                self.refuse(failure, waiting);
                return;
            }
            let news = draft.finish(image);
            hub.change(|visible| visible.publish(news));
        }
        for (_, reply) in waiting {
            reply(Ok(()));
        }
    }

    /// A transaction failed. What the store holds when it is opened again says whether it happened after all.
    fn refuse(&mut self, failure: Failure, waiting: Vec<(Asked, Reply)>) {
        let attempted = self.parts.image.sequence + 1;
        let trouble = Trouble::of(failure, &self.parts.store);
        tracing::warn!(
            error = trouble.text,
            "a transaction of the log failed; opening it again"
        );
        self.unsure = true;
        let may_have_happened = match self.recover() {
            Ok(()) => self.parts.image.sequence == attempted,
            Err(trouble) => {
                tracing::warn!(
                    error = trouble.text,
                    "the log could not be opened again; the next call tries once more"
                );
                true
            }
        };
        for (asked, reply) in waiting {
            reply(Err(self.refusal(asked, &trouble, may_have_happened)));
        }
    }

    fn refusal(&self, asked: Asked, trouble: &Trouble, may_have_happened: bool) -> Error {
        // An append may be repeated at any time. A commit whose fate is unknown may not: its member has to look.
        let lost = asked == Asked::Commit && may_have_happened;
        if trouble.disk_full && !lost {
            return self.parts.reserve.full();
        }
        Error::Log {
            doing: "writing to the log".to_owned(),
            text: trouble.text.clone(),
            severity: if lost {
                Severity::Lost
            } else {
                trouble.severity
            },
        }
    }

    fn recover(&mut self) -> Result<(), Trouble> {
        let store = &self.parts.store;
        store
            .reopen()
            .map_err(|failure| Trouble::of(failure, store))?;
        let image = Image::load(store).map_err(|error| Trouble {
            text: error.to_string(),
            disk_full: false,
            severity: error.severity(),
        })?;
        self.parts
            .hub
            .change(|visible| visible.adopt(image.clone()));
        self.parts.image = image;
        self.pass = None;
        self.compacts = true;
        self.unsure = false;
        Ok(())
    }

    /// Lets go of the records that are older than their topics keep them.
    fn sweep(&mut self) {
        let now = (self.parts.clock)();
        let due = self
            .swept
            .is_none_or(|swept| now < swept || now - swept >= SWEEP_EVERY);
        if self.unsure || !due {
            return;
        }
        self.swept = Some(now);
        match self.old(now) {
            Ok(draft) => self.finish(draft, Vec::new()),
            Err(error) => tracing::warn!(%error, "old records could not be looked for"),
        }
    }

    fn old(&self, now: Time) -> Result<Draft, Error> {
        let mut draft = Draft::new(now);
        let Parts { store, image, .. } = &self.parts;
        for found in image.topics.values() {
            let Kept::For(length) = found.kept else {
                continue;
            };
            for place in found.places() {
                if let Some(below) = first_young(store, place, now - length)? {
                    draft.trim(place, below);
                }
            }
        }
        Ok(draft)
    }
}

/// Where the records from a moment on begin, if there are older ones.
fn first_young(store: &Store, place: Place, since: Time) -> Result<Option<Offset>, Error> {
    store.read("looking for old records in", |txn| {
        let records = txn.open_table(RECORDS)?;
        let (first, last) = (place.row(Offset::START), place.row(Offset(i64::MAX)));
        let mut below = None;
        for row in records
            .range::<&[u8; 12]>(&first..&last)?
            .take(SWEEP_ROWS_MAX)
        {
            let (key, row) = row?;
            let (_, last) = Place::of_row(*key.value());
            let time = batch::time_of(row.value()).ok_or(Failure::Malformed(Malformed {
                place: place.0,
                last,
            }))?;
            if time >= since {
                break;
            }
            below = Some(last.next());
        }
        Ok(below)
    })
}
