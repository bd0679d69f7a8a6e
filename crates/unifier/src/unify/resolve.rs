//! From an event to its digest, at the partition of its anchor.

use event::{
    Event, EventId, MatterId, Perspective, ProfileId, Record, Token, Version,
    assignment::Assignment,
    link::{Link, Set},
    timeline_input::Digest,
};
use machine::Outcome;

use super::{
    matter,
    row::{Key, Owner, Row, Seen, mismatch},
    timeline,
    turn::Turn,
};

/// Takes an event once.
pub(super) fn event(turn: &mut Turn<'_, '_>, event: Event) -> Outcome {
    if !is_new(turn, event.id, event.revision, event.content) {
        return Outcome::Duplicate;
    }
    if !has_profile(event.perspective) || event.values.is_empty() {
        return Outcome::Anonymous;
    }
    report(turn, &event);
    let matter = matter::of(turn, &event);
    let digest = digest(turn, event, matter);
    timeline::digest::arrive(turn, digest);
    Outcome::Applied
}

/// Learns who a value of this partition belongs to.
pub(super) fn assignment(turn: &mut Turn<'_, '_>, assignment: &Assignment) -> Outcome {
    let value = assignment.token();
    if owner(turn, value).version >= assignment.version {
        return Outcome::Stale;
    }
    let owner = Owner {
        profile: assignment.profile,
        version: assignment.version,
    };
    turn.state.put(Key::Owner(value), Row::Owner(owner));
    Outcome::Applied
}

/// A repeat names the same revision; other content under the same one is a repeat too, since nothing but a correction may
/// change what was said, and a correction has the next revision.
fn is_new(turn: &mut Turn<'_, '_>, id: EventId, revision: u32, content: Token) -> bool {
    let key = Key::Seen(id);
    match turn.state.get(&key) {
        Some(Row::Seen(seen)) if seen.revision >= revision => return false,
        Some(Row::Seen(_)) | None => {}
        Some(row) => mismatch(row),
    }
    turn.state.put(key, Row::Seen(Seen { revision, content }));
    true
}

/// Only customers have profiles. Tests walk the same path: their tokens live apart from the door on.
fn has_profile(perspective: Perspective) -> bool {
    match perspective {
        Perspective::Customer | Perspective::Test => true,
        Perspective::MysteryShopper
        | Perspective::Simulation
        | Perspective::Competitor
        | Perspective::Employee
        | Perspective::Unknown => false,
    }
}

/// Reports what the event names together, once per set and trust of the source.
fn report(turn: &mut Turn<'_, '_>, event: &Event) {
    let mut bytes = Vec::with_capacity(event.values.len() * Token::LEN);
    for value in &event.values {
        bytes.extend_from_slice(value.token.as_bytes());
    }
    let hash = Token::hash("set", &[&bytes, &[u8::from(event.trusted)]]);
    if turn.state.contains(&Key::Reported(hash)) {
        return;
    }
    turn.state.put(Key::Reported(hash), Row::Reported);
    turn.effects.emit(Record::Link(Link::Set(Set {
        anchor: event.anchor,
        values: event.values.clone(),
        trusted: event.trusted,
        source: event.source.clone(),
        event: event.id,
        time: event.received,
        withdrawn: false,
    })));
}

/// Who a value belongs to, as far as this partition knows: of what was never decided, to itself. That holds for values of other
/// partitions too; the forwards at their own profiles do the rest.
fn owner(turn: &Turn<'_, '_>, value: Token) -> Owner {
    match turn.state.get(&Key::Owner(value)) {
        Some(Row::Owner(owner)) => *owner,
        Some(row) => mismatch(row),
        None => Owner {
            profile: ProfileId::new(value),
            version: Version::ZERO,
        },
    }
}

fn digest(turn: &Turn<'_, '_>, event: Event, matter: MatterId) -> Box<Digest> {
    let rules = turn.rules();
    let route = rules.route(&event.values, event.anchor);
    let owner = owner(turn, route);
    Box::new(Digest {
        profile: owner.profile,
        route,
        version: owner.version,
        event: event.id,
        revision: event.revision,
        withdrawn: false,
        anchor: event.anchor,
        values: event.values,
        time: event.time,
        received: event.received,
        source: event.source,
        channel: event.channel,
        kind: event.kind,
        name: event.name,
        perspective: event.perspective,
        history: event.history,
        score: event.score,
        place: event.place,
        product: event.product,
        stage: event.stage,
        touchpoint: event.touchpoint,
        party: event.party,
        matter,
        content: event.content,
        out_number: rules.version,
        promise: event.promise,
    })
}
