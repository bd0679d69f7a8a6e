//! One customer, or one value, that a fifth of all events is about, against events that are spread evenly. Every event names a set that
//! is new, so that the decider has its share.

use event::{Event, Record};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

use crate::{
    crowd::{self, Crowd, Named},
    engine::Engine,
    known::Taker as _,
    meter::Meter,
    sample::{Figure, Sample},
    workload::Workload,
};

/// One event in so many.
const ONE_IN: u64 = 5;

pub(crate) fn measure(
    workload: &Workload,
    rules: &[Record],
    seed: u64,
) -> anyhow::Result<Vec<(Figure, Sample)>> {
    let crowd = Crowd::like(workload);
    let customers = workload.customers as u64;
    let events = |skew: Figure| -> Vec<Event> {
        let mut rng = SmallRng::seed_from_u64(seed);
        let event = |number: u64| {
            let customer = rng.random_range(0..customers);
            let skewed = number.is_multiple_of(ONE_IN);
            if skewed && skew == Figure::SkewGiant {
                crowd.event(number, customers, Named::OwnDevice)
            } else if skewed && skew == Figure::SkewKiosk {
                crowd.event(number, customer, Named::SharedDevice)
            } else {
                crowd.event(number, customer, Named::OwnDevice)
            }
        };
        (0..workload.events.len() as u64).map(event).collect()
    };
    let mut samples = Vec::new();
    for figure in [Figure::SkewUniform, Figure::SkewGiant, Figure::SkewKiosk] {
        let mut events = events(figure);
        let measured = events.split_off(events.len() / 2);
        let count = measured.len() as u64;
        let mut engine = Engine::told(rules.to_vec(), crowd::NOW);
        engine.take(events);
        engine.forget_what_it_took();
        let meter = Meter::start();
        engine.take(measured);
        let sample = Sample {
            count,
            spent: meter.stop(),
            parts: engine.parts(),
            ..Sample::default()
        };
        samples.push((figure, sample));
    }
    Ok(samples)
}
