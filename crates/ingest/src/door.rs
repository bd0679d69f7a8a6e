//! One way in for everything: HTTP, import and the desk.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use event::{Company, EventId, Kind, SourceId, Time, Token, reject::Reason};
use identifier::{Pepper, Region, Spaces};
use serde_json::Value;
use stream::{Append, log::SharedLog};

use crate::{
    answer::{Answer, Item, Outcome},
    authenticate::{Keys, Refusal},
    config::{DESK, Source, Sources},
    json, mask,
    metrics::{Metrics, Totals},
    normalise::{self, Context, Rules, Stamp},
    parse,
    store::{self, Refused, Seen, Unavailable, Window},
    validate::{self, Draft, Faults},
};

/// What a door is made of.
pub struct Options {
    pub sources: Sources,
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
}

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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 1024 * 1024,
            items_max: 10_000,
            read_ms_max: 10_000,
            append_ms_max: 10_000,
            window_events_max: 100_000,
        }
    }
}

/// What a sender may do beyond what its source is configured for. Over HTTP nobody has any of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permission {
    /// It may send imported history.
    pub history: bool,
    /// It may say which credential recorded an event; only the source `desk` has any.
    pub recorded_by: bool,
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
    rules: RwLock<Arc<Rules>>,
    window: Mutex<Window>,
}

/// What becomes of one item before the log is asked.
enum Judged {
    Event {
        append: Append,
        id: EventId,
        content: Token,
    },
    Duplicate,
    Refused(Refused),
}

