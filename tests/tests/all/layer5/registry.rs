//! Records bear the ids of a real schema registry, and a client that knows only the registry reads them.

use std::{collections::BTreeSet, time::Duration};

use event::Time;
use serde_json::{Value, json};
use tests::{
    broker, python, registry,
    stage::{
        processes::Processes,
        role::{self, Role},
    },
    wait,
};

use crate::one_process::messages::{ended, says};

const BOUND: Duration = Duration::from_secs(60);
const TOPICS: [&str; 3] = ["polku.event", "polku.timeline", "polku.notice.delivery"];

/// Those of the schemas that are shipped begin here.
const SHIPPED: u64 = 0x5000_0000;

#[test]
fn a_client_that_knows_only_the_registry_reads_what_polku_writes() {
    let Some(broker) = broker::or_skip() else {
        return;
    };
    let Some(registry) = registry::or_skip() else {
        return;
    };
    let mut processes = Processes::prepare_with(
        broker,
        &format!("schema_registry = {{ url = \"{}\" }}", registry.url),
    );
    processes.start_all();
    let now = Time::from_millis(service::clock::now_ms());
    let event = json!({
        "id": "complaint-1", "kind": "complaint", "type": "delivery.late", "time": now.to_string(),
        "identifiers": { "email": "aino@example.fi" }, "references": { "order": "A-77" },
        "text": "Missä sohva on?", "place": "store:kamppi",
    });
    let url = format!("{}/v1/sources/web-shop/events", processes.url(Role::Ingest));
    let key = &processes.company.keys.sources["web-shop"];
    let answer = processes.http.post(&url, key, &event).expect("it answers");
    assert_eq!(answer.status, 202, "{}", answer.body);
    processes.come_to_rest(1, BOUND);

    let mut arguments = vec![registry.url.as_str()];
    arguments.extend(TOPICS);
    let records = |found: &Value, topic: &str| found[topic].as_array().cloned().unwrap_or_default();
    let found = wait::until("each topic is read", BOUND, || {
        let printed = python::run("registry.py", &processes, &arguments);
        let found: Value = serde_json::from_str(&printed).expect("it prints JSON");
        let whole = TOPICS
            .iter()
            .all(|topic| !records(&found, topic).is_empty());
        whole.then_some(found)
    });
    for topic in TOPICS {
        let records = records(&found, topic);
        assert!(
            records.iter().all(|one| one["id"].as_u64() < Some(SHIPPED)),
            "{topic} bears the registry's ids: {records:?}"
        );
    }
    let event = &found["polku.event"][0]["record"];
    assert_eq!(event["type"], "delivery.late");
    assert_eq!(event["personal"]["text"], "Missä sohva on?");
    let notice = &found["polku.notice.delivery"][0];
    assert_eq!(notice["name"], "Notice");
    assert_eq!(notice["record"]["why"], "opened");
    registered(&processes, &registry.url);

    // Whoever starts while the registry is down is told, and writes nothing under other ids.
    let url = registry.url.clone();
    drop(registry);
    let (code, said) = ended(
        role::command(&processes.company, &["topics", "apply"]),
        BOUND,
    );
    assert_eq!(code, Some(1), "{said}");
    says(&said, &["schema registry", &url]);
}

/// Every schema, under its record's name, and nothing may be registered there that the others cannot read.
fn registered(processes: &Processes, url: &str) {
    let get = |path: &str| {
        let answer = processes
            .http
            .get(&format!("{url}{path}"), None)
            .expect("it answers");
        answer.body
    };
    let subjects = get("/subjects");
    let subjects: BTreeSet<&str> = subjects
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let shipped: BTreeSet<&str> = wire::schemas().iter().map(wire::Shipped::subject).collect();
    assert_eq!(subjects, shipped);
    assert_eq!(
        get("/config/polku.Notice")["compatibilityLevel"],
        "FULL_TRANSITIVE"
    );
}
