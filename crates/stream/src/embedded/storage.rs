//! What lies in `log.redb`.
//!
//! A *place* is a partition of a topic, numbered in the order of creation.
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | `format`, `sequence` | the version of this layout; the number of the last durable transaction |
//! | `topics` | name | the place of its partition 0, number of partitions, how it is kept, for how long (ms) |
//! | `partitions` | place | see `Extent`: start, end, what is compacted, bytes of that and of the rest |
//! | `records` | place, offset of the row's last record (big-endian) | a batch, see `batch` |
//! | `committed` | machine, place | the next offset the machine reads |
//!
//! A row of `records` holds what one transaction brought to a place, and after compaction what is left of that.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

use event::{
    Millis, Topic,
    topic::{Kept, MachineName},
};
use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction,
};

use super::batch::Malformed;
use crate::{Error, Offset, Severity};

pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
pub(super) const TOPICS: TableDefinition<'_, &str, (u32, u32, u8, i64)> =
    TableDefinition::new("topics");
pub(super) const PARTITIONS: TableDefinition<'_, u32, (i64, i64, i64, u64, u64)> =
    TableDefinition::new("partitions");
pub(super) const RECORDS: TableDefinition<'_, &[u8; 12], &[u8]> = TableDefinition::new("records");
pub(super) const COMMITTED: TableDefinition<'_, (&str, u32), i64> =
    TableDefinition::new("committed");

const FORMAT: u64 = 1;
const FORMAT_KEY: &str = "format";
pub(super) const SEQUENCE_KEY: &str = "sequence";

/// The number of a partition among those of all topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(pub(super) u32);

impl Place {
    pub(super) fn index(self) -> usize {
        usize::try_from(self.0).expect("a place fits the address space")
    }

    /// The key in `records` of the row that ends at this offset.
    pub(super) fn row(self, last: Offset) -> [u8; 12] {
        let mut key = [0; 12];
        key[..4].copy_from_slice(&self.0.to_be_bytes());
        key[4..].copy_from_slice(&last.0.to_be_bytes());
        key
    }

    /// The place and the last offset of a row's key.
    pub(super) fn of_row([a, b, c, d, offset @ ..]: [u8; 12]) -> (Place, Offset) {
        (
            Place(u32::from_be_bytes([a, b, c, d])),
            Offset(i64::from_be_bytes(offset)),
        )
    }
}

/// What can go wrong in a transaction.
#[derive(Debug)]
pub(super) enum Failure {
    Redb(redb::Error),
    Malformed(Malformed),
    /// The file could not be opened again after an earlier failure; every later call tries once more.
    Closed(String),
}

impl<E: Into<redb::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::Redb(error.into())
    }
}

impl Failure {
    pub(super) fn is_disk_full(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(self, Failure::Redb(redb::Error::Io(error)) if matches!(error.kind(), StorageFull | QuotaExceeded))
    }

    /// After an input or output error redb answers nothing until the file is opened again.
    fn asks_to_reopen(&self) -> bool {
        matches!(
            self,
            Failure::Redb(
                redb::Error::Io(_) | redb::Error::PreviousIo | redb::Error::DatabaseClosed
            )
        )
    }

    pub(super) fn severity(&self) -> Severity {
        match self {
            Failure::Redb(_) if self.asks_to_reopen() => Severity::Retry,
            Failure::Closed(_) => Severity::Retry,
            Failure::Redb(_) | Failure::Malformed(_) => Severity::Fatal,
        }
    }

    fn text(&self) -> String {
        match self {
            Failure::Redb(error) => error.to_string(),
            Failure::Malformed(malformed) => malformed.to_string(),
            Failure::Closed(text) => text.clone(),
        }
    }

