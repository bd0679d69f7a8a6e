//! A department reads what it is told with a client of its own choice, and learns nothing personal by it.

use std::time::Duration;

use event::Time;
use serde_json::{Value, json};
use tests::{
    broker, python,
    stage::{processes::Processes, role::Role},
    wait,
};

const BOUND: Duration = Duration::from_secs(60);

/// Found nowhere but in what is personal of an event.
const CANARIES: [&str; 5] = [
    "canary.aino",
    "7055810",
    "Kanarialintu",
    "canary-attribute",
    "laulaa",
];

#[test]
fn a_departments_own_client_reads_its_notices_and_nothing_personal() {
    let Some(broker) = broker::or_skip() else {
        return;
    };
    let processes = Processes::start(broker);
    let told_after = service::clock::now_ms();
    let event = json!({
        "id": "complaint-1", "kind": "complaint", "type": "delivery.late", "time": Time::from_millis(told_after).to_string(),
        "identifiers": { "email": "canary.aino@example.fi", "phone": "040 705 5810" },
        "references": { "order": "A-77" }, "name": "Aino Kanarialintu", "text": "Kanarialintu laulaa.",
        "place": "store:kamppi", "party": "courier", "attributes": { "remark": "canary-attribute" },
    });
    let url = format!("{}/v1/sources/web-shop/events", processes.url(Role::Ingest));
    let key = &processes.company.keys.sources["web-shop"];
    let answer = processes.http.post(&url, key, &event).expect("it answers");
    assert_eq!(answer.status, 202, "{}", answer.body);
    processes.come_to_rest(1, BOUND);

    let notices = wait::until("delivery is told", BOUND, || {
        let printed = python::run("notices.py", &processes, &[python::SCHEMAS, "delivery"]);
        let lines: Vec<Value> = printed
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line is JSON"))
            .collect();
        (!lines.is_empty()).then_some(lines)
    });
    let [notice] = &notices[..] else {
        panic!("one complaint is one notice: {notices:?}")
    };
    let expected = json!({
        "department": "delivery", "why": "opened", "what": "delivery.late", "place": "store:kamppi", "party": "courier",
        "severity": "normal", "contacts": 1, "channels": ["web"], "from": null, "route": ["all", "deliveries"],
    });
    for (field, value) in expected.as_object().expect("a table") {
        assert_eq!(&notice[field], value, "{field} of {notice}");
    }
    assert!(notice["answer_by"].as_i64() > Some(told_after), "{notice}");
    same_case(&processes, notice);
    nothing_personal(&processes);
}

/// The case the client was told of is the one that the API shows.
fn same_case(processes: &Processes, notice: &Value) {
    let id = notice["case"].as_str().expect("an id");
    let url = format!("{}/v1/cases/c_{id}", processes.url(Role::Serve));
    let key = &processes.company.keys.credentials["delivery"];
    let case = processes.http.get(&url, Some(key)).expect("it answers");
    assert_eq!(case.status, 200, "{}", case.body);
    assert_eq!(case.body["owner"], "delivery");
    assert_eq!(case.body["what"], notice["what"]);
}

fn nothing_personal(processes: &Processes) {
    let printed = python::run("search.py", processes, &CANARIES);
    let found: Value = serde_json::from_str(&printed).expect("it prints JSON");
    let found = found.as_object().expect("topics by name");
    for topic in ["polku.timeline", "polku.case", "polku.notice.delivery"] {
        assert!(
            found[topic]["messages"].as_u64() > Some(0),
            "{topic} was read"
        );
    }
    assert!(
        found.keys().any(|topic| topic.starts_with("polku.state.")),
        "the state was read too: {:?}",
        found.keys()
    );
    for (topic, held) in found {
        for canary in CANARIES {
            // The search itself finds what is there: the event's personal part is not sealed yet.
            let personal = topic == "polku.event";
            assert_eq!(held[canary] == 1, personal, "{canary} in {topic}: {held}");
        }
    }
}
