//! A department's own endpoint, verified by the reference library of Standard Webhooks: the example of docs/webhooks.md, as it is.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use event::Time;
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

const BOUND: Duration = Duration::from_secs(90);
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Found nowhere but in what is personal of an event.
const CANARIES: [&str; 4] = ["canary.aino", "7055810", "Kanarialintu", "laulaa"];

#[test]
fn a_complaint_reaches_the_departments_endpoint_signed_once_and_without_anything_personal() {
    let Some(python) = python::with_or_skip("standardwebhooks") else {
        return;
    };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let secret = directory.path().join("crm.secret");
    polku::demo::write(&secret, SECRET).expect("the secret is writable");
    let endpoint = Endpoint::start(&python, &secret);
    let company = Company::new(&format!(
        "log = {{ kind = \"embedded\", partitions = 2 }}\n\
         subscriptions.crm = {{ department = \"delivery\", url = \"{}\", secret_file = \"{}\", allow_private = true }}",
        endpoint.url,
        secret.display()
    ));
    let http = Http::default();
    let address = role::free_address();
    let mut dev = Process::start(&company, Role::Dev, address);
    dev.await_ready(&http, BOUND);

    complain(&company, &http, &dev, 1);
    let first = endpoint.next();
    dev.kill();
    let mut dev = Process::start(&company, Role::Dev, address);
    dev.await_ready(&http, BOUND);
    complain(&company, &http, &dev, 2);
    let mut heard = vec![first, endpoint.next()];

    let told = wait::until("the stream shows both", BOUND, || {
        let url = format!("{}/v1/departments/delivery/stream", dev.url());
        let key = &company.keys.credentials["delivery"];
        let told = http
            .events(&url, key, -1, Duration::from_millis(400))
            .ok()?;
        (told.len() == 2).then_some(told)
    });
    let shown: Vec<&Value> = heard.iter().map(|message| &message["data"]).collect();
    assert_eq!(
        shown,
        told.iter().collect::<Vec<_>>(),
        "both ways show the same"
    );
    for message in &heard {
        assert_eq!(message["type"], "polku.case.opened");
        assert_eq!(message["id"], message["data"]["id"]);
        assert_eq!(message["timestamp"], message["data"]["time"]);
        let text = message.to_string().to_lowercase();
        for canary in CANARIES {
            assert!(!text.contains(&canary.to_lowercase()), "{canary} in {text}");
        }
    }
    heard.extend(endpoint.rest());
    let ids: BTreeSet<&str> = heard
        .iter()
        .filter_map(|message| message["id"].as_str())
        .collect();
    assert_eq!(
        (ids.len(), heard.len()),
        (2, 2),
        "each was taken once: {heard:?}"
    );
    unsigned_is_refused(&http, &endpoint);
    dev.stop(BOUND);
}

fn complain(company: &Company, http: &Http, dev: &Process, number: u32) {
    let event = json!({
        "id": format!("complaint-{number}"), "kind": "complaint", "type": "delivery.late",
        "time": Time::from_millis(service::clock::now_ms()).to_string(),
        "identifiers": { "email": format!("canary.aino{number}@example.fi"), "phone": format!("040 705 58{number}0") },
        "references": { "order": format!("A-{number}") }, "name": "Aino Kanarialintu", "text": "Kanarialintu laulaa.",
        "place": "store:kamppi", "party": "courier",
    });
    let url = format!("{}/v1/sources/web-shop/events", dev.url());
    let key = &company.keys.sources["web-shop"];
    let answer = http.post(&url, key, &event).expect("it answers");
    assert_eq!(answer.status, 202, "{}", answer.body);
}

/// Or the endpoint would have taken anything.
fn unsigned_is_refused(http: &Http, endpoint: &Endpoint) {
    let answer = http.post(
        &endpoint.url,
        "no key",
        &json!({ "type": "polku.case.opened" }),
    );
    assert_eq!(answer.expect("it answers").status, 401);
}

/// The example, running.
pub(crate) struct Endpoint {
    pub(crate) url: String,
    child: Child,
    printed: mpsc::Receiver<String>,
}

impl Endpoint {
    pub(crate) fn start(python: &str, secret: &Path) -> Endpoint {
        let example = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../docs/examples/webhook/receive.py"
        );
        let address = role::free_address();
        let mut child = Command::new(python)
            .arg(example)
            .arg(address.port().to_string())
            .arg(secret)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python runs");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let (print, printed) = mpsc::channel();
        thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .try_for_each(|line| print.send(line))
        });
        Endpoint {
            url: format!("http://{address}/polku"),
            child,
            printed,
        }
    }

    /// The next message it was sure of.
    pub(crate) fn next(&self) -> Value {
        let line = self
            .printed
            .recv_timeout(BOUND)
            .expect("the endpoint hears of it");
        serde_json::from_str(&line).expect("it prints JSON")
    }

    /// What it printed besides.
    pub(crate) fn rest(&self) -> Vec<Value> {
        let lines = self.printed.try_iter();
        lines
            .map(|line| serde_json::from_str(&line).expect("it prints JSON"))
            .collect()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        // It runs until it is ended; that it ended by itself shows elsewhere.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
