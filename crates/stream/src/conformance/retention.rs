use std::collections::BTreeMap;

use bytes::Bytes;
use event::{Partition, Topic, topic::MachineName};

use super::{
    Fixture,
    trial::{Trial, at, put, values},
};
use crate::log::{Append, Offset, RECORD_BYTES_MAX, Read};

pub fn compaction_keeps_the_last_record_of_a_key(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let state = at(Topic::State(MachineName::Cases), 0);
    let kept = at(Topic::Event, 0);
    for round in 0..20 {
        let mut records = vec![put(&kept, "same", &round.to_string())];
        for key in 0..5 {
            records.push(put(&state, &key.to_string(), &format!("{round} {key}")));
        }
        trial.append(records).expect("it is taken");
    }
    let removed = Append {
        value: None,
        ..put(&state, "4", "")
    };
    trial.append(vec![removed]).expect("it is taken");
    fixture.settle();
    fixture.compact();
    let reads = trial.all(&state);
    assert!(reads.is_sorted_by(|a, b| a.offset < b.offset), "{reads:?}");
    let mut rows = BTreeMap::new();
    for read in reads {
        match read.value {
            Some(value) => rows.insert(read.key, value),
            None => rows.remove(&read.key),
        };
    }
    let expected: BTreeMap<_, _> = (0..4)
        .map(|key| {
            (
                Bytes::from(key.to_string()),
                Bytes::from(format!("19 {key}")),
            )
        })
        .collect();
    assert_eq!(rows, expected);
    // A topic that is not compacted keeps them all.
    assert_eq!(trial.all(&kept).len(), 20);
}

/// Ten records in `case.input`, of which those below the sixth are committed as read.
fn half_read(trial: &Trial<'_>) -> Vec<Read> {
    let input = at(Topic::CaseInput, 1);
    let records = (0..10).map(|number| put(&input, "key", &number.to_string()));
    trial.append(records.collect()).expect("it is taken");
    let reads = trial.all(&input);
    let mut cases = trial.join_alone(MachineName::Cases);
    let next = cases.next(Partition(1), reads[5].offset.0);
    cases.commit(Vec::new(), next).expect("it is taken");
    reads
}

pub fn trimming_lets_go_of_what_lies_below_and_nothing_else(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let input = at(Topic::CaseInput, 1);
    let reads = half_read(&trial);
    fixture.compact();
    assert_eq!(trial.all(&input), reads, "before anybody asked");
    let below = reads[3].offset;
    trial.log.trim(&input, below).expect("it is committed");
    let start = trial.log.start(&input).expect("it exists");
    assert!(
        reads[2].offset < start && start <= below,
        "{start} for {below}"
    );
    assert_eq!(trial.all(&input), reads[3..]);
    let trial = trial.restart();
    assert_eq!(trial.all(&input), reads[3..]);
}

pub fn trimming_above_the_committed_offset_is_refused(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let input = at(Topic::CaseInput, 1);
    let reads = half_read(&trial);
    assert!(trial.log.trim(&input, reads[6].offset).is_err());
    let uncommitted = at(Topic::CaseInput, 2);
    assert!(trial.log.trim(&uncommitted, Offset(1)).is_err());
    let kept = at(Topic::Event, 0);
    trial
        .append(vec![put(&kept, "key", "value")])
        .expect("it is taken");
    assert!(trial.log.trim(&kept, Offset(1)).is_err());
    assert_eq!(trial.all(&input), reads);
    assert_eq!(trial.values(&kept), ["value"]);
}

pub fn reading_below_the_first_kept_offset_is_an_error(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let input = at(Topic::CaseInput, 1);
    let reads = half_read(&trial);
    trial
        .log
        .trim(&input, reads[4].offset)
        .expect("it is committed");
    let mut found = Vec::new();
    match trial.log.read(BTreeMap::from([(input, reads[1].offset)])) {
        Err(_) => return,
        Ok(mut reader) => {
            for _ in 0..50 {
                match reader.poll(1_000, trial.wait()) {
                    Err(_) => return,
                    Ok(more) => found.extend(more),
                }
            }
        }
    }
    panic!(
        "records were passed over without a word: {:?}",
        values(&found)
    );
}

pub fn a_record_over_the_limit_is_refused(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let event = at(Topic::Event, 0);
    let sized = |bytes: usize| put(&event, "key", &"x".repeat(bytes - "key".len()));
    assert!(trial.append(vec![sized(RECORD_BYTES_MAX + 1)]).is_err());
    trial
        .append(vec![sized(RECORD_BYTES_MAX)])
        .expect("as large as it may be");
    let reads = trial.all(&event);
    assert_eq!(reads.len(), 1);
    let length = reads[0].value.as_ref().map_or(0, Bytes::len);
    assert_eq!(length + reads[0].key.len(), RECORD_BYTES_MAX);
}
