//! A small machine that does everything a machine may: counts, fires timers, works a queue off, breaks.

use event::{
    Name, Partition, Time, Token, Topic,
    access::{Access, AccessKind},
    reject::Reject,
    topic::MachineName,
};
use machine::{Effects, Input, Machine, Outcome, Overlay, Shard};
use serde::{Deserialize, Serialize};

use crate::{
    log::{Append, Read, TopicPartition},
    run::{Binding, Written},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Ask {
    Count {
        id: u64,
        customer: u8,
    },
    Wake {
        id: u64,
        due: Time,
    },
    Cancel {
        id: u64,
        due: Time,
    },
    /// So many outputs, five a tick.
    Queue {
        id: u64,
        outputs: u8,
    },
    Panic,
    /// Breaks before it is stepped, while the records of its batch are looked at.
    PanicAhead,
    PanicInTick,
    /// Leaves a row that no record can hold.
    Bloat,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Key {
    Queued(u64),
    Timer(Time, u64),
    Count(u8),
    Seen(u64),
    Bloat,
}

impl machine::Key for Key {}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Row {
    Number(u64),
    Text(String),
}

#[derive(Debug)]
pub(super) struct Counter;

const PANICS_IN_TICK: u64 = u64::MAX;

impl Machine for Counter {
    type Record = Ask;
    type Key = Key;
    type Row = Row;

    fn step(
        &self,
        now: Time,
        _shard: Shard,
        input: Input<Ask>,
        state: &mut Overlay<'_, Key, Row>,
        effects: &mut Effects,
    ) -> Outcome {
        let ask = match input {
            Input::Tick { due } => return tick(due, state, effects),
            Input::Record(ask) => ask,
        };
        match ask {
            Ask::Count { id, customer } => {
                if state.contains(&Key::Seen(id)) {
                    return Outcome::Duplicate;
                }
                state.put(Key::Seen(id), Row::Number(0));
                let count = number(state, &Key::Count(customer)) + 1;
                state.put(Key::Count(customer), Row::Number(count));
                effects.emit(output(
                    now,
                    format!("customer {customer} has {count}: {id}"),
                ));
            }
            Ask::Wake { id, due } => {
                if state.contains(&Key::Seen(id)) {
                    return Outcome::Duplicate;
                }
                state.put(Key::Seen(id), Row::Number(0));
                state.put(Key::Timer(due, id), Row::Number(0));
            }
            Ask::Cancel { id, due } => state.remove(Key::Timer(due, id)),
            Ask::Queue { id, outputs } => {
                if state.contains(&Key::Seen(id)) {
                    return Outcome::Duplicate;
                }
                state.put(Key::Seen(id), Row::Number(0));
                state.put(Key::Queued(id), Row::Number(outputs.into()));
            }
            Ask::Panic => {
                state.put(Key::Count(255), Row::Number(255));
                effects.emit(output(now, "half done".to_owned()));
                panic!("this record breaks an assertion");
            }
            Ask::PanicAhead => unreachable!("it was looked at before"),
            Ask::PanicInTick => state.put(Key::Queued(PANICS_IN_TICK), Row::Number(1)),
            Ask::Bloat => state.put(Key::Bloat, Row::Text("x".repeat(1_000_001))),
        }
        Outcome::Applied
    }

    fn look_ahead(&self, record: &Ask, _keys: &mut Vec<Key>) {
        assert!(*record != Ask::PanicAhead, "this look breaks an assertion");
    }

    fn next_due(&self, state: &Overlay<'_, Key, Row>) -> Option<Time> {
        match state.range(..).next() {
            Some((Key::Queued(_), _)) => Some(Time::MIN),
            Some((Key::Timer(due, _), _)) => Some(*due),
            Some((Key::Count(_) | Key::Seen(_) | Key::Bloat, _)) | None => None,
        }
    }
}

fn tick(due: Time, state: &mut Overlay<'_, Key, Row>, effects: &mut Effects) -> Outcome {
    let queued = state.range(..Key::Timer(Time::MIN, 0)).next();
    if let Some((Key::Queued(id), _)) = queued {
        let id = *id;
        assert!(id != PANICS_IN_TICK, "this tick breaks an assertion");
        let left = number(state, &Key::Queued(id));
        let rest = left.saturating_sub(5);
        for index in rest..left {
            effects.emit(output(Time::MIN, format!("queue {id}: {index}")));
        }
        if rest == 0 {
            state.remove(Key::Queued(id));
        } else {
            state.put(Key::Queued(id), Row::Number(rest));
        }
    }
    let fired: Vec<_> = state
        .range(Key::Timer(Time::MIN, 0)..=Key::Timer(due, u64::MAX))
        .map(|(key, _)| key.clone())
        .collect();
    for key in fired {
        if let Key::Timer(at, id) = &key {
            effects.emit(output(*at, format!("timer {id} at {}", at.as_millis())));
        }
        state.remove(key);
    }
    Outcome::Ticked
}

fn number(state: &Overlay<'_, Key, Row>, key: &Key) -> u64 {
    match state.get(key) {
        Some(Row::Number(number)) => *number,
        Some(Row::Text(_)) | None => 0,
    }
}

fn output(time: Time, text: String) -> event::Record {
    event::Record::Access(Access {
        credential: Name::new("counter").unwrap(),
        time,
        what: AccessKind::Search,
        profile: None,
        reason: Some(text),
    })
}

pub(super) fn binding() -> Binding<Counter> {
    Binding::new(
        MachineName::Cases,
        vec![Topic::CaseInput],
        1,
        decode,
        encode,
    )
}

fn decode(read: &Read) -> Result<Ask, String> {
    let value = read.value.as_deref().ok_or("it has no value")?;
    postcard::from_bytes(value).map_err(|error| error.to_string())
}

fn encode(record: &event::Record, partitions: u32, to: &mut Vec<u8>) -> Written {
    let value = if let event::Record::Reject(reject) = record {
        postcard::to_stdvec(reject).unwrap()
    } else if let event::Record::Access(access) = record {
        access.reason.clone().unwrap().into_bytes()
    } else {
        panic!("the counter puts out no {record:?}");
    };
    let append = Append::keyed(record.topic(), record.key(), Some(value), partitions);
    Written::copy(&append, to)
}

pub(super) fn ask(partition: u32, ask: &Ask) -> Append {
    raw(partition, &postcard::to_stdvec(ask).unwrap())
}

pub(super) fn raw(partition: u32, value: &[u8]) -> Append {
    let key = Token::hash("test", &[value]);
    Append {
        at: TopicPartition::new(Topic::CaseInput, Partition(partition)),
        key: key.as_bytes().to_vec().into(),
        value: Some(value.to_vec().into()),
    }
}

pub(super) fn reject(read: &Read) -> Reject {
    postcard::from_bytes(read.value.as_deref().unwrap()).unwrap()
}
