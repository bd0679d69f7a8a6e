//! Reading Polku's pages: who a customer is, what stands on the timeline, how a case stands.

use anyhow::{Context as _, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    api::Api,
    truth::{Named, Shown},
};

/// The credential that may look up everybody.
pub(super) const AUDITOR: &str = "auditor";

/// The ids of the customers that have an identifier: one, or none.
pub(super) async fn customers_with(
    api: &Api,
    (kind, value): &Named,
) -> anyhow::Result<Vec<String>> {
    let value = if kind == "phone" {
        format!("0{value}")
    } else {
        value.clone()
    };
    let body = json!({ "identifier": format!("{kind}:{value}"), "reason": "simulation" });
    let (status, answer) = api.post(AUDITOR, "/v1/customers/search", &body).await?;
    ensure!(
        status == StatusCode::OK,
        "searching for a {kind} answered {status}: {answer}"
    );
    let customers = answer["customers"]
        .as_array()
        .context("the answer has no customers")?;
    Ok(customers
        .iter()
        .filter_map(|customer| customer["id"].as_str())
        .map(str::to_owned)
        .collect())
}

/// What Polku counts, as far as the simulation compares it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) customers: u64,
    pub(super) anonymous: u64,
}

pub(super) async fn counts(api: &Api) -> anyhow::Result<Counts> {
    let (status, counts) = api.get(AUDITOR, "/v1/counts").await?;
    ensure!(
        status == StatusCode::OK,
        "asking for the counts answered {status}: {counts}"
    );
    Ok(Counts {
        customers: counts["customers"].as_u64().unwrap_or_default(),
        anonymous: counts["anonymous"].as_u64().unwrap_or_default(),
    })
}

/// An entry of a timeline as far as the simulation compares it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) shown: Shown,
    pub(super) case: Option<String>,
}

/// All events on a customer's page, in the page's order.
pub(super) async fn timeline(api: &Api, customer: &str) -> anyhow::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/customers/{customer}/timeline?limit=500{cursor}");
        let (status, page) = api.get(AUDITOR, &path).await?;
        ensure!(
            status == StatusCode::OK,
            "reading the timeline of {customer} answered {status}: {page}"
        );
        for entry in page["entries"]
            .as_array()
            .context("the page has no entries")?
        {
            if entry["event"].is_string() {
                entries.push(read(entry)?);
            }
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(entries),
        }
    }
}

fn read(entry: &Value) -> anyhow::Result<Entry> {
    let text = |field: &str| {
        entry[field]
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("an entry has no {field}"))
    };
    let time: event::Time = text("time")?.parse().context("an entry's time")?;
    Ok(Entry {
        shown: (time.as_millis(), text("source")?, text("type")?),
        case: entry["case"].as_str().map(str::to_owned),
    })
}

/// A case as far as the simulation looks at it.
#[derive(Clone, Debug)]
pub(super) struct CaseView {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) owner: String,
    pub(super) claimed: bool,
}

pub(super) async fn case(api: &Api, id: &str) -> anyhow::Result<CaseView> {
    let (status, case) = api.get(AUDITOR, &format!("/v1/cases/{id}")).await?;
    ensure!(
        status == StatusCode::OK,
        "reading the case {id} answered {status}: {case}"
    );
    let text = |field: &str| {
        case[field]
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("the case {id} has no {field}"))
    };
    Ok(CaseView {
        id: text("id")?,
        state: text("state")?,
        owner: text("owner")?,
        claimed: case["claimed_by"].is_string(),
    })
}
