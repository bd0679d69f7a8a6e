//! One way in for everything: HTTP, import and the desk.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use axum::{body::Body, http::HeaderMap};
use event::{Channel, Class, Company, SourceId, Time, reject::Reason};
use identifier::{Pepper, Region, Spaces};
use serde_json::Value;
use service::clock::Clock;
use stream::{Append, log::SharedLog};

use crate::{
    answer::{Answer, Item, Outcome},
    authenticate::{Keys, Refusal},
    body,
    config::{Source, Sources},
    format::{Format, Formats, Mapped, Sender},
    json,
    judge::{Judge, Judged},
    mask,
    metrics::{Metrics, Totals},
    normalise::{Context, Rules},
    parse,
    problem::Problem,
    rate::{Buckets, Excess},
    store::{self, Refused, Unavailable, Window},
    validate::Said,
};

/// What a door is made of.
pub struct Options {
    pub sources: Sources,
    /// What senders speak beside our own form.
    pub formats: Formats,
    pub secrets: Secrets,
    /// Where senders reach the doors, as scheme and host, for signatures that cover the address; what the request says where
    /// absent.
    pub public_url: Option<String>,
    pub pepper: Pepper,
    /// For national phone numbers of sources that name no region.
    pub region: Region,
    pub spaces: Spaces,
    /// The rules until `Door::set_company` brings others.
    pub company: Company,
    pub log: SharedLog,
    /// P of the deployment.
    pub partitions: u32,
    pub metrics: Metrics,
    pub limits: Limits,
    /// When events are received.
    pub clock: Clock,
}

/// What sources sign with. A source has two secrets while its secret is being changed.
pub type Secrets = BTreeMap<SourceId, Vec<Vec<u8>>>;

/// Bounds of a request and of the waits in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of a body, as it comes and after decompression.
    pub body_bytes_max: usize,
    pub items_max: usize,
    /// For the whole body to arrive.
    pub read_ms_max: u64,
    /// For the log to acknowledge.
    pub append_ms_max: u64,
    /// Events remembered to recognise repeats.
    pub window_events_max: usize,
    /// What a source may send over HTTP, where its own table says nothing; none: as much as it can.
    pub events_per_second: Option<NonZeroU32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 1024 * 1024,
            items_max: 10_000,
            read_ms_max: 10_000,
            append_ms_max: 10_000,
            window_events_max: 100_000,
            events_per_second: None,
        }
    }
}

/// After so many items a large request lets others have the thread.
const ITEMS_AT_ONCE: usize = 64;

/// What a sender may do beyond what its source is configured for. Over HTTP nobody has any of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permission {
    /// It may send imported history.
    pub history: bool,
    /// It may say which credential recorded an event; only the source `desk` has any.
    pub recorded_by: bool,
    /// Where it happened, if elsewhere than where the source stands: people at one desk meet customers by several channels.
    pub channel: Option<Channel>,
    /// Whose numbers it names, if not the source's own: a person who adds to a matter names the order as it came in.
    pub numbers_of: Option<SourceId>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no source `{0}`")]
    UnknownSource(SourceId),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The door of all sources. Cheap to clone.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

struct Inner {
    options: Options,
    keys: Keys,
    buckets: Buckets,
    rules: RwLock<Arc<Rules>>,
    window: Mutex<Window>,
}

impl Door {
    pub fn new(options: Options) -> Door {
        Door(Arc::new(Inner {
            keys: Keys::of(&options.sources),
            buckets: Buckets::of(&options.sources, options.limits.events_per_second),
            rules: RwLock::new(Arc::new(Rules::of(&options.company))),
            window: Mutex::new(Window::new(options.limits.window_events_max)),
            options,
        }))
    }

