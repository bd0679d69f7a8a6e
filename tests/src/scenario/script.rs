//! Reading a script.

use std::fmt;

use event::Time;
use jiff::civil::DateTime;
use serde_json::{Map, Value, json};

#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    pub lines: Vec<Line>,
}

/// A statement with the text it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub number: usize,
    pub text: String,
    pub statement: Statement,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// A comment or an empty line: shown as it is.
    Said,
    /// A source tells an event.
    Told {
        now: Time,
        source: String,
        event: Map<String, Value>,
    },
    /// Somebody at a desk gives a command for the case of a customer's complaint.
    Commanded {
        now: Time,
        who: String,
        of: Of,
        command: Map<String, Value>,
    },
    /// Somebody decides who is who.
    Decided {
        now: Time,
        who: String,
        decision: Decision,
        reason: Option<String>,
    },
    /// Nothing happens until then.
    Passed {
        now: Time,
    },
    Shown(Show),
}

/// An identifier or reference by which something is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Of {
    pub kind: String,
    pub value: String,
}

/// A decision about values: `apart email a@example.fi from phone 040 111`, `together X with Y`, `block X`, `allow X`; or `undo`, of
/// the decision before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub what: String,
    pub one: Vec<Of>,
    pub other: Vec<Of>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Show {
    /// Who a customer is: identifiers and references.
    Customer(Of),
    Timeline(Of),
    Case(Of),
    /// What the customer's timeline showed of it.
    Signs(Of),
    /// What a customer's timeline adds up to.
    State(Of),
    Cases {
        department: String,
    },
    Notices {
        department: String,
    },
    /// How much of everything there is.
    Counts,
}

#[derive(Debug, PartialEq, Eq)]
pub struct ScriptError {
    pub line: usize,
    pub text: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

impl std::error::Error for ScriptError {}

const IDENTIFIERS: [&str; 5] = [
    "customer_number",
    "loyalty_card",
    "email",
    "phone",
    "device",
];
const REFERENCES: [&str; 4] = ["order", "shipment", "ticket", "thread"];
const COMMAND_FIELDS: [&str; 5] = ["to", "how", "told", "reason", "on"];

impl Script {
    /// # Errors
    /// Names the line that cannot be read and why.
    pub fn read(text: &str) -> Result<Script, ScriptError> {
        let mut lines: Vec<Line> = Vec::new();
        for (index, text) in text.lines().enumerate() {
            let number = index + 1;
            let fail = |text: String| ScriptError { line: number, text };
            if text.starts_with("    ") {
                let last = lines
                    .last_mut()
                    .ok_or_else(|| fail("nothing to add this to".to_owned()))?;
                last.text.push('\n');
                last.text.push_str(text);
                add(&mut last.statement, text.trim()).map_err(fail)?;
                continue;
            }
            let statement = statement(text.trim(), number).map_err(fail)?;
            lines.push(Line {
                number,
                text: text.to_owned(),
                statement,
            });
        }
        Ok(Script { lines })
    }

    /// The first moment of the script.
    pub fn starts(&self) -> Option<Time> {
        self.lines.iter().find_map(|line| match &line.statement {
            Statement::Told { now, .. }
            | Statement::Commanded { now, .. }
            | Statement::Decided { now, .. }
            | Statement::Passed { now } => Some(*now),
            Statement::Said | Statement::Shown(_) => None,
        })
    }

