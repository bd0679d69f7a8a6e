//! What the doors count.

use std::collections::BTreeSet;

use event::{SourceId, reject::Reason};
use prometheus::{Histogram, HistogramOpts, IntCounterVec, Opts, Registry, exponential_buckets};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{answer::Outcome, mask};

/// The doors' metrics. Labels hold configured names and closed enums only.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Items received, by source and by how they ended: accepted, duplicate, filtered, rejected, unavailable. Their sum is what was
    /// received. Alert when unavailable grows: the log does not take events.
    events: IntCounterVec,
    /// Refused items, by source and reason: the labels of `Reason`.
    rejects: IntCounterVec,
    /// Items of senders' own formats that Polku has no use for, by source and why: labels that the formats fix.
    filtered: IntCounterVec,
    /// Requests, by source and status. The source is empty where nobody was authenticated.
    requests: IntCounterVec,
    /// Bytes of bodies read, after decompression, by source.
    bytes: IntCounterVec,
    /// What the masks removed: hetu, card, iban. Alert on a source that sends many.
    masks: IntCounterVec,
    /// Seconds from the first byte of a request to its answer, acknowledgement of the log included.
    seconds: Histogram,
}

/// How the items of all sources ended since this process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Totals {
    pub accepted: u64,
    pub duplicate: u64,
    pub filtered: u64,
    pub rejected: u64,
    pub unavailable: u64,
}

impl Metrics {
    /// # Errors
    /// When the registry already has metrics of these names.
    pub fn new(registry: &Registry) -> Result<Metrics, prometheus::Error> {
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counters.clone()))?;
            Ok::<_, prometheus::Error>(counters)
        };
        let seconds = Histogram::with_opts(
            HistogramOpts::new(
                "polku_ingest_request_seconds",
                "Seconds from the first byte of a request to its answer, acknowledgement of the log included.",
            )
            .buckets(exponential_buckets(0.001, 2.0, 14)?),
        )?;
        registry.register(Box::new(seconds.clone()))?;
        Ok(Metrics {
            events: counters(
                "polku_ingest_events_total",
                "Items received, by source and outcome (accepted, duplicate, filtered, rejected, unavailable); their sum is what was \
                 received. Alert when unavailable grows: the log does not take events.",
                &["source", "outcome"],
            )?,
            rejects: counters(
                "polku_ingest_rejects_total",
                "Refused items, by source and reason (unparseable, schema, not_allowed, too_large, conflict).",
                &["source", "reason"],
            )?,
            filtered: counters(
                "polku_ingest_filtered_total",
                "Items of senders' own formats that Polku has no use for, by source and why (fixed by each format).",
                &["source", "why"],
            )?,
            requests: counters(
                "polku_ingest_requests_total",
                "Requests, by source (empty where nobody was authenticated) and status.",
                &["source", "status"],
            )?,
            bytes: counters(
                "polku_ingest_request_bytes_total",
                "Bytes of bodies read, after decompression, by source.",
                &["source"],
            )?,
            masks: counters(
                "polku_ingest_masks_total",
                "What the masks removed, by source and what (hetu, card, iban). Alert on a source that sends many.",
                &["source", "what"],
            )?,
            seconds,
        })
    }

    pub(crate) fn count(&self, source: &SourceId, outcome: Outcome, items: u64) {
        self.events
            .with_label_values(&[source.as_str(), outcome.as_str()])
            .inc_by(items);
    }

    pub(crate) fn count_reject(&self, source: &SourceId, reason: Reason) {
        self.rejects
            .with_label_values(&[source.as_str(), reason.as_str()])
            .inc();
    }

    pub(crate) fn count_filtered(&self, source: &SourceId, why: &'static str) {
        self.filtered
            .with_label_values(&[source.as_str(), why])
            .inc();
    }

    pub(crate) fn count_masks(&self, source: &SourceId, masked: mask::Counts) {
        for (what, count) in [
            ("hetu", masked.hetu),
            ("card", masked.card),
            ("iban", masked.iban),
        ] {
            if count > 0 {
                self.masks
                    .with_label_values(&[source.as_str(), what])
                    .inc_by(count);
            }
        }
    }

    pub(crate) fn count_request(&self, source: Option<&SourceId>, status: u16, seconds: f64) {
        self.requests
            .with_label_values(&[source.map_or("", SourceId::as_str), &status.to_string()])
            .inc();
        self.seconds.observe(seconds);
    }

    pub(crate) fn count_bytes(&self, source: &SourceId, bytes: usize) {
        self.bytes
            .with_label_values(&[source.as_str()])
            .inc_by(bytes as u64);
    }

    pub(crate) fn totals<'a>(&self, sources: impl Iterator<Item = &'a SourceId>) -> Totals {
        let sources: BTreeSet<&SourceId> = sources.collect();
        let total = |outcome: Outcome| {
            sources
                .iter()
                .map(|source| {
                    self.events
                        .with_label_values(&[source.as_str(), outcome.as_str()])
                        .get()
                })
                .sum()
        };
        let [accepted, duplicate, filtered, rejected, unavailable] = Outcome::ALL.map(total);
        Totals {
            accepted,
            duplicate,
            filtered,
            rejected,
            unavailable,
        }
    }
}
