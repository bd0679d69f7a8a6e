//! What the loops tell Prometheus. Counted once a batch.

use machine::Outcome;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};

use event::{Partition, topic::MachineName};

use crate::{error::Severity, run::Tally};

/// One for all loops of a process. Every series has the label `machine`: `unify`, `identify`, `cases`.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// `polku_loop_inputs_total`: records and ticks of committed batches.
    inputs: IntCounterVec,
    /// `polku_loop_outcomes_total`: how inputs ended, by `outcome`. Alert when its sum differs from the inputs, or when
    /// `rejected` grows.
    outcomes: IntCounterVec,
    /// `polku_loop_commits_total`: transactions committed.
    commits: IntCounterVec,
    /// `polku_loop_commit_seconds`: how long a commit took. Alert when its 99th percentile stays over a second.
    commit_seconds: HistogramVec,
    /// `polku_loop_aborts_total`: calls to the log that did not succeed, by `severity`: `retry`, `abort`, `lost`, `fatal`.
    /// Alert on `lost` more often than members come and go, and on any `fatal`.
    aborts: IntCounterVec,
    /// `polku_loop_restores_total`: partitions whose state was rebuilt.
    restores: IntCounterVec,
    /// `polku_loop_stalls_total`: partitions read anew because nothing came though records waited. Alert on any.
    stalls: IntCounterVec,
    /// `polku_loop_lag_records`: offsets between what is committed and the end of the inputs, by `partition`; gaps count.
    /// Alert when it grows for ten minutes.
    lag: IntGaugeVec,
    /// `polku_loop_progress_timestamp_seconds`: when the loop last committed, or found nothing to do. Alert when it is more
    /// than a minute old.
    progress: IntGaugeVec,
    /// `polku_loop_ready`: 1 while all partitions held are restored and read. Alert when it is 0 for five minutes.
    ready: IntGaugeVec,
    /// `polku_loop_assertions_total`: panics of the machine that were caught. Alert on any: it is a bug.
    assertions: IntCounterVec,
}

impl Metrics {
    /// # Errors
    /// When the registry has such series already.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let vec = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(vec.clone()))?;
            Ok::<_, prometheus::Error>(vec)
        };
        let gauge = |name: &str, help: &str, labels: &[&str]| {
            let vec = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(vec.clone()))?;
            Ok::<_, prometheus::Error>(vec)
        };
        let seconds = HistogramOpts::new("polku_loop_commit_seconds", "how long a commit took")
            .buckets(prometheus::exponential_buckets(0.001, 2.0, 14)?);
        let commit_seconds = HistogramVec::new(seconds, &["machine"])?;
        registry.register(Box::new(commit_seconds.clone()))?;
        Ok(Self {
            inputs: counter(
                "polku_loop_inputs_total",
                "records and ticks of committed batches",
                &["machine"],
            )?,
            outcomes: counter(
                "polku_loop_outcomes_total",
                "how inputs ended; the sum equals the inputs",
                &["machine", "outcome"],
            )?,
            commits: counter(
                "polku_loop_commits_total",
                "transactions committed",
                &["machine"],
            )?,
            commit_seconds,
            aborts: counter(
                "polku_loop_aborts_total",
                "calls to the log that did not succeed",
                &["machine", "severity"],
            )?,
            restores: counter(
                "polku_loop_restores_total",
                "partitions whose state was rebuilt",
                &["machine"],
            )?,
            stalls: counter(
                "polku_loop_stalls_total",
                "partitions read anew because nothing came though records waited",
                &["machine"],
            )?,
            lag: gauge(
                "polku_loop_lag_records",
                "offsets between what is committed and the end of the inputs",
                &["machine", "partition"],
            )?,
            progress: gauge(
                "polku_loop_progress_timestamp_seconds",
                "when the loop last committed or found nothing to do",
                &["machine"],
            )?,
            ready: gauge(
                "polku_loop_ready",
                "1 while all partitions held are restored and read",
                &["machine"],
            )?,
            assertions: counter(
                "polku_loop_assertions_total",
                "panics of the machine that were caught",
                &["machine"],
            )?,
        })
    }

    /// The series of one machine, looked up once.
    pub(crate) fn of(&self, machine: MachineName) -> LoopMetrics {
        let label = machine.as_str();
        LoopMetrics {
            inputs: self.inputs.with_label_values(&[label]),
            outcomes: Outcome::ALL
                .map(|outcome| self.outcomes.with_label_values(&[label, outcome.as_str()])),
            commits: self.commits.with_label_values(&[label]),
            commit_seconds: self.commit_seconds.with_label_values(&[label]),
            aborts: [
                Severity::Retry,
                Severity::Abort,
                Severity::Lost,
                Severity::Fatal,
            ]
            .map(|severity| {
                (
                    severity,
                    self.aborts.with_label_values(&[label, severity.as_str()]),
                )
            }),
            restores: self.restores.with_label_values(&[label]),
            stalls: self.stalls.with_label_values(&[label]),
            lag: self.lag.clone(),
            progress: self.progress.with_label_values(&[label]),
            ready: self.ready.with_label_values(&[label]),
            assertions: self.assertions.with_label_values(&[label]),
            machine,
        }
    }
}

/// The series of one loop.
#[derive(Debug)]
pub(crate) struct LoopMetrics {
    machine: MachineName,
    inputs: IntCounter,
    outcomes: [IntCounter; Outcome::ALL.len()],
    pub(crate) commits: IntCounter,
    pub(crate) commit_seconds: Histogram,
    aborts: [(Severity, IntCounter); 4],
    pub(crate) restores: IntCounter,
    pub(crate) stalls: IntCounter,
    lag: IntGaugeVec,
    pub(crate) progress: IntGauge,
    pub(crate) ready: IntGauge,
    pub(crate) assertions: IntCounter,
}

impl LoopMetrics {
    pub(crate) fn add(&self, tally: &Tally) {
        self.inputs.inc_by(tally.inputs);
        for (outcome, counter) in Outcome::ALL.into_iter().zip(&self.outcomes) {
            counter.inc_by(tally.of(outcome));
        }
    }

    pub(crate) fn failed(&self, severity: Severity) {
        for (other, counter) in &self.aborts {
            if *other == severity {
                counter.inc();
            }
        }
    }

    pub(crate) fn lag(&self, partition: Partition, records: i64) {
        let partition = partition.to_string();
        let labels = [self.machine.as_str(), partition.as_str()];
        self.lag.with_label_values(&labels).set(records);
    }

    /// Another instance tells the lag of this partition from now on.
    pub(crate) fn forget_lag(&self, partition: Partition) {
        let partition = partition.to_string();
        let labels = [self.machine.as_str(), partition.as_str()];
        // There is no such series before the lag was first measured.
        drop(self.lag.remove_label_values(&labels));
    }
}
