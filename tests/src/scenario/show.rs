//! What people see, as text. Ids become `case 1`, `matter 1` in the order in which they are first shown, so that the text does not
//! change with the keys behind them; moments that depend on the wall clock are left out.

use std::fmt::Write as _;

use event::Time;
use jiff::tz::TimeZone;
use serde_json::Value;

/// The names that ids are shown by.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    cases: Vec<String>,
    matters: Vec<String>,
}

impl Names {
    fn case(&mut self, id: &Value) -> String {
        name("case", &mut self.cases, id)
    }

    fn matter(&mut self, id: &Value) -> String {
        name("matter", &mut self.matters, id)
    }
}

fn name(what: &str, known: &mut Vec<String>, id: &Value) -> String {
    let Some(id) = id.as_str() else {
        return "-".to_owned();
    };
    let number = known.iter().position(|one| one == id).unwrap_or_else(|| {
        known.push(id.to_owned());
        known.len() - 1
    });
    format!("{what} {}", number + 1)
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or("-")
}

fn local(time: &Value) -> String {
    let parsed = time.as_str().and_then(|text| text.parse::<Time>().ok());
    let moment = parsed.and_then(|time| jiff::Timestamp::from_millisecond(time.as_millis()).ok());
    let zone = TimeZone::get("Europe/Helsinki");
    match (moment, zone) {
        (Some(moment), Ok(zone)) => moment.to_zoned(zone).strftime("%d.%m. %H:%M").to_string(),
        (Some(_) | None, Ok(_) | Err(_)) => "-".to_owned(),
    }
}

fn line(out: &mut String, cells: &[String]) {
    writeln!(out, "  | {}", cells.join(" | ").trim_end()).expect("writing to a string");
}

/// Who has a value: all that they are known by.
pub(super) fn show_customer(customers: &Value) -> String {
    let mut out = String::new();
    for customer in customers.as_array().into_iter().flatten() {
        let values = ["identifiers", "references"].map(|table| customer[table].as_array());
        let mut cells: Vec<String> = values
            .into_iter()
            .flatten()
            .flatten()
            .map(|value| format!("{} {}", text(value, "type"), text(value, "shown")))
            .collect();
        cells.sort();
        line(&mut out, &cells);
    }
    if out.is_empty() {
        "  nobody\n".to_owned()
    } else {
        out
    }
}

pub(super) fn show_timeline(entries: &[Value], names: &mut Names) -> String {
    let mut out = String::new();
    for entry in entries.iter().filter(|entry| entry["event"].is_string()) {
        let kind = format!("{} {}", text(entry, "kind"), text(entry, "type"));
        let from = format!("{} ({})", text(entry, "source"), text(entry, "channel"));
        let mut cells = vec![
            local(&entry["time"]),
            from,
            kind,
            names.matter(&entry["matter"]),
            names.case(&entry["case"]),
        ];
        cells.extend(place(entry));
        line(&mut out, &cells);
    }
    out
}

/// Where on the customer's path it happened: "delivery, at the pickup-point".
fn place(entry: &Value) -> Option<String> {
    let stage = entry["stage"].as_str()?;
    Some(match entry["touchpoint"].as_str() {
        Some(touchpoint) => format!("{stage}, at the {touchpoint}"),
        None => stage.to_owned(),
    })
}

/// What a customer's timeline adds up to.
pub(super) fn show_state(customer: &Value, names: &mut Names) -> String {
    let mut out = String::new();
    let seen = ["first_seen", "last_seen"].map(|moment| local(&customer[moment]));
    line(&mut out, &[format!("seen from {} to {}", seen[0], seen[1])]);
    let state = &customer["state"];
    if let Some(stage) = state["stage"]["name"].as_str() {
        let since = local(&state["stage"]["time"]);
        line(&mut out, &[format!("at {stage} since {since}")]);
    }
    for open in state["open"].as_array().into_iter().flatten() {
        let since = local(&open["since"]);
        line(
            &mut out,
            &[format!("{} open since {since}", names.case(&open["case"]))],
        );
    }
    for (metric, score) in state["scores"].as_object().into_iter().flatten() {
        let time = local(&score["time"]);
        line(
            &mut out,
            &[format!(
                "{metric} {} of {} on {time}",
                score["value"], score["max"]
            )],
        );
    }
    for days in ["30", "90", "365"] {
        let channels = by_channel(&state["complaints"][format!("days_{days}")]);
        if !channels.is_empty() {
            line(
                &mut out,
                &[format!("complaints in {days} days: {channels}")],
            );
        }
    }
    for (matter, contacts) in state["contacts"].as_object().into_iter().flatten() {
        let matter = names.matter(&Value::String(matter.clone()));
        let channels = by_channel(&contacts["channels"]);
        line(&mut out, &[format!("contacts about {matter}: {channels}")]);
    }
    let promises = &state["promises"];
    if promises["made"] != 0 {
        let counts = ["made", "kept", "broken", "withdrawn"];
        let counts = counts.map(|what| format!("{} {what}", promises[what]));
        line(&mut out, &[format!("promises: {}", counts.join(", "))]);
    }
    out
}

