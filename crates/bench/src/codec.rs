//! An event to bytes and back.

use std::hint::black_box;

use event::{Record, Topic};

use crate::{
    meter::Meter,
    sample::{Figure, Sample},
    workload::Workload,
};

const EVENTS_MAX: usize = 20_000;

pub(crate) fn measure(workload: &Workload) -> anyhow::Result<Vec<(Figure, Sample)>> {
    let records: Vec<Record> = workload
        .events
        .iter()
        .take(EVENTS_MAX)
        .cloned()
        .map(Record::Event)
        .collect();
    let meter = Meter::start();
    for record in &records {
        black_box(wire::encode(black_box(record)));
    }
    let encoded = meter.stop();

    let values: Vec<_> = workload.records.iter().take(EVENTS_MAX).collect();
    let bytes: usize = values.iter().map(|(_, value)| value.len()).sum();
    let meter = Meter::start();
    for (_, value) in &values {
        black_box(wire::decode(&Topic::Event, black_box(value))?);
    }
    let decoded = meter.stop();

    let count = records.len() as u64;
    let sample = |spent, notes| Sample {
        count,
        spent,
        notes,
        ..Sample::default()
    };
    let note = format!(
        "An event has {} bytes on the wire.",
        bytes / values.len().max(1)
    );
    Ok(vec![
        (Figure::Encode, sample(encoded, vec![note])),
        (Figure::Decode, sample(decoded, Vec::new())),
    ])
}
