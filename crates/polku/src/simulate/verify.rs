//! Compares what Polku says with what the company sent: who is one customer, what stands on each timeline, which matters are
//! open.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use super::{
    api::Api,
    look,
    truth::{Customer, Matter, Truth},
};

/// What was compared, and what differs.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) customers: usize,
    /// On timelines.
    pub(super) events: usize,
    pub(super) matters: usize,
    pub(super) differences: Vec<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "compared {} customers, {} events, {} matters",
            self.customers, self.events, self.matters
        )?;
        for difference in self.differences.iter().take(20) {
            writeln!(f, "  differs: {difference}")?;
        }
        match self.differences.len() {
            0 => write!(f, "everything is as it was sent"),
            count => write!(f, "{count} differences"),
        }
    }
}

/// Compares until nothing differs any more, or until the time is up: what was sent last needs a moment to arrive.
/// `before` is how many anonymous events Polku had counted before the first was sent.
pub(super) async fn verify(
    api: &Api,
    truth: &Truth,
    before: u64,
    within: Duration,
) -> anyhow::Result<Verdict> {
    let started = service::clock::instant();
    loop {
        let mut verdict = compare(api, truth, started, within).await?;
        verdict
            .differences
            .extend(anonymous_differ(api, truth, before).await?);
        if verdict.differences.is_empty() || started.elapsed() > within {
            return Ok(verdict);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// What names nobody is counted, and nothing else is made of it. Others may send such events too.
async fn anonymous_differ(api: &Api, truth: &Truth, before: u64) -> anyhow::Result<Option<String>> {
    let counted = look::counts(api).await?.anonymous.saturating_sub(before);
    let sent = truth.anonymous() as u64;
    Ok((counted < sent)
        .then(|| format!("{counted} anonymous events were counted, sent were {sent}")))
}

async fn compare(
    api: &Api,
    truth: &Truth,
    started: Instant,
    within: Duration,
) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::default();
    let mut owners: BTreeMap<String, usize> = BTreeMap::new();
    for (number, customer) in truth.customers().iter().enumerate() {
        verdict.customers += 1;
        verdict.events += customer.events.len();
        if let Some(difference) = customer_differs(api, number, customer, &mut owners).await? {
            verdict.differences.push(difference);
            // While there is time, the next round looks again; the first difference is enough for this one.
            if started.elapsed() <= within {
                return Ok(verdict);
            }
        }
    }
    for matter in truth.matters() {
        verdict.matters += 1;
        if let Some(difference) = matter_differs(api, matter).await? {
            verdict.differences.push(difference);
        }
    }
    Ok(verdict)
}

async fn customer_differs(
    api: &Api,
    number: usize,
    customer: &Customer,
    owners: &mut BTreeMap<String, usize>,
) -> anyhow::Result<Option<String>> {
    let mut id: Option<String> = None;
    for identifier in &customer.identifiers {
        let found = look::customers_with(api, identifier).await?;
        let [one] = &found[..] else {
            return Ok(Some(format!(
                "{} customers have the {} of customer {number}",
                found.len(),
                identifier.0
            )));
        };
        match &id {
            None => id = Some(one.clone()),
            Some(first) if first == one => {}
            Some(first) => {
                return Ok(Some(format!(
                    "customer {number} is two: {first} and, by {}, {one}",
                    identifier.0
                )));
            }
        }
    }
    let Some(id) = id else { return Ok(None) };
    if let Some(other) = owners.insert(id.clone(), number) {
        return Ok(Some(format!(
            "customers {other} and {number} are one: {id}"
        )));
    }
    let entries = look::timeline(api, &id).await?;
    let shown: Vec<_> = entries.into_iter().map(|entry| entry.shown).collect();
    if shown.windows(2).any(|pair| pair[0].0 > pair[1].0) {
        return Ok(Some(format!(
            "the timeline of {id} is not in order of happening"
        )));
    }
    let mut sorted = shown;
    sorted.sort();
    if sorted != customer.events {
        let missing = customer.events.iter().find(|event| !sorted.contains(event));
        let extra = sorted.iter().find(|event| !customer.events.contains(event));
        return Ok(Some(format!(
            "the timeline of {id} has {} events, sent were {}; missing {missing:?}, extra {extra:?}",
            sorted.len(),
            customer.events.len()
        )));
    }
    Ok(None)
}

async fn matter_differs(api: &Api, matter: &Matter) -> anyhow::Result<Option<String>> {
    let customers = look::customers_with(api, &matter.customer).await?;
    let Some(customer) = customers.first() else {
        return Ok(Some(format!("nobody has {}", matter.customer.0)));
    };
    let entries = look::timeline(api, customer).await?;
    let Some(entry) = entries.iter().find(|entry| entry.shown == matter.complaint) else {
        return Ok(Some(format!(
            "the complaint {:?} is not on the timeline of {customer}",
            matter.complaint
        )));
    };
    let Some(id) = &entry.case else {
        return Ok(Some(format!(
            "the complaint {:?} has no case",
            matter.complaint
        )));
    };
    let case = look::case(api, id).await?;
    let resolved = case.state == "resolved";
    if resolved == matter.resolved_ms.is_some() {
        return Ok(None);
    }
    let should = if matter.resolved_ms.is_some() {
        "resolved"
    } else {
        "open"
    };
    Ok(Some(format!(
        "the case {} of {:?} is {}, and should be {should}",
        case.id, matter.complaint, case.state
    )))
}
