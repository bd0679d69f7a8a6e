//! Digests: what a timeline keeps of its events.

use std::ops::RangeInclusive;

use event::{
    CaseId, EventId, MatterId, ProfileId, Record, Token, Version,
    case_input::CaseInput,
    timeline::{Entry, Moved, Timeline},
    timeline_input::{Digest, TimelineInput},
};
use machine::Overlay;

use super::{
    super::{
        queue::{self, Work},
        row::{FIRST, Key, LAST, Row, mismatch},
        rules::Rules,
        signal,
        turn::Turn,
    },
    Arrival, case_of, follow,
};

/// Takes a digest to where its route value belongs, as far as this partition knows.
pub(in super::super) fn arrive(turn: &mut Turn<'_, '_>, mut digest: Box<Digest>) -> Arrival {
    choose_route(turn.rules(), &mut digest);
    (digest.profile, digest.version) = follow(turn, digest.profile, digest.route, digest.version);
    if turn.holds(digest.profile) {
        rest(turn, digest)
    } else {
        let input = TimelineInput::Digest(*digest);
        turn.effects.emit(Record::TimelineInput(input));
        Arrival::SentOn
    }
}

/// Which values are out decides what a digest follows, and who has newer rules knows better. A new route starts at its own
/// profile, whose forwards do the rest. Since the digest carries the version of the rules, it never goes back and forth between
/// a partition that has new rules and one that does not have them yet.
fn choose_route(rules: &Rules, digest: &mut Digest) {
    if digest.out_number >= rules.version {
        return;
    }
    digest.out_number = rules.version;
    let route = rules.route(&digest.values, digest.anchor);
    if route != digest.route {
        digest.route = route;
        digest.profile = ProfileId::new(route);
        digest.version = Version::ZERO;
    }
}

/// Where two of one event meet, the one with the higher revision stays.
fn rest(turn: &mut Turn<'_, '_>, digest: Box<Digest>) -> Arrival {
    let key = key(&digest);
    let known = turn.state.get(&key).map(of_row);
    if known
        .is_some_and(|known| (known.revision, known.version) >= (digest.revision, digest.version))
    {
        return Arrival::Repeat;
    }
    let case = case_of(turn, digest.profile, digest.matter);
    turn.show(Timeline::Entry(entry(&digest, case)));
    if let Some(signal) = signal::of(&digest, &turn.rules().cases) {
        turn.tell_case(CaseInput::Signal(signal));
    }
    turn.state.put(key, Row::Digest(digest));
    Arrival::Rests
}

/// Sends on the digests of a value that a newer move took away.
pub(in super::super) fn send_on(
    turn: &mut Turn<'_, '_>,
    profile: ProfileId,
    value: Token,
    from: EventId,
) {
    let Some(forward) = turn.forward(profile, value) else {
        return;
    };
    let range = Key::Digest(profile, value, from)..=Key::Digest(profile, value, EventId::new(LAST));
    let (stale, mut rest) = some(turn, range, |digest| digest.version < forward.version);
    for mut digest in stale {
        if !turn.has_room() {
            rest = Some(digest);
            break;
        }
        leave(turn, &digest, forward.to, forward.version);
        digest.profile = forward.to;
        digest.version = forward.version;
        arrive(turn, Box::new(digest));
    }
    if let Some(Digest { event: from, .. }) = rest {
        queue::push(
            turn,
            Work::SendDigests {
                profile,
                value,
                from,
            },
        );
    }
}

