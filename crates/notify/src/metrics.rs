//! What the delivery of notices counts.

use event::Name;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, core::Collector,
};

use crate::endpoint::Answer;

#[derive(Clone, Debug)]
pub struct Metrics {
    /// `polku_notify_deliveries_total{subscription, outcome}`: attempts by what came of them: `delivered`, `gone` (410), `status`
    /// (another refusal), `redirected`, `timed_out`, `unreachable`, `forbidden` (the name leads to an address that nothing is sent
    /// to); and notices that never will be delivered: `given_up` (failed alone for five days), `expired` (older than 30 days).
    pub deliveries: IntCounterVec,
    /// `polku_notify_oldest_unsent_timestamp_seconds{subscription}`: when the oldest notice was told that is not delivered yet; 0 when
    /// there is none. Alert on one over an hour old.
    pub oldest_unsent: IntGaugeVec,
    /// `polku_notify_disabled{subscription}`: 1 when the endpoint answered 410 or failed for five days: nothing is sent to it until
    /// its configuration changes. Alert on any.
    pub disabled: IntGaugeVec,
    /// `polku_notify_delivery_seconds{subscription}`: how long an attempt took, whatever came of it.
    pub delivery_seconds: HistogramVec,
    /// `polku_notify_undecodable_total{subscription}`: notices left out because they do not decode. Alert on any.
    pub undecodable: IntCounterVec,
    /// `polku_notify_faults_total`: times the log could not be read or written and was tried again.
    pub faults: prometheus::IntCounter,
}

pub(crate) const GIVEN_UP: &str = "given_up";
pub(crate) const EXPIRED: &str = "expired";

impl Metrics {
    /// # Errors
    /// When the registry already has metrics of these names.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            deliveries: IntCounterVec::new(
                Opts::new(
                    "polku_notify_deliveries_total",
                    "Attempts to deliver a notice, by what came of them, and notices given up or expired.",
                ),
                &["subscription", "outcome"],
            )?,
            oldest_unsent: IntGaugeVec::new(
                Opts::new(
                    "polku_notify_oldest_unsent_timestamp_seconds",
                    "When the oldest notice was told that is not delivered yet; 0 when there is none.",
                ),
                &["subscription"],
            )?,
            disabled: IntGaugeVec::new(
                Opts::new(
                    "polku_notify_disabled",
                    "1 when nothing is sent to the endpoint until its configuration changes. Alert on any.",
                ),
                &["subscription"],
            )?,
            delivery_seconds: HistogramVec::new(
                HistogramOpts::new(
                    "polku_notify_delivery_seconds",
                    "How long an attempt took, whatever came of it.",
                ),
                &["subscription"],
            )?,
            undecodable: IntCounterVec::new(
                Opts::new(
                    "polku_notify_undecodable_total",
                    "Notices left out because they do not decode. Alert on any.",
                ),
                &["subscription"],
            )?,
            faults: prometheus::IntCounter::new(
                "polku_notify_faults_total",
                "Times the log could not be read or written and was tried again.",
            )?,
        };
        let all: [Box<dyn Collector>; 6] = [
            Box::new(metrics.deliveries.clone()),
            Box::new(metrics.oldest_unsent.clone()),
            Box::new(metrics.disabled.clone()),
            Box::new(metrics.delivery_seconds.clone()),
            Box::new(metrics.undecodable.clone()),
            Box::new(metrics.faults.clone()),
        ];
        for metric in all {
            registry.register(metric)?;
        }
        Ok(metrics)
    }

    /// Shows every series of a subscription from the start: a rate over one that is not there yet is silent.
    pub(crate) fn begin(&self, subscription: &Name) {
        let name = subscription.as_str();
        for outcome in Answer::LABELS.into_iter().chain([GIVEN_UP, EXPIRED]) {
            self.deliveries
                .with_label_values(&[name, outcome])
                .inc_by(0);
        }
        self.oldest_unsent.with_label_values(&[name]).set(0);
        self.disabled.with_label_values(&[name]).set(0);
        self.undecodable.with_label_values(&[name]).inc_by(0);
    }
}
