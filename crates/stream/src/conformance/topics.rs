use std::{collections::BTreeMap, time::Duration};

use event::{DepartmentId, Topic, topic::MachineName};

use super::{
    Fixture,
    trial::{Trial, at, inputs, put, specs},
};
use crate::log::{End, Group, Offset, TopicSpec};

pub fn topics_are_made_once_and_listed(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let sorted = |mut specs: Vec<TopicSpec>| {
        specs.sort_by(|a, b| a.topic.cmp(&b.topic));
        specs
    };
    let found = trial.log.topics().expect("they can be listed");
    assert_eq!(sorted(found), sorted(specs(4)));
    let event = at(Topic::Event, 0);
    trial
        .append(vec![put(&event, "key", "value")])
        .expect("it is taken");
    trial.log.create_topics(&specs(4)).expect("they fit");
    assert_eq!(trial.values(&event), ["value"]);
    let department = DepartmentId::new("delivery").expect("it is a name");
    let notice = Topic::Notice(department);
    let spec = TopicSpec {
        topic: notice.clone(),
        partitions: 1,
        kept: notice.kept(),
    };
    trial
        .log
        .create_topics(std::slice::from_ref(&spec))
        .expect("it is made");
    assert!(
        trial
            .log
            .topics()
            .expect("they can be listed")
            .contains(&spec)
    );
    let trial = trial.restart();
    assert!(
        trial
            .log
            .topics()
            .expect("they can be listed")
            .contains(&spec)
    );
}

pub fn another_partition_count_is_refused_with_a_remedy(fixture: &dyn Fixture) {
    let trial = Trial::new(fixture);
    let refused = trial
        .log
        .create_topics(&specs(8))
        .expect_err("another count passed")
        .to_string();
    for part in ["polku.", "4", "8", ";"] {
        assert!(refused.contains(part), "`{refused}` does not say `{part}`");
    }
    let found = trial.log.topics().expect("they can be listed");
    assert!(found.iter().all(|spec| spec.partitions <= 4), "{found:?}");
}

pub fn a_topic_that_does_not_exist_is_an_error(fixture: &dyn Fixture) {
    let log = fixture.fresh();
    let trial = Trial { fixture, log };
    let event = at(Topic::Event, 0);
    assert!(trial.append(vec![put(&event, "key", "value")]).is_err());
    assert!(trial.log.start(&event).is_err());
    assert!(trial.log.end(&event, End::Written).is_err());
    let from = BTreeMap::from([(event, Offset::START)]);
    assert!(trial.log.read(from).is_err());
    let group = Group {
        machine: MachineName::Cases,
        inputs: inputs(MachineName::Cases),
        session: Duration::from_secs(10),
    };
    assert!(trial.log.join(group).is_err());
}