    /// From now on events are read by these rules.
    pub fn set_company(&self, company: &Company) {
        let rules = Arc::new(Rules::of(company));
        *self.0.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// How items ended since this process started.
    pub fn totals(&self) -> Totals {
        self.metrics().totals(self.0.options.sources.keys())
    }

    /// Takes events of our own form, in this process: the desk, and import.
    ///
    /// # Errors
    /// When there is no such source, or the log does not take them: then none may be claimed, and all are to be sent again.
    pub async fn accept(
        &self,
        source: &SourceId,
        events: Vec<Value>,
        permission: Permission,
    ) -> Result<Answer, Error> {
        let items = events.into_iter().map(parse::Item::Said).enumerate();
        self.take(source, items, permission).await
    }

    /// Takes payloads of the source's own format, in this process: what a page of Polku's or a file brings. Nobody is asked for a
    /// signature.
    ///
    /// # Errors
    /// As `accept`.
    pub async fn accept_payloads(
        &self,
        source: &SourceId,
        payloads: Vec<Value>,
    ) -> Result<Answer, Error> {
        let mapped = self.map(source, payloads)?;
        self.accept_mapped(source, mapped, Permission::default())
            .await
    }

    /// Takes payloads that somebody else has mapped: rows of a file, by its source's mapping.
    ///
    /// # Errors
    /// As `accept`.
    pub async fn accept_mapped(
        &self,
        source: &SourceId,
        mapped: Vec<(Value, Mapped)>,
        permission: Permission,
    ) -> Result<Answer, Error> {
        let mut items = Vec::with_capacity(mapped.len());
        for (place, (payload, mapped)) in mapped.into_iter().enumerate() {
            match mapped {
                Mapped::Events(events) => {
                    items.extend(
                        events
                            .into_iter()
                            .map(|said| (place, parse::Item::Said(said))),
                    );
                }
                Mapped::Filtered(why) => items.push((place, parse::Item::Filtered(why))),
                Mapped::Faulty(detail) => items.push((
                    place,
                    parse::Item::Unusable {
                        reason: Reason::Schema,
                        detail,
                        bytes: json::canonical(&payload).into_bytes(),
                    },
                )),
            }
        }
        self.take(source, items.into_iter(), permission).await
    }

    /// Each payload with what its source's format makes of it; of our own form, itself.
    pub(crate) fn map(
        &self,
        source_id: &SourceId,
        payloads: Vec<Value>,
    ) -> Result<Vec<(Value, Mapped)>, Error> {
        let source = self.configured(source_id)?;
        let sender = Sender {
            id: source_id,
            source,
            received: self.now(),
        };
        let format = self.0.options.formats.get(&source.format);
        let mapped = payloads.into_iter().map(|payload| match format {
            Some(format) => {
                let mapped = format.map(&payload, &sender);
                (payload, mapped)
            }
            None => (Value::Null, Mapped::Events(vec![payload])),
        });
        Ok(mapped.collect())
    }

    /// Whether the door would take this value as an identifier or reference of this type, for pages that can ask again.
    pub fn reads(&self, source: &SourceId, class: Class, kind: &str, value: &str) -> bool {
        let said = Said {
            kind: kind.to_owned(),
            value: value.to_owned(),
            field: String::new(),
        };
        let rules = self.rules();
        !mask::is_marked(&mask::text(value).0)
            && self.configured(source).is_ok_and(|configured| {
                let permission = Permission::default();
                let context = self.context(source, configured, &rules, &permission);
                context.value(class, &said).is_ok()
            })
    }

    /// A request's body, within the bounds of bytes and time that hold for all doors.
    ///
    /// # Errors
    /// As the doors answer.
    pub async fn read_body(&self, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
        body::read(headers, body, self.limits()).await
    }

    /// The configured sources and what is said of them.
    pub fn sources(&self) -> &Sources {
        &self.0.options.sources
    }

    fn configured(&self, source: &SourceId) -> Result<&Source, Error> {
        self.sources()
            .get(source)
            .ok_or_else(|| Error::UnknownSource(source.clone()))
    }

    pub fn now(&self) -> Time {
        Time::from_millis((self.0.options.clock)())
    }

    /// Takes so many events out of what the source may send.
    pub(crate) fn spend(&self, source: &SourceId, events: usize) -> Result<(), Excess> {
        self.0.buckets.take(source, events)
    }

    /// The source of this name that speaks another format than our own.
    pub(crate) fn foreign(&self, wanted: &str) -> Option<(&SourceId, &dyn Format)> {
        let (id, source) = self
            .sources()
            .iter()
            .find(|(id, _)| id.as_str() == wanted)?;
        let format = self.0.options.formats.get(&source.format)?;
        Some((id, format))
    }

    /// The source's secrets.
    pub(crate) fn secrets(&self, source: &SourceId) -> &[Vec<u8>] {
        self.0
            .options
            .secrets
            .get(source)
            .map_or(&[], Vec::as_slice)
    }

    pub(crate) fn public_url(&self) -> Option<&str> {
        self.0.options.public_url.as_deref()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.options.limits
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.options.metrics
    }

    pub(crate) fn authenticate(
        &self,
        wanted: &str,
        header: Option<&[u8]>,
    ) -> Result<SourceId, Refusal> {
        self.0.keys.check(&self.0.options.sources, wanted, header)
    }

    /// Judges every item, appends all of them at once, and answers only after the acknowledgement. With each item goes its place
    /// in what was sent.
    pub(crate) async fn take(
        &self,
        source_id: &SourceId,
        items: impl ExactSizeIterator<Item = (usize, parse::Item)>,
        permission: Permission,
    ) -> Result<Answer, Error> {
        let source = self.configured(source_id)?;
        let rules = self.rules();
        let options = &self.0.options;
        let received = self.now();
        let mut judge = Judge {
            context: self.context(source_id, source, &rules, &permission),
            permission: &permission,
            received,
            partitions: options.partitions,
            metrics: &options.metrics,
            window: &self.0.window,
            taken: BTreeMap::new(),
        };
        let mut answer = Answer {
            received: items.len() as u64,
            ..Answer::default()
        };
        let mut appends = Vec::with_capacity(items.len());
        let mut filtered = Vec::new();
        for (done, (place, item)) in items.enumerate() {
            match judge.item(item) {
                Judged::Event(append) => {
                    answer.accepted += 1;
                    appends.push(append);
                }
                Judged::Duplicate => answer.duplicate += 1,
                Judged::Filtered(why) => {
                    answer.filtered += 1;
                    filtered.push(why);
                }
                Judged::Refused(refused) => {
                    appends.push(self.reject(source_id, &refused, received));
                    answer.rejected += 1;
                    answer.items.push(Item {
                        index: place as u64,
                        outcome: Outcome::Rejected,
                        reason: refused.reason,
                        detail: refused.detail,
                    });
                }
            }
            if done % ITEMS_AT_ONCE == ITEMS_AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
        }
        let taken = judge.taken;
        self.append(source_id, appends, answer.received).await?;
        let mut window = self.0.window.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, content) in taken {
            window.remember(id, content);
        }
        drop(window);
        self.count(source_id, &answer, &filtered);
        Ok(answer)
    }