/// Lets the digests at rest here choose their routes again, from the given one on.
pub(in super::super) fn reroute(
    turn: &mut Turn<'_, '_>,
    profile: ProfileId,
    value: Token,
    from: EventId,
) {
    let last = ProfileId::new(LAST);
    let range = Key::Digest(profile, value, from)..=Key::Digest(last, LAST, EventId::new(LAST));
    let rules = turn.rules();
    let (lost, mut rest) = some(turn, range, |digest| {
        digest.out_number < rules.version
            && rules.route(&digest.values, digest.anchor) != digest.route
    });
    for mut digest in lost {
        if !turn.has_room() {
            rest = Some(digest);
            break;
        }
        let stood = digest.clone();
        choose_route(turn.rules(), &mut digest);
        leave(turn, &stood, digest.profile, digest.version);
        arrive(turn, Box::new(digest));
    }
    if let Some(next) = rest {
        let (profile, value, from) = (next.profile, next.route, next.event);
        queue::push(
            turn,
            Work::Reroute {
                profile,
                value,
                from,
            },
        );
    }
}

/// Shows the entries of a matter anew, from the given one on, with the case that handles it.
pub(in super::super) fn show_case(
    turn: &mut Turn<'_, '_>,
    profile: ProfileId,
    matter: MatterId,
    (value, from): (Token, EventId),
) {
    let case = case_of(turn, profile, matter);
    let range = Key::Digest(profile, value, from)..=Key::Digest(profile, LAST, EventId::new(LAST));
    let (about, mut rest) = some(turn, range, |digest| digest.matter == matter);
    for digest in about {
        if !turn.has_room() {
            rest = Some(digest);
            break;
        }
        turn.show(Timeline::Entry(entry(&digest, case)));
    }
    if let Some(next) = rest {
        queue::push(
            turn,
            Work::ShowCase {
                profile,
                matter,
                value: next.route,
                from: next.event,
            },
        );
    }
}

/// All entries of a matter, from the first.
pub(super) fn show_case_of(turn: &mut Turn<'_, '_>, profile: ProfileId, matter: MatterId) {
    queue::run(
        turn,
        Work::ShowCase {
            profile,
            matter,
            value: FIRST,
            from: EventId::new(FIRST),
        },
    );
}

fn leave(turn: &mut Turn<'_, '_>, digest: &Digest, to: ProfileId, version: Version) {
    turn.state.remove(key(digest));
    turn.show(Timeline::Moved(Moved {
        profile: digest.profile,
        entry: digest.event.token(),
        to: Some(to),
        version,
    }));
}

/// As many digests of the range as this step may have room for, at two records each, and the next.
fn some(
    turn: &Turn<'_, '_>,
    range: RangeInclusive<Key>,
    wanted: impl Fn(&Digest) -> bool,
) -> (Vec<Digest>, Option<Digest>) {
    let mut rows = rows(turn.state, range).filter(|digest| wanted(digest));
    let room = turn.effects.room() / 2;
    let first = rows.by_ref().take(room).cloned().collect();
    (first, rows.next().cloned())
}

fn rows<'s>(
    state: &'s Overlay<'_, Key, Row>,
    range: RangeInclusive<Key>,
) -> impl Iterator<Item = &'s Digest> {
    state.range(range).map(|(_, row)| of_row(row))
}

fn of_row(row: &Row) -> &Digest {
    let Row::Digest(digest) = row else {
        mismatch(row)
    };
    digest
}

fn key(digest: &Digest) -> Key {
    Key::Digest(digest.profile, digest.route, digest.event)
}

fn entry(digest: &Digest, case: Option<CaseId>) -> Entry {
    Entry {
        profile: digest.profile,
        event: digest.event,
        revision: digest.revision,
        anchor: digest.anchor,
        route: digest.route,
        version: digest.version,
        time: digest.time,
        received: digest.received,
        source: digest.source.clone(),
        channel: digest.channel,
        kind: digest.kind,
        name: digest.name.clone(),
        perspective: digest.perspective,
        history: digest.history,
        score: digest.score.clone(),
        place: digest.place.clone(),
        product: digest.product.clone(),
        stage: digest.stage.clone(),
        touchpoint: digest.touchpoint.clone(),
        party: digest.party.clone(),
        matter: digest.matter,
        case,
        content: digest.content,
        promise: digest.promise.clone(),
    }
}
