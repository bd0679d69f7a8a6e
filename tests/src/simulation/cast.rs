//! Who the customers are, and what is named of them.

use event::{Class, Token, Value};
use rand::{Rng as _, rngs::SmallRng};

use super::company::name;

/// In order of strength, identifiers first.
const TYPES: [&str; 8] = [
    "customer_number",
    "loyalty_card",
    "email",
    "phone",
    "device",
    "order",
    "shipment",
    "ticket",
];
const IDENTIFIERS: usize = 5;

pub(super) struct Cast {
    salt: u64,
    pub(super) people: Vec<Person>,
    pub(super) parcels: Vec<Parcel>,
    /// A device that several customers use, until it is blocked.
    pub(super) kiosk: Value,
    /// The telephone of a household.
    pub(super) household: Value,
    /// Devices that anybody may have, so that somebody comes to have too many.
    pub(super) devices: Vec<Value>,
    /// Walks the path to test it.
    pub(super) tester: Value,
}

pub(super) struct Person {
    /// The strongest first.
    pub(super) identifiers: Vec<Value>,
}

/// What somebody bought.
pub(super) struct Parcel {
    pub(super) buyer: usize,
    pub(super) order: Value,
    pub(super) shipments: Vec<Value>,
    pub(super) ticket: Value,
}

impl Parcel {
    pub(super) fn shipment(&self, rng: &mut SmallRng) -> Value {
        self.shipments[rng.random_range(0..self.shipments.len())].clone()
    }

    /// By what somebody speaks of it.
    pub(super) fn reference(&self, rng: &mut SmallRng) -> Value {
        match rng.random_range(0..3) {
            0 => self.order.clone(),
            1 => self.shipment(rng),
            _ => self.ticket.clone(),
        }
    }
}

impl Cast {
    pub(super) fn new(salt: u64, rng: &mut SmallRng) -> Self {
        let value = |kind: &str, text: String| value(salt, kind, &text);
        let people: Vec<Person> = (0..rng.random_range(3..6))
            .map(|person| {
                let mut identifiers = Vec::new();
                for (kind, count) in [
                    ("customer_number", rng.random_range(0..4_usize).min(1)),
                    ("loyalty_card", usize::from(rng.random_bool(0.3))),
                    ("email", rng.random_range(1..3)),
                    ("phone", rng.random_range(0..3)),
                    ("device", rng.random_range(0..2)),
                ] {
                    let all = (0..count).map(|nth| value(kind, format!("{person}.{nth}")));
                    identifiers.extend(all);
                }
                Person { identifiers }
            })
            .collect();
        let parcels = (0..rng.random_range(3..7))
            .map(|parcel| Parcel {
                buyer: rng.random_range(0..people.len()),
                order: value("order", parcel.to_string()),
                shipments: (0..rng.random_range(1..3))
                    .map(|nth| value("shipment", format!("{parcel}.{nth}")))
                    .collect(),
                ticket: value("ticket", parcel.to_string()),
            })
            .collect();
        Self {
            salt,
            people,
            parcels,
            kiosk: value("device", "kiosk".to_owned()),
            household: value("phone", "household".to_owned()),
            devices: (0..6)
                .map(|nth| value("device", format!("any.{nth}")))
                .collect(),
            tester: value("email", "tester".to_owned()),
        }
    }

    /// A token of the story's own, for whatever needs an id.
    pub(super) fn token(&self, kind: &str, number: usize) -> Token {
        Token::hash(kind, &[&self.salt.to_be_bytes(), &number.to_be_bytes()])
    }

    pub(super) fn person(&self, rng: &mut SmallRng) -> usize {
        rng.random_range(0..self.people.len())
    }

    pub(super) fn parcel(&self, rng: &mut SmallRng) -> &Parcel {
        &self.parcels[rng.random_range(0..self.parcels.len())]
    }

    /// Some of a person's identifiers.
    pub(super) fn some(&self, person: usize, count_max: usize, rng: &mut SmallRng) -> Vec<Value> {
        let identifiers = &self.people[person].identifiers;
        let count = rng.random_range(1..=count_max);
        (0..count)
            .map(|_| identifiers[rng.random_range(0..identifiers.len())].clone())
            .collect()
    }

    /// Whose an identifier is. The kiosk and the tester are people of their own.
    pub(super) fn whose(&self, token: Token) -> usize {
        let has = |person: &Person| person.identifiers.iter().any(|value| value.token == token);
        match self.people.iter().position(has) {
            Some(person) => person,
            None if token == self.kiosk.token => self.people.len(),
            None => self.people.len() + 1,
        }
    }
}

fn value(salt: u64, kind: &str, text: &str) -> Value {
    let is_identifier = TYPES[..IDENTIFIERS].contains(&kind);
    Value {
        token: Token::hash(kind, &[&salt.to_be_bytes(), text.as_bytes()]),
        class: if is_identifier {
            Class::Identifier
        } else {
            Class::Reference
        },
        kind: name(kind),
    }
}

/// The place of a value's type in the order of strength.
pub(super) fn rank(value: &Value) -> usize {
    let place = TYPES.iter().position(|kind| *kind == value.kind.as_str());
    place.expect("the cast has values of these types only")
}

/// The strongest first, each once, as the door leaves them.
pub(super) fn in_order(mut values: Vec<Value>) -> Vec<Value> {
    values.sort_by_key(|value| (rank(value), value.token));
    values.dedup();
    values
}
