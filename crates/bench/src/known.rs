//! The steady state: customers whose every set of values was named before, so that nothing is left to decide.

use event::{Event, Record};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

use crate::{
    crowd::{Crowd, Named},
    engine::Engine,
    floor,
    meter::Meter,
    sample::{Figure, Sample},
    workload::Workload,
};

/// The engine and its floor over the same events.
pub(crate) fn measure(
    workload: &Workload,
    rules: Vec<Record>,
    seed: u64,
) -> anyhow::Result<Vec<(Figure, Sample)>> {
    let crowd = Crowd::like(workload);
    let customers = workload.customers as u64;
    // Each customer says each of the three sets once.
    let first: Vec<Event> = (0..3 * customers)
        .map(|number| crowd.event(number, number / 3, Named::Known))
        .collect();
    let mut rng = SmallRng::seed_from_u64(seed);
    let count = workload.events.len() as u64;
    let again: Vec<Event> = (first.len() as u64..)
        .take(workload.events.len())
        .map(|number| crowd.event(number, rng.random_range(0..customers), Named::Known))
        .collect();

    let floor = floor::over(&first, &again);
    let mut engine = Engine::told(rules);
    engine.take(first);
    engine.forget_what_it_took();
    let meter = Meter::start();
    engine.take(again);
    let spent = meter.stop();
    let sample = Sample {
        count,
        spent,
        parts: engine.parts(),
        notes: vec![format!(
            "Known customers: {}",
            engine.note(usize::try_from(count)?)
        )],
        ..Sample::default()
    };
    Ok(vec![
        (Figure::FloorKnown, floor),
        (Figure::EngineKnown, sample),
    ])
}
