//! The embedded log: how many records a second it takes and gives back, and how long whoever appends waits.

use std::{collections::BTreeMap, fs::File, io::Write as _, path::Path, thread, time::Duration};

use anyhow::{Context as _, ensure};
use event::{Partition, Topic};
use futures::executor::block_on;
use stream::{
    Append, Log, Offset, TopicPartition,
    embedded::{Embedded, Options},
};

use crate::{
    company::Company,
    meter::Meter,
    sample::{Figure, Sample},
    workload::Workload,
};

/// How much is appended in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) fsyncs: usize,
    /// By each writer, one record each.
    pub(crate) appends: usize,
    /// By all writers together, in appends of a thousand.
    pub(crate) records: usize,
}

const WRITERS: usize = 8;
const MANY: usize = 1_000;

pub(crate) fn measure(
    company: &Company,
    workload: &Workload,
    sizes: Sizes,
) -> anyhow::Result<Vec<(Figure, Sample)>> {
    let directory = company.directory()?;
    let mut samples = vec![(Figure::Fsync, fsync(directory.path(), sizes.fsyncs)?)];
    let many = sizes.records.div_ceil(MANY);
    for (figure, writers, appends, records) in [
        (Figure::AppendOne, 1, sizes.appends, 1),
        (Figure::AppendOneByEight, WRITERS, sizes.appends, 1),
        (Figure::AppendThousand, 1, many, MANY),
    ] {
        let directory = company.directory()?;
        let sample = append(
            directory.path(),
            company,
            workload,
            (writers, appends, records),
        )?;
        samples.push((figure, sample));
    }
    let directory = company.directory()?;
    let shape = (WRITERS, many.div_ceil(WRITERS), MANY);
    let sample = append(directory.path(), company, workload, shape)?;
    let back = read_back(directory.path(), company, sample.count)?;
    samples.push((Figure::AppendThousandByEight, sample));
    samples.push((Figure::ReadBack, back));
    Ok(samples)
}

/// What one acknowledgement costs at least.
fn fsync(directory: &Path, fsyncs: usize) -> anyhow::Result<Sample> {
    let mut file = File::create(directory.join("floor")).context("making a file")?;
    let mut waits = Vec::with_capacity(fsyncs);
    let meter = Meter::start();
    for _ in 0..fsyncs {
        let began = service::clock::instant();
        file.write_all(&[0x5a; 4_096]).context("writing")?;
        file.sync_data().context("syncing")?;
        waits.push(began.elapsed());
    }
    Ok(Sample {
        count: fsyncs as u64,
        spent: meter.stop(),
        waits,
        ..Sample::default()
    })
}

/// So many writers append so often so many records, each as soon as its last append was acknowledged.
fn append(
    directory: &Path,
    company: &Company,
    workload: &Workload,
    (writers, appends, records): (usize, usize, usize),
) -> anyhow::Result<Sample> {
    let log = Embedded::open(directory, Options::default())?;
    let partitions = company.partitions();
    company.prepare(log.as_ref(), partitions)?;
    let mut source = workload.records.iter().cycle();
    let work: Vec<Vec<Vec<Append>>> = (0..writers)
        .map(|_| {
            (0..appends)
                .map(|_| {
                    let some = source.by_ref().take(records);
                    some.map(|(key, value)| {
                        let (key, value) = (key.to_vec(), value.to_vec());
                        Append::keyed(Topic::Event, key, Some(value), partitions)
                    })
                    .collect()
                })
                .collect()
        })
        .collect();
    let meter = Meter::start();
    let waits = thread::scope(|scope| {
        let log = log.as_ref();
        let writers: Vec<_> = work
            .into_iter()
            .map(|appends| scope.spawn(move || write(log, appends)))
            .collect();
        let mut waits = Vec::new();
        for writer in writers {
            waits.extend(writer.join().expect("a writer does not panic")?);
        }
        Ok::<_, stream::Error>(waits)
    })?;
    Ok(Sample {
        count: (writers * appends * records) as u64,
        spent: meter.stop(),
        waits,
        ..Sample::default()
    })
}

fn write(log: &dyn Log, appends: Vec<Vec<Append>>) -> Result<Vec<Duration>, stream::Error> {
    let mut waits = Vec::with_capacity(appends.len());
    for records in appends {
        let began = service::clock::instant();
        block_on(log.append(records))?;
        waits.push(began.elapsed());
    }
    Ok(waits)
}

/// Opens the log anew, so that nothing of it is in the memory of this process, and reads all events.
fn read_back(directory: &Path, company: &Company, expected: u64) -> anyhow::Result<Sample> {
    let log = Embedded::open(directory, Options::default())?;
    let all: BTreeMap<_, _> = Partition::all(company.partitions())
        .map(|partition| (TopicPartition::new(Topic::Event, partition), Offset::START))
        .collect();
    let meter = Meter::start();
    let mut reader = log.read(all)?;
    let mut count = 0;
    while count < expected {
        let reads = reader.poll(10_000, Duration::ZERO)?;
        ensure!(
            !reads.is_empty(),
            "the log gave back {count} of {expected} records"
        );
        count += reads.len() as u64;
    }
    Ok(Sample {
        count,
        spent: meter.stop(),
        ..Sample::default()
    })
}
