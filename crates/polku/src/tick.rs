//! Tells the decider the time, so that what expires does so at the same place of the log in every replay.

use std::{thread, time::Duration};

use event::{
    Millis, Record, Time,
    link::{Link, Tick},
};
use futures::executor::block_on;
use service::{clock::Clock, shutdown::Shutdown};
use stream::log::SharedLog;

use crate::binding;

/// How exactly anything expires.
const EVERY: Millis = Millis::from_hours(1);
/// How soon the end of the process, or of an hour, is noticed.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Appends one record an hour until the process stops, the first at once. Several processes may: an hour that the decider has heard
/// of tells it nothing.
pub(crate) fn run(log: &SharedLog, partitions: u32, clock: &Clock, shutdown: &Shutdown) {
    let mut told = None;
    while !shutdown.is_stopping() {
        let hour = Time::from_millis(clock()).floor_to(EVERY);
        if told != Some(hour) {
            let record = Record::Link(Link::Tick(Tick { time: hour }));
            match block_on(log.append(vec![binding::encode(&record, partitions)])) {
                Ok(()) => told = Some(hour),
                Err(error) => tracing::warn!(%error, "telling the decider the time; trying again"),
            }
        }
        thread::park_timeout(LOOK_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        sync::{
            Arc,
            atomic::{AtomicI64, Ordering},
        },
    };

    use event::{Partition, Topic};
    use stream::{Log as _, Offset, TopicPartition, simulated::Simulated};

    use super::*;
    use crate::topics;

    #[test]
    fn every_hour_is_told_once() {
        let log = Simulated::new(1);
        topics::apply(&log, 1).unwrap();
        let at = TopicPartition::new(Topic::IdentityLink, Partition(0));
        let mut reader = log.read(BTreeMap::from([(at, Offset::START)])).unwrap();
        let shared: SharedLog = Arc::new(log.clone());
        let now = Arc::new(AtomicI64::new(EVERY.as_millis() * 7 + 5));
        let (read, shutdown) = (Arc::clone(&now), Shutdown::new());
        let clock: Clock = Arc::new(move || read.load(Ordering::Acquire));
        let stop = shutdown.clone();
        let thread = thread::spawn(move || run(&shared, 1, &clock, &stop));

        let mut told = Vec::new();
        let started = service::clock::instant();
        while told.len() < 3 {
            assert!(started.elapsed() < Duration::from_secs(30), "{told:?}");
            for read in reader.poll(10, Duration::from_millis(10)).unwrap() {
                let record = wire::decode(&Topic::IdentityLink, &read.value.unwrap()).unwrap();
                let Record::Link(Link::Tick(tick)) = record else {
                    panic!("{record:?}")
                };
                told.push(tick.time.as_millis() / EVERY.as_millis());
                now.fetch_add(EVERY.as_millis(), Ordering::AcqRel);
                thread.thread().unpark();
            }
        }
        shutdown.stop();
        thread.join().unwrap();
        assert_eq!(told, [7, 8, 9]);
    }
}
