use event::{Partition, Topic, topic::MachineName};

use super::{
    Fixture,
    trial::{
        PARTITIONS, Trial, all_partitions, at, hear_until_assigned, inputs, put, share, values,
    },
};
use crate::error::Severity;

pub fn a_number_of_all_inputs_has_one_owner(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    for topic in inputs(MachineName::Unify) {
        for number in 0..PARTITIONS {
            let input = at(topic.clone(), number);
            let record = put(&input, "key", &input.to_string());
            trial.append(vec![record]).expect("it is taken");
        }
    }
    let mut first = trial.join_alone(MachineName::Unify);
    let mut second = trial.join(MachineName::Unify);
    share(&mut first, &mut second);
    for joined in [&mut first, &mut second] {
        let mut expected = Vec::new();
        for number in joined.held.clone() {
            let next = joined.next(number, 0);
            joined.member.resume(&next).expect("it is held");
            expected.extend(next.keys().map(ToString::to_string));
        }
        let mut found = values(&joined.records(expected.len()));
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }
}

pub fn partitions_move_when_a_member_joins_or_leaves(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let mut first = trial.join_alone(MachineName::Cases);
    for number in all_partitions() {
        let next = first.next(number, 0);
        let state = at(Topic::State(MachineName::Cases), number.0);
        let appends = vec![put(&state, "key", "first")];
        first.commit(appends, next).expect("it is taken");
    }
    let mut second = trial.join(MachineName::Cases);
    share(&mut first, &mut second);
    drop(first);
    hear_until_assigned(&mut second, true);
    for number in all_partitions() {
        let committed = second.member.committed(number).expect("it is held");
        assert_eq!(committed, second.next(number, 0));
        let next = second.next(number, 0);
        let state = at(Topic::State(MachineName::Cases), number.0);
        let appends = vec![put(&state, "key", "second")];
        second.commit(appends, next).expect("it is taken");
        assert_eq!(
            trial.values(&state).last().map(String::as_str),
            Some("second")
        );
    }
}

/// The older owner was paused longer than its session and knows nothing of the newer one.
pub fn an_older_owner_is_refused_and_leaves_nothing(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let mut older = trial.join_alone(MachineName::Cases);
    let mut newer = trial.join(MachineName::Cases);
    fixture.expel(MachineName::Cases);
    hear_until_assigned(&mut newer, false);
    let number = *newer.held.first().expect("it has one");
    let case = at(Topic::Case, number.0);
    let state = at(Topic::State(MachineName::Cases), number.0);
    let committed = newer.member.committed(number).expect("it is held");
    let appends = vec![put(&case, "key", "older"), put(&state, "key", "older")];
    let refused = older
        .commit(appends, older.next(number, 0))
        .expect_err("the older owner's commit passed");
    assert_eq!(refused.severity(), Severity::Lost, "{refused}");
    let still = newer.member.committed(number).expect("it is held");
    assert_eq!(still, committed);
    let appends = vec![put(&case, "key", "newer"), put(&state, "key", "newer")];
    newer
        .commit(appends, newer.next(number, 0))
        .expect("the newer owner may");
    assert_eq!(trial.values(&case), ["newer"]);
    assert_eq!(trial.values(&state), ["newer"]);
}

pub fn a_partition_that_is_not_held_cannot_be_committed(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let mut first = trial.join_alone(MachineName::Cases);
    let mut second = trial.join(MachineName::Cases);
    share(&mut first, &mut second);
    let own = *second.held.first().expect("it has one");
    let foreign = *first.held.first().unwrap_or(&Partition(0));
    let case = at(Topic::Case, own.0);
    let mut next = second.next(own, 0);
    next.extend(second.next(foreign, 0));
    let refused = second
        .commit(vec![put(&case, "key", "value")], next)
        .expect_err("a commit for somebody else's partition passed");
    assert_eq!(refused.severity(), Severity::Lost, "{refused}");
    assert_eq!(trial.values(&case), Vec::<String>::new());
}
