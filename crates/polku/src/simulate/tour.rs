//! What a newcomer sees first: where to look, and three requests with what Polku answered.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{
    api::Api,
    look::AUDITOR,
    truth::{Named, Truth},
};
use crate::demo::people;

/// How long the first events may take to be stored.
const STORED_WITHIN: Duration = Duration::from_secs(60);

pub(super) async fn show(api: &Api, truth: &Truth) -> anyhow::Result<()> {
    let stored = tokio::time::timeout(STORED_WITHIN, stored(api)).await;
    let counts = stored.context("no event was stored in time; what the roles log says why")??;
    let (kind, value) = somebody(truth).context("the simulated company has sent nothing yet")?;
    let written = if kind == "phone" {
        format!("0{value}")
    } else {
        value
    };
    let search = json!({ "identifier": format!("{kind}:{written}"), "reason": "a first look" });
    let department = &busiest(api).await?;
    let inbox = format!("/v1/departments/{department}/cases");
    let (_, customers) = api.post(AUDITOR, "/v1/customers/search", &search).await?;
    let (_, cases) = api.get(AUDITOR, &inbox).await?;
    let url = api.url();
    let key = api.key(AUDITOR)?;
    let person = people::of(department)
        .first()
        .copied()
        .with_context(|| format!("nobody works for {department}"))?;

    println!(
        "\nPolku is running, and a simulated company speaks to it, each of its systems in its own format.\n"
    );
    println!("  the inbox that is fullest    {url}/inbox/{department}");
    println!("  hand-offs between all        {url}/hand-offs");
    println!("  who is who: what is asked    {url}/identity/review");
    println!("  the customer's path          {url}/path/delivery");
    println!("  the API, metrics             {url}/openapi.json, {url}/metrics\n");
    println!(
        "The link that `polku dev` printed signs in. So does a person's key: {person} of {department} has"
    );
    println!(
        "{}; the others' are in demo-keys.toml in the data directory.\n",
        api.key(person)?
    );
    println!("Three requests to try, and what they answered just now:\n");
    answered(&format!("curl {url}/v1/counts"), &counts);
    answered(
        &format!(
            "curl -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -d '{search}' {url}/v1/customers/search"
        ),
        &customers,
    );
    answered(
        &format!("curl -H 'Authorization: Bearer {key}' '{url}{inbox}'"),
        &cases,
    );
    println!("Ctrl-C stops it; starting again goes on from what is on disk.");
    Ok(())
}

/// The department with the most open cases.
async fn busiest(api: &Api) -> anyhow::Result<String> {
    let (_, answer) = api.get(AUDITOR, "/v1/departments").await?;
    let departments = answer["departments"].as_array().into_iter().flatten();
    let busiest = departments.max_by_key(|department| department["open"].as_u64());
    let id = busiest.and_then(|department| department["id"].as_str());
    Ok(id.context("there are no departments")?.to_owned())
}

/// The counts, once they say that events are on timelines and somebody has a case to work on.
async fn stored(api: &Api) -> anyhow::Result<Value> {
    loop {
        let (_, counts) = api.get(AUDITOR, "/v1/counts").await?;
        let cases = &counts["cases"];
        let has_case = cases["open"].as_u64() > Some(0) || cases["acknowledged"].as_u64() > Some(0);
        if counts["entries"].as_u64() > Some(0) && has_case {
            return Ok(counts);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn somebody(truth: &Truth) -> Option<Named> {
    let customers = truth.customers();
    let busiest = customers
        .iter()
        .max_by_key(|customer| customer.events.len())?;
    let email = busiest.identifiers.iter().find(|(kind, _)| kind == "email");
    email.or_else(|| busiest.identifiers.first()).cloned()
}

/// The longest answer that is printed whole.
const SHOWN_CHARS_MAX: usize = 900;

fn answered(request: &str, answer: &Value) {
    let text = serde_json::to_string_pretty(answer).unwrap_or_else(|_| answer.to_string());
    let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    println!("  $ {request}");
    for line in shown.lines() {
        println!("  {line}");
    }
    println!(
        "{}",
        if shown.len() < text.len() {
            "  …\n"
        } else {
            ""
        }
    );
}
