//! One thing that may happen, at random.

use event::{Channel, Kind, Perspective, Value};
use rand::{Rng as _, rngs::SmallRng};

use super::{
    cast::{Cast, Parcel, in_order},
    company::COMPLAINTS,
    story::Mood,
};

pub(super) struct Source {
    pub(super) id: &'static str,
    pub(super) channel: Channel,
    pub(super) trusted: bool,
}

const TILL: Source = Source {
    id: "till",
    channel: Channel::Store,
    trusted: true,
};
const DESK: Source = Source {
    id: "desk",
    channel: Channel::CallCentre,
    trusted: true,
};
const SHOP: Source = Source {
    id: "shop",
    channel: Channel::Web,
    trusted: false,
};
pub(super) const CARRIER: Source = Source {
    id: "carrier",
    channel: Channel::Subcontractor,
    trusted: true,
};

/// Two that may say something else later of what they said.
pub(super) const ARCHIVE: Source = Source {
    id: "archive",
    channel: Channel::CallCentre,
    trusted: true,
};
pub(super) const SURVEYS: Source = Source {
    id: "surveys",
    channel: Channel::Web,
    trusted: false,
};

/// An event before the door has seen it.
pub(super) struct Draft {
    pub(super) source: &'static Source,
    pub(super) kind: Kind,
    pub(super) what: &'static str,
    pub(super) values: Vec<Value>,
    pub(super) history: bool,
    pub(super) perspective: Perspective,
    /// Of ten.
    pub(super) score: Option<u32>,
}

impl Draft {
    fn new(source: &'static Source, kind: Kind, what: &'static str, values: Vec<Value>) -> Self {
        Self {
            source,
            kind,
            what,
            values: in_order(values),
            history: false,
            perspective: Perspective::Customer,
            score: None,
        }
    }

    pub(super) fn trusted(&self) -> bool {
        self.source.trusted
    }
}

/// Makes them up.
pub(super) struct Pen<'w> {
    pub(super) rng: &'w mut SmallRng,
    pub(super) cast: &'w Cast,
    pub(super) mood: Mood,
}

