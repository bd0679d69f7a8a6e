//! A source that corrects what it said, at the door of `polku dev` over the embedded log: the timelines follow, also over a restart.

use std::{fs, time::Duration};

use polku::demo;
use serde_json::{Value, json};
use tests::{
    http::Http,
    stage::{
        company::Company,
        role::{self, Process, Role},
    },
    wait,
};

const BOUND: Duration = Duration::from_secs(120);
const KEY: &str = "the key of the crm";

#[test]
fn a_correction_moves_an_event_to_whom_it_names() {
    let company = Company::new("log = { kind = \"embedded\", partitions = 2 }");
    let config = fs::read_to_string(company.config_file()).expect("the configuration is readable");
    let crm = format!(
        "\n[sources.crm]\nchannel = \"call_centre\"\nkey_sha256 = [\"{}\"]\ntrusted = true\ncorrects = true\n",
        demo::hash(KEY)
    );
    fs::write(company.config_file(), config + &crm).expect("the configuration is writable");
    let http = Http::default();
    let address = role::free_address();
    let mut dev = Process::start(&company, Role::Dev, address);
    dev.await_ready(&http, BOUND);
    let desk = Desk {
        http: &http,
        url: dev.url(),
        key: &company.keys.credentials["auditor"],
    };

    let call = |id: &str, who: Value, text: &str| {
        json!({"id": id, "kind": "complaint", "type": "delivery.late", "time": "2026-11-20T09:31:00+02:00",
               "identifiers": who, "text": text})
    };
    let (aino, bea) = (
        json!({"email": "aino@example.fi"}),
        json!({"email": "bea@example.fi"}),
    );
    let both = json!({"email": "aino@example.fi", "phone": "040 705 5810"});
    let first = call("1", aino, "Where is it?");
    desk.say(&first, [1, 0]);
    desk.say(&call("2", both, "Still not here"), [1, 0]);
    // The same number in another writing is the same customer's.
    desk.say(
        &call("3", json!({"phone": "+358 40 7055810"}), "Hello?"),
        [1, 0],
    );
    desk.say(&call("4", bea.clone(), "Hello"), [1, 0]);
    desk.say(&first, [0, 1]);
    let [one, two, three, four] = ["1", "2", "3", "4"].map(|id| desk.event(id));
    desk.await_timeline("aino", &[&one, &two, &three]);
    desk.await_timeline("bea", &[&four]);

    // It was Bea who called.
    let other = call("1", bea, "Where is mine?");
    desk.say(&other, [1, 0]);
    desk.await_timeline("aino", &[&two, &three]);
    desk.await_timeline("bea", &[&one, &four]);
    assert_eq!(desk.text("bea", &one), "Where is mine?");
    desk.say(&other, [0, 1]);

    dev.stop(BOUND);
    let mut dev = Process::start(&company, Role::Dev, address);
    dev.await_ready(&http, BOUND);
    desk.await_timeline("aino", &[&two, &three]);
    desk.await_timeline("bea", &[&one, &four]);
    // The door has forgotten what it was told, the unifier has not.
    desk.say(&other, [1, 0]);
    desk.say(&first, [1, 0]);
    desk.await_timeline("aino", &[&one, &two, &three]);
    desk.await_timeline("bea", &[&four]);
    assert_eq!(desk.text("aino", &one), "Where is it?");
    dev.stop(BOUND);
}

struct Desk<'a> {
    http: &'a Http,
    url: String,
    key: &'a str,
}

impl Desk<'_> {
    /// Sends an event, of which so many are accepted and so many known.
    fn say(&self, event: &Value, expected: [u64; 2]) {
        let url = format!("{}/v1/sources/crm/events", self.url);
        let answer = self.http.post(&url, KEY, event).expect("it answers").body;
        let found = [&answer["accepted"], &answer["duplicate"]];
        assert_eq!(
            found,
            [&json!(expected[0]), &json!(expected[1])],
            "{answer}"
        );
    }

    /// The id that Polku gives an event of the crm.
    fn event(&self, id: &str) -> String {
        let pepper = identifier::Pepper::from_hex(&"5a".repeat(32)).expect("a pepper");
        let crm = event::SourceId::new("crm").expect("a source's id");
        identifier::event_id(&pepper, &crm, id).to_string()
    }

    fn await_timeline(&self, who: &str, expected: &[&String]) {
        let mut expected: Vec<&str> = expected.iter().map(|id| id.as_str()).collect();
        expected.sort_unstable();
        wait::until(&format!("the timeline of {who} is right"), BOUND, || {
            let entries = self.entries(who);
            let mut found: Vec<&str> = entries
                .iter()
                .filter_map(|entry| entry["event"].as_str())
                .collect();
            found.sort_unstable();
            (found == expected).then_some(())
        });
    }

    fn entries(&self, who: &str) -> Vec<Value> {
        let body = json!({ "identifier": format!("email:{who}@example.fi"), "reason": "test" });
        let url = format!("{}/v1/customers/search", self.url);
        let found = self
            .http
            .post(&url, self.key, &body)
            .expect("it answers")
            .body;
        let Some(id) = found["customers"][0]["id"].as_str() else {
            return Vec::new();
        };
        let url = format!("{}/v1/customers/{id}/timeline?limit=100", self.url);
        let page = self
            .http
            .get(&url, Some(self.key))
            .expect("it answers")
            .body;
        page["entries"].as_array().cloned().unwrap_or_default()
    }

    fn text(&self, who: &str, event: &str) -> String {
        let entries = self.entries(who);
        let entry = entries.iter().find(|entry| entry["event"] == event);
        let text = entry.and_then(|entry| entry["text"]["shown"].as_str());
        text.unwrap_or_else(|| panic!("{entry:?} has a text"))
            .to_owned()
    }
}
