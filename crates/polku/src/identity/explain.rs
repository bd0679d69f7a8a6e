//! `polku identity explain A B`: asks the API why two events are on one timeline or on two, and says it in lines.

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use event::EventId;
use reqwest::{Client, StatusCode, Url};
use serde_json::Value;

use crate::{config::Config, demo::Home, simulate::Keys};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The one event, as timelines name it: e_…
    a: EventId,
    /// The other
    b: EventId,
    /// Where Polku answers; by default where the configuration listens
    #[arg(long)]
    url: Option<String>,
    /// A file with the key of somebody who may read both customers; by default the key of `auditor` that `polku dev` made
    #[arg(long)]
    key_file: Option<PathBuf>,
    /// Why; goes to the records of who read what
    #[arg(long, default_value = "polku identity explain")]
    reason: String,
}

const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const AUDITOR: &str = "auditor";

/// Prints why; true when there was an answer.
///
/// # Errors
/// When there is no key, or nobody answers.
pub async fn run(options: Options, config: Config) -> anyhow::Result<bool> {
    service::tls::install();
    let client = Client::builder()
        .timeout(ANSWER_WITHIN)
        .build()
        .context("building the HTTP client")?;
    let url = options
        .url
        .clone()
        .unwrap_or_else(|| format!("http://{}", config.listen));
    let asked = question(&url, options.a, options.b)?;
    let answer = client
        .get(asked)
        .bearer_auth(key(&options, &config)?)
        .header("polku-reason", &options.reason)
        .send()
        .await
        .map_err(reqwest::Error::without_url)
        .with_context(|| format!("asking {url}"))?;
    let status = answer.status();
    let body: Value = answer.json().await.context("reading the answer")?;
    if status != StatusCode::OK {
        let detail = body["detail"].as_str().unwrap_or_default();
        eprintln!("{status}: {detail}");
        return Ok(false);
    }
    print!("{}", told(&body));
    Ok(true)
}

fn question(url: &str, a: EventId, b: EventId) -> anyhow::Result<Url> {
    let path = format!("{}/v1/identity/explain", url.trim_end_matches('/'));
    let mut question: Url = path.parse().with_context(|| {
        format!("`{url}` is no address of Polku; write `http://127.0.0.1:8700`")
    })?;
    let events = [("a", a.to_string()), ("b", b.to_string())];
    question.query_pairs_mut().extend_pairs(events);
    Ok(question)
}

fn key(options: &Options, config: &Config) -> anyhow::Result<String> {
    if let Some(file) = &options.key_file {
        let text = service::secret::read_text(file)
            .with_context(|| format!("reading the key in {}", file.display()))?;
        return Ok(text.trim().to_owned());
    }
    let keys = Keys::read(&Home::new(&config.data).keys())
        .context("name a file with a key by `--key-file`")?;
    match keys.credentials.get(AUDITOR) {
        Some(key) => Ok(key.clone()),
        None => bail!("there is no key of `{AUDITOR}`: name a file with a key by `--key-file`"),
    }
}

/// The answer in lines.
fn told(body: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (a, b) = (&body["a"], &body["b"]);
    let mut lines = String::new();
    let mut say = |line: String| {
        writeln!(lines, "{line}").expect("a text takes lines");
    };
    if body["together"] == true {
        say(format!(
            "{} and {} are on one timeline, of {}",
            text(&a["event"]),
            text(&b["event"]),
            text(&a["customer"])
        ));
        say(format!("  {}", value(&a["follows"])));
        for hop in body["chain"].as_array().into_iter().flatten() {
            let how = text(&hop["how"]);
            say(format!("  {} {}{}", how, value(&hop["other"]), said(hop)));
        }
        return lines;
    }
    say(format!(
        "{} is on the timeline of {}, {} on that of {}",
        text(&a["event"]),
        text(&a["customer"]),
        text(&b["event"]),
        text(&b["customer"])
    ));
    for barrier in body["barriers"].as_array().into_iter().flatten() {
        let values = barrier["values"].as_array().into_iter().flatten();
        let values: Vec<String> = values.map(value).collect();
        let mut line = format!("  {}", text(&barrier["what"]));
        if let Some(why) = barrier["why"].as_str() {
            write!(line, " ({why})").expect("a text takes words");
        }
        if !values.is_empty() {
            write!(line, ": {}", values.join(", ")).expect("a text takes words");
        }
        if let Value::Object(limit) = &barrier["limit"] {
            let (kind, seen) = (text(&limit["type"]), &limit["seen"]);
            write!(
                line,
                ", seen with {seen} of {kind}, of at most {}",
                limit["limit"]
            )
            .expect("a text takes words");
        }
        say(format!("{line}{}", said(barrier)));
    }
    lines
}

