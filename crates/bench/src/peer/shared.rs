//! A value that hundreds of thousands of customers share, as the phone in a shop: what it costs the others.

use anyhow::Context as _;
use bytes::Bytes;
use event::{Class, EventId, Name, Record, Token, Value};

use super::{
    PACED, Place, Sizes, at_rate,
    process::{Program, Role},
    trial::{Outcome, Trial},
};
use crate::workload::Workload;

/// One in so many of the events that come at a rate is of the crowd.
const CROWD_ONE_IN: usize = 10;

/// The others' waits where each of a crowd has a phone of its own, and where all share one.
pub(crate) fn measure(
    place: &Place<'_>,
    sizes: &Sizes<'_>,
    workload: &Workload,
) -> anyhow::Result<(Outcome, Outcome)> {
    let rate = *sizes.rates.first().context("there is a rate")?;
    let others = &workload.records[..at_rate(rate, PACED)];
    let trial = |phone: fn(usize) -> usize| {
        let template = &workload.events[0];
        let mut records: Vec<_> = (0..sizes.sharing)
            .map(|customer| one(template, customer, phone(customer)))
            .collect();
        for (place, record) in others.iter().enumerate() {
            if place % CROWD_ONE_IN == 0 {
                let customer = sizes.sharing + place;
                records.push(one(template, customer, phone(customer)));
            } else {
                records.push(record.clone());
            }
        }
        Trial {
            place,
            records: &records,
            ready: sizes.sharing,
            rates: &[rate],
            counts: |place| place % CROWD_ONE_IN != 0,
        }
        .run(&Program::Polku(Role::ExactlyOnce))
    };
    Ok((trial(|customer| customer)?, trial(|_| 0)?))
}

/// An event that names a customer number and a phone.
fn one(template: &event::Event, customer: usize, phone: usize) -> (Bytes, Bytes) {
    let token = |what: &str, number: usize| Token::hash(what, &[&number.to_be_bytes()]);
    let value = |kind: &str, token: Token| Value {
        token,
        class: Class::Identifier,
        kind: Name::new(kind).expect("a type of identifiers"),
    };
    let mut event = template.clone();
    event.id = EventId::new(token("bench crowd event", customer));
    event.content = event.id.token();
    event.anchor = token("bench crowd", customer);
    event.values = vec![
        value("customer_number", event.anchor),
        value("phone", token("bench crowd phone", phone)),
    ];
    let record = Record::Event(event);
    (record.key().into(), wire::encode(&record).into())
}
