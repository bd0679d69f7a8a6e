//! The totals, which balance: see `Counts::balanced`.

use axum::{Json, extract::State};
use ingest::problem::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Anybody, Api, refusal::Refusal};
use crate::model;

/// Totals since the beginning of the log, as far as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Counts {
    pub(crate) events: Events,
    /// Events on customers' timelines, as the unifier wrote them.
    pub(crate) entries: u64,
    /// Events of customers that the unifier has not placed yet.
    pub(crate) pending: u64,
    /// Events that name no identifier and no reference: they count for their place and cause, not for a customer.
    pub(crate) anonymous: u64,
    /// Events of other perspectives: mystery shoppers, employees, tests.
    pub(crate) apart: u64,
    /// Events whose sender took back what they named; a correction follows, or none.
    pub(crate) withdrawn: u64,
    /// Whether accepted = entries + pending + anonymous + apart + withdrawn. Each of the six is counted by itself: from the events, from
    /// the timelines, from what the two do not have in common. False for a moment while an entry moves; false for long means
    /// that an event is on two timelines.
    pub(crate) balanced: bool,
    /// Customers with an identifier.
    pub(crate) customers: u64,
    /// Known by references only, an order or a shipment, so far.
    pub(crate) unidentified: u64,
    pub(crate) cases: Cases,
    pub(crate) notices: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Events {
    /// Different events in the log.
    pub(crate) accepted: u64,
    /// Repeats that reached the log and changed nothing.
    pub(crate) duplicate: u64,
    /// Newer contents of events that were there.
    pub(crate) corrected: u64,
    /// Refused at a door, with a reason.
    pub(crate) rejected: u64,
    /// In the log, but a machine could not take them.
    pub(crate) refused: u64,
}

/// Cases of customers by state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Cases {
    pub(crate) open: u64,
    pub(crate) acknowledged: u64,
    pub(crate) resolved: u64,
    pub(crate) closed: u64,
    /// Open since imported history, and untouched.
    pub(crate) dormant: u64,
}

/// Totals that balance.
#[utoipa::path(
    get, path = "/v1/counts", tag = "counts", security((), ("bearer" = [])),
    responses((status = 200, body = Counts), (status = 401, body = Problem))
)]
pub(crate) async fn counts(
    State(api): State<Api>,
    Anybody: Anybody,
) -> Result<Json<Counts>, Refusal> {
    Ok(Json(of(&api.state())))
}

pub(crate) fn of(state: &model::State) -> Counts {
    let events = state.events.counts();
    let identity = state.identity.counts();
    let cases = state.cases.counts();
    let entries = state.annotations.entries();
    let pending = state.pending();
    Counts {
        events: Events {
            accepted: events.accepted,
            duplicate: events.duplicate,
            corrected: events.corrected,
            rejected: state.rejects.doors,
            refused: state.rejects.machines,
        },
        entries,
        pending,
        anonymous: events.anonymous,
        apart: events.apart,
        withdrawn: events.withdrawn,
        balanced: events.accepted
            == entries + pending + events.anonymous + events.apart + events.withdrawn,
        customers: identity.customers,
        unidentified: identity.unidentified,
        cases: Cases {
            open: cases.open,
            acknowledged: cases.acknowledged,
            resolved: cases.resolved,
            closed: cases.closed,
            dormant: cases.dormant,
        },
        notices: state.notices.total(),
    }
}
