//! A file's rows, through the door, to the last acknowledgement.

use std::{
    error::Error,
    io::{self, BufReader},
    path::Path,
    sync::Arc,
    time::Duration,
};

use event::SourceId;
use ingest::{
    Answer, Door, Permission, door,
    mapping::{Events, Form, Plan},
};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    inbox::Found,
    report::{Origin, Report},
};

/// Events in one append.
const BATCH_EVENTS: usize = 500;

/// How long after a refusal of the log its rows are sent again: doubled each time.
const AGAIN_AFTER_MIN: Duration = Duration::from_secs(1);
const AGAIN_AFTER_MAX: Duration = Duration::from_secs(30);

/// A file of which everything is in the log that ever will be.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) report: Report,
}

/// A file that was not read to its end.
#[derive(Debug)]
pub(super) enum Stopped {
    /// It is no longer the file that was found.
    Changed,
    Read(io::Error),
}

#[derive(Default)]
struct Batch {
    events: Vec<Value>,
    origins: Vec<Origin>,
    /// How many rows of the file this batch ends after.
    rows: u64,
}

/// Reads on a thread of its own, one batch ahead of the door.
pub(super) async fn file(
    door: &Door,
    source: &SourceId,
    plan: &Arc<Plan>,
    found: &Found,
) -> Result<Sent, Stopped> {
    let (to_door, mut batches) = mpsc::channel(1);
    let (reading, plan) = (found.clone(), Arc::clone(plan));
    let reader = tokio::task::spawn_blocking(move || read(&reading, &plan, &to_door));
    let mut report = Report::default();
    while let Some(batch) = batches.recv().await {
        let Batch {
            events,
            origins,
            rows,
        } = batch;
        report.add(&acknowledged(door, source, events).await, &origins);
        report.rows = rows;
    }
    match reader.await {
        Ok(Ok(end)) => report.ended_by = end,
        Ok(Err(stopped)) => return Err(stopped),
        Err(panicked) => return Err(Stopped::Read(io::Error::other(panicked))),
    }
    Ok(Sent { report })
}

/// Answers why the file could be read no further, if it could not.
fn read(
    found: &Found,
    plan: &Plan,
    to_door: &mpsc::Sender<Batch>,
) -> Result<Option<String>, Stopped> {
    let Some(file) = found.open().map_err(Stopped::Read)? else {
        return Err(Stopped::Changed);
    };
    let Some(form) = Form::of(Path::new(&found.path)) else {
        let end = "the name ends in none of .csv, .tsv, .txt, .ndjson, .jsonl";
        return Ok(Some(end.to_owned()));
    };
    let rows = match Events::new(BufReader::new(file), form, plan) {
        Ok(rows) => rows,
        Err(unreadable) => return Ok(Some(unreadable.to_string())),
    };
    let mut batch = Batch::default();
    let mut end = None;
    for given in rows {
        match given {
            Ok(given) => {
                batch.rows = given.row;
                for event in given.events {
                    let fault = event
                        .as_ref()
                        .err()
                        .map(|unmade| (unmade.field.clone(), unmade.fault.clone()));
                    batch.origins.push(Origin {
                        row: given.row,
                        fault,
                    });
                    batch
                        .events
                        .push(event.unwrap_or_else(|unmade| unmade.said));
                }
            }
            Err(error) => end = Some(chain(&error)),
        }
        if batch.events.len() >= BATCH_EVENTS {
            let rows = batch.rows;
            let full = std::mem::take(&mut batch);
            batch.rows = rows;
            // Nobody takes it any more: the folder is not watched any longer.
            to_door.blocking_send(full).map_err(|_| Stopped::Changed)?;
        }
    }
    to_door.blocking_send(batch).map_err(|_| Stopped::Changed)?;
    // A writer that went on while it was read: what follows is still to come, and the file is read again once it rests.
    if !found.is_same().map_err(Stopped::Read)? {
        return Err(Stopped::Changed);
    }
    Ok(end)
}

/// Sends until the log takes them. Whoever does not want to wait drops the future; nothing is lost by it.
async fn acknowledged(door: &Door, source: &SourceId, events: Vec<Value>) -> Answer {
    let mut wait = AGAIN_AFTER_MIN;
    loop {
        match door
            .accept(source, events.clone(), Permission::default())
            .await
        {
            Ok(answer) => return answer,
            Err(error @ (door::Error::Unavailable(_) | door::Error::UnknownSource(_))) => {
                tracing::warn!(source = %source, error = %chain(&error), "the log takes no rows of a file; they are sent again");
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(AGAIN_AFTER_MAX);
    }
}

/// An error with all its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