impl Pen<'_> {
    /// One thing that may happen next.
    pub(super) fn draft(&mut self) -> Draft {
        match self.mood {
            Mood::Tangled if self.rng.random_bool(0.5) => return self.tangled(),
            Mood::Wild if self.rng.random_bool(0.2) => return self.shared(),
            Mood::Calm | Mood::Wild | Mood::Tangled => {}
        }
        match self.rng.random_range(0..100) {
            0..30 => self.bought(),
            30..45 => self.carried(),
            45..65 => self.complained(),
            65..77 => self.spoke(),
            77..90 => self.shared(),
            90..96 => self.browsed(),
            _ => self.nobodys(),
        }
    }

    fn bought(&mut self) -> Draft {
        let Self { rng, cast, .. } = self;
        if rng.random_bool(0.6) {
            let person = cast.person(rng);
            return Draft::new(&TILL, Kind::Service, "purchase", cast.some(person, 3, rng));
        }
        let parcel = cast.parcel(rng);
        let mut values = cast.some(parcel.buyer, 2, rng);
        values.push(parcel.order.clone());
        Draft::new(door(rng), Kind::Service, "purchase", values)
    }

    /// A carrier knows no customers.
    fn carried(&mut self) -> Draft {
        let Self { rng, cast, mood } = self;
        let parcel = cast.parcel(rng);
        let shipment = parcel.shipment(rng);
        if rng.random_bool(0.3) {
            return Draft::new(&CARRIER, Kind::Service, "parcel.scanned", vec![shipment]);
        }
        // In a wild story what belongs to different parcels is put together too.
        let other = match mood {
            Mood::Calm => shipment,
            Mood::Wild | Mood::Tangled => cast.parcel(rng).reference(rng),
        };
        let values = vec![parcel.order.clone(), other];
        Draft::new(&CARRIER, Kind::Service, "parcel.sent", values)
    }

    fn complained(&mut self) -> Draft {
        let Self { rng, cast, mood } = self;
        let any = COMPLAINTS[rng.random_range(0..COMPLAINTS.len())];
        if rng.random_bool(0.4) {
            let person = cast.person(rng);
            return Draft::new(door(rng), Kind::Complaint, any, cast.some(person, 1, rng));
        }
        let parcel = cast.parcel(rng);
        let mut values = vec![parcel.reference(rng)];
        if rng.random_bool(0.7) {
            values.extend(cast.some(parcel.buyer, 1, rng));
        }
        let source = if rng.random_bool(0.2) {
            &CARRIER
        } else {
            door(rng)
        };
        // In a calm story a matter is about one thing, whoever speaks of it.
        let what = match mood {
            Mood::Calm => about(parcel),
            Mood::Wild | Mood::Tangled => any,
        };
        let history = rng.random_bool(0.15);
        Draft {
            history,
            ..Draft::new(source, Kind::Complaint, what, values)
        }
    }

    fn spoke(&mut self) -> Draft {
        let Self { rng, cast, mood } = self;
        let parcel = cast.parcel(rng);
        let mut values = cast.some(parcel.buyer, 1, rng);
        if rng.random_bool(0.8) {
            values.push(parcel.reference(rng));
        }
        match rng.random_range(0..4) {
            0 | 1 => Draft::new(&DESK, Kind::Service, "call.question", values),
            2 => Draft::new(door(rng), Kind::Feedback, "praise.staff", values),
            _ => {
                let least = match mood {
                    Mood::Calm => 4,
                    Mood::Wild | Mood::Tangled => 0,
                };
                let score = Some(rng.random_range(least..11));
                Draft {
                    score,
                    ..Draft::new(door(rng), Kind::Feedback, "survey", values)
                }
            }
        }
    }

    /// What several customers have to do with.
    fn shared(&mut self) -> Draft {
        let Self { rng, cast, .. } = self;
        let mut values = cast.some(cast.person(rng), 1, rng);
        if rng.random_bool(0.4) {
            values.push(cast.parcel(rng).order.clone());
            return Draft::new(&SHOP, Kind::Service, "gift", values);
        }
        values.extend(cast.some(cast.person(rng), 1, rng));
        let source = if rng.random_bool(0.8) { &DESK } else { &SHOP };
        Draft::new(source, Kind::Service, "family", values)
    }

    fn browsed(&mut self) -> Draft {
        let Self { rng, cast, .. } = self;
        let mut values = vec![cast.kiosk.clone()];
        if rng.random_bool(0.6) {
            values.extend(cast.some(rng.random_range(0..2), 1, rng));
        }
        Draft::new(&SHOP, Kind::Service, "browse", values)
    }

    /// Chains, stars, bridges, and things that many share.
    fn tangled(&mut self) -> Draft {
        let Self { rng, cast, .. } = self;
        let person = cast.person(rng);
        let own = &cast.people[person].identifiers;
        let nth = rng.random_range(0..own.len());
        let values = match rng.random_range(0..7) {
            0 | 1 => vec![own[nth].clone(), own[(nth + 1) % own.len()].clone()],
            2 => vec![
                own[0].clone(),
                cast.devices[rng.random_range(0..cast.devices.len())].clone(),
            ],
            3 => vec![own[nth].clone(), cast.kiosk.clone()],
            4 => vec![own[nth].clone(), cast.household.clone()],
            5 => {
                let parcel = cast.parcel(rng);
                vec![
                    parcel.shipment(rng),
                    parcel.ticket.clone(),
                    own[nth].clone(),
                ]
            }
            _ => vec![
                cast.parcel(rng).reference(rng),
                cast.parcel(rng).reference(rng),
            ],
        };
        Draft::new(door(rng), Kind::Service, "visit", values)
    }

    /// What makes no customer, or none that counts.
    fn nobodys(&mut self) -> Draft {
        let Self { rng, cast, .. } = self;
        let parcel = cast.parcel(rng);
        let complaint = |values| Draft::new(&TILL, Kind::Complaint, about(parcel), values);
        match rng.random_range(0..3) {
            0 => complaint(Vec::new()),
            1 => {
                let mut values = cast.some(cast.person(rng), 1, rng);
                values.push(parcel.reference(rng));
                Draft {
                    perspective: Perspective::MysteryShopper,
                    ..complaint(values)
                }
            }
            _ => Draft {
                perspective: Perspective::Test,
                ..complaint(vec![cast.tester.clone()])
            },
        }
    }
}

/// A door that customers use.
fn door(rng: &mut SmallRng) -> &'static Source {
    [&TILL, &DESK, &SHOP][rng.random_range(0..3)]
}

fn about(parcel: &Parcel) -> &'static str {
    COMPLAINTS[usize::from(parcel.order.token.as_bytes()[0]) % COMPLAINTS.len()]
}
