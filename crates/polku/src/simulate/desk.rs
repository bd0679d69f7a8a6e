//! The company's people: they take a complaint's case and work on it, as far as the script says.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    api::Api,
    journey::Work,
    look::{self, CaseView},
    truth::Matter,
};

/// How long people wait for a case to come to their desk.
const PATIENCE: Duration = Duration::from_secs(20);

/// The department that matters are handed to.
const CARE: &str = "customer-care";

/// Does the work; answers whether the matter was put right.
pub(super) async fn work(api: &Api, matter: &Matter, work: Work) -> anyhow::Result<bool> {
    if work == Work::Nothing {
        return Ok(false);
    }
    let case = tokio::time::timeout(PATIENCE, case_of(api, matter))
        .await
        .context("no case came to the desk in time")??;
    match work {
        Work::Nothing => Ok(false),
        Work::Acknowledge => {
            acknowledge(api, &case).await?;
            Ok(false)
        }
        Work::Resolve => {
            acknowledge(api, &case).await?;
            finish(api, &case, &case.owner).await?;
            Ok(true)
        }
        Work::HandOffAndResolve => {
            let mut holder = case.owner.clone();
            if holder != CARE {
                command(
                    api,
                    &case,
                    &holder,
                    json!({ "command": "hand_off", "to": CARE, "reason": "refund" }),
                )
                .await?;
                command(api, &case, CARE, json!({ "command": "accept" })).await?;
                holder = CARE.to_owned();
            }
            finish(api, &case, &holder).await?;
            Ok(true)
        }
    }
}

/// A second complaint about a matter finds its case acknowledged already.
async fn acknowledge(api: &Api, case: &CaseView) -> anyhow::Result<()> {
    if case.state != "open" {
        return Ok(());
    }
    command(api, case, &case.owner, json!({ "command": "acknowledge" })).await
}

async fn finish(api: &Api, case: &CaseView, holder: &str) -> anyhow::Result<()> {
    command(
        api,
        case,
        holder,
        json!({ "command": "contact", "how": "phone", "reached": true }),
    )
    .await?;
    command(
        api,
        case,
        holder,
        json!({ "command": "resolve", "told": "phone", "reason": "compensated" }),
    )
    .await
}

/// The case that the complaint's entry names, once it does and the complaint has opened it.
async fn case_of(api: &Api, matter: &Matter) -> anyhow::Result<CaseView> {
    loop {
        if let Some(customer) = look::customers_with(api, &matter.customer).await?.first() {
            let entries = look::timeline(api, customer).await?;
            if let Some(id) = entries
                .iter()
                .find(|entry| entry.shown == matter.complaint)
                .and_then(|entry| entry.case.as_ref())
            {
                let case = look::case(api, id).await?;
                if case.state == "open" || case.state == "acknowledged" {
                    return Ok(case);
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Gives a command as a person of the department; each department has one whose credential bears its name.
async fn command(
    api: &Api,
    case: &CaseView,
    department: &str,
    command: Value,
) -> anyhow::Result<()> {
    let (status, answer) = api
        .post(
            department,
            &format!("/v1/cases/{}/commands", case.id),
            &command,
        )
        .await?;
    if status == StatusCode::OK || status == StatusCode::ACCEPTED {
        return Ok(());
    }
    bail!("the command {command} of {department} answered {status}: {answer}")
}
