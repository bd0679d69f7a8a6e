//! The log on one machine, without a broker: topics, partitions and committed offsets in one file.
//!
//! - `writer`: one thread merges the appends and commits that wait into one durable transaction (`draft`), shows what is new
//!   (`hub`), and then answers. Nothing is visible before it is durable, nothing is acknowledged before it is visible.
//! - `reader`, `member`: read from memory where the tail reaches and from the store else (`cursor`); they never hold the writer
//!   up. `group` says who owns which partition, and the writer refuses the commits of those who do not.
//! - `storage`, `batch`: what lies in the file.
//! - `compact`: lets go of records whose key was written again, a step with each transaction.
//! - `space`: below a reserve of free disk nothing more is taken, and it goes on by itself once there is room.

mod batch;
mod clock;
mod compact;
mod cursor;
mod draft;
mod group;
mod hub;
mod member;
mod queue;
mod reader;
mod space;
mod storage;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
};

use bytes::Bytes;
use event::topic::Kept;
use futures::{FutureExt, channel::oneshot, future::BoxFuture};
use redb::backends::FileBackend;

pub use self::{
    clock::Clock,
    space::{Measure, Space},
};
use self::{
    compact::Limits,
    cursor::Cursor,
    hub::Hub,
    queue::{Placed, Reply, Work},
    space::Reserve,
    storage::{Image, Opener, Store},
    writer::{Parts, Writer},
};
use crate::{
    Append, Error, Log, Member, Offset, Reader, Severity, TopicPartition,
    log::{End, Group, RECORD_BYTES_MAX, TopicSpec},
};

const FILE: &str = "log.redb";
const LOCK: &str = "lock";

#[derive(Clone)]
pub struct Options {
    /// Free disk space below which nothing more is taken. `None`: the smaller of 5 % of the disk and 1 GiB.
    pub reserve_bytes: Option<u64>,
    /// How much of the file is kept in memory.
    pub cache_bytes: usize,
    /// How much of what was written last is kept in memory for those who follow.
    pub tail_bytes_max: usize,
    /// A compacted partition is compacted when as much as this, and as much as was left the last time, has come to it.
    pub compact_bytes_min: u64,
    /// How much of it one transaction compacts, at least.
    pub compact_step_bytes: u64,
    /// Where the times of the records come from.
    pub clock: Clock,
    pub space: Measure,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            reserve_bytes: None,
            cache_bytes: 128 * 1024 * 1024,
            tail_bytes_max: 64 * 1024 * 1024,
            compact_bytes_min: 4 * 1024 * 1024,
            compact_step_bytes: 1024 * 1024,
            clock: Arc::new(clock::wall),
            space: Arc::new(Space::under),
        }
    }
}

/// See the module.
pub struct Embedded {
    shared: Arc<Shared>,
}

/// What the log, its readers and its members hold; the file stays open until the last of them is dropped.
struct Shared {
    // The writer ends first, and the lock on the directory is let go of last.
    writer: Writer,
    hub: Arc<Hub>,
    store: Arc<Store>,
    _lock: Option<File>,
}

impl Embedded {
    /// Opens the log in a directory, which is made if it does not exist.
    ///
    /// # Errors
    /// `Error::InUse` when another process has it open.
    pub fn open(dir: &Path, options: Options) -> Result<Arc<Self>, Error> {
        create_dir(dir)?;
        let lock = lock(dir)?;
        let file = dir.join(FILE);
        let opener = opener(file.clone(), options.cache_bytes);
        let embedded = Self::open_with(dir, file, opener, options, Some(lock))?;
        // The file may have been made just now: its name has to survive, too.
        sync_dir(dir)?;
        Ok(embedded)
    }

    fn open_with(
        dir: &Path,
        file: PathBuf,
        opener: Opener,
        options: Options,
        lock: Option<File>,
    ) -> Result<Arc<Self>, Error> {
        let reserve = Reserve::new(dir, options.reserve_bytes, options.space)?;
        let store = Arc::new(Store::open(file, opener)?);
        let image = Image::load(&store)?;
        let hub = Arc::new(Hub::new(image.clone(), options.tail_bytes_max));
        let writer = Writer::start(Parts {
            store: Arc::clone(&store),
            hub: Arc::clone(&hub),
            reserve,
            clock: options.clock,
            compaction: Limits {
                bytes_min: options.compact_bytes_min,
                step_bytes: options.compact_step_bytes,
            },
            image,
        })?;
        Ok(Arc::new(Self {
            shared: Arc::new(Shared {
                writer,
                hub,
                store,
                _lock: lock,
            }),
        }))
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded")
            .field("path", &self.shared.store.path())
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Finds the places of records and checks that each may be written.
    fn placed(&self, records: Vec<Append>) -> Result<Vec<Placed>, Error> {
        let visible = self.hub.lock();
        let mut placed = Vec::with_capacity(records.len());
        for Append { at, key, value } in records {
            let bytes = key.len() + value.as_ref().map_or(0, Bytes::len);
            if bytes > RECORD_BYTES_MAX {
                return Err(Error::Log {
                    doing: format!("writing a record to {at}"),
                    text: format!("it has {bytes} bytes and may have {RECORD_BYTES_MAX}"),
                    severity: Severity::Abort,
                });
            }
            placed.push(Placed {
                place: visible.place(&at.topic, at.partition)?,
                key,
                value,
            });
        }
        Ok(placed)
    }

    /// Gives the writer something to do and waits for its answer.
    fn call(&self, work: impl FnOnce(Reply) -> Work) -> Result<(), Error> {
        let (answer, answered) = mpsc::sync_channel(1);
        let reply: Reply = Box::new(move |result| {
            // Nobody hears it only when this call has panicked.
            answer.send(result).ok();
        });
        self.writer.queue.push(work(reply))?;
        answered.recv().unwrap_or_else(|_| Err(queue::closed()))
    }
}

impl Log for Embedded {
    fn topics(&self) -> Result<Vec<TopicSpec>, Error> {
        let visible = self.shared.hub.lock();
        let specs = visible.topics.iter().map(|(topic, found)| TopicSpec {
            topic: topic.clone(),
            partitions: found.partitions,
            kept: found.kept,
        });
        Ok(specs.collect())
    }

