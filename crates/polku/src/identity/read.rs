//! A topic read from its start to its present end, by tools that own nothing of it.

use std::{collections::BTreeMap, time::Duration};

use anyhow::ensure;
use event::{Partition, Record, Topic};
use stream::{Log, Offset, Read, TopicPartition, log::End};

const BATCH_RECORDS_MAX: usize = 5_000;
const POLL_WAIT: Duration = Duration::from_millis(200);
/// How long the log may give nothing before its end is reached.
const QUIET_MAX: Duration = Duration::from_secs(30);

/// Takes every record that the topic has now, each partition's in order. Answers how many did not decode.
///
/// # Errors
/// When the log cannot be read.
pub fn each(log: &dyn Log, topic: &Topic, mut take: impl FnMut(Record)) -> anyhow::Result<u64> {
    let Some(spec) = log.topics()?.into_iter().find(|spec| spec.topic == *topic) else {
        return Ok(0);
    };
    let mut from: BTreeMap<TopicPartition, Offset> = BTreeMap::new();
    let mut ends: BTreeMap<TopicPartition, Offset> = BTreeMap::new();
    for partition in Partition::all(spec.partitions) {
        let at = TopicPartition::new(topic.clone(), partition);
        from.insert(at.clone(), log.start(&at)?);
        ends.insert(at.clone(), log.end(&at, End::Committed)?);
    }
    let mut reader = log.read(from)?;
    let mut unreadable = 0;
    let mut heard = service::clock::instant();
    loop {
        let mut reached = true;
        for (at, end) in &ends {
            reached &= reader.position(at)? >= *end;
        }
        if reached {
            return Ok(unreadable);
        }
        let reads = reader.poll(BATCH_RECORDS_MAX, POLL_WAIT)?;
        if !reads.is_empty() {
            heard = service::clock::instant();
        }
        ensure!(
            heard.elapsed() < QUIET_MAX,
            "{topic} could not be read to its end: nothing came for {} s",
            QUIET_MAX.as_secs()
        );
        for Read { value, .. } in reads {
            match value.map(|value| wire::decode(topic, &value)) {
                Some(Ok(record)) => take(record),
                Some(Err(_)) => unreadable += 1,
                None => {}
            }
        }
    }
}