    pub(super) fn into_error(self, doing: &str, path: &Path) -> Error {
        let severity = self.severity();
        match self {
            Failure::Redb(redb::Error::Io(source)) => Error::Io {
                doing: format!("{doing} {}", path.display()),
                source,
            },
            Failure::Redb(redb::Error::DatabaseAlreadyOpen) => Error::InUse {
                path: path.display().to_string(),
            },
            Failure::Redb(error) => Error::Log {
                doing: format!("{doing} {}", path.display()),
                text: error.to_string(),
                severity,
            },
            Failure::Malformed(malformed) => Error::Log {
                doing: format!("{doing} {}", path.display()),
                text: malformed.to_string(),
                severity,
            },
            Failure::Closed(text) => Error::Log {
                doing: format!("opening {} again", path.display()),
                text,
                severity,
            },
        }
    }
}

/// Opens the file or whatever stands for it; called again after an input or output error.
pub(super) type Opener = Box<dyn Fn() -> Result<Database, redb::DatabaseError> + Send + Sync>;

/// The database, which may have to be closed and opened again behind everybody's back.
pub(super) struct Store {
    path: PathBuf,
    open: Opener,
    database: RwLock<Option<Database>>,
}

impl Store {
    pub(super) fn open(path: PathBuf, open: Opener) -> Result<Self, Error> {
        let store = Self {
            path,
            open,
            database: RwLock::new(None),
        };
        store
            .reopen()
            .map_err(|failure| failure.into_error("opening", &store.path))?;
        store
            .write(create_tables)
            .map_err(|failure| failure.into_error("preparing", &store.path))?;
        let format = store.read("reading the format of", |txn| {
            Ok(txn
                .open_table(META)?
                .get(FORMAT_KEY)?
                .map(|found| found.value()))
        })?;
        if format != Some(FORMAT) {
            return Err(Error::Log {
                doing: format!("opening {}", store.path.display()),
                text:
                    "it was written by another version of Polku; use that version or another --data"
                        .to_owned(),
                severity: Severity::Fatal,
            });
        }
        Ok(store)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn read<T>(
        &self,
        doing: &str,
        body: impl FnOnce(&ReadTransaction) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        self.with(|database| body(&database.begin_read()?))
            .map_err(|failure| {
                let failure = if failure.asks_to_reopen() {
                    self.reopen().err().unwrap_or(failure)
                } else {
                    failure
                };
                failure.into_error(doing, &self.path)
            })
    }

    /// One durable transaction. After a failure, `reopen` tells by the sequence number whether it happened.
    pub(super) fn write(
        &self,
        body: impl FnOnce(&WriteTransaction) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.with(|database| {
            let txn = database.begin_write()?;
            body(&txn)?;
            Ok(txn.commit()?)
        })
    }

    /// Closes the database, whatever state it is in, and opens it at its last durable transaction.
    pub(super) fn reopen(&self) -> Result<(), Failure> {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // The old one has to let go of the file first.
        *database = None;
        *database = Some((self.open)()?);
        Ok(())
    }

    fn with<T>(&self, body: impl FnOnce(&Database) -> Result<T, Failure>) -> Result<T, Failure> {
        {
            let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(database) = &*database {
                return body(database);
            }
        }
        self.reopen()
            .map_err(|failure| Failure::Closed(failure.text()))?;
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        match &*database {
            Some(database) => body(database),
            None => Err(Failure::Redb(redb::Error::DatabaseClosed)),
        }
    }
}

fn create_tables(txn: &WriteTransaction) -> Result<(), Failure> {
    let mut meta = txn.open_table(META)?;
    if meta.get(FORMAT_KEY)?.is_none() {
        meta.insert(FORMAT_KEY, FORMAT)?;
        meta.insert(SEQUENCE_KEY, 0)?;
    }
    txn.open_table(TOPICS)?;
    txn.open_table(PARTITIONS)?;
    txn.open_table(RECORDS)?;
    txn.open_table(COMMITTED)?;
    Ok(())
}

/// Everything but the records: what the log keeps in memory while it is open.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    pub(super) sequence: u64,
    pub(super) topics: BTreeMap<Topic, Found>,
    pub(super) extents: Vec<Extent>,
    pub(super) committed: BTreeMap<(MachineName, Place), Offset>,
}

/// A topic that exists.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) first: Place,
    pub(super) partitions: u32,
    pub(super) kept: Kept,
}

