//! The OpenAPI document, taken at its word: `PyPI` schemathesis calls everything it describes, with what it allows and with what it
//! does not, and looks at every answer. `tests/python/schemathesis.toml` says how.

use std::{fs, process::Command, time::Duration};

use event::Time;
use serde_json::json;
use tests::{
    http::Http,
    python,
    stage::{
        company::Company,
        role::{self, Process, Role},
    },
    wait,
};

const HOOKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/schemathesis_hooks.py");

const BOUND: Duration = Duration::from_secs(120);

#[test]
fn schemathesis_finds_nothing_that_the_document_does_not_say() {
    let Some(python) = python::with_or_skip("schemathesis") else {
        return;
    };
    // It asks more often than anybody may, and of nothing it asks is the answer slow.
    let company = Company::new(
        "log = { kind = \"embedded\", partitions = 2 }\n\
         serve = { requests_per_second = 100000, command_wait_ms_max = 100 }",
    );
    let http = Http::default();
    let mut dev = Process::start(&company, Role::Dev, role::free_address());
    dev.await_ready(&http, BOUND);
    let (case, customer, event) = one_case(&company, &http, &dev);
    let decision = one_decision(&company, &http, &dev, &customer);

    let mut config = include_str!("../../../python/schemathesis.toml").to_owned();
    for (name, value) in [
        ("ADMIN", company.keys.credentials["auditor"].as_str()),
        ("SOURCE", &company.keys.sources["web-shop"]),
        ("CASE", &case),
        ("CUSTOMER", &customer),
        ("EVENT", &event),
        ("DECISION", &decision),
        ("HOOKS", HOOKS),
    ] {
        config = config.replace(&format!("${{{name}}}"), value);
    }
    let file = company.directory().join("schemathesis.toml");
    fs::write(&file, config).expect("the configuration is writable");
    let output = Command::new(python)
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(&file)
        .args(["run", "--checks", "all", "--no-color"])
        .arg(format!("{}/openapi.json", dev.url()))
        .current_dir(company.directory())
        .output()
        .expect("python runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    dev.stop(BOUND);
}

/// A decision that changes nothing.
fn one_decision(company: &Company, http: &Http, dev: &Process, customer: &str) -> String {
    let allow = json!({ "decision": "allow", "one": [customer], "reason": "she has it alone" });
    let url = format!("{}/v1/identity/decisions", dev.url());
    let answer = http
        .post(&url, &company.keys.credentials["auditor"], &allow)
        .expect("it answers");
    let id = answer.body["id"].as_str();
    id.unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
}

/// What there is to find: a case, its customer, and the event that it began with.
fn one_case(company: &Company, http: &Http, dev: &Process) -> (String, String, String) {
    let event = json!({
        "id": "complaint-1", "kind": "complaint", "type": "delivery.late",
        "time": Time::from_millis(service::clock::now_ms()).to_string(),
        "identifiers": { "email": "aino@example.fi" }, "references": { "order": "A-1" },
        "score": { "metric": "nps", "value": 1, "min": 0, "max": 10 }, "text": "Missä pakettini on?", "name": "Aino K.",
    });
    let url = format!("{}/v1/sources/web-shop/events", dev.url());
    let answer = http.post(&url, &company.keys.sources["web-shop"], &event);
    assert_eq!(answer.expect("it answers").status, 202);
    let key = &company.keys.credentials["auditor"];
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let (case, customer) = wait::until("the case is in its inbox", BOUND, || {
        let inbox = format!("{}/v1/departments/delivery/cases", dev.url());
        let inbox = http.get(&inbox, Some(key)).ok()?;
        let case = &inbox.body["cases"][0];
        Some((text(&case["id"])?, text(&case["customers"][0])?))
    });
    let url = format!(
        "{}/v1/customers/{customer}/timeline?kind=complaint",
        dev.url()
    );
    let timeline = http.get(&url, Some(key)).expect("it answers");
    let event = text(&timeline.body["entries"][0]["event"]).expect("the complaint is on it");
    (case, customer, event)
}
