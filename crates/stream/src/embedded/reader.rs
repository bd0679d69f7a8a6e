use std::{sync::Arc, time::Duration};

use super::{Shared, clock, cursor::Cursor};
use crate::{Error, Offset, Read, TopicPartition, log};

/// Reads the log without owning any of it.
pub(super) struct Reader {
    pub(super) shared: Arc<Shared>,
    pub(super) cursor: Cursor,
}

impl log::Reader for Reader {
    fn poll(&mut self, records_max: usize, wait: Duration) -> Result<Vec<Read>, Error> {
        let deadline = clock::monotonic() + wait;
        loop {
            // Taken before looking, so that what comes meanwhile ends the wait.
            let version = self.shared.hub.lock().version();
            let records = self.cursor.take(&self.shared, records_max)?;
            if !records.is_empty() || !self.shared.hub.wait(version, deadline) {
                return Ok(records);
            }
        }
    }

    fn position(&mut self, at: &TopicPartition) -> Result<Offset, Error> {
        self.cursor.position(at).ok_or_else(|| Error::Topic {
            topic: at.topic.name(),
            problem: format!("is not read in partition {}", at.partition),
            remedy: "name it when starting to read".to_owned(),
        })
    }
}
