//! One item of a request, through all steps before the log is asked.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use event::{EventId, Standing, Time, Token, reject::Reason};
use serde_json::Value;
use stream::Append;

use crate::{
    config::DESK,
    door::Permission,
    json, mask,
    metrics::Metrics,
    normalise::{self, Context, Named, Stamp},
    parse,
    store::{self, Refused, Seen, Window},
    validate::{self, Draft, Faults},
};

/// Judges the items of one request, in order.
pub(crate) struct Judge<'a> {
    pub(crate) context: Context<'a>,
    pub(crate) permission: &'a Permission,
    pub(crate) received: Time,
    pub(crate) partitions: u32,
    pub(crate) metrics: &'a Metrics,
    pub(crate) window: &'a Mutex<Window>,
    /// What this request brings that is to be appended: id -> content.
    pub(crate) taken: BTreeMap<EventId, Token>,
}

/// What becomes of an item, if the log takes it.
pub(crate) enum Judged {
    Event(Append),
    Duplicate,
    Filtered(&'static str),
    Refused(Refused),
}

/// Why an item is refused: one fault a line.
type Refusal = (Reason, String);

impl Judge<'_> {
    pub(crate) fn item(&mut self, item: parse::Item) -> Judged {
        match item {
            parse::Item::Said(said) => self.said(said),
            parse::Item::Filtered(why) => Judged::Filtered(why),
            parse::Item::Unusable {
                reason,
                detail,
                bytes,
            } => {
                let (bytes, masked) = mask::bytes(&bytes);
                self.metrics.count_masks(self.context.source_id, masked);
                Judged::Refused(Refused {
                    reason,
                    detail,
                    id: None,
                    bytes: bytes.into_bytes(),
                })
            }
        }
    }

    fn said(&mut self, mut said: Value) -> Judged {
        let context = &self.context;
        let id = validate::id(&said)
            .map(|id| identifier::event_id(context.pepper, context.source_id, id));
        // From here on nobody sees what must not be stored.
        let masked = mask::json(&mut said);
        self.metrics.count_masks(context.source_id, masked);
        let bytes = json::canonical(&said);
        self.event(&said, id, &bytes)
            .unwrap_or_else(|(reason, detail)| {
                Judged::Refused(Refused {
                    reason,
                    detail,
                    id,
                    bytes: bytes.into_bytes(),
                })
            })
    }

    /// `bytes` are the canonical text of what was said: its content.
    fn event(&mut self, said: &Value, id: Option<EventId>, bytes: &str) -> Result<Judged, Refusal> {
        let (id, draft, named) = self.read(said, id)?;
        self.check_permission(&draft)?;
        let content = Token::hash("content", &[bytes.as_bytes()]);
        let standing = self.standing(&draft);
        match (self.seen(id, content), standing) {
            (Seen::Never, _) | (Seen::Other, Standing::Correctable) => {}
            (Seen::Same, _) => return Ok(Judged::Duplicate),
            (Seen::Other, Standing::Final | Standing::Withdrawn | Standing::Unknown) => {
                let detail = "id: was used before for an event of other content; give each event an id of its own";
                return Err((Reason::Conflict, detail.to_owned()));
            }
        }
        let stamp = Stamp {
            id,
            content,
            standing,
            received: self.received,
        };
        let event = normalise::event(&self.context, &stamp, draft, named);
        let append = store::event_append(event, self.partitions).map_err(|bytes| {
            let detail = format!("the event takes {bytes} bytes as a record, which is too large");
            (Reason::TooLarge, detail)
        })?;
        self.taken.insert(id, content);
        Ok(Judged::Event(append))
    }

    /// Reads every field and every value before it gives up, so that all faults are named at once.
    fn read(&self, said: &Value, id: Option<EventId>) -> Result<(EventId, Draft, Named), Refusal> {
        let mut faults = Faults::default();
        let operational = &self.context.source.operational;
        let draft = validate::draft(said, id.is_some(), self.received, operational, &mut faults);
        let named = draft
            .as_ref()
            .map(|draft| normalise::named(&self.context, draft, &mut faults));
        match (id, draft, named) {
            (Some(id), Some(draft), Some(named)) if faults.is_empty() => Ok((id, draft, named)),
            _ => Err((Reason::Schema, faults.detail())),
        }
    }

    /// What is read from files is read again when the files were put right, and history is what others remember.
    fn standing(&self, draft: &Draft) -> Standing {
        let source = self.context.source;
        if source.corrects || source.mapping.is_some() || draft.history {
            Standing::Correctable
        } else {
            Standing::Final
        }
    }

    fn check_permission(&self, draft: &Draft) -> Result<(), Refusal> {
        let source = self.context.source;
        let mut faults = Faults::default();
        if source
            .kinds
            .as_ref()
            .is_some_and(|kinds| !kinds.contains(&draft.kind))
        {
            faults.add("kind", "this source may not send this kind");
        }
        if draft.history && !self.permission.history && !source.history {
            faults.add("history", "is only for `polku import --history`");
        }
        let at_desk = self.permission.recorded_by && self.context.source_id.as_str() == DESK;
        if draft.recorded_by.is_some() && !at_desk {
            faults.add("recorded_by", "is only for the desk");
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err((Reason::NotAllowed, faults.detail()))
        }
    }

    fn seen(&self, id: EventId, content: Token) -> Seen {
        match self.taken.get(&id) {
            Some(same) if *same == content => Seen::Same,
            Some(_) => Seen::Other,
            None => {
                let window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
                window.seen(id, content)
            }
        }
    }
}
