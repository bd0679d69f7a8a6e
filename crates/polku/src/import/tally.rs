use std::fmt;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What became of the rows: read = accepted + duplicate + rejected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) rows: u64,
    /// Events made of the rows, or that could not be made.
    pub(super) read: u64,
    pub(super) accepted: u64,
    pub(super) duplicate: u64,
    pub(super) rejected: u64,
    /// The first reasons why.
    reasons: Vec<String>,
}

const REASONS_MAX: usize = 10;

impl Tally {
    pub(super) fn reason(&mut self, text: &str) {
        if self.reasons.len() < REASONS_MAX {
            self.reasons.push(text.to_owned());
        }
    }

    /// Adds what a door answered to a batch.
    ///
    /// # Errors
    /// When the door's numbers do not add up.
    pub(super) fn add(&mut self, answer: &Value, batch: &[Value]) -> anyhow::Result<()> {
        let number = |field: &str| {
            answer[field]
                .as_u64()
                .with_context(|| format!("the door's answer has no `{field}`: {answer}"))
        };
        let (received, accepted, duplicate, rejected) = (
            number("received")?,
            number("accepted")?,
            number("duplicate")?,
            number("rejected")?,
        );
        ensure!(
            received == accepted + duplicate + rejected && received == batch.len() as u64,
            "the door's numbers do not add up for {} events: {answer}",
            batch.len()
        );
        self.read += received;
        self.accepted += accepted;
        self.duplicate += duplicate;
        self.rejected += rejected;
        for item in answer["items"].as_array().into_iter().flatten() {
            let sent = item["index"]
                .as_u64()
                .and_then(|index| batch.get(usize::try_from(index).ok()?));
            // A row that the mapping refused has told its reason already.
            if sent.is_some_and(|event| event.get("fault").is_none()) {
                let id = sent
                    .and_then(|event| event["id"].as_str())
                    .unwrap_or("without id");
                let (reason, detail) = (
                    item["reason"].as_str().unwrap_or_default(),
                    item["detail"].as_str().unwrap_or_default(),
                );
                self.reason(&format!("event {id}: {reason}: {detail}"));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} rows: {} events read = {} accepted + {} duplicate + {} rejected",
            self.rows, self.read, self.accepted, self.duplicate, self.rejected
        )?;
        for reason in &self.reasons {
            writeln!(f, "  rejected: {reason}")?;
        }
        let told = u64::try_from(self.reasons.len()).unwrap_or(u64::MAX);
        if self.rejected > told {
            writeln!(
                f,
                "  … and {} more, all kept with their reasons",
                self.rejected - told
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_read_is_accepted_duplicate_or_rejected() {
        let mut tally = Tally {
            rows: 3,
            ..Tally::default()
        };
        let batch = [
            json!({ "id": "a" }),
            json!({ "id": "b" }),
            json!({ "row": {}, "fault": "row 3: no time" }),
        ];
        tally.reason("row 3: no time");
        let answer = json!({ "received": 3, "accepted": 1, "duplicate": 0, "rejected": 2, "items": [
            { "index": 1, "outcome": "rejected", "reason": "schema", "detail": "`kind` is missing" },
            { "index": 2, "outcome": "rejected", "reason": "schema", "detail": "`row` is unknown" },
        ] });
        tally.add(&answer, &batch).unwrap();
        assert_eq!(
            tally.to_string(),
            "3 rows: 3 events read = 1 accepted + 0 duplicate + 2 rejected\n  rejected: row 3: no time\n  rejected: event b: schema: \
             `kind` is missing\n"
        );
        let wrong =
            json!({ "received": 3, "accepted": 1, "duplicate": 0, "rejected": 1, "items": [] });
        assert!(tally.add(&wrong, &batch).is_err());
    }
}
