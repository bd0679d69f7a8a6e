use std::{collections::BTreeMap, time::Duration};

use event::{Topic, topic::MachineName};

use super::{
    Fixture,
    trial::{Trial, at, put, values},
};
use crate::log::{End, Offset};

pub fn a_partition_is_read_in_the_order_it_was_appended(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let partitions = [at(Topic::Event, 0), at(Topic::Event, 3)];
    for batch in 0..4 {
        let records = partitions.iter().flat_map(|at| {
            (0..5).map(move |number| put(at, "key", &format!("{at} {batch} {number}")))
        });
        trial.append(records.collect()).expect("it is taken");
    }
    for at in &partitions {
        let expected: Vec<_> = (0..4)
            .flat_map(|batch| (0..5).map(move |number| format!("{at} {batch} {number}")))
            .collect();
        let reads = trial.all(at);
        assert_eq!(values(&reads), expected);
        assert!(reads.is_sorted_by_key(|read| read.time), "{reads:?}");
        assert!(reads.iter().all(|read| read.at == *at && read.key == "key"));
    }
    assert_eq!(trial.values(&at(Topic::Event, 1)), Vec::<String>::new());
}

pub fn offsets_grow_and_reading_goes_on_from_any_of_them(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let at = at(Topic::Event, 1);
    let records = (0..20).map(|number| put(&at, "key", &number.to_string()));
    trial.append(records.collect()).expect("it is taken");
    let reads = trial.all(&at);
    assert_eq!(reads.len(), 20);
    assert!(reads.is_sorted_by(|a, b| a.offset < b.offset), "{reads:?}");
    for index in [0, 7, 19] {
        let offset = reads[index].offset;
        assert_eq!(trial.all_from(&at, offset), reads[index..]);
        assert_eq!(trial.all_from(&at, offset.next()), reads[index + 1..]);
    }
}

pub fn a_reader_comes_to_the_written_end_over_gaps(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let state = at(Topic::State(MachineName::Cases), 2);
    let empty = at(Topic::State(MachineName::Cases), 0);
    let mut reader = trial
        .log
        .read(BTreeMap::from([(state.clone(), Offset::START)]))
        .expect("the partition exists");
    let mut cases = trial.join_alone(MachineName::Cases);
    for round in 0..3 {
        let next = cases.next(state.partition, round);
        cases
            .commit(vec![put(&state, "key", &round.to_string())], next)
            .expect("it is taken");
        // All of it is read, so that only what a commit leaves behind its records can lie before the end.
        assert_eq!(trial.values(&state).last(), Some(&round.to_string()));
        let written = trial.log.end(&state, End::Written).expect("it exists");
        let committed = trial.log.end(&state, End::Committed).expect("it exists");
        assert_eq!(committed, written);
        for end in [End::Written, End::Committed] {
            let ends = trial.log.ends(&[state.clone(), empty.clone()], end);
            let expected = [(state.clone(), written), (empty.clone(), Offset::START)];
            assert_eq!(ends.expect("they exist"), BTreeMap::from(expected));
        }
        let mut polls = 0;
        while reader.position(&state).expect("it is read") < written {
            assert!(polls < 50, "the reader stays below {written}");
            reader.poll(1_000, trial.wait()).expect("it can be read");
            polls += 1;
        }
    }
    assert_eq!(trial.all(&empty), []);
}

/// A sender that does not know whether an append was taken repeats it: the log does not guess which are the same.
pub fn a_repeated_append_is_there_twice(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let at = at(Topic::Event, 0);
    for _ in 0..2 {
        trial
            .append(vec![put(&at, "key", "same")])
            .expect("it is taken");
    }
    assert_eq!(trial.values(&at), ["same", "same"]);
}

pub fn a_poll_gives_no_more_than_was_asked_for(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let at = at(Topic::Event, 0);
    let records = (0..10).map(|number| put(&at, "key", &number.to_string()));
    trial.append(records.collect()).expect("it is taken");
    assert_eq!(trial.values(&at).len(), 10);
    let mut reader = trial
        .log
        .read(BTreeMap::from([(at, Offset::START)]))
        .expect("the partition exists");
    let mut reads = Vec::new();
    for _ in 0..50 {
        let more = reader.poll(3, trial.wait()).expect("it can be read");
        assert!(more.len() <= 3, "{more:?}");
        reads.extend(more);
        if reads.len() == 10 {
            break;
        }
    }
    assert_eq!(reads.len(), 10);
    assert_eq!(reader.poll(3, Duration::ZERO).expect("it can be read"), []);
}
