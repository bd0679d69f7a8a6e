//! What goes on between departments, made of the read model when somebody asks.
//!
//! Labels are departments, parties and stages that the company's rules name, and enums; whatever else is counted as `other`. Cases
//! and events of perspective `test` are in none of them. The figures are those of the whole log, so that every instance of
//! `serve` has the same: take `max by (…)`, not `sum`, over instances.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ::service::{
    clock::Clock,
    health::{Condition, Health},
};
use event::{Company, DepartmentId, Name, Time};
use prometheus::{
    Registry,
    core::{Collector, Desc},
    proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType},
};

use crate::{
    model::{self, Model, handling},
    service::PART,
};

/// Collects from the read model.
pub(crate) struct Silos {
    model: Arc<Model>,
    health: Health,
    clock: Clock,
    descriptions: Vec<Desc>,
}

struct Figure {
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
}

const OPEN: Figure = Figure {
    name: "polku_cases_open",
    help: "Open cases by owner and by how long the customer has waited: less than 4h, 1d, 3d, 7d, 14d, or older. Dormant ones are left out.",
    labels: &["department", "age"],
};
const DUE: Figure = Figure {
    name: "polku_cases_due",
    help: "Open cases of which something is due from the owner: soon (within four hours) or overdue. Business alert on overdue cases that stay.",
    labels: &["department", "when"],
};
const WAITING: Figure = Figure {
    name: "polku_cases_waiting",
    help: "Open cases that wait for somebody outside the owning department, by whom.",
    labels: &["department", "on"],
};
const HAND_OFFS: Figure = Figure {
    name: "polku_hand_offs_total",
    help: "Hand-offs from one department to another: offered, accepted, declined, or returned because nobody answered.",
    labels: &["from", "to", "outcome"],
};
const MISSED: Figure = Figure {
    name: "polku_deadlines_missed_total",
    help: "Deadlines that passed while the department owned the case. Business alert on a rising rate.",
    labels: &["department"],
};
const ESCALATIONS: Figure = Figure {
    name: "polku_escalations_total",
    help: "Cases of the department that were escalated: a deadline missed, an offer unanswered, handed on too often.",
    labels: &["department"],
};
const RESOLVED: Figure = Figure {
    name: "polku_cases_resolved_total",
    help: "Resolutions by the department that owned the case.",
    labels: &["department"],
};
const SCORE_SUM: Figure = Figure {
    name: "polku_score_sum",
    help: "The sum of customers' scores, each as a share of its scale from 0 to 1; by polku_score_count it is the mean.",
    labels: &["metric", "stage", "channel"],
};
const SCORE_COUNT: Figure = Figure {
    name: "polku_score_count",
    help: "How many scores customers gave.",
    labels: &["metric", "stage", "channel"],
};
const FEEDBACK: Figure = Figure {
    name: "polku_feedback_total",
    help: "Events of customers by kind (feedback, complaint, service, and praise, which is also counted as feedback), stage of their path (none: not said) and channel.",
    labels: &["kind", "stage", "channel"],
};
const WAIT: Figure = Figure {
    name: "polku_case_wait_seconds",
    help: "How long customers had waited when their matters were resolved.",
    labels: &[],
};

const ALL: [&Figure; 11] = [
    &OPEN,
    &DUE,
    &WAITING,
    &HAND_OFFS,
    &MISSED,
    &ESCALATIONS,
    &RESOLVED,
    &SCORE_SUM,
    &SCORE_COUNT,
    &FEEDBACK,
    &WAIT,
];

impl Silos {
    /// # Errors
    /// When the registry already has metrics of these names.
    pub(crate) fn register(
        registry: &Registry,
        model: Arc<Model>,
        health: Health,
        clock: Clock,
    ) -> Result<(), prometheus::Error> {
        let descriptions = ALL.iter().map(|figure| figure.description());
        let descriptions = descriptions.collect::<Result<_, _>>()?;
        registry.register(Box::new(Silos {
            model,
            health,
            clock,
            descriptions,
        }))
    }
}

