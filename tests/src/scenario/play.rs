//! Playing a script on a stage: in process on the virtual clock, or on separate processes over Kafka.

use std::{fmt::Write as _, time::Duration};

use event::Time;
use serde_json::{Map, Value, json};

use super::{
    script::{Decision, Of, Script, Show, Statement},
    show::{
        Names, show_case, show_cases, show_counts, show_customer, show_notices, show_signs,
        show_state, show_timeline,
    },
};
use crate::wait;

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
    /// A request of a credential: a department's person bears its name; Aino and Veikko are of `delivery`.
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
    Player::new(stage, None).play(script)
}

/// The same on a stage where what was told is under way for a while: each look is repeated until it shows what the golden
/// file says at that line, or `bound` has passed.
pub fn play_towards(
    golden: &str,
    bound: Duration,
    script: &Script,
    stage: &mut dyn Stage,
) -> String {
    Player::new(stage, Some((golden, bound))).play(script)
}

struct Player<'a> {
    stage: &'a mut dyn Stage,
    towards: Option<(&'a str, Duration)>,
    names: Names,
    /// The id of the last decision.
    decided: Option<String>,
    shown: String,
}

impl<'a> Player<'a> {
    fn new(stage: &'a mut dyn Stage, towards: Option<(&'a str, Duration)>) -> Player<'a> {
        Player {
            stage,
            towards,
            names: Names::default(),
            decided: None,
            shown: String::new(),
        }
    }

    fn play(mut self, script: &Script) -> String {
        for line in &script.lines {
            writeln!(self.shown, "{}", line.text).expect("writing to a string");
            match &line.statement {
                Statement::Said => {}
                Statement::Passed { now } => self.stage.settle(*now),
                Statement::Told { now, source, event } => {
                    let answer = self.stage.tell(*now, source, event);
                    self.stage.settle(*now);
                    told(&mut self.shown, &answer);
                }
                Statement::Commanded {
                    now,
                    who,
                    of,
                    command,
                } => {
                    self.stage.settle(*now);
                    // A command that was refused changed nothing, so that it may be given again.
                    self.look(
                        |said| said != APPLIED,
                        |stage, _| command_case(stage, who, of, command),
                    );
                    self.stage.settle(*now);
                }
                Statement::Decided {
                    now,
                    who,
                    decision,
                    reason,
                } => {
                    self.stage.settle(*now);
                    let decided = decide(
                        self.stage,
                        who,
                        decision,
                        reason.as_deref(),
                        self.decided.as_deref(),
                    );
                    self.stage.settle(*now);
                    self.decided = decided.body["id"].as_str().map(str::to_owned);
                    writeln!(self.shown, "  => {}", said_of(&decided))
                        .expect("writing to a string");
                }
                Statement::Shown(show) => {
                    self.look(|_| true, |stage, names| look(stage, names, show));
                }
            }
        }
        self.shown
    }

    fn look(
        &mut self,
        again: impl Fn(&str) -> bool,
        look: impl Fn(&mut dyn Stage, &mut Names) -> String,
    ) {
        let started = service::clock::instant();
        loop {
            // Names are given by what is shown in the end.
            let mut names = self.names.clone();
            let text = look(self.stage, &mut names);
            let late = self
                .towards
                .is_some_and(|(_, bound)| started.elapsed() > bound);
            if self.is_expected(&text) || late || !again(&text) {
                if late {
                    // From here on it is another story, and nothing that comes is waited for.
                    self.towards = None;
                }
                self.names = names;
                self.shown.push_str(&text);
                return;
            }
            wait::pause();
        }
    }

    fn is_expected(&self, text: &str) -> bool {
        let Some((golden, _)) = self.towards else {
            return true;
        };
        let rest = golden
            .strip_prefix(self.shown.as_str())
            .and_then(|rest| rest.strip_prefix(text));
        // What people see is indented; the next line of the script is not.
        rest.is_some_and(|rest| !rest.starts_with(' '))
    }
}

/// What a command shows that was carried out.
const APPLIED: &str = "  => applied\n";

fn command_case(stage: &mut dyn Stage, who: &str, of: &Of, command: &Map<String, Value>) -> String {
    let said = match find_case(stage, of) {
        Some(case) => {
            let body = Value::Object(command.clone());
            commanded(&stage.post(who, &format!("/v1/cases/{case}/commands"), &body))
        }
        None => "there is no case".to_owned(),
    };
    format!("  => {said}\n")
}