impl Door {
    pub fn new(options: Options) -> Door {
        Door(Arc::new(Inner {
            keys: Keys::of(&options.sources),
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
        let items = events.into_iter().map(parse::Item::Said).collect();
        self.take(source, items, permission).await
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

    /// Judges every item, appends all of them at once, and answers only after the acknowledgement.
    pub(crate) async fn take(
        &self,
        source_id: &SourceId,
        items: Vec<parse::Item>,
        permission: Permission,
    ) -> Result<Answer, Error> {
        let source = self
            .0
            .options
            .sources
            .get(source_id)
            .ok_or_else(|| Error::UnknownSource(source_id.clone()))?;
        let received = Time::from_millis(service::clock::now_ms());
        let mut answer = Answer {
            received: items.len() as u64,
            ..Answer::default()
        };
        let mut appends = Vec::new();
        let mut taken: HashMap<EventId, Token> = HashMap::new();
        for (index, item) in (0_u64..).zip(items) {
            match self.judge(source_id, source, permission, received, item, &taken) {
                Judged::Event {
                    append,
                    id,
                    content,
                } => {
                    answer.accepted += 1;
                    appends.push(append);
                    taken.insert(id, content);
                }
                Judged::Duplicate => answer.duplicate += 1,
                Judged::Refused(refused) => {
                    appends.push(self.reject(source_id, &refused, received));
                    answer.rejected += 1;
                    answer.items.push(Item {
                        index,
                        outcome: Outcome::Rejected,
                        reason: refused.reason,
                        detail: refused.detail,
                    });
                }
            }
        }
        self.append(source_id, appends, answer.received).await?;
        let mut window = self.0.window.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, content) in taken {
            window.remember(id, content);
        }
        drop(window);
        self.count(source_id, &answer);
        Ok(answer)
    }

    /// Keeps a body of which nothing can be read.
    pub(crate) async fn refuse_body(
        &self,
        source: &SourceId,
        body: &[u8],
        detail: &str,
    ) -> Result<(), Error> {
        let (bytes, masked) = mask::bytes(body);
        self.metrics().count_masks(source, masked);
        let refused = Refused {
            reason: Reason::Unparseable,
            detail: detail.to_owned(),
            id: None,
            bytes: bytes.into_bytes(),
        };
        let received = Time::from_millis(service::clock::now_ms());
        let append = self.reject(source, &refused, received);
        self.append(source, vec![append], 1).await?;
        self.metrics().count(source, Outcome::Rejected, 1);
        self.metrics().count_reject(source, Reason::Unparseable);
        Ok(())
    }

    fn judge(
        &self,
        source_id: &SourceId,
        source: &Source,
        permission: Permission,
        received: Time,
        item: parse::Item,
        taken: &HashMap<EventId, Token>,
    ) -> Judged {
        let mut said = match item {
            parse::Item::Said(said) => said,
            parse::Item::Unusable {
                reason,
                detail,
                bytes,
            } => {
                let (bytes, masked) = mask::bytes(&bytes);
                self.metrics().count_masks(source_id, masked);
                return Judged::Refused(Refused {
                    reason,
                    detail,
                    id: None,
                    bytes: bytes.into_bytes(),
                });
            }
        };
        let options = &self.0.options;
        let id = validate::id(&said).map(|id| identifier::event_id(&options.pepper, source_id, id));
        // From here on nobody sees what must not be stored.
        self.metrics().count_masks(source_id, mask::json(&mut said));
        let bytes = json::canonical(&said);
        let refused = |reason: Reason, detail: String| {
            Judged::Refused(Refused {
                reason,
                detail,
                id,
                bytes: bytes.clone().into_bytes(),
            })
        };
        let mut faults = Faults::default();
        let draft = validate::draft(
            &said,
            id.is_some(),
            received,
            &source.operational,
            &mut faults,
        );
        let rules = Arc::clone(&self.0.rules.read().unwrap_or_else(PoisonError::into_inner));
        let context = Context {
            source_id,
            source,
            rules: &rules,
            pepper: &options.pepper,
            spaces: &options.spaces,
            region: options.region,
        };
        let named = draft
            .as_ref()
            .map(|draft| normalise::named(&context, draft, &mut faults));
        let (Some(draft), Some(named), Some(id), true) = (draft, named, id, faults.is_empty())
        else {
            return refused(Reason::Schema, faults.detail());
        };
        let forbidden = forbidden(source_id, source, permission, &draft);
        if !forbidden.is_empty() {
            return refused(Reason::NotAllowed, forbidden.detail());
        }
        let stamp = Stamp {
            id,
            content: Token::hash("content", &[bytes.as_bytes()]),
            received,
        };
        match self.seen(id, stamp.content, taken) {
            Seen::Same => return Judged::Duplicate,
            Seen::Other => {
                return refused(
                    Reason::Conflict,
                    "id: was used before for an event of other content; give each event an id of its own"
                        .to_owned(),
                );
            }
            Seen::Never => {}
        }
        let event = normalise::event(&context, &stamp, draft, named);
        match store::event_append(event, options.partitions) {
            Ok(append) => Judged::Event {
                append,
                id,
                content: stamp.content,
            },
            Err(bytes) => refused(
                Reason::TooLarge,
                format!("the event takes {bytes} bytes as a record, which is too large"),
            ),
        }
    }

    fn seen(&self, id: EventId, content: Token, taken: &HashMap<EventId, Token>) -> Seen {
        match taken.get(&id) {
            Some(same) if *same == content => Seen::Same,
            Some(_) => Seen::Other,
            None => self
                .0
                .window
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .seen(id, content),
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

    fn count(&self, source: &SourceId, answer: &Answer) {
        let metrics = self.metrics();
        metrics.count(source, Outcome::Accepted, answer.accepted);
        metrics.count(source, Outcome::Duplicate, answer.duplicate);
        metrics.count(source, Outcome::Rejected, answer.rejected);
        for item in &answer.items {
            metrics.count_reject(source, item.reason);
        }
    }
}

/// What the source may not send.
fn forbidden(
    source_id: &SourceId,
    source: &Source,
    permission: Permission,
    draft: &Draft,
) -> Faults {
    let mut faults = Faults::default();
    let granted = source
        .kinds
        .as_ref()
        .is_none_or(|kinds: &Vec<Kind>| kinds.contains(&draft.kind));
    if !granted {
        faults.add("kind", "this source may not send this kind");
    }
    if draft.history && !permission.history && !source.history {
        faults.add("history", "is only for `polku import --history`");
    }
    let at_desk = permission.recorded_by && source_id.as_str() == DESK;
    if draft.recorded_by.is_some() && !at_desk {
        faults.add("recorded_by", "is only for the desk");
    }
    faults
}
