//! Requests at the door, over the embedded log: from the bytes of a body to the answer, without sockets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use bytes::Bytes;
use stream::{
    SharedLog,
    embedded::{Embedded, Options},
};
use tokio::{runtime::Runtime, task::JoinSet};
use tower::ServiceExt as _;

use crate::{
    company::Company,
    meter::{Meter, Spent},
    sample::{Figure, Sample},
    workload::{self, Story},
};

/// How many requests are sent in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Of one event, by one sender.
    pub(crate) alone: usize,
    /// Of one event, by 64 senders.
    pub(crate) together: usize,
    /// Of a hundred events.
    pub(crate) batches: usize,
}

pub(crate) fn measure(
    company: &Company,
    seed: u64,
    customers: usize,
    sizes: Sizes,
) -> anyhow::Result<Vec<(Figure, Sample)>> {
    let mut samples = Vec::new();
    for (figure, senders, requests, events_each) in [
        (Figure::RequestOfOne, 1, sizes.alone, 1),
        (Figure::RequestOfOneBySixtyFour, 64, sizes.together, 1),
        (Figure::RequestOfHundred, 1, sizes.batches, 100),
        (Figure::RequestOfHundredByEight, 8, sizes.batches, 100),
    ] {
        let mut story = Story::new(seed, customers);
        let requests = workload::requests(&mut story, requests, events_each);
        let count = (requests.len() * events_each) as u64;
        let (spent, waits) = send(company, senders, requests)?;
        let sample = Sample {
            count,
            spent,
            waits,
            ..Sample::default()
        };
        samples.push((figure, sample));
    }
    Ok(samples)
}

/// What all senders share.
struct Sending {
    router: Router,
    /// Path, key, body.
    requests: Vec<(String, String, Bytes)>,
    next: AtomicUsize,
}

/// Each sender sends its next request as soon as the last one was answered.
fn send(
    company: &Company,
    senders: usize,
    requests: Vec<(&'static str, Bytes)>,
) -> anyhow::Result<(Spent, Vec<Duration>)> {
    let directory = company.directory()?;
    let log: SharedLog = Embedded::open(directory.path(), Options::default())?;
    company.prepare(log.as_ref(), company.partitions())?;
    let router = Router::from(ingest::routes(company.door(&log, company.partitions())?));
    let mut prepared = Vec::with_capacity(requests.len());
    for (source, body) in requests {
        let key = company.keys.sources.get(source).context("a source's key")?;
        let path = format!("/v1/sources/{source}/events");
        prepared.push((path, format!("Bearer {key}"), body));
    }
    let sending = Arc::new(Sending {
        router,
        requests: prepared,
        next: AtomicUsize::new(0),
    });
    let runtime = Runtime::new().context("starting a runtime")?;
    let meter = Meter::start();
    let waits = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..senders {
            tasks.spawn(sender(Arc::clone(&sending)));
        }
        let mut waits = Vec::new();
        while let Some(sent) = tasks.join_next().await {
            waits.extend(sent??);
        }
        anyhow::Ok(waits)
    })?;
    Ok((meter.stop(), waits))
}

async fn sender(sending: Arc<Sending>) -> anyhow::Result<Vec<Duration>> {
    let mut waits = Vec::new();
    loop {
        let number = sending.next.fetch_add(1, Ordering::Relaxed);
        let Some((path, key, body)) = sending.requests.get(number) else {
            return Ok(waits);
        };
        let request = Request::post(path.as_str())
            .header(header::AUTHORIZATION, key.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.clone()))?;
        let began = service::clock::instant();
        let response = sending.router.clone().oneshot(request).await?;
        ensure!(
            response.status() == StatusCode::ACCEPTED,
            "the door answered {} to {path}",
            response.status()
        );
        waits.push(began.elapsed());
    }
}