impl Collector for Silos {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    /// Nothing before the model has caught up: counters that climb anew at each start would look like things that happen now.
    fn collect(&self) -> Vec<MetricFamily> {
        if self.health.parts().get(PART) != Some(&Condition::Ready) {
            return Vec::new();
        }
        let now = Time::from_millis((self.clock)());
        let state = self.model.read();
        let names = Names::of(&state);
        let mut families = standing(&state, &names, now);
        families.extend(handled(&state, &names));
        families.extend(path(&state, &names));
        families.push(waits(state.cases.handling().waits()));
        families
    }
}

/// A sample by its labels; what has the same labels is one.
type Samples = BTreeMap<Vec<String>, f64>;

fn add(samples: &mut Samples, labels: &[&str], value: f64) {
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    *samples.entry(labels).or_default() += value;
}

fn standing(state: &model::State, names: &Names, now: Time) -> Vec<MetricFamily> {
    let mut open = Samples::new();
    let mut due = Samples::new();
    let mut waiting = Samples::new();
    for department in &names.departments {
        let standing = state.standing(department, now);
        let department = department.as_str();
        // All of a department's ages are there, so that a graph falls to nought and does not break off.
        for age in handling::Age::ALL {
            let count = standing.ages.get(&age).copied().unwrap_or_default();
            add(&mut open, &[department, age.as_str()], number(count));
        }
        add(&mut due, &[department, "soon"], number(standing.due_soon));
        add(&mut due, &[department, "overdue"], number(standing.overdue));
        for (party, count) in &standing.waiting {
            let labels = [department, names.party(party)];
            add(&mut waiting, &labels, number(*count));
        }
    }
    vec![OPEN.gauge(open), DUE.gauge(due), WAITING.gauge(waiting)]
}

fn handled(state: &model::State, names: &Names) -> Vec<MetricFamily> {
    let handling = state.cases.handling();
    let mut hand_offs = Samples::new();
    for ((from, to), all) in handling.hand_offs() {
        for hand_off in all {
            let outcome = hand_off.outcome.as_str();
            let labels = [names.department(from), names.department(to), outcome];
            add(&mut hand_offs, &labels, 1.0);
        }
    }
    let mut missed = Samples::new();
    let mut escalations = Samples::new();
    let mut resolved = Samples::new();
    for (department, handled) in handling.departments() {
        let label = [names.department(department)];
        add(&mut missed, &label, number(handled.missed));
        add(&mut escalations, &label, number(handled.escalated));
        add(&mut resolved, &label, number(handled.resolved));
    }
    vec![
        HAND_OFFS.counter(hand_offs),
        MISSED.counter(missed),
        ESCALATIONS.counter(escalations),
        RESOLVED.counter(resolved),
    ]
}

fn path(state: &model::State, names: &Names) -> Vec<MetricFamily> {
    let mut sums = Samples::new();
    let mut counts = Samples::new();
    let mut kinds = Samples::new();
    for (spot, volume) in state.figures.spots() {
        let stage = names.stage(spot.stage(&names.company));
        let channel = spot.channel.as_str();
        for (metric, scores) in &volume.scores {
            let labels = [metric.as_str(), stage, channel];
            add(&mut sums, &labels, scores.sum());
            add(&mut counts, &labels, number(scores.count));
        }
        for (kind, count) in [
            ("feedback", volume.feedback),
            ("complaint", volume.complaints),
            ("service", volume.services),
            ("praise", volume.praise(&names.company)),
        ] {
            add(&mut kinds, &[kind, stage, channel], number(count));
        }
    }
    vec![
        SCORE_SUM.counter(sums),
        SCORE_COUNT.counter(counts),
        FEEDBACK.counter(kinds),
    ]
}

fn waits(waits: &handling::Waits) -> MetricFamily {
    let mut below = 0;
    let buckets = handling::BOUNDS
        .iter()
        .zip(waits.counts)
        .map(|(bound, count)| {
            below += count;
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(seconds(*bound));
            bucket.set_cumulative_count(below);
            bucket
        });
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(waits.counts.iter().sum());
    histogram.set_sample_sum(seconds(waits.sum));
    let mut metric = Metric::default();
    metric.set_histogram(histogram);
    WAIT.family(MetricType::HISTOGRAM, vec![metric])
}

