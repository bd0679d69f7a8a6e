//! Events that their senders may correct, at the partition of the event's id.
//!
//! The first content under an id goes on to `event` as revision 0 and each other one under the next; a repeat of the present content
//! does not go on, whatever it is anchored at. What decides on whose page an event is may change with a correction. Then the
//! old word is withdrawn first, where it was said: under the old anchor and the old values, by a revision in between.
//!
//! A claim is remembered for ever. A correction of what was forgotten would pass for another event under the same id: one customer
//! would keep it, and another get it.

use std::collections::BTreeMap;

use event::{Event, Record, Standing};
use machine::Outcome;

use super::{
    resolve::has_page,
    row::{Claim, Key, Row, Says, mismatch},
    turn::Turn,
};

pub(super) fn claim(turn: &mut Turn<'_, '_>, mut event: Event) -> Outcome {
    let key = Key::Claim(event.id);
    let known = match turn.state.get(&key) {
        Some(Row::Claim(claim)) => Some(claim.clone()),
        None => None,
        Some(row) => mismatch(row),
    };
    let says = Says::of(&event);
    let mut revision = 0;
    if let Some(known) = known {
        if known.content == event.content {
            return Outcome::Duplicate;
        }
        revision = known.revision + 1;
        if known.says != says && has_page(known.says.perspective, &known.says.values) {
            let withdrawal = withdrawal(known.says, revision, &event);
            turn.effects.emit(Record::Event(withdrawal));
            revision += 1;
        }
    }
    let now = Claim {
        says,
        content: event.content,
        revision,
    };
    turn.state.put(key, Row::Claim(Box::new(now)));
    event.revision = revision;
    event.standing = Standing::Correctable;
    turn.effects.emit(Record::Event(event));
    Outcome::Forwarded
}

impl Says {
    fn of(event: &Event) -> Self {
        Self {
            anchor: event.anchor,
            values: event.values.clone(),
            trusted: event.trusted,
            perspective: event.perspective,
        }
    }
}

/// The event as it no longer is: all that finds what it led to, and nothing that says anything.
fn withdrawal(old: Says, revision: u32, by: &Event) -> Event {
    Event {
        id: by.id,
        source: by.source.clone(),
        channel: by.channel,
        revision,
        kind: by.kind,
        name: by.name.clone(),
        time: by.time,
        received: by.received,
        time_clamped: by.time_clamped,
        anchor: old.anchor,
        values: old.values,
        trusted: old.trusted,
        perspective: old.perspective,
        history: by.history,
        score: None,
        language: None,
        place: None,
        product: None,
        stage: None,
        touchpoint: None,
        party: None,
        amount: None,
        promise: None,
        operational: BTreeMap::new(),
        recorded_by: by.recorded_by.clone(),
        standing: Standing::Withdrawn,
        rules_version: by.rules_version,
        content: by.content,
        personal: Vec::new(),
    }
}
