//! What a customer's timeline adds up to.

use std::collections::BTreeMap;

use event::{CaseId, Channel, Time};
use serde::Serialize;
use unifier::unify::profile::figures::{Figures, LastScore};
use utoipa::ToSchema;

/// What a customer's timeline adds up to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct StateView {
    /// The last stage of a journey that the customer was seen at.
    stage: Option<StageView>,
    /// What is being handled, the longest open first.
    open: Vec<OpenView>,
    /// The last score by metric.
    scores: BTreeMap<String, LastScoreView>,
    complaints: ComplaintsView,
    /// How often the customer had to get in touch, by matter.
    contacts: BTreeMap<String, ContactsView>,
    promises: PromisesView,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct StageView {
    name: String,
    #[schema(value_type = String, format = DateTime)]
    time: Time,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct OpenView {
    /// Null where the caller may not read the case.
    case: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    since: Time,
    matters: Vec<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct LastScoreView {
    value: f64,
    min: f64,
    max: f64,
    #[schema(value_type = String, format = DateTime)]
    time: Time,
}

/// By channel, in so many days before now.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct ComplaintsView {
    days_30: BTreeMap<&'static str, u32>,
    days_90: BTreeMap<&'static str, u32>,
    days_365: BTreeMap<&'static str, u32>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct ContactsView {
    count: u32,
    channels: BTreeMap<&'static str, u32>,
}

/// Each promise counts as made, and as at most one of the others; what was kept too late was broken.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct PromisesView {
    made: u32,
    kept: u32,
    broken: u32,
    withdrawn: u32,
}

impl StateView {
    pub(super) fn new(figures: Figures, may_read: impl Fn(CaseId) -> bool) -> StateView {
        let open = figures.open.into_iter().map(|open| OpenView {
            case: may_read(open.case).then(|| open.case.to_string()),
            since: open.since,
            matters: open.matters.iter().map(ToString::to_string).collect(),
        });
        let scores = figures.scores.into_iter().map(|(metric, last)| {
            let LastScore { score, time } = last;
            let view = LastScoreView {
                value: score.value,
                min: score.min,
                max: score.max,
                time,
            };
            (metric.to_string(), view)
        });
        let contacts = figures.contacts.into_iter().map(|(matter, contacts)| {
            let view = ContactsView {
                count: contacts.count,
                channels: by_name(contacts.channels),
            };
            (matter.to_string(), view)
        });
        StateView {
            stage: figures.stage.map(|stage| StageView {
                name: stage.name.to_string(),
                time: stage.time,
            }),
            open: open.collect(),
            scores: scores.collect(),
            complaints: ComplaintsView {
                days_30: by_name(figures.complaints.days_30),
                days_90: by_name(figures.complaints.days_90),
                days_365: by_name(figures.complaints.days_365),
            },
            contacts: contacts.collect(),
            promises: PromisesView {
                made: figures.promises.made,
                kept: figures.promises.kept,
                broken: figures.promises.broken,
                withdrawn: figures.promises.withdrawn,
            },
        }
    }
}

fn by_name(channels: BTreeMap<Channel, u32>) -> BTreeMap<&'static str, u32> {
    let named = channels.into_iter();
    named
        .map(|(channel, count)| (channel.as_str(), count))
        .collect()
}
