//! Playing a script on a stage: in process on the virtual clock, or on separate processes over Kafka.

use std::fmt::Write as _;

use event::Time;
use serde_json::{Map, Value, json};

use super::{
    script::{Of, Script, Show, Statement},
    show::{Names, show_case, show_cases, show_notices, show_timeline},
};

/// What Polku answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

/// Where a script is played: Polku as a sender, a person at a desk and an auditor meet it.
pub trait Stage {
    /// Sends an event through the door of a source.
    fn tell(&mut self, now: Time, source: &str, event: &Map<String, Value>) -> Answer;
    /// A request of a credential: a department's person bears its name.
    fn get(&mut self, credential: &str, path: &str) -> Answer;
    fn post(&mut self, credential: &str, path: &str, body: &Value) -> Answer;
    /// All notices of a department, oldest first.
    fn notices(&mut self, department: &str) -> Vec<Value>;
    /// Lets everything that was told so far arrive; on the virtual clock, time goes on to `now`.
    fn settle(&mut self, now: Time);
}

pub(super) const AUDITOR: &str = "auditor";

/// The script with what people saw after each line: compared with the golden file.
pub fn play(script: &Script, stage: &mut dyn Stage) -> String {
    let mut shown = String::new();
    let mut names = Names::default();
    for line in &script.lines {
        writeln!(shown, "{}", line.text).expect("writing to a string");
        match &line.statement {
            Statement::Said => {}
            Statement::Passed { now } => stage.settle(*now),
            Statement::Told { now, source, event } => {
                let answer = stage.tell(*now, source, event);
                stage.settle(*now);
                told(&mut shown, &answer);
            }
            Statement::Commanded {
                now,
                department,
                of,
                command,
            } => {
                let said = match find_case(stage, of) {
                    Some(case) => {
                        let body = Value::Object(command.clone());
                        let answer =
                            stage.post(department, &format!("/v1/cases/{case}/commands"), &body);
                        commanded(&answer)
                    }
                    None => "there is no case".to_owned(),
                };
                stage.settle(*now);
                writeln!(shown, "  => {said}").expect("writing to a string");
            }
            Statement::Shown(show) => shown.push_str(&look(stage, &mut names, show)),
        }
    }
    shown
}

/// An event that was taken needs no word; what was refused says why.
fn told(shown: &mut String, answer: &Answer) {
    match answer.status {
        202 if answer.body["duplicate"] == json!(1) => shown.push_str("  => known already\n"),
        202 => {}
        status => {
            let items = answer.body["items"].as_array().cloned().unwrap_or_default();
            let details = items
                .iter()
                .map(|item| item["detail"].as_str().unwrap_or_default());
            let reasons: Vec<String> = details.map(str::to_owned).collect();
            writeln!(shown, "  => refused with {status}: {}", reasons.join("; "))
                .expect("writing to a string");
        }
    }
}

fn commanded(answer: &Answer) -> String {
    match answer.body["verdict"].as_str() {
        Some(verdict) => verdict.replace('_', " "),
        None => {
            let detail = answer.body["detail"]
                .as_str()
                .or(answer.body["title"].as_str())
                .unwrap_or_default();
            format!("refused with {}: {detail}", answer.status)
        }
    }
}

fn look(stage: &mut dyn Stage, names: &mut Names, show: &Show) -> String {
    match show {
        Show::Timeline(of) => match entries(stage, of) {
            Some(entries) => show_timeline(&entries, names),
            None => "  nobody\n".to_owned(),
        },
        Show::Case(of) => match find_case(stage, of) {
            Some(id) => show_case(&stage.get(AUDITOR, &format!("/v1/cases/{id}")).body, names),
            None => "  no case\n".to_owned(),
        },
        Show::Cases { department } => {
            let answer = stage.get(AUDITOR, &format!("/v1/departments/{department}/cases"));
            show_cases(&answer.body, names)
        }
        Show::Notices { department } => show_notices(&stage.notices(department), names),
    }
}

/// The entries on the page of whoever has the identifier or reference.
fn entries(stage: &mut dyn Stage, of: &Of) -> Option<Vec<Value>> {
    let body = json!({ "identifier": format!("{}:{}", of.kind, of.value), "reason": "scenario" });
    let found = stage.post(AUDITOR, "/v1/customers/search", &body);
    let customer = found.body["customers"][0]["id"].as_str()?.to_owned();
    let page = stage.get(
        AUDITOR,
        &format!("/v1/customers/{customer}/timeline?limit=500"),
    );
    page.body["entries"].as_array().cloned()
}

/// The case of the last entry that has one.
fn find_case(stage: &mut dyn Stage, of: &Of) -> Option<String> {
    let entries = entries(stage, of)?;
    entries
        .iter()
        .rev()
        .find_map(|entry| entry["case"].as_str())
        .map(str::to_owned)
}
