//! What somebody reads who runs a cluster and made a mistake.

use std::time::Duration;

use tests::{
    broker,
    stage::{company::Company, processes::Processes, role},
};

use crate::one_process::messages::{all_ended, ended, says};

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
fn a_broker_that_is_not_there_is_named_and_ends_every_role() {
    let closed = role::free_address();
    let company = Company::new(&format!(
        "log = {{ kind = \"kafka\", partitions = 4 }}\nkafka = {{ bootstrap = \"{closed}\", answer_ms_max = 2000 }}"
    ));
    let commands = [
        &["ingest"][..],
        &["unify"],
        &["alert"],
        &["serve"],
        &["topics", "apply"],
    ];
    let told = |arguments: &[&str]| {
        let mut command = role::command(&company, arguments);
        command.env("POLKU__LISTEN", role::free_address().to_string());
        command
    };
    for (arguments, code, said) in all_ended(&commands, told, Duration::from_secs(60)) {
        assert_eq!(code, Some(1), "{arguments:?}: {said}");
        says(&said, &["Kafka", &closed.to_string()]);
    }
}
