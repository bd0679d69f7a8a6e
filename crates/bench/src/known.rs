//! The steady state: customers whose every set of values was named before, so that nothing is left to decide.
//!
//! One event in five is an order, which begins a promise and sets its timer; the others are purchases. They are made just before they are
//! taken, as a decoder would, and only what takes them is measured.

use std::ops::Range;

use event::{Event, Name, Record};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

use crate::{
    crowd::{self, Crowd, Named},
    engine::{BATCH, Engine},
    floor::Floor,
    meter::{Meter, Spent},
    sample::{Figure, Sample},
    workload::Workload,
};

/// One event in so many is an order.
const ORDER_ONE_IN: u64 = 5;

/// The engine and its floor over the same events.
pub(crate) fn measure(
    workload: &Workload,
    rules: Vec<Record>,
    seed: u64,
) -> anyhow::Result<Vec<(Figure, Sample)>> {
    let steady = Steady {
        crowd: Crowd::like(workload),
        customers: workload.customers as u64,
        count: workload.events.len() as u64,
        seed,
    };
    let floor = Sample {
        count: steady.count,
        spent: steady.spent_by(&mut Floor::default()),
        ..Sample::default()
    };
    let mut engine = Engine::told(rules, crowd::NOW);
    let spent = steady.spent_by(&mut engine);
    let note = engine.note(workload.events.len());
    let engine = Sample {
        count: steady.count,
        spent,
        parts: engine.parts(),
        notes: vec![format!("Known customers: {note}")],
        ..Sample::default()
    };
    Ok(vec![
        (Figure::FloorKnown, floor),
        (Figure::EngineKnown, engine),
    ])
}

/// Whatever takes events.
pub(crate) trait Taker {
    fn take(&mut self, events: Vec<Event>);

    fn forget_what_it_took(&mut self);
}

struct Steady {
    crowd: Crowd,
    customers: u64,
    count: u64,
    seed: u64,
}

impl Steady {
    /// What all events take but the first ones, in which each customer says each of the three sets once.
    fn spent_by(&self, taker: &mut impl Taker) -> Spent {
        let first = 3 * self.customers;
        for some in batches(0..first) {
            taker.take(some.map(|number| self.event(number, number / 3)).collect());
        }
        taker.forget_what_it_took();
        let mut rng = SmallRng::seed_from_u64(self.seed);
        let mut spent = Spent::default();
        for some in batches(first..first + self.count) {
            let event = |number| self.event(number, rng.random_range(0..self.customers));
            let events = some.map(event).collect();
            let meter = Meter::start();
            taker.take(events);
            spent += meter.stop();
        }
        spent
    }

    fn event(&self, number: u64, customer: u64) -> Event {
        let mut event = self.crowd.event(number, customer, Named::Known);
        if !number.is_multiple_of(ORDER_ONE_IN) {
            event.name = Name::new("purchase.made").expect("the name of a type");
        }
        event
    }
}

fn batches(all: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let end = all.end;
    all.step_by(BATCH)
        .map(move |first| first..end.min(first + BATCH as u64))
}