    /// Whether time has to pass for it, which only the virtual clock does at will.
    pub fn needs_the_clock(&self) -> bool {
        self.lines
            .iter()
            .any(|line| matches!(line.statement, Statement::Passed { .. }))
    }
}

fn statement(text: &str, number: usize) -> Result<Statement, String> {
    if text.is_empty() || text.starts_with('#') {
        return Ok(Statement::Said);
    }
    if let Some(what) = text.strip_prefix("show ") {
        return show(what).map(Statement::Shown);
    }
    let (now, rest) = moment(text)?;
    if rest == "time passes" {
        return Ok(Statement::Passed { now });
    }
    let (who, what) = rest
        .split_once(": ")
        .ok_or("expected `SOURCE: KIND TYPE` or `desk WHO: COMMAND case of …`")?;
    if let Some(who) = who.strip_prefix("desk ") {
        if let Some(decision) = what.strip_prefix("decide ") {
            return Ok(Statement::Decided {
                now,
                who: who.to_owned(),
                decision: self::decision(decision)?,
                reason: None,
            });
        }
        let (command, of) = what
            .split_once(" case of ")
            .ok_or("expected `COMMAND case of TYPE VALUE`")?;
        let command = json!({ "command": command });
        let command = command.as_object().cloned().unwrap_or_default();
        return Ok(Statement::Commanded {
            now,
            who: who.to_owned(),
            of: self::of(of)?,
            command,
        });
    }
    let (kind, name) = what
        .split_once(' ')
        .ok_or("expected `KIND TYPE` after the source")?;
    let event = json!({ "id": format!("line-{number}"), "kind": kind, "type": name, "time": now.to_string() });
    let event = event.as_object().cloned().unwrap_or_default();
    Ok(Statement::Told {
        now,
        source: who.to_owned(),
        event,
    })
}

fn decision(text: &str) -> Result<Decision, String> {
    let (what, values) = text.split_once(' ').unwrap_or((text, ""));
    let between = match what {
        "apart" => " from ",
        "together" => " with ",
        "block" | "allow" | "undo" => "\n",
        other => return Err(format!("nobody can decide `{other}`")),
    };
    let (one, other) = values.split_once(between).unwrap_or((values, ""));
    let all = |values: &str| -> Result<Vec<Of>, String> {
        let values = values.split(", ").filter(|value| !value.is_empty());
        values.map(of).collect()
    };
    Ok(Decision {
        what: what.to_owned(),
        one: all(one)?,
        other: all(other)?,
    })
}

fn moment(text: &str) -> Result<(Time, &str), String> {
    let (written, rest) = text
        .split_at_checked(16)
        .ok_or("expected a moment, as in `2026-03-02 09:31`")?;
    let local: DateTime = format!("{}:00", written.replace(' ', "T"))
        .parse()
        .map_err(|error| format!("`{written}`: {error}"))?;
    let zoned = local
        .in_tz("Europe/Helsinki")
        .map_err(|error| error.to_string())?;
    Ok((
        Time::from_millis(zoned.timestamp().as_millisecond()),
        rest.trim_start(),
    ))
}

fn show(what: &str) -> Result<Show, String> {
    if what == "counts" {
        return Ok(Show::Counts);
    }
    let (subject, of) = what.split_once(" of ").ok_or(
        "expected `show counts` or `show customer | timeline | state | case | signs | cases | notices of …`",
    )?;
    match subject {
        "customer" => Ok(Show::Customer(self::of(of)?)),
        "timeline" => Ok(Show::Timeline(self::of(of)?)),
        "state" => Ok(Show::State(self::of(of)?)),
        "case" => Ok(Show::Case(self::of(of)?)),
        "signs" => Ok(Show::Signs(self::of(of)?)),
        "cases" => Ok(Show::Cases {
            department: of.to_owned(),
        }),
        "notices" => Ok(Show::Notices {
            department: of.to_owned(),
        }),
        other => Err(format!("nothing called `{other}` can be shown")),
    }
}

fn of(text: &str) -> Result<Of, String> {
    let (kind, value) = text
        .split_once(' ')
        .ok_or("expected a type and a value, as in `email aino@example.fi`")?;
    Ok(Of {
        kind: kind.to_owned(),
        value: value.to_owned(),
    })
}

/// An indented line: fields of the statement above.
fn add(statement: &mut Statement, text: &str) -> Result<(), String> {
    let quoted = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match statement {
        Statement::Told { event, .. } => {
            if let Some(words) = quoted {
                event.insert("text".to_owned(), json!(words));
                return Ok(());
            }
            text.split(", ")
                .try_for_each(|field| add_field(event, field))
        }
        Statement::Commanded { command, .. } => {
            if let Some(words) = quoted {
                command.insert("reason".to_owned(), json!(words));
                return Ok(());
            }
            for field in text.split(", ") {
                let (name, value) = field
                    .split_once(' ')
                    .ok_or_else(|| format!("`{field}` has no value"))?;
                match name {
                    "reached" => command.insert(name.to_owned(), json!(value == "yes")),
                    "until" => {
                        let (time, _) = moment(value)?;
                        command.insert(name.to_owned(), json!(time.to_string()))
                    }
                    _ if COMMAND_FIELDS.contains(&name) => {
                        command.insert(name.to_owned(), json!(value))
                    }
                    _ => return Err(format!("a command has no `{name}`")),
                };
            }
            Ok(())
        }
        Statement::Decided { reason, .. } => {
            let words = quoted.ok_or("a decision has a reason, in quotes")?;
            *reason = Some(words.to_owned());
            Ok(())
        }
        Statement::Said | Statement::Passed { .. } | Statement::Shown(_) => {
            Err("nothing can be added to the line above".to_owned())
        }
    }
}

fn add_field(event: &mut Map<String, Value>, field: &str) -> Result<(), String> {
    let (name, value) = field
        .split_once(' ')
        .ok_or_else(|| format!("`{field}` has no value"))?;
    let mut within = |table: &str| {
        let inner = event.entry(table).or_insert_with(|| json!({}));
        if let Value::Object(inner) = inner {
            inner.insert(name.to_owned(), json!(value));
        }
    };
    match name {
        _ if IDENTIFIERS.contains(&name) => within("identifiers"),
        _ if REFERENCES.contains(&name) => within("references"),
        "happened" => {
            let (time, _) = moment(value)?;
            event.insert("time".to_owned(), json!(time.to_string()));
        }
        "history" => {
            event.insert("history".to_owned(), json!(value == "yes"));
        }
        "promise" => {
            // `promise p-1 refund made by finance until 2026-03-10 16:00`
            let words: Vec<&str> = value.splitn(7, ' ').collect();
            let mut promise = match words[..] {
                [id, what, state, ..] => json!({ "id": id, "what": what, "state": state }),
                _ => return Err(format!("`{value}` is no promise: write `p-1 refund made`")),
            };
            if let Some(keeper) = words.get(4) {
                promise["keeper"] = json!(keeper);
            }
            if let Some(until) = words.get(6) {
                let (time, _) = moment(until)?;
                promise["due"] = json!(time.to_string());
            }
            event.insert("promise".to_owned(), promise);
        }
        "score" => {
            // `score nps 3 of 0-10`
            let parts: Vec<&str> = value.split([' ', '-']).collect();
            let [metric, value, "of", min, max] = parts[..] else {
                return Err(format!("`{value}` is no score: write `nps 3 of 0-10`"));
            };
            let number = |text: &str| {
                text.parse::<f64>()
                    .map_err(|error| format!("`{text}`: {error}"))
            };
            let score = json!({ "metric": metric, "value": number(value)?, "min": number(min)?, "max": number(max)? });
            event.insert("score".to_owned(), score);
        }
        // Whatever a sender may write: the door says what it thinks of it.
        _ => {
            event.insert(name.to_owned(), json!(value));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_reads_line_by_line() {
        let script = Script::read(
            "# A comment\n2026-03-02 09:31 till: complaint queue.long\n    email a@example.fi, order A-1\n    \"Hm.\"\nshow cases of stores\n",
        )
        .unwrap();
        let [said, told, shown] = &script.lines[..] else {
            panic!("{script:?}")
        };
        assert_eq!(said.statement, Statement::Said);
        assert_eq!(
            shown.statement,
            Statement::Shown(Show::Cases {
                department: "stores".to_owned()
            })
        );
        let Statement::Told { event, .. } = &told.statement else {
            panic!("{told:?}")
        };
        assert_eq!(event["identifiers"], json!({ "email": "a@example.fi" }));
        assert_eq!(event["time"], "2026-03-02T07:31:00Z");
        assert_eq!(event["text"], "Hm.");
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        assert_eq!(Script::read("\nshow weather of Turku").unwrap_err().line, 2);
    }
}