fn number(count: u64) -> f64 {
    count as f64
}

fn seconds(length: event::Millis) -> f64 {
    length.as_millis() as f64 / 1_000.0
}

/// The names that may be labels.
struct Names {
    company: Arc<Company>,
    departments: BTreeSet<DepartmentId>,
    parties: BTreeSet<Name>,
    stages: BTreeSet<Name>,
}

const OTHER: &str = "other";
const NONE: &str = "none";

impl Names {
    fn of(state: &model::State) -> Names {
        let company = state.companies.current();
        let parties = company.departments.values();
        let stages = company.journeys.values();
        let mut departments = state.departments();
        // Where tests of the chain end; they count in no figure.
        departments.retain(|department| department.as_str() != "canary");
        Names {
            departments,
            parties: parties
                .flat_map(|one| one.parties.iter().cloned())
                .collect(),
            stages: stages.flat_map(|one| one.stages.iter().cloned()).collect(),
            company,
        }
    }

    fn department<'a>(&self, department: &'a DepartmentId) -> &'a str {
        if self.departments.contains(department) {
            department.as_str()
        } else {
            OTHER
        }
    }

    /// A party that a department answers for, or a department itself.
    fn party<'a>(&self, party: &'a Name) -> &'a str {
        let mut departments = self.departments.iter();
        let is_known = self.parties.contains(party)
            || departments.any(|department| department.as_str() == party.as_str());
        if is_known { party.as_str() } else { OTHER }
    }

    fn stage<'a>(&self, stage: Option<&'a Name>) -> &'a str {
        match stage {
            None => NONE,
            Some(stage) if self.stages.contains(stage) => stage.as_str(),
            Some(_) => OTHER,
        }
    }
}

impl Figure {
    fn description(&self) -> Result<Desc, prometheus::Error> {
        let labels = self
            .labels
            .iter()
            .map(|label| (*label).to_owned())
            .collect();
        let constant = std::collections::HashMap::new();
        Desc::new(self.name.to_owned(), self.help.to_owned(), labels, constant)
    }

    fn gauge(&self, samples: Samples) -> MetricFamily {
        let metrics = samples.into_iter().map(|(labels, value)| {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            let mut metric = Metric::from_gauge(gauge);
            metric.set_label(self.pairs(labels));
            metric
        });
        self.family(MetricType::GAUGE, metrics.collect())
    }

    fn counter(&self, samples: Samples) -> MetricFamily {
        let metrics = samples.into_iter().map(|(labels, value)| {
            let mut counter = Counter::default();
            counter.set_value(value);
            let mut metric = Metric::from_label(self.pairs(labels));
            metric.set_counter(counter);
            metric
        });
        self.family(MetricType::COUNTER, metrics.collect())
    }

    fn pairs(&self, labels: Vec<String>) -> Vec<LabelPair> {
        let named = self.labels.iter().zip(labels);
        let mut pairs: Vec<LabelPair> = named
            .map(|(name, value)| {
                let mut pair = LabelPair::default();
                pair.set_name((*name).to_owned());
                pair.set_value(value);
                pair
            })
            .collect();
        pairs.sort_by(|a, b| a.name().cmp(b.name()));
        pairs
    }

    fn family(&self, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
        let mut family = MetricFamily::default();
        family.set_name(self.name.to_owned());
        family.set_help(self.help.to_owned());
        family.set_field_type(kind);
        family.set_metric(metrics);
        family
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_told_before_the_log_was_read_to_its_end() {
        let (registry, health) = (Registry::new(), Health::new());
        let model = Arc::new(Model::new(1));
        let clock: Clock = Arc::new(|| 0);
        Silos::register(&registry, model, health.clone(), clock).unwrap();
        let starting = Condition::Starting {
            what: "reading".to_owned(),
        };
        health.set(PART, starting);
        assert!(registry.gather().is_empty());
        health.set(PART, Condition::Ready);
        assert!(!registry.gather().is_empty());
    }
}
