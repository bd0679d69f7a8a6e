//! What became of a file, for whoever sent it: numbers, and each refused row with field and reason; never a value.

use event::SourceId;
use ingest::Answer;
use serde::Serialize;

/// So many refused rows are named; the others are counted.
const NAMED_MAX: usize = 1_000;

/// What a file gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Report {
    /// Why nothing after `rows` could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ended_by: Option<String>,
    pub(super) rows: u64,
    pub(super) events: u64,
    pub(super) accepted: u64,
    /// Known already: of an earlier reading of this file, or another file with the same rows.
    pub(super) duplicate: u64,
    pub(super) rejected: u64,
    pub(super) refused: Vec<Refused>,
}

/// One fault of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Refused {
    /// From 1, the header not counted.
    pub(super) row: u64,
    /// Of our own form; empty for the whole row.
    pub(super) field: String,
    pub(super) reason: String,
}

/// What of a batch came from where.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) row: u64,
    /// The mapping's own fault, where it made no event: field and reason.
    pub(super) fault: Option<(String, String)>,
}

impl Report {
    pub(super) fn is_good(&self) -> bool {
        self.ended_by.is_none() && self.rejected == 0
    }

    /// Adds what the door answered to a batch.
    pub(super) fn add(&mut self, answer: &Answer, origins: &[Origin]) {
        self.events += answer.received;
        self.accepted += answer.accepted;
        self.duplicate += answer.duplicate;
        self.rejected += answer.rejected;
        for item in &answer.items {
            let origin = usize::try_from(item.index)
                .ok()
                .and_then(|index| origins.get(index));
            let Some(origin) = origin else { continue };
            match &origin.fault {
                Some((field, reason)) => self.refuse(origin.row, field, reason),
                None => {
                    for line in item.detail.lines() {
                        let (field, reason) = line.split_once(": ").unwrap_or(("", line));
                        self.refuse(origin.row, field, reason);
                    }
                }
            }
        }
    }

    fn refuse(&mut self, row: u64, field: &str, reason: &str) {
        if self.refused.len() < NAMED_MAX {
            self.refused.push(Refused {
                row,
                field: field.to_owned(),
                reason: reason.to_owned(),
            });
        }
    }

    /// As it lies beside the file.
    pub(super) fn write(&self, source: &SourceId, file: &str) -> String {
        #[derive(Serialize)]
        struct Written<'a> {
            file: &'a str,
            source: &'a SourceId,
            #[serde(flatten)]
            report: &'a Report,
        }
        let written = Written {
            file,
            source,
            report: self,
        };
        let mut text = serde_json::to_string_pretty(&written).expect("a report is plain JSON");
        text.push('\n');
        text
    }
}
