//! `CloudEvents` as their own SDK sends them, to `polku dev`: `tests/python/cloud_events.py`, run with `PyPI` cloudevents.

use std::{path::Path, process::Command, time::Duration};

use serde_json::{Value, json};
use tests::{
    http::Http,
    python,
    stage::{
        company::Company,
        role::{self, Process, Role},
    },
    wait,
};

const BOUND: Duration = Duration::from_secs(120);

#[test]
fn the_sdk_of_cloud_events_sends_one_event_in_every_way() {
    let Some(python) = python::with_or_skip("cloudevents") else {
        return;
    };
    let company = Company::new("log = { kind = \"embedded\", partitions = 2 }");
    let http = Http::default();
    let mut dev = Process::start(&company, Role::Dev, role::free_address());
    dev.await_ready(&http, BOUND);

    let answers = send(&python, &company, &dev);
    for (way, accepted, duplicate) in [
        ("binary", 1, 0),
        ("structured", 0, 1),
        ("batch", 1, 2),
        ("old binary", 1, 0),
        ("old structured", 0, 1),
    ] {
        let answer = &answers[way];
        assert_eq!(answer["status"], 202, "{way}: {answer}");
        let counted = [&answer["body"]["accepted"], &answer["body"]["duplicate"]];
        assert_eq!(
            counted,
            [&json!(accepted), &json!(duplicate)],
            "{way}: {answer}"
        );
    }
    let refused = &answers["without a time"];
    assert_eq!(refused["status"], 422, "{refused}");
    let detail = refused["body"]["detail"].as_str().unwrap_or_default();
    assert!(
        detail.contains("time: a CloudEvent needs this text"),
        "{detail}"
    );

    // One after another they were accepted; behind the door there are as many.
    let counts = wait::until("the events are in timelines", BOUND, || {
        let counts = http.get(&format!("{}/v1/counts", dev.url()), None).ok()?;
        (counts.body["entries"] == 3).then_some(counts.body)
    });
    assert_eq!(counts["events"]["accepted"], 3, "{counts}");
    dev.stop(BOUND);
}

fn send(python: &str, company: &Company, dev: &Process) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/cloud_events.py");
    let output = Command::new(python)
        .arg(script)
        .arg(format!("{}/v1/sources/web-shop/events", dev.url()))
        .arg(&company.keys.sources["web-shop"])
        .output()
        .expect("python runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cloud_events.py: {said}");
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}