    fn create_topics(&self, specs: &[TopicSpec]) -> Result<(), Error> {
        let specs = specs.to_vec();
        self.shared.call(|reply| Work::Create { specs, reply })
    }

    fn append(&self, records: Vec<Append>) -> BoxFuture<'static, Result<(), Error>> {
        let (answer, answered) = oneshot::channel();
        let reply: Reply = Box::new(move |result| {
            // A sender that no longer waits does not hear it; its records are written all the same.
            answer.send(result).ok();
        });
        let queued = self.shared.placed(records).and_then(|records| {
            self.shared
                .writer
                .queue
                .push(Work::Append { records, reply })
        });
        async move {
            queued?;
            answered.await.unwrap_or_else(|_| Err(queue::closed()))
        }
        .boxed()
    }

    fn read(&self, from: BTreeMap<TopicPartition, Offset>) -> Result<Box<dyn Reader>, Error> {
        Ok(Box::new(reader::Reader {
            cursor: Cursor::new(&self.shared, &from)?,
            shared: Arc::clone(&self.shared),
        }))
    }

    fn start(&self, at: &TopicPartition) -> Result<Offset, Error> {
        let visible = self.shared.hub.lock();
        Ok(visible.start(visible.place(&at.topic, at.partition)?))
    }

    /// Both ends are the same here: what is not durable yet can be neither seen nor waited for.
    fn end(&self, at: &TopicPartition, end: End) -> Result<Offset, Error> {
        match end {
            End::Committed | End::Written => {
                let visible = self.shared.hub.lock();
                Ok(visible.end(visible.place(&at.topic, at.partition)?))
            }
        }
    }

    fn join(&self, group: Group) -> Result<Box<dyn Member>, Error> {
        Ok(Box::new(member::Member::join(
            Arc::clone(&self.shared),
            group,
        )?))
    }

    fn trim(&self, at: &TopicPartition, below: Offset) -> Result<(), Error> {
        let place = {
            let visible = self.shared.hub.lock();
            let refused = |problem: String, remedy: &str| {
                Err(Error::Topic {
                    topic: at.topic.name(),
                    problem,
                    remedy: remedy.to_owned(),
                })
            };
            let place = visible.place(&at.topic, at.partition)?;
            let kept = visible.find(&at.topic)?.kept;
            if kept != Kept::UntilRead {
                return refused(
                    format!("is kept as {kept:?}"),
                    "trim only topics that are kept until they are read",
                );
            }
            // The slowest of the machines that read it counts.
            let readers = visible
                .committed
                .iter()
                .filter(|((_, read), _)| *read == place);
            match readers.map(|(_, next)| *next).min() {
                Some(next) if below <= next => place,
                Some(next) => {
                    return refused(
                        format!(
                            "is committed only up to {next} in partition {}",
                            at.partition
                        ),
                        "trim below that",
                    );
                }
                None => {
                    return refused(
                        format!("was never read in partition {}", at.partition),
                        "trim after a commit",
                    );
                }
            }
        };
        self.shared.call(|reply| Work::Trim {
            place,
            below,
            reply,
        })
    }
}

/// What lies in the directory concerns only the user whose process this is.
fn create_dir(dir: &Path) -> Result<(), Error> {
    let exists = dir.exists();
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| Error::Io {
            doing: format!("making the directory {}", dir.display()),
            source,
        })?;
    match dir.parent() {
        Some(parent) if !exists && parent.exists() => sync_dir(parent),
        Some(_) | None => Ok(()),
    }
}

fn sync_dir(dir: &Path) -> Result<(), Error> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(|source| Error::Io {
            doing: format!("syncing the directory {}", dir.display()),
            source,
        })
}

/// Held for as long as the log is open. The store locks its file, too, but cannot say what to do about it.
fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join(LOCK);
    let doing = || format!("locking {}", path.display());
    let file = private(&path).map_err(|source| Error::Io {
        doing: doing(),
        source,
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse {
            path: dir.display().to_string(),
        }),
        Err(TryLockError::Error(source)) => Err(Error::Io {
            doing: doing(),
            source,
        }),
    }
}

fn opener(path: PathBuf, cache_bytes: usize) -> Opener {
    Box::new(move || {
        redb::Builder::new()
            .set_cache_size(cache_bytes)
            .set_repair_callback(|repair| {
                let percent = repair.progress() * 100.0;
                tracing::info!(percent, "the log was not closed; checking it");
            })
            .create_with_backend(FileBackend::new(private(&path)?)?)
    })
}

fn private(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}