/// Decides by the values' ids, as a page shows them.
fn decide(
    stage: &mut dyn Stage,
    who: &str,
    decision: &Decision,
    reason: Option<&str>,
    before: Option<&str>,
) -> Answer {
    let mut ids = |values: &[Of]| -> Vec<Value> {
        let ids = values.iter().map(|value| value_id(stage, value));
        ids.map(|id| json!(id)).collect()
    };
    let mut body = json!({
        "decision": decision.what,
        "one": ids(&decision.one),
        "other": ids(&decision.other),
        "reason": reason,
    });
    if decision.what == "undo" {
        body["undoes"] = json!(before);
    }
    if let Value::Object(fields) = &mut body {
        fields.retain(|_, value| !value.is_null() && value != &json!([]));
    }
    stage.post(who, "/v1/identity/decisions", &body)
}

/// The id of a value, as the page of whoever has it shows it. Telephone numbers are compared by their ends, since pages show them as
/// Polku writes them.
fn value_id(stage: &mut dyn Stage, of: &Of) -> Option<String> {
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(|letter| letter.is_alphanumeric());
        let letters: Vec<char> = letters.flat_map(char::to_lowercase).collect();
        let taken = if of.kind == "phone" { 7 } else { letters.len() };
        letters.iter().rev().take(taken).collect()
    };
    let found = search(stage, of);
    let customer = found.body["customers"][0].clone();
    let values = ["identifiers", "references"].map(|table| customer[table].as_array().cloned());
    values.into_iter().flatten().flatten().find_map(|value| {
        let shown = value["shown"].as_str()?;
        let is_it = value["type"] == json!(of.kind) && plain(shown) == plain(&of.value);
        is_it.then(|| value["id"].as_str().map(str::to_owned))?
    })
}

fn search(stage: &mut dyn Stage, of: &Of) -> Answer {
    let body = json!({ "identifier": format!("{}:{}", of.kind, of.value), "reason": "scenario" });
    stage.post(AUDITOR, "/v1/customers/search", &body)
}

fn said_of(decided: &Answer) -> String {
    match decided.status {
        200 | 201 => "decided".to_owned(),
        status => {
            let faults = decided.body["faults"].as_object().into_iter().flatten();
            let faults: Vec<String> = faults
                .map(|(field, fault)| format!("{field} {}", fault.as_str().unwrap_or_default()))
                .collect();
            let detail = decided.body["detail"].as_str().unwrap_or_default();
            format!("refused with {status}: {detail} {}", faults.join("; "))
        }
    }
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
            let faults = answer.body["faults"].as_object().into_iter().flatten();
            let faults: Vec<String> = faults
                .map(|(field, fault)| format!("{field} {}", fault.as_str().unwrap_or_default()))
                .collect();
            let detail = answer.body["detail"].as_str().unwrap_or_default();
            let said = if faults.is_empty() {
                detail.to_owned()
            } else {
                faults.join("; ")
            };
            format!("refused with {}: {said}", answer.status)
        }
    }
}

fn look(stage: &mut dyn Stage, names: &mut Names, show: &Show) -> String {
    match show {
        Show::Customer(of) => show_customer(&search(stage, of).body["customers"]),
        Show::Timeline(of) => match entries(stage, of) {
            Some(entries) => show_timeline(&entries, names),
            None => "  nobody\n".to_owned(),
        },
        Show::State(of) => match customer(stage, of) {
            Some(id) => show_state(
                &stage.get(AUDITOR, &format!("/v1/customers/{id}")).body,
                names,
            ),
            None => "  nobody\n".to_owned(),
        },
        Show::Case(of) => match find_case(stage, of) {
            Some(id) => show_case(&stage.get(AUDITOR, &format!("/v1/cases/{id}")).body, names),
            None => "  no case\n".to_owned(),
        },
        Show::Signs(of) => match find_case(stage, of) {
            Some(id) => show_signs(&stage.get(AUDITOR, &format!("/v1/cases/{id}")).body),
            None => "  no case\n".to_owned(),
        },
        Show::Cases { department } => {
            let answer = stage.get(AUDITOR, &format!("/v1/departments/{department}/cases"));
            show_cases(&answer.body, names)
        }
        Show::Notices { department } => show_notices(&stage.notices(department), names),
        Show::Counts => show_counts(&stage.get(AUDITOR, "/v1/counts").body),
    }
}

fn customer(stage: &mut dyn Stage, of: &Of) -> Option<String> {
    let found = search(stage, of);
    let id = found.body["customers"][0]["id"].as_str()?;
    Some(id.to_owned())
}

/// The entries on the page of whoever has the identifier or reference.
fn entries(stage: &mut dyn Stage, of: &Of) -> Option<Vec<Value>> {
    let customer = customer(stage, of)?;
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