    /// Keeps a body or a file of which nothing can be read.
    ///
    /// # Errors
    /// When the log does not take it.
    pub async fn refuse(&self, source: &SourceId, body: &[u8], detail: &str) -> Result<(), Error> {
        let (bytes, masked) = mask::bytes(body);
        self.metrics().count_masks(source, masked);
        let refused = Refused {
            reason: Reason::Unparseable,
            detail: detail.to_owned(),
            id: None,
            bytes: bytes.into_bytes(),
        };
        let append = self.reject(source, &refused, self.now());
        self.append(source, vec![append], 1).await?;
        self.metrics().count(source, Outcome::Rejected, 1);
        self.metrics().count_reject(source, Reason::Unparseable);
        Ok(())
    }

    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.0.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn context<'a>(
        &'a self,
        source_id: &'a SourceId,
        source: &'a Source,
        rules: &'a Rules,
        permission: &'a Permission,
    ) -> Context<'a> {
        let options = &self.0.options;
        Context {
            source_id,
            numbers_of: permission.numbers_of.as_ref().unwrap_or(source_id),
            channel: permission.channel.unwrap_or(source.channel),
            source,
            rules,
            pepper: &options.pepper,
            spaces: &options.spaces,
            region: options.region,
        }
    }

    fn reject(&self, source: &SourceId, refused: &Refused, time: Time) -> Append {
        store::reject_append(source, refused, time, self.0.options.partitions)
    }

    async fn append(
        &self,
        source: &SourceId,
        appends: Vec<Append>,
        items: u64,
    ) -> Result<(), Error> {
        let within = Duration::from_millis(self.limits().append_ms_max);
        let appended = store::append(&self.0.options.log, appends, within).await;
        if appended.is_err() {
            self.metrics().count(source, Outcome::Unavailable, items);
        }
        Ok(appended?)
    }

    fn count(&self, source: &SourceId, answer: &Answer, filtered: &[&'static str]) {
        let metrics = self.metrics();
        metrics.count(source, Outcome::Accepted, answer.accepted);
        metrics.count(source, Outcome::Duplicate, answer.duplicate);
        metrics.count(source, Outcome::Filtered, answer.filtered);
        metrics.count(source, Outcome::Rejected, answer.rejected);
        for why in filtered {
            metrics.count_filtered(source, why);
        }
        for item in &answer.items {
            metrics.count_reject(source, item.reason);
        }
    }
}
