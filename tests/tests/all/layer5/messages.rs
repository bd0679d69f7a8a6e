//! What somebody reads who runs a cluster and made a mistake.

use std::time::Duration;

use tests::{
    broker,
    stage::{company::Company, processes::Processes, role},
};

use crate::messages::{ended, says};

#[test]
fn topics_of_another_partition_count_are_refused_by_name_with_counts_and_remedy() {
    let Some(broker) = broker::or_skip() else {
        return;
    };
    let processes = Processes::prepare(broker);
    processes.run(&["topics", "apply"]);
    // It can be repeated.
    processes.run(&["topics", "apply"]);
    let mut command = role::command(&processes.company, &["topics", "apply"]);
    command.env("POLKU__LOG__PARTITIONS", "2");
    let (code, said) = ended(command, Duration::from_secs(60));
    assert_eq!(code, Some(1), "{said}");
    says(&said, &["polku.event", "4", "2", "partitions"]);
}

#[test]
fn a_role_without_its_topics_says_how_they_are_made() {
    let Some(broker) = broker::or_skip() else {
        return;
    };
    let processes = Processes::prepare(broker);
    for role in role::Role::APART {
        // Serve reads whatever is there and waits for the rest.
        if role == role::Role::Serve {
            continue;
        }
        let mut command = role::command(&processes.company, &[role.as_str()]);
        command.env("POLKU__LISTEN", role::free_address().to_string());
        let (code, said) = ended(command, Duration::from_secs(60));
        assert!(code.is_some_and(|code| code != 0), "{role:?}: {said}");
        says(&said, &["polku topics apply"]);
    }
}

#[test]
fn a_broker_that_is_not_there_is_named_and_ends_every_role() {
    let closed = role::free_address();
    let company = Company::new(&format!(
        "log = {{ kind = \"kafka\", partitions = 4 }}\nkafka = {{ bootstrap = \"{closed}\", answer_ms_max = 2000 }}"
    ));
    for arguments in [
        &["ingest"][..],
        &["unify"],
        &["alert"],
        &["serve"],
        &["topics", "apply"],
    ] {
        let mut command = role::command(&company, arguments);
        command.env("POLKU__LISTEN", role::free_address().to_string());
        let (code, said) = ended(command, Duration::from_secs(60));
        assert_eq!(code, Some(1), "{arguments:?}: {said}");
        says(&said, &["Kafka", &closed.to_string()]);
    }
}
