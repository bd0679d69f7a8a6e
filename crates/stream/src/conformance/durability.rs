use event::{Partition, Topic, topic::MachineName};

use super::{
    Fixture,
    trial::{Trial, at, put},
};

pub fn an_acknowledged_append_survives_a_restart(fixture: &dyn Fixture) {
    let mut trial = Trial::new(fixture);
    let at = at(Topic::Event, 2);
    let mut expected = Vec::new();
    for round in 0..3 {
        let values: Vec<_> = (0..7).map(|number| format!("{round} {number}")).collect();
        let records = values.iter().map(|value| put(&at, "key", value)).collect();
        trial.append(records).expect("it is taken");
        expected.extend(values);
        trial = trial.restart();
        assert_eq!(trial.values(&at), expected, "after restart {round}");
    }
}

pub fn a_commit_survives_a_restart(fixture: &dyn Fixture) {
    let mut trial = Trial::new(fixture);
    let case = at(Topic::Case, 1);
    let state = at(Topic::State(MachineName::Cases), 1);
    let mut cases = trial.join_alone(MachineName::Cases);
    let next = cases.next(Partition(1), 0);
    let appends = vec![put(&case, "key", "case"), put(&state, "key", "state")];
    cases.commit(appends, next.clone()).expect("it is taken");
    drop(cases);
    trial = trial.restart();
    assert_eq!(trial.values(&case), ["case"]);
    assert_eq!(trial.values(&state), ["state"]);
    let mut cases = trial.join_alone(MachineName::Cases);
    let committed = cases.member.committed(Partition(1)).expect("it is held");
    assert_eq!(committed, next);
    let appends = vec![put(&state, "key", "later")];
    cases.commit(appends, next).expect("it is taken");
    assert_eq!(
        trial.values(&state).last().map(String::as_str),
        Some("later")
    );
}

pub fn offsets_go_on_growing_after_a_restart(fixture: &dyn Fixture) {
    let mut trial = Trial::new(fixture);
    let at = at(Topic::Event, 0);
    let first = put(&at, "key", "first");
    trial.append(vec![first]).expect("it is taken");
    let before = trial.all(&at);
    trial = trial.restart();
    let second = put(&at, "key", "second");
    trial.append(vec![second]).expect("it is taken");
    let after = trial.all(&at);
    assert_eq!(after.first(), before.first());
    assert_eq!(after.len(), 2);
    assert!(after[1].offset > before[0].offset);
}