impl Found {
    pub(super) fn places(self) -> impl Iterator<Item = Place> {
        (self.first.0..self.first.0 + self.partitions).map(Place)
    }
}

/// What is kept of a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) start: Offset,
    /// One past the last record.
    pub(super) end: Offset,
    pub(super) compacted: bool,
    /// Below this, each key has one record at most, in a compacted topic.
    pub(super) clean_below: Offset,
    pub(super) clean_bytes: u64,
    pub(super) dirty_bytes: u64,
}

impl Extent {
    pub(super) fn new(kept: Kept) -> Self {
        Self {
            start: Offset::START,
            end: Offset::START,
            compacted: kept == Kept::Compacted,
            clean_below: Offset::START,
            clean_bytes: 0,
            dirty_bytes: 0,
        }
    }
}

impl Image {
    pub(super) fn load(store: &Store) -> Result<Self, Error> {
        let mut unknown = None;
        let mut image = Image::default();
        store.read("loading", |txn| {
            let sequence = txn.open_table(META)?.get(SEQUENCE_KEY)?;
            image.sequence = sequence.map_or(0, |found| found.value());
            for row in txn.open_table(TOPICS)?.iter()? {
                let (name, found) = row?;
                let (first, partitions, kind, millis) = found.value();
                match (Topic::parse(name.value()), kept(kind, millis)) {
                    (Some(topic), Some(kept)) => {
                        let first = Place(first);
                        image.topics.insert(
                            topic,
                            Found {
                                first,
                                partitions,
                                kept,
                            },
                        );
                    }
                    (None, _) | (_, None) => unknown = Some(name.value().to_owned()),
                }
            }
            for row in txn.open_table(COMMITTED)?.iter()? {
                let (key, next) = row?;
                let (name, place) = key.value();
                match MachineName::ALL
                    .into_iter()
                    .find(|machine| machine.as_str() == name)
                {
                    Some(machine) => {
                        image
                            .committed
                            .insert((machine, Place(place)), Offset(next.value()));
                    }
                    None => unknown = Some(name.to_owned()),
                }
            }
            image.extents = image.load_extents(txn)?;
            Ok(())
        })?;
        match unknown {
            None => Ok(image),
            Some(name) => Err(Error::Log {
                doing: format!("loading {}", store.path().display()),
                text: format!(
                    "it holds `{name}`, which this version of Polku does not know; use the version that wrote it"
                ),
                severity: Severity::Fatal,
            }),
        }
    }

    fn load_extents(&self, txn: &ReadTransaction) -> Result<Vec<Extent>, Failure> {
        let mut places: Vec<(Place, Kept)> = self
            .topics
            .values()
            .flat_map(|found| found.places().map(|place| (place, found.kept)))
            .collect();
        places.sort_unstable_by_key(|(place, _)| *place);
        let partitions = txn.open_table(PARTITIONS)?;
        let mut extents = Vec::with_capacity(places.len());
        for (place, kept) in places {
            let mut extent = Extent::new(kept);
            if let Some(found) = partitions.get(place.0)? {
                let (start, end, clean_below, clean_bytes, dirty_bytes) = found.value();
                extent = Extent {
                    start: Offset(start),
                    end: Offset(end),
                    clean_below: Offset(clean_below),
                    clean_bytes,
                    dirty_bytes,
                    ..extent
                };
            }
            extents.push(extent);
        }
        Ok(extents)
    }
}

/// How `Kept` lies in the table `topics`.
pub(super) fn kept_row(kept: Kept) -> (u8, i64) {
    match kept {
        Kept::Always => (0, 0),
        Kept::Compacted => (1, 0),
        Kept::UntilRead => (2, 0),
        Kept::For(length) => (3, length.as_millis()),
    }
}

fn kept(kind: u8, millis: i64) -> Option<Kept> {
    match kind {
        0 => Some(Kept::Always),
        1 => Some(Kept::Compacted),
        2 => Some(Kept::UntilRead),
        3 => Some(Kept::For(Millis::new(millis))),
        _ => None,
    }
}
