//! Digests: what a timeline keeps of its events.

use std::ops::RangeInclusive;

use event::{
    CaseId, MatterId, ProfileId, Record, Token, Version,
    case_input::CaseInput,
    timeline::{Entry, Moved, Timeline},
    timeline_input::{Digest, TimelineInput},
};

use super::{
    super::{
        out, profile,
        queue::{self, Work},
        row::{AtRest, FIRST, Forward, Key, LAST, Row, Spot, mismatch},
        signal,
        turn::Turn,
    },
    Arrival, case_of, follow, revision,
};

/// Takes a digest to where its route value belongs, as far as this partition knows.
pub(in super::super) fn arrive(turn: &mut Turn<'_, '_>, mut digest: Digest) -> Arrival {
    head(turn, &mut digest);
    land(turn, digest)
}

/// Lets a digest choose its route, where this partition knows better what is out, and follow it. A new route starts at its own
/// profile, whose forwards do the rest.
fn head(turn: &Turn<'_, '_>, digest: &mut Digest) {
    if digest.out_number < turn.out_number {
        digest.out_number = turn.out_number;
        let route = out::route(turn, &digest.values, digest.anchor);
        if route != digest.route {
            digest.route = route;
            digest.profile = ProfileId::new(route);
            digest.version = Version::ZERO;
        }
    }
    (digest.profile, digest.version) = follow(turn, digest.profile, digest.route, digest.version);
}

fn land(turn: &mut Turn<'_, '_>, digest: Digest) -> Arrival {
    if !turn.holds(digest.profile) {
        let input = TimelineInput::Digest(digest);
        turn.effects.emit(Record::TimelineInput(input));
        return Arrival::SentOn;
    }
    let before = at(turn, Spot::of(&digest));
    let is_repeat =
        |before: &Digest| before.revision == digest.revision && before.version >= digest.version;
    if before.as_ref().is_some_and(is_repeat) {
        return Arrival::Repeat;
    }
    if digest.withdrawn {
        withdraw(turn, &digest, before)
    } else {
        rest(turn, &digest, before)
    }
}

/// Where several revisions of one event meet the highest stays.
fn rest(turn: &mut Turn<'_, '_>, digest: &Digest, before: Option<Digest>) -> Arrival {
    if let Some(above) = revision::above(turn, digest) {
        revision::take_back(turn, digest, &above);
        return Arrival::Repeat;
    }
    if let Some(before) = before {
        lift(turn, &before);
        revision::take_back(turn, &before, digest);
    }
    let case = case_of(turn, digest.profile, digest.matter);
    turn.show(Timeline::Entry(entry(digest, case)));
    if let Some(signal) = signal::of(digest, &turn.rules().cases) {
        turn.tell_case(CaseInput::Signal(signal));
    }
    lay(turn, digest);
    Arrival::Rests
}

/// A withdrawal takes away what it withdraws, and stays: what it withdraws may come after it.
fn withdraw(turn: &mut Turn<'_, '_>, digest: &Digest, before: Option<Digest>) -> Arrival {
    if let Some(before) = before {
        lift(turn, &before);
    }
    let stands = Spot {
        withdrawn: 0,
        ..Spot::of(digest)
    };
    let stands = at(turn, stands).filter(|stands| stands.revision < digest.revision);
    if let Some(stands) = stands {
        if revision::is_shown(turn, &stands) {
            hide(turn, digest.profile, digest, None);
        }
        lift(turn, &stands);
        revision::take_back(turn, &stands, digest);
    }
    lay(turn, digest);
    Arrival::Rests
}

/// Sends on the digests of a value that a newer move took away.
pub(in super::super) fn send_on(turn: &mut Turn<'_, '_>, from: Spot) {
    let Some(forward) = turn.forward(from.profile, from.route) else {
        return;
    };
    let is_stale = |digest: &Digest| digest.version < forward.version;
    let (some, mut next) = some(turn, from..=Spot::last(from.profile, from.route), is_stale);
    for digest in some {
        if !turn.has_room() {
            next = Some(Spot::of(&digest));
            break;
        }
        go(turn, digest, Some(forward));
    }
    if let Some(from) = next {
        queue::push(turn, Work::SendDigests { from });
    }
}

/// Lets the digests that follow a value which went out choose their routes anew.
pub(in super::super) fn reroute(turn: &mut Turn<'_, '_>, from: Spot) {
    let (some, mut next) = some(turn, from..=Spot::last(from.profile, from.route), |_| true);
    for digest in some {
        if !turn.has_room() {
            next = Some(Spot::of(&digest));
            break;
        }
        if is_astray(turn, &digest) {
            go(turn, digest, None);
        } else {
            // All its values are out, and any of them may come back.
            skip(turn, &digest);
        }
    }
    if let Some(from) = next {
        queue::push(turn, Work::Reroute { from });
    }
}