fn value(value: &Value) -> String {
    let text = |field: &str| value[field].as_str().unwrap_or_default();
    format!("{} {} [{}]", text("type"), text("shown"), text("id"))
}

/// Who said so, if anybody did.
fn said(of: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (report, decision) = (&of["report"], &of["decision"]);
    if report.is_object() {
        let trust = if report["trusted"] == true {
            ""
        } else {
            ", which is not trusted"
        };
        return format!(
            ", by {} of {} at {}{trust}",
            text(&report["event"]),
            text(&report["source"]),
            text(&report["time"])
        );
    }
    if decision.is_object() {
        return format!(
            ", by decision {} of {} at {}: {}",
            text(&decision["id"]),
            text(&decision["actor"]),
            text(&decision["time"]),
            text(&decision["reason"])
        );
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_question_goes_to_an_address_and_what_is_none_is_said() {
        let (a, b) = ("0".repeat(32), "1".repeat(32));
        let [one, other] = [&a, &b].map(|id| format!("e_{id}").parse().unwrap());
        let asked = |url| question(url, one, other);
        assert_eq!(
            asked("http://127.0.0.1:8700/").unwrap().as_str(),
            format!("http://127.0.0.1:8700/v1/identity/explain?a=e_{a}&b=e_{b}")
        );
        let error = asked("nonsense").unwrap_err().to_string();
        assert_eq!(
            error,
            "`nonsense` is no address of Polku; write `http://127.0.0.1:8700`"
        );
    }

    #[test]
    fn an_answer_is_told_in_lines() {
        let value = |kind: &str, shown: &str| json!({ "id": "p_1", "type": kind, "shown": shown });
        let report = json!({ "event": "e_3", "source": "till", "time": "2026-11-20T08:00:00Z", "trusted": true });
        for (body, expected) in [
            (
                json!({
                    "together": true,
                    "a": { "event": "e_1", "customer": "p_1", "follows": value("phone", "•• 5810") },
                    "b": { "event": "e_2", "customer": "p_1" },
                    "chain": [{ "other": value("email", "••@example.fi"), "how": "named", "report": report }],
                }),
                "e_1 and e_2 are on one timeline, of p_1\n  phone •• 5810 [p_1]\n  \
                 named email ••@example.fi [p_1], by e_3 of till at 2026-11-20T08:00:00Z\n",
            ),
            (
                json!({
                    "together": false,
                    "a": { "event": "e_1", "customer": "p_1" },
                    "b": { "event": "e_2", "customer": "p_2" },
                    "barriers": [
                        { "what": "out", "why": "limit", "values": [value("phone", "•• 5810")],
                          "limit": { "type": "email", "seen": 9, "limit": 5 } },
                        { "what": "apart", "values": [], "decision": { "id": "d_1", "actor": "lea", "time": "T", "reason": "sisters" } },
                        { "what": "unlinked", "values": [] },
                    ],
                }),
                "e_1 is on the timeline of p_1, e_2 on that of p_2\n  \
                 out (limit): phone •• 5810 [p_1], seen with 9 of email, of at most 5\n  \
                 apart, by decision d_1 of lea at T: sisters\n  unlinked\n",
            ),
        ] {
            assert_eq!(told(&body), expected);
        }
    }
}
