//! A sender that repeats each batch until Polku has taken it, however often Polku is killed meanwhile.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use polku::simulate::{Api, Keys};
use tokio::{runtime::Runtime, task::JoinSet};

use crate::crowd::Batch;

/// Requests under way at a time.
const ABREAST: usize = 3;
/// How long a sender that may not go on waits until it looks again.
const HELD: Duration = Duration::from_millis(20);

/// Batches being sent.
pub struct Sender {
    acknowledged: Arc<AtomicUsize>,
    limit: Arc<AtomicUsize>,
    work: JoinSet<Result<(), String>>,
}

impl Sender {
    /// Sends to `url`, nothing at first: see `allow`.
    pub fn start(runtime: &Runtime, url: &str, keys: &Keys, batches: Vec<Batch>) -> Sender {
        let api = Api::new(url, keys.clone()).expect("a client");
        let queue = Arc::new(Mutex::new(VecDeque::from(batches)));
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let limit = Arc::new(AtomicUsize::new(0));
        let mut work = JoinSet::new();
        for _ in 0..ABREAST {
            let (api, queue) = (api.clone(), Arc::clone(&queue));
            let (acknowledged, limit) = (Arc::clone(&acknowledged), Arc::clone(&limit));
            let sending = async move {
                while let Some(batch) = take(&queue) {
                    while acknowledged.load(Ordering::Acquire) >= limit.load(Ordering::Acquire) {
                        tokio::time::sleep(HELD).await;
                    }
                    let answer = api
                        .send(batch.source, &batch.events)
                        .await
                        .map_err(|error| format!("{error:#}"))?;
                    if answer["rejected"] != 0 {
                        return Err(format!("refused: {answer}"));
                    }
                    acknowledged.fetch_add(batch.events.len(), Ordering::AcqRel);
                }
                Ok(())
            };
            work.spawn_on(sending, runtime.handle());
        }
        Sender {
            acknowledged,
            limit,
            work,
        }
    }

    /// Events that Polku said it has.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Acquire)
    }

    /// Lets it go on until about so many are acknowledged, so that what is to happen at a point happens near it.
    pub fn allow(&self, events: usize) {
        self.limit.fetch_max(events, Ordering::AcqRel);
    }

    /// Waits until everything was sent.
    ///
    /// # Panics
    /// When a batch was refused, or nobody took it for long.
    pub fn finish(mut self, runtime: &Runtime) {
        self.allow(usize::MAX);
        runtime.block_on(async {
            while let Some(done) = self.work.join_next().await {
                done.expect("a sender does not panic")
                    .expect("every batch is taken in the end");
            }
        });
    }
}

fn take(queue: &Mutex<VecDeque<Batch>>) -> Option<Batch> {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.pop_front()
}