/// Lets the digests that skip a value which is back choose their routes anew.
pub(in super::super) fn restore(turn: &mut Turn<'_, '_>, value: Token, from: Spot) {
    let last = Spot::last(ProfileId::new(LAST), LAST);
    let mut rows = turn
        .state
        .range(Key::Skipped(value, from)..=Key::Skipped(value, last))
        .map(|(key, row)| {
            let Key::Skipped(_, spot) = key else {
                mismatch(row)
            };
            *spot
        });
    let some: Vec<Spot> = rows.by_ref().take(turn.effects.room() / 2).collect();
    let mut next = rows.next();
    for spot in some {
        if !turn.has_room() {
            next = Some(spot);
            break;
        }
        let Some(digest) = at(turn, spot) else {
            unreachable!("what skips a value rests where it says: {spot:?}");
        };
        if is_astray(turn, &digest) {
            go(turn, digest, None);
        }
    }
    if let Some(from) = next {
        queue::push(turn, Work::Restore { value, from });
    }
}

/// Whether a digest at rest would choose another route under the list that this partition has.
fn is_astray(turn: &Turn<'_, '_>, digest: &Digest) -> bool {
    digest.out_number < turn.out_number
        && out::route(turn, &digest.values, digest.anchor) != digest.route
}

/// Shows the entries of a matter anew, from the given one on, with the case that handles it.
pub(in super::super) fn show_case(turn: &mut Turn<'_, '_>, matter: MatterId, from: Spot) {
    let case = case_of(turn, from.profile, matter);
    let (some, mut next) = some(turn, from..=Spot::last(from.profile, LAST), |digest| {
        digest.matter == matter && revision::is_shown(turn, digest)
    });
    for digest in some {
        if !turn.has_room() {
            next = Some(Spot::of(&digest));
            break;
        }
        turn.show(Timeline::Entry(entry(&digest, case)));
    }
    if let Some(from) = next {
        queue::push(turn, Work::ShowCase { matter, from });
    }
}

/// All entries of a matter, from the first.
pub(super) fn show_case_of(turn: &mut Turn<'_, '_>, profile: ProfileId, matter: MatterId) {
    let from = Spot::first(profile, FIRST);
    queue::run(turn, Work::ShowCase { matter, from });
}

/// Takes a digest from where it rests, and then to where it belongs now.
fn go(turn: &mut Turn<'_, '_>, mut digest: Digest, forward: Option<Forward>) {
    let is_shown = revision::is_shown(turn, &digest);
    lift(turn, &digest);
    let left = digest.profile;
    if let Some(forward) = forward {
        digest.profile = forward.to;
        digest.version = forward.version;
    }
    head(turn, &mut digest);
    if is_shown {
        hide(turn, left, &digest, Some(digest.profile));
    }
    land(turn, digest);
}

/// The profile shows the event no more.
fn hide(turn: &mut Turn<'_, '_>, profile: ProfileId, digest: &Digest, to: Option<ProfileId>) {
    turn.show(Timeline::Moved(Moved {
        profile,
        entry: digest.event.token(),
        to,
        version: digest.version,
    }));
}

/// Lays a digest to rest.
fn lay(turn: &mut Turn<'_, '_>, digest: &Digest) {
    let spot = Spot::of(digest);
    if let Some(key) = revision::key(digest) {
        turn.state.put(key, Row::Revision(Box::new(spot)));
    }
    skip(turn, digest);
    profile::came(turn, digest);
    let row = Row::Digest(AtRest::new(digest));
    turn.state.put(Key::Digest(spot), row);
}

/// Lets a digest at rest be found should a value that it does not follow come back: all that are stronger, and where its route is
/// out, since all its values are, the weaker ones too.
fn skip(turn: &mut Turn<'_, '_>, digest: &Digest) {
    let spot = Spot::of(digest);
    let all = digest.values.len() > 1 && turn.is_out(digest.route);
    for value in &digest.values {
        if value.token != digest.route {
            let key = Key::Skipped(value.token, spot);
            turn.state.put(key, Row::Present);
        } else if !all {
            break;
        }
    }
}

/// The opposite of `lay`.
fn lift(turn: &mut Turn<'_, '_>, digest: &Digest) {
    let spot = Spot::of(digest);
    for value in &digest.values {
        if value.token != digest.route {
            let key = Key::Skipped(value.token, spot);
            turn.state.remove(key);
        }
    }
    if let Some(key) = revision::key(digest) {
        turn.state.remove(key);
    }
    turn.state.remove(Key::Digest(spot));
    profile::left(turn, digest);
}

/// As many digests of the range as this step may have room for, at two records each: those that are meant of them, and the place of
/// the next.
fn some(
    turn: &Turn<'_, '_>,
    range: RangeInclusive<Spot>,
    is_meant: impl Fn(&Digest) -> bool,
) -> (Vec<Digest>, Option<Spot>) {
    let (from, to) = range.into_inner();
    let mut rows = turn
        .state
        .range(Key::Digest(from)..=Key::Digest(to))
        .map(|(_, row)| of_row(row));
    let room = turn.effects.room() / 2;
    let first = rows.by_ref().take(room).filter(is_meant).collect();
    (first, rows.next().as_ref().map(Spot::of))
}

pub(super) fn at(turn: &Turn<'_, '_>, spot: Spot) -> Option<Digest> {
    turn.state.get(&Key::Digest(spot)).map(of_row)
}

fn of_row(row: &Row) -> Digest {
    let Row::Digest(digest) = row else {
        mismatch(row)
    };
    digest.digest()
}

impl Spot {
    fn of(digest: &Digest) -> Self {
        Self {
            profile: digest.profile,
            route: digest.route,
            event: digest.event,
            withdrawn: if digest.withdrawn { digest.revision } else { 0 },
        }
    }
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
