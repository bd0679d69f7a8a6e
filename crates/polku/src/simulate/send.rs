//! What waits to be told: to the doors in requests, and by files.

use std::{collections::BTreeMap, fs, path::Path, time::Duration, time::Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Map, Value};

use super::{
    api::Api,
    speak::{self, Told},
    system::System,
    truth::{Sent, Truth},
};

/// How often a system that writes files leaves one. What others do each night happens twice a minute here.
const FILE_EVERY: Duration = Duration::from_secs(30);

pub(super) struct Outbox {
    api: Api,
    batches: BTreeMap<System, Vec<(Sent, Told)>>,
    waiting: usize,
    rows: Vec<(Sent, Told)>,
    left: Instant,
}

impl Outbox {
    pub(super) fn new(api: Api) -> Outbox {
        Outbox {
            api,
            batches: BTreeMap::new(),
            waiting: 0,
            rows: Vec::new(),
            left: service::clock::instant(),
        }
    }

    pub(super) fn add(&mut self, system: System, sent: Sent, event: Map<String, Value>) {
        if system == System::PickupPoints {
            self.rows.push((sent, event));
            return;
        }
        self.batches.entry(system).or_default().push((sent, event));
        self.waiting += 1;
    }

    /// How many events wait for a request.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Sends what waits, each system's events in as few requests as its format allows.
    pub(super) async fn send(&mut self, truth: &mut Truth) -> anyhow::Result<()> {
        self.waiting = 0;
        for (system, batch) in std::mem::take(&mut self.batches) {
            let (sent, told): (Vec<Sent>, Vec<Told>) = batch.into_iter().unzip();
            for spoken in speak::requests(system, &told) {
                let answer = self.api.speak(system.source(), &spoken).await?;
                let number = |field: &str| answer[field].as_u64().unwrap_or_default();
                ensure!(
                    number("accepted") + number("duplicate") == spoken.events,
                    "the door of {} did not take all {} events: {answer}",
                    system.source(),
                    spoken.events
                );
            }
            for one in sent {
                truth.accepted(one);
            }
        }
        Ok(())
    }

    /// Leaves a file with the rows that wait, now and then, or `now`. Without a folder to leave it in, they are dropped.
    pub(super) fn files(&mut self, truth: &mut Truth, now: bool) -> anyhow::Result<()> {
        if self.rows.is_empty() || (!now && self.left.elapsed() < FILE_EVERY) {
            return Ok(());
        }
        self.left = service::clock::instant();
        let (sent, told): (Vec<Sent>, Vec<Told>) =
            std::mem::take(&mut self.rows).into_iter().unzip();
        let inbox = self.api.inbox(System::PickupPoints.source());
        if let (Some(inbox), Some((name, text))) = (inbox, speak::file(&told)) {
            leave(inbox, &name, &text)?;
            for one in sent {
                truth.accepted(one);
            }
        }
        Ok(())
    }
}

/// Under another name until it is whole.
fn leave(inbox: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let (path, part) = (inbox.join(name), inbox.join(format!("{name}.part")));
    fs::write(&part, text)
        .and_then(|()| fs::rename(&part, &path))
        .with_context(|| format!("leaving {}", path.display()))
}
