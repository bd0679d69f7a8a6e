use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use event::{Partition, Topic, topic::MachineName};

use super::{
    Fixture,
    trial::{PARTITIONS, Trial, at, put, values},
};
use crate::log::Offset;

pub fn a_commit_takes_records_state_and_offsets_together(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let mut cases = trial.join_alone(MachineName::Cases);
    let mut appends = Vec::new();
    let mut next = BTreeMap::new();
    for number in 0..PARTITIONS {
        appends.push(put(&at(Topic::Case, number), "case", "case"));
        let state = at(Topic::State(MachineName::Cases), number);
        appends.push(put(&state, "state", "state"));
        let outcome = at(Topic::CommandOutcome, number);
        appends.push(put(&outcome, "outcome", "outcome"));
        next.extend(cases.next(Partition(number), 0));
    }
    cases.commit(appends, next.clone()).expect("it is taken");
    for number in 0..PARTITIONS {
        for (topic, value) in [
            (Topic::Case, "case"),
            (Topic::State(MachineName::Cases), "state"),
            (Topic::CommandOutcome, "outcome"),
        ] {
            assert_eq!(trial.values(&at(topic, number)), [value], "in {number}");
        }
        let committed = cases
            .member
            .committed(Partition(number))
            .expect("it is held");
        assert_eq!(committed, cases.next(Partition(number), 0));
    }
}

pub fn each_record_of_a_commit_is_there_once_and_in_order(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let mut cases = trial.join_alone(MachineName::Cases);
    let case = at(Topic::Case, 1);
    let mut expected = Vec::new();
    for commit in 0..5 {
        let values: Vec<_> = (0..10).map(|number| format!("{commit} {number}")).collect();
        let appends = values
            .iter()
            .map(|value| put(&case, value, value))
            .collect();
        let next = cases.next(Partition(1), 0);
        cases.commit(appends, next).expect("it is taken");
        expected.extend(values);
    }
    assert_eq!(trial.values(&case), expected);
}

/// An empty list would not be fenced by the broker, so that a zombie's commit would pass.
pub fn a_commit_without_offsets_is_refused(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let mut cases = trial.join_alone(MachineName::Cases);
    let case = at(Topic::Case, 0);
    let appends = vec![put(&case, "key", "value")];
    let committed = catch_unwind(AssertUnwindSafe(|| cases.commit(appends, BTreeMap::new())));
    assert!(
        !matches!(committed, Ok(Ok(()))),
        "a commit that names no partition passed"
    );
    assert_eq!(trial.values(&case), Vec::<String>::new());
}

pub fn an_input_that_was_never_committed_is_absent(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let mut unify = trial.join_alone(MachineName::Unify);
    let committed = unify.member.committed(Partition(2)).expect("it is held");
    assert_eq!(committed, BTreeMap::new());
    let next = BTreeMap::from([(at(Topic::Event, 2), Offset::START)]);
    unify.commit(Vec::new(), next.clone()).expect("it is taken");
    let committed = unify.member.committed(Partition(2)).expect("it is held");
    assert_eq!(committed, next);
    let committed = unify.member.committed(Partition(3)).expect("it is held");
    assert_eq!(committed, BTreeMap::new());
}

pub fn machines_commit_apart_from_each_other(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let mut unify = trial.join_alone(MachineName::Unify);
    let mut cases = trial.join_alone(MachineName::Cases);
    let next = unify.next(Partition(0), 0);
    unify.commit(Vec::new(), next.clone()).expect("it is taken");
    let committed = unify.member.committed(Partition(0)).expect("it is held");
    assert_eq!(committed, next);
    let committed = cases.member.committed(Partition(0)).expect("it is held");
    assert_eq!(committed, BTreeMap::new());
}

pub fn a_member_reads_on_from_where_it_is_told(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let input = at(Topic::CaseInput, 3);
    let records = (0..6).map(|number| put(&input, "key", &number.to_string()));
    trial.append(records.collect()).expect("it is taken");
    let all = trial.all(&input);
    let mut cases = trial.join_alone(MachineName::Cases);
    cases
        .member
        .resume(&cases.next(Partition(3), 0))
        .expect("it is held");
    assert_eq!(cases.records(6), all);
    // After an abort it goes back to what was committed.
    let next = BTreeMap::from([(input.clone(), all[3].offset.next())]);
    cases.commit(Vec::new(), next.clone()).expect("it is taken");
    let committed = cases.member.committed(Partition(3)).expect("it is held");
    assert_eq!(committed, next);
    cases.member.resume(&committed).expect("it is held");
    assert_eq!(values(&cases.records(2)), ["4", "5"]);
    let position = cases.member.position(&input).expect("it is read");
    assert!(position >= all[5].offset.next());
}

pub fn a_partition_is_paused_until_it_is_resumed(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    for number in 0..PARTITIONS {
        let input = at(Topic::CaseInput, number);
        trial
            .append(vec![put(&input, "key", &number.to_string())])
            .expect("it is taken");
    }
    let mut cases = trial.join_alone(MachineName::Cases);
    for _ in 0..5 {
        assert_eq!(cases.hear(), [], "before any partition was resumed");
    }
    for number in [2, 0] {
        let next = cases.next(Partition(number), 0);
        cases.member.resume(&next).expect("it is held");
        assert_eq!(values(&cases.records(1)), [number.to_string()]);
        assert_eq!(cases.hear(), []);
    }
}
