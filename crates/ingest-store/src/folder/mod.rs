//! A directory that a sender leaves files in, each taken once.
//!
//! ```text
//! inbox ──► at rest? ──► rows ──► mapping ──► the door, in batches ──► report ──► done, rejected
//! ```
//!
//! A file leaves the inbox only after the log has acknowledged all of it. Whatever happens before that, the file is still there and
//! is read again from its beginning: ids come from the rows, so what was taken already is a duplicate.

mod inbox;
pub mod metrics;
mod report;
mod send;
mod shelf;

use std::{io, path::PathBuf, time::Duration};

use event::SourceId;
use ingest::{
    Door,
    config::Source,
    mapping::{self, Plan},
};

pub use self::metrics::{Metrics, Outcome};
use self::{
    inbox::{Found, Inbox},
    send::{Sent, Stopped},
    shelf::Shelf,
};

/// How often the inbox is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// After what could not be read or moved, until it is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Why a folder cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`sources.{0}` has no folder")]
    NoFolder(SourceId),
    #[error("`sources.{0}.folder` needs a mapping")]
    NoMapping(SourceId),
    #[error("in `sources.{id}.mapping`")]
    Mapping {
        id: SourceId,
        #[source]
        source: mapping::Error,
    },
    #[error("making {path}")]
    Make {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "{path} is on another file system than {inbox}: a file could not be moved there at once; choose a directory beside the inbox"
    )]
    OtherFileSystem { path: PathBuf, inbox: PathBuf },
}

/// The folder of one source.
pub struct Folder {
    id: SourceId,
    plan: std::sync::Arc<Plan>,
    inbox: Inbox,
    shelf: Shelf,
    metrics: Metrics,
}

impl Folder {
    /// Makes the directories that are not there.
    ///
    /// # Errors
    /// When the source has no folder or no mapping that works, or a directory cannot be made or lies on another disk.
    pub fn open(id: SourceId, source: &Source, metrics: Metrics) -> Result<Folder, Error> {
        let Some(folder) = &source.folder else {
            return Err(Error::NoFolder(id));
        };
        let Some(mapping) = &source.mapping else {
            return Err(Error::NoMapping(id));
        };
        let plan = match Plan::new(mapping) {
            Ok(plan) => plan,
            Err(source) => return Err(Error::Mapping { id, source }),
        };
        let shelf = Shelf::open(folder)?;
        Ok(Folder {
            id,
            plan: std::sync::Arc::new(plan),
            inbox: Inbox::new(folder.inbox.clone()),
            shelf,
            metrics,
        })
    }

    /// Takes files in until the future ends. The file it is at is left where it is, to be read again.
    pub async fn watch(mut self, door: Door, stopping: impl Future<Output = ()>) {
        tokio::select! {
            () = stopping => {}
            () = async {
                loop {
                    let pause = self.look(&door).await;
                    tokio::time::sleep(pause).await;
                }
            } => {}
        }
    }

    /// Takes every file that is at rest; answers how long to wait before the next look.
    pub(crate) async fn look(&mut self, door: &Door) -> Duration {
        let found = match self.inbox.look() {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(source = %self.id, %error, "the inbox cannot be read");
                return AGAIN_AFTER;
            }
        };
        let mut pause = LOOK_EVERY;
        for file in found {
            match self.take(door, &file).await {
                Ok(Some(outcome)) => self.metrics.count(&self.id, outcome),
                Ok(None) => {}
                Err(error) => {
                    // Neither the file's name nor its rows are logged: people write customers' names into both.
                    tracing::warn!(source = %self.id, %error, "a file stays in the inbox");
                    self.metrics.count(&self.id, Outcome::Failed);
                    pause = AGAIN_AFTER;
                }
            }
        }
        pause
    }

    /// None for a file that somebody wrote to, or took away, meanwhile.
    async fn take(&self, door: &Door, file: &Found) -> io::Result<Option<Outcome>> {
        let sent = match self.send(door, file).await {
            Ok(sent) => sent,
            Err(Stopped::Changed) => return Ok(None),
            Err(Stopped::Read(error)) => return Err(error),
        };
        self.put_away(file, sent).await
    }

    async fn send(&self, door: &Door, file: &Found) -> Result<Sent, Stopped> {
        send::file(door, &self.id, &self.plan, file).await
    }

    async fn put_away(&self, file: &Found, sent: Sent) -> io::Result<Option<Outcome>> {
        let (shelf, file, id) = (self.shelf.clone(), file.clone(), self.id.clone());
        tokio::task::spawn_blocking(move || shelf.put_away(&id, &file, &sent))
            .await
            .map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests;