/// `call_centre 2, web 1`.
fn by_channel(channels: &Value) -> String {
    let channels = channels.as_object().into_iter().flatten();
    let counts: Vec<String> = channels
        .map(|(channel, count)| format!("{channel} {count}"))
        .collect();
    counts.join(", ")
}

pub(super) fn show_case(case: &Value, names: &mut Names) -> String {
    let mut out = String::new();
    let why: Vec<&str> = case["why"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let head = format!(
        "{}: {}, {}",
        names.case(&case["id"]),
        text(case, "what"),
        text(case, "state")
    );
    let owner = format!("owner {}, by {}", text(case, "owner"), why.join(" > "));
    let heard = format!("{} contacts", case["contacts"]);
    let mut cells = vec![head, owner, heard];
    cells.extend(standing(case));
    line(&mut out, &cells);
    for step in case["history"].as_array().into_iter().flatten() {
        if step["what"] == "heard" {
            continue;
        }
        let who = step["actor"].as_str().unwrap_or("Polku");
        let other = step["other"]
            .as_str()
            .map(|other| format!("with {other}"))
            .or_else(|| whom(step))
            .unwrap_or_default();
        let reason = step["reason"].as_str().unwrap_or_default();
        let what = match step["sign"].as_str() {
            Some(sign) => format!("  {}: {sign}", text(step, "what")),
            None => format!("  {} by {who}", text(step, "what")),
        };
        line(
            &mut out,
            &[
                what,
                format!("owner {}", text(step, "owner")),
                other,
                reason.to_owned(),
            ],
        );
    }
    out
}

/// The steps of a case that signs caused, when they happened, and whom they concern.
pub(super) fn show_signs(case: &Value) -> String {
    let mut out = String::new();
    let steps = case["history"].as_array().into_iter().flatten();
    for step in steps.filter(|step| step["sign"].is_string()) {
        let what = format!("{}: {}", text(step, "what"), text(step, "sign"));
        let other = step["other"].as_str();
        let other = other.map(|other| format!("with {other}"));
        let reason = step["reason"].as_str().map(str::to_owned);
        let mut cells = vec![local(&step["time"]), what];
        cells.extend(other.into_iter().chain(reason));
        line(&mut out, &cells);
    }
    if out.is_empty() {
        "  none\n".to_owned()
    } else {
        out
    }
}

/// How a case stands besides its state: whose inbox it lies in, who has it in hand, and what it waits for.
fn standing(case: &Value) -> Vec<String> {
    let said = [
        ("unit", "unit"),
        ("claimed_by", "in hand of"),
        ("waiting_on", "waits for"),
    ];
    let mut standing: Vec<String> = said
        .iter()
        .filter_map(|(field, words)| Some(format!("{words} {}", case[*field].as_str()?)))
        .collect();
    if case["proposed"].is_string() {
        standing.push("to be confirmed as solved".to_owned());
    }
    standing
}

/// Who had it in hand before, or who is waited for.
fn whom(step: &Value) -> Option<String> {
    let whom = step["whom"].as_str()?;
    Some(match text(step, "what") {
        "waiting" | "resumed" => format!("for {whom}"),
        _ => format!("from {whom}"),
    })
}

pub(super) fn show_counts(counts: &Value) -> String {
    let mut out = String::new();
    let all = [
        format!("{} events", counts["events"]["accepted"]),
        format!("{} on timelines", counts["entries"]),
        format!("{} of nobody", counts["anonymous"]),
        format!("{} of other eyes", counts["apart"]),
        format!("{} customers", counts["customers"]),
        format!("{} open cases", counts["cases"]["open"]),
    ];
    line(&mut out, &all);
    out
}

pub(super) fn show_cases(cases: &Value, names: &mut Names) -> String {
    let mut out = String::new();
    for case in cases["cases"].as_array().into_iter().flatten() {
        let offered = case["offered_to"]
            .as_str()
            .map(|to| format!("offered to {to}"))
            .unwrap_or_default();
        let dormant = if case["dormant"] == true {
            "dormant"
        } else {
            ""
        };
        let mut cells = vec![
            names.case(&case["id"]),
            text(case, "what").to_owned(),
            text(case, "state").to_owned(),
            offered,
            dormant.to_owned(),
        ];
        cells.extend(standing(case));
        line(&mut out, &cells);
    }
    if out.is_empty() {
        "  none\n".to_owned()
    } else {
        out
    }
}

pub(super) fn show_notices(notices: &[Value], names: &mut Names) -> String {
    let mut out = String::new();
    for notice in notices {
        let from = notice["from"]
            .as_str()
            .map(|from| format!("from {from}"))
            .unwrap_or_default();
        line(
            &mut out,
            &[
                text(notice, "why").to_owned(),
                names.case(&notice["case"]),
                text(notice, "what").to_owned(),
                from,
            ],
        );
    }
    if out.is_empty() {
        "  none\n".to_owned()
    } else {
        out
    }
}
