//! What happens to a customer, drawn by numbers.

use event::{
    Channel, EventId, Kind, MatterId, Perspective, Score, SourceId, Time, Token, Version,
    case::StepKind,
    event::{Promise, PromiseState},
    timeline_input::{Digest, StepNote},
};
use proptest::prelude::*;

use super::hours;
use crate::sample::{name, profile, token, values};

/// Something that happens: what, about which matter, when in hours, in which channel, by which of two values, and a detail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sketch {
    pub(super) what: u8,
    pub(super) matter: u8,
    pub(super) hour: i64,
    pub(super) channel: u8,
    pub(super) route: bool,
    pub(super) detail: u8,
}

pub(super) fn sketches() -> impl Strategy<Value = Vec<Sketch>> {
    let sketch = (
        0_u8..11,
        0_u8..3,
        0_i64..480,
        0_u8..3,
        any::<bool>(),
        0_u8..6,
    )
        .prop_map(|(what, matter, hour, channel, route, detail)| Sketch {
            what,
            matter,
            hour,
            channel,
            route,
            detail,
        });
    prop::collection::vec(sketch, 1..24)
}

const MATTERS: [&str; 3] = ["order:1", "shipment:1", "order:2"];

pub(super) fn matter(number: u8) -> MatterId {
    MatterId::of_reference(token(MATTERS[usize::from(number)]))
}

fn route(sketch: Sketch) -> Token {
    token(if sketch.route { "email:1" } else { "phone:1" })
}

#[derive(Clone, Debug)]
pub(super) enum Happened {
    Digest(Box<Digest>),
    Step(StepNote),
}

pub(super) fn happen(number: usize, sketch: Sketch) -> Happened {
    let number = i64::try_from(number).unwrap();
    // No two moments are the same.
    let time = Time::from_millis(sketch.hour * 3_600_000 + number);
    let id = token(&format!("fact {number}"));
    let about = matter(sketch.matter);
    if sketch.what >= 8 {
        return Happened::Step(StepNote {
            profile: profile("customer_number:1"),
            route: route(sketch),
            version: Version {
                epoch: 0,
                counter: 1,
            },
            case: about.own_case(),
            matter: about,
            id,
            step: u32::try_from(number).unwrap(),
            time,
            what: [StepKind::Opened, StepKind::Contacted, StepKind::Resolved]
                [usize::from(sketch.what - 8)],
            department: None,
        });
    }
    let state = [
        PromiseState::Made,
        PromiseState::Made,
        PromiseState::Kept,
        PromiseState::Broken,
        PromiseState::Withdrawn,
        PromiseState::Made,
    ][usize::from(sketch.detail)];
    let (kind, what) = match sketch.what {
        0 | 1 => (Kind::Complaint, "delivery.late"),
        2 => (Kind::Service, "call.in"),
        3 | 4 => (Kind::Feedback, "survey"),
        5 => (Kind::Service, "order.placed"),
        6 => (Kind::Service, "shipment.delivered"),
        _ => (Kind::Service, "promise"),
    };
    let mut named = vec![MATTERS[usize::from(sketch.matter)]];
    // Now and then an event names an order and its parcel.
    if sketch.what == 2 && sketch.matter == 0 && sketch.detail < 2 {
        named.push(MATTERS[1]);
    }
    Happened::Digest(Box::new(Digest {
        profile: profile("customer_number:1"),
        route: route(sketch),
        version: Version {
            epoch: 0,
            counter: 1,
        },
        event: EventId::new(id),
        revision: 0,
        withdrawn: false,
        anchor: route(sketch),
        values: values(&named.join(" ")),
        time,
        received: time,
        source: SourceId::new("till").unwrap(),
        channel: [Channel::Web, Channel::Store, Channel::CallCentre][usize::from(sketch.channel)],
        kind,
        name: name(what),
        perspective: Perspective::Customer,
        history: sketch.detail == 5,
        score: (kind == Kind::Feedback).then(|| Score {
            metric: name(["nps", "stars"][usize::from(sketch.what - 3)]),
            value: f64::from(sketch.detail) * 2.0,
            min: 0.0,
            max: 10.0,
        }),
        place: None,
        product: None,
        stage: (sketch.detail < 2).then(|| name(what)),
        touchpoint: None,
        party: None,
        matter: about,
        content: id,
        out_number: 0,
        promise: (sketch.what == 7).then(|| Promise {
            id: token(["promise a", "promise b"][usize::from(sketch.channel % 2)]),
            what: name("refund"),
            due: (sketch.detail != 1).then(|| time + hours(24)),
            by: None,
            keeper: None,
            state,
        }),
    }))
}
