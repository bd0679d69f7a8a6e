//! The role that tells departments by webhook, over a broker, killed with -9.

use std::{collections::BTreeSet, time::Duration};

use event::Time;
use serde_json::{Value, json};
use tests::{
    broker, python,
    stage::{processes::Processes, role::Role},
};

use crate::one_process::webhooks::{Endpoint, SECRET};

const BOUND: Duration = Duration::from_secs(90);

#[test]
fn kill_9_of_notify_loses_no_notice_and_changes_no_id() {
    let Some(python) = python::with_or_skip("standardwebhooks") else {
        return;
    };
    let Some(broker) = broker::or_skip() else {
        return;
    };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let secret = directory.path().join("crm.secret");
    polku::demo::write(&secret, SECRET).expect("the secret is writable");
    let endpoint = Endpoint::start(&python, &secret);
    let mut processes = Processes::prepare_with(
        broker,
        &format!(
            "serve.public_url = \"https://polku.example\"\n\
             subscriptions.crm = {{ department = \"delivery\", url = \"{}\", secret_file = \"{}\", allow_private = true }}",
            endpoint.url,
            secret.display()
        ),
    );
    processes.start_all();
    processes.start_role(Role::Notify);
    processes.await_ready(Role::Notify);
    let mut heard = Vec::new();
    for number in 0..3 {
        complain(&processes, number);
        heard.push(endpoint.next());
        processes.kill(Role::Notify);
        // Told while nobody delivers.
        complain(&processes, 100 + number);
        processes.come_to_rest(u64::from(2 * number + 2), BOUND);
        processes.start_role(Role::Notify);
        processes.await_ready(Role::Notify);
        heard.push(endpoint.next());
    }
    heard.extend(endpoint.rest());
    let ids = |messages: &[Value]| -> BTreeSet<String> {
        messages
            .iter()
            .map(|message| message["data"]["id"].to_string())
            .collect()
    };
    // The endpoint passes over a repeat, so that only a new id could be one too many.
    assert_eq!((ids(&heard).len(), heard.len()), (6, 6), "{heard:?}");
    let printed = python::run("notices.py", &processes, &[python::SCHEMAS, "delivery"]);
    let told = printed.lines().map(|line| {
        let notice: Value = serde_json::from_str(line).expect("a line is JSON");
        let id = notice["id"].as_str().expect("a notice has an id");
        format!("\"n_{id}\"")
    });
    assert_eq!(ids(&heard), told.collect(), "what the topic holds");
    let open = heard[0]["data"]["open"].as_str();
    assert!(open.is_some_and(|open| open.starts_with("https://polku.example/cases/c_")));
}

fn complain(processes: &Processes, number: u32) {
    let event = json!({
        "id": format!("complaint-{number}"), "kind": "complaint", "type": "delivery.late",
        "time": Time::from_millis(service::clock::now_ms()).to_string(),
        "identifiers": { "email": format!("customer{number}@example.fi") },
        "references": { "order": format!("A-{number}") },
    });
    let url = format!("{}/v1/sources/web-shop/events", processes.url(Role::Ingest));
    let key = &processes.company.keys.sources["web-shop"];
    let answer = processes.http.post(&url, key, &event).expect("it answers");
    assert_eq!(answer.status, 202, "{}", answer.body);
}
