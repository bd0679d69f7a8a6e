//! The company's people: they take a complaint's case and work on it, as far as the script says, each by their own key.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use event::Time;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    api::Api,
    journey::Work,
    look::{self, CaseView},
    truth::{Matter, Named},
};
use crate::demo::people;

/// How long people wait for a case to come to their desk.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long after people look again whether a case has come: what may be asked in a second is bounded.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(400);

/// How long after a pending command's outcome is asked for.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Works on the case of a matter. Others may have acted on it meanwhile: then a command is refused, which is an error.
pub(super) async fn work(api: &Api, matter: &Matter, work: Work) -> anyhow::Result<()> {
    if work == Work::Nothing {
        return Ok(());
    }
    let case = tokio::time::timeout(PATIENCE, case_of(api, matter))
        .await
        .with_context(|| format!("no case of {:?} came to the desk in time", matter.complaint))??;
    let desk = Desk { api, case: case.id };
    match work {
        Work::Nothing => Ok(()),
        Work::Claim => desk.claim().await,
        Work::Wait => desk.wait_for("courier").await,
        Work::Resolve => {
            desk.claim().await?;
            desk.finish().await
        }
        Work::HandOffAndResolve => {
            let to = desk.offer().await?;
            desk.answer(to, json!({ "command": "accept" })).await?;
            desk.finish().await
        }
        Work::Offer => desk.offer().await.map(drop),
        Work::OfferDeclined => {
            let to = desk.offer().await?;
            let reason = "Tämä kuuluu teille, tuotteessa ei ole vikaa.";
            desk.answer(to, json!({ "command": "decline", "reason": reason }))
                .await
        }
    }
}

/// Waits until each two identifiers are one customer's.
pub(super) async fn await_customers(api: &Api, people: &[[Named; 2]]) -> anyhow::Result<()> {
    let known = async {
        for [one, other] in people {
            loop {
                let customer = look::customers_with(api, one).await?;
                if !customer.is_empty() && customer == look::customers_with(api, other).await? {
                    break;
                }
                tokio::time::sleep(LOOK_AGAIN_AFTER).await;
            }
        }
        Ok(())
    };
    let known = tokio::time::timeout(PATIENCE, known).await;
    known.context("Polku did not understand in time who is who")?
}

/// A case on somebody's desk.
struct Desk<'a> {
    api: &'a Api,
    case: String,
}

impl Desk<'_> {
    /// Whoever of the owner has time. A second complaint about a matter finds its case acknowledged already.
    async fn claim(&self) -> anyhow::Result<()> {
        let case = look::case(self.api, &self.case).await?;
        if case.state == "open" {
            self.owner(json!({ "command": "acknowledge" })).await?;
        }
        if case.claimed {
            return Ok(());
        }
        self.owner(json!({ "command": "claim" })).await
    }

    async fn wait_for(&self, party: &str) -> anyhow::Result<()> {
        self.claim().await?;
        let note = "Kysytty kuljettajalta, vastaus luvattu huomiseksi.";
        self.owner(json!({ "command": "note", "reason": note }))
            .await?;
        let until = Time::from_millis(service::clock::now_ms() + 20 * 3_600_000);
        self.owner(json!({ "command": "wait", "on": party, "until": until.to_string() }))
            .await
    }

    async fn finish(&self) -> anyhow::Result<()> {
        self.owner(json!({ "command": "contact", "how": "phone", "reached": true }))
            .await?;
        let reason = "Hyvitetty 20 euroa ja pahoiteltu.";
        self.owner(json!({ "command": "resolve", "told": "phone", "reason": reason }))
            .await
    }

    /// Offers it to the department that could do more, and answers which.
    async fn offer(&self) -> anyhow::Result<&'static str> {
        let owner = look::case(self.api, &self.case).await?.owner;
        let (to, reason) = match owner.as_str() {
            "customer-care" => ("delivery", "Asiakas odottaa uutta toimitusaikaa."),
            "delivery" => ("finance", "Asiakas haluaa rahansa takaisin."),
            _ => ("customer-care", "Asiakas kannattaa soittaa läpi."),
        };
        self.owner(json!({ "command": "hand_off", "to": to, "reason": reason }))
            .await?;
        Ok(to)
    }

    /// Somebody of the department that was asked.
    async fn answer(&self, department: &str, command: Value) -> anyhow::Result<()> {
        self.by(department, command).await
    }

    /// Somebody of the department that has the case at this moment.
    async fn owner(&self, command: Value) -> anyhow::Result<()> {
        let owner = look::case(self.api, &self.case).await?.owner;
        self.by(&owner, command).await
    }

    async fn by(&self, department: &str, command: Value) -> anyhow::Result<()> {
        let people = people::of(department);
        ensure!(!people.is_empty(), "nobody works for {department}");
        // The same person for the same case.
        let chosen = self.case.bytes().map(usize::from).sum::<usize>() % people.len();
        let path = format!("/v1/cases/{}/commands", self.case);
        let (mut status, mut answer) = self.api.post(people[chosen], &path, &command).await?;
        // It is written down, and Polku is busy: what it came to is asked for.
        while status == StatusCode::ACCEPTED {
            let link = answer["link"]
                .as_str()
                .context("a pending command has no link")?;
            tokio::time::sleep(AGAIN_AFTER).await;
            (status, answer) = self.api.get(people[chosen], link).await?;
        }
        if status == StatusCode::OK {
            return Ok(());
        }
        bail!(
            "the command {command} of {} answered {status}: {answer}",
            people[chosen]
        )
    }
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
        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
    }
}
