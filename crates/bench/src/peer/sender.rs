//! Events into the topic, all at once or at a rate.

use std::{
    collections::{HashMap, HashSet},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bytes::Bytes;
use event::{Token, Topic};
use futures::{executor::block_on, future::join_all};
use stream::{Append, SharedLog};

/// Events appended at once where there is no rate.
const FILL: usize = 5_000;
/// How often a rate's share is sent.
const TICK: Duration = Duration::from_millis(5);
/// The Confluent wire format: a zero and the schema's id. An event's id comes first after it.
const HEADER: usize = 5;

pub(crate) type Records<'a> = &'a [(Bytes, Bytes)];

pub(crate) fn event_of(value: &Bytes) -> anyhow::Result<Token> {
    let id = value.get(HEADER..HEADER + Token::LEN);
    let id: [u8; Token::LEN] = id.context("an event has an id")?.try_into()?;
    Ok(Token::new(id))
}

pub(crate) fn distinct(records: Records<'_>) -> anyhow::Result<HashSet<Token>> {
    records.iter().map(|(_, value)| event_of(value)).collect()
}

pub(crate) fn fill(log: &SharedLog, records: Records<'_>, partitions: u32) -> anyhow::Result<()> {
    for some in records.chunks(FILL) {
        block_on(log.append(appends(some, partitions)))?;
    }
    Ok(())
}

/// Sends so many a second; when each event was sent that was not `known` before.
pub(crate) fn pace(
    log: &SharedLog,
    records: Records<'_>,
    partitions: u32,
    rate: usize,
    mut known: HashSet<Token>,
) -> anyhow::Result<HashMap<Token, (usize, Instant)>> {
    let began = service::clock::instant();
    let mut sent = HashMap::new();
    let mut waiting = Vec::new();
    let mut next = 0;
    while next < records.len() {
        let due = (began.elapsed().as_secs_f64() * rate as f64) as usize;
        let some = &records[next..due.clamp(next, records.len())];
        let now = service::clock::instant();
        for (place, (_, value)) in some.iter().enumerate() {
            let event = event_of(value)?;
            if known.insert(event) {
                sent.insert(event, (next + place, now));
            }
        }
        next += some.len();
        if !some.is_empty() {
            waiting.push(log.append(appends(some, partitions)));
        }
        thread::park_timeout(TICK);
    }
    for done in block_on(join_all(waiting)) {
        done?;
    }
    Ok(sent)
}

fn appends(records: Records<'_>, partitions: u32) -> Vec<Append> {
    let append = |(key, value): &(Bytes, Bytes)| {
        Append::keyed(Topic::Event, key.to_vec(), Some(value.to_vec()), partitions)
    };
    records.iter().map(append).collect()
}
