//! What `serve` counts.

pub(crate) mod silos;

use event::Topic;
use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, core::Collector,
};
use stream::Read;

#[derive(Clone, Debug)]
pub struct Metrics {
    /// `polku_serve_requests_total{route, status}`: answered requests by route as it is declared and class of status
    /// (`2xx`, `4xx`, `5xx`). Alert on a share of `5xx` above 1 % for ten minutes.
    pub requests: IntCounterVec,
    /// `polku_serve_request_seconds`: from the request's head to the answer's head. A command waits for its outcome and a
    /// live stream answers at once.
    pub request_seconds: Histogram,
    /// `polku_serve_model_records_total{topic}`: records the read model took from the log; all notice topics are `notice`.
    pub records: IntCounterVec,
    /// `polku_serve_model_undecodable_total`: records left out because they do not decode. Alert on any.
    pub undecodable: IntCounter,
    /// `polku_serve_model_faults_total`: times the log could not be read and was tried again.
    pub faults: IntCounter,
    /// `polku_serve_model_behind_records`: offsets between the read model and the ends of the log, measured every 15 s.
    /// Alert above 100,000 for five minutes.
    pub behind: IntGauge,
    /// `polku_serve_model_record_timestamp_seconds`: when the log took the newest record applied.
    pub record_timestamp: IntGauge,
    /// `polku_serve_stream_clients`: live streams open now.
    pub clients: IntGauge,
}

impl Metrics {
    /// # Errors
    /// When the registry already has metrics of these names.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            requests: IntCounterVec::new(
                Opts::new(
                    "polku_serve_requests_total",
                    "Answered requests by route as declared and class of status.",
                ),
                &["route", "status"],
            )?,
            request_seconds: Histogram::with_opts(HistogramOpts::new(
                "polku_serve_request_seconds",
                "From the request's head to the answer's head.",
            ))?,
            records: IntCounterVec::new(
                Opts::new(
                    "polku_serve_model_records_total",
                    "Records the read model took from the log, by topic.",
                ),
                &["topic"],
            )?,
            undecodable: IntCounter::new(
                "polku_serve_model_undecodable_total",
                "Records left out because they do not decode. Alert on any.",
            )?,
            faults: IntCounter::new(
                "polku_serve_model_faults_total",
                "Times the log could not be read and was tried again.",
            )?,
            behind: IntGauge::new(
                "polku_serve_model_behind_records",
                "Offsets between the read model and the ends of the log.",
            )?,
            record_timestamp: IntGauge::new(
                "polku_serve_model_record_timestamp_seconds",
                "When the log took the newest record applied.",
            )?,
            clients: IntGauge::new("polku_serve_stream_clients", "Live streams open now.")?,
        };
        let all: [Box<dyn Collector>; 8] = [
            Box::new(metrics.requests.clone()),
            Box::new(metrics.request_seconds.clone()),
            Box::new(metrics.records.clone()),
            Box::new(metrics.undecodable.clone()),
            Box::new(metrics.faults.clone()),
            Box::new(metrics.behind.clone()),
            Box::new(metrics.record_timestamp.clone()),
            Box::new(metrics.clients.clone()),
        ];
        for metric in all {
            registry.register(metric)?;
        }
        Ok(metrics)
    }

    pub(crate) fn applied(&self, read: &Read) {
        let topic = match &read.at.topic {
            // One label for all: departments come and go with the company's rules.
            Topic::Notice(_) => "notice".to_owned(),
            Topic::Event
            | Topic::Claim
            | Topic::IdentityLink
            | Topic::IdentityAssignment
            | Topic::TimelineInput
            | Topic::Timeline
            | Topic::CaseInput
            | Topic::Case
            | Topic::CommandOutcome
            | Topic::Reject
            | Topic::Sent
            | Topic::Access
            | Topic::Config
            | Topic::State(_) => read.at.topic.name(),
        };
        self.records.with_label_values(&[&topic]).inc();
        let seconds = read.time.as_millis() / 1_000;
        if seconds > self.record_timestamp.get() {
            self.record_timestamp.set(seconds);
        }
    }
}
