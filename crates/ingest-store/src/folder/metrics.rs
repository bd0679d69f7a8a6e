//! What the folders count.

use event::SourceId;
use prometheus::{IntCounterVec, Opts, Registry};

/// The folders' metrics. Labels hold configured names and a closed enum only.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Files, by source and by how they ended.
    files: IntCounterVec,
}

/// How a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All its rows are in the log.
    Done,
    /// Some of its rows were refused, or it could not be read as a whole; the report says which and why.
    Rejected,
    /// It could not be opened or moved. It stays, and is tried again.
    Failed,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Rejected => "rejected",
            Outcome::Failed => "failed",
        }
    }
}

impl Metrics {
    /// # Errors
    /// When the registry already has a metric of this name.
    pub fn new(registry: &Registry) -> Result<Metrics, prometheus::Error> {
        let files = IntCounterVec::new(
            Opts::new(
                "polku_folder_files_total",
                "Files of watched folders, by source and outcome (done, rejected, failed). Alert when failed grows: a file can be \
                 neither read nor moved, and is tried again and again.",
            ),
            &["source", "outcome"],
        )?;
        registry.register(Box::new(files.clone()))?;
        Ok(Metrics { files })
    }

    pub(super) fn count(&self, source: &SourceId, outcome: Outcome) {
        self.files
            .with_label_values(&[source.as_str(), outcome.as_str()])
            .inc();
    }

    #[cfg(test)]
    pub(super) fn counted(&self, source: &SourceId, outcome: Outcome) -> u64 {
        self.files
            .with_label_values(&[source.as_str(), outcome.as_str()])
            .get()
    }
}
