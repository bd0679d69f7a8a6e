//! From an event to its digest, at the partition of its anchor.

use event::{
    Event, MatterId, Perspective, ProfileId, Standing, Token, Value, Version,
    assignment::Assignment, timeline_input::Digest,
};
use machine::{Outcome, State};

use super::{
    matter, out,
    row::{Key, Owner, Row, Seen, Spot, mismatch},
    set, sweep, timeline,
    turn::Turn,
};

/// Takes an event once.
pub(super) fn event(turn: &mut Turn<'_, '_>, event: Event) -> Outcome {
    if !is_new(turn, &event) {
        return Outcome::Duplicate;
    }
    if !has_page(event.perspective, &event.values) {
        return Outcome::Anonymous;
    }
    set::report(turn, &event);
    let matter = matter::of(turn, &event);
    let digest = digest(turn, event, matter);
    timeline::digest::arrive(turn, digest);
    Outcome::Applied
}

/// What every event of a customer asks for.
pub(super) fn look_ahead(event: &Event, keys: &mut Vec<Key>) {
    keys.push(Key::Seen(event.id));
    if let Some(value) = event.values.first() {
        keys.push(Key::Owner(value.token));
        keys.push(Key::Reported(set::hash(event)));
    }
}

/// What its profile is asked for.
pub(super) fn look_further(event: &Event, state: &State<Key, Row>, keys: &mut Vec<Key>) {
    let Some(route) = event.values.first().map(|value| value.token) else {
        return;
    };
    let profile = match state.get(&Key::Owner(route)) {
        Some(Row::Owner(owner)) => owner.profile,
        Some(_) | None => ProfileId::new(route),
    };
    keys.push(Key::Forward(profile, route));
    let spot = Spot {
        event: event.id,
        ..Spot::first(profile, route)
    };
    state.glance_at_shelf(&Key::Digest(spot));
    keys.push(Key::Digest(spot));
    matter::look_ahead(event, state, keys);
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

/// Only customers have pages, by what they name. Tests walk the same path: their tokens live apart from the door on.
pub(super) fn has_page(perspective: Perspective, values: &[Value]) -> bool {
    match perspective {
        Perspective::Customer | Perspective::Test => !values.is_empty(),
        Perspective::MysteryShopper
        | Perspective::Simulation
        | Perspective::Competitor
        | Perspective::Employee
        | Perspective::Unknown => false,
    }
}

/// A repeat names the same revision; other content under the same one is a repeat too, since nothing but a correction may
/// change what was said, and a correction has a later revision.
fn is_new(turn: &mut Turn<'_, '_>, event: &Event) -> bool {
    let key = Key::Seen(event.id);
    match turn.state.get(&key) {
        Some(Row::Seen(seen))
            if seen.revision >= event.revision
                && !sweep::is_over(seen.received, event.received) =>
        {
            return false;
        }
        Some(Row::Seen(_)) | None => {}
        Some(row) => mismatch(row),
    }
    let seen = Seen {
        revision: event.revision,
        received: event.received,
    };
    turn.state.put(key, Row::Seen(seen));
    true
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

fn digest(turn: &Turn<'_, '_>, event: Event, matter: MatterId) -> Digest {
    let route = out::route(turn, &event.values, event.anchor);
    let owner = owner(turn, route);
    let stage = event
        .stage
        .or_else(|| turn.rules().stage_of(event.touchpoint.as_ref()?).cloned());
    Digest {
        profile: owner.profile,
        route,
        version: owner.version,
        event: event.id,
        revision: event.revision,
        withdrawn: event.standing == Standing::Withdrawn,
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
        stage,
        touchpoint: event.touchpoint,
        party: event.party,
        matter,
        content: event.content,
        out_number: turn.out_number,
        promise: event.promise,
    }
}
