//! What a case was told of signs, and what the rows say now: where the two differ, the case is told.
//!
//! A sign has an id of its own, made of the profile, its kind and what it is about; only this profile tells of it, and each time with
//! the next revision. When what it was made of goes to another profile, it is taken back here and made there.

use std::{cmp::Reverse, collections::BTreeMap};

use event::{
    CaseId, Channel, EventId, MatterId, Name, ProfileId, Time, Token,
    case_input::{CaseInput, Signal, SignalKind},
    timeline_input::Digest,
};

use super::{
    super::{
        queue::{self, Work},
        signal,
        turn::Turn,
    },
    fact::{Cause, Key, Row, Wait, Watched, mismatch},
    phase, tie,
};

/// In their order.
const CHANNELS: [Channel; 5] = [
    Channel::Store,
    Channel::CallCentre,
    Channel::Web,
    Channel::Subcontractor,
    LAST_CHANNEL,
];
const LAST_CHANNEL: Channel = Channel::Unknown;

/// So many complaints of one customer in a row may be about the case itself before it is not looked further for another.
const COMPLAINTS_MAX: usize = 16;

fn id(what: SignalKind, profile: ProfileId, about: &[&[u8]]) -> EventId {
    let mut parts: Vec<&[u8]> = vec![what.as_str().as_bytes(), profile.as_bytes()];
    parts.extend(about);
    EventId::new(Token::hash("sign", &parts))
}

/// The id of what is told because time passed.
pub(super) fn id_of(profile: ProfileId, watched: &Watched) -> EventId {
    let wait: &[u8] = match &watched.wait {
        Wait::Answer => &[],
        Wait::Standing(name) => name.as_str().as_bytes(),
        Wait::Promise(id) => id.as_bytes(),
    };
    id(
        watched.what,
        profile,
        &[
            watched.matter.as_bytes(),
            watched.cause.id.as_bytes(),
            watched.cause.route.as_bytes(),
            wait,
        ],
    )
}

/// Lets the case know what is so now, if it was told anything else.
pub(super) fn settle(
    turn: &mut Turn<'_, '_>,
    profile: ProfileId,
    id: EventId,
    now: Option<Signal>,
) {
    let key = Key::Sign(profile, id);
    let told = match turn.profile_row(key.clone()) {
        None => None,
        Some(Row::Sign(told)) => Some(told),
        Some(row) => unreachable!("a sign is {row:?}"),
    };
    let next = match (told, now) {
        (None, None) => return,
        (None, Some(now)) => now,
        (Some(told), None) if told.withdrawn => return,
        (Some(told), None) => Signal {
            revision: told.revision + 1,
            withdrawn: true,
            ..Signal::clone(told)
        },
        (Some(told), Some(now)) => {
            let as_told = Signal {
                revision: told.revision,
                route_version: told.route_version,
                ..now.clone()
            };
            if as_told == **told {
                return;
            }
            Signal {
                revision: told.revision + 1,
                ..now
            }
        }
    };
    turn.put_profile(key, Row::Sign(Box::new(next.clone())));
    if turn.has_room() {
        turn.tell_case(CaseInput::Signal(next));
    } else {
        queue::push(turn, Work::Tell(Box::new(next)));
    }
}

/// The moment that a sign tells of, while it stands.
pub(super) fn told_at(turn: &Turn<'_, '_>, profile: ProfileId, id: EventId) -> Option<Time> {
    match turn.profile_row(Key::Sign(profile, id)) {
        None => None,
        Some(Row::Sign(told)) => (!told.withdrawn).then_some(told.time),
        Some(row) => unreachable!("a sign is {row:?}"),
    }
}

/// The third contact about a matter, and contacts about it in two channels. Matters that are one are looked at together, under the
/// smallest of them.
pub(super) fn contacts(turn: &mut Turn<'_, '_>, profile: ProfileId, matter: MatterId) {
    const SIGNS: [SignalKind; 2] = [SignalKind::ThirdContact, SignalKind::TwoChannels];
    let wanted = turn.rules().profile.contacts();
    let has_two = turn.rules().profile.signs.two_channels;
    let mut group = tie::group(turn, profile, matter);
    group.sort_unstable();
    let mut all: Vec<Contact> = Vec::new();
    let mut firsts: BTreeMap<Channel, Contact> = BTreeMap::new();
    for matter in &group {
        for (channel, contact) in first_contacts(turn, profile, *matter, wanted.unwrap_or(1)) {
            let first = firsts.entry(channel).or_insert(contact);
            *first = contact.min(*first);
            all.push(contact);
        }
    }
    let mut channels: Vec<Contact> = firsts.into_values().collect();
    all.sort_unstable();
    channels.sort_unstable();
    let third = wanted.and_then(|wanted| all.get(wanted - 1)).copied();
    let second = channels.get(1).filter(|_| has_two).copied();
    for (place, matter) in group.iter().enumerate() {
        for (what, contact) in SIGNS.into_iter().zip([third, second]) {
            let id = id(what, profile, &[matter.as_bytes()]);
            let now = contact
                .filter(|_| place == 0)
                .map(|(_, cause)| signal::sign(&at_rest(turn, profile, cause), what, id));
            settle(turn, profile, id, now);
        }
    }
}

type Contact = (Time, Cause);

/// The first contacts about a matter in each channel, at most so many.
fn first_contacts(
    turn: &Turn<'_, '_>,
    profile: ProfileId,
    matter: MatterId,
    count: usize,
) -> Vec<(Channel, Contact)> {
    let mut found: Vec<(Channel, Contact)> = Vec::new();
    let mut from = Some(CHANNELS[0]);
    while let Some(first) = from.take() {
        let rows = turn.profile_rows(
            Key::Contact(profile, matter, first, Time::MIN, Cause::FIRST),
            Key::Contact(profile, matter, LAST_CHANNEL, Time::MAX, Cause::LAST),
        );
        for (key, row) in rows {
            let Key::Contact(_, _, channel, time, cause) = key else {
                mismatch(row)
            };
            let so_far = found.iter().rev().take_while(|(of, _)| of == channel);
            if so_far.count() == count {
                // The rest of the channel may be long: goes on with the next.
                from = CHANNELS.into_iter().find(|next| next > channel);
                break;
            }
            found.push((*channel, (*time, *cause)));
        }
    }
    found
}

/// A score far below the one before it, and the same of the one after it.
pub(super) fn scores(turn: &mut Turn<'_, '_>, profile: ProfileId, metric: &Name, at: Scored) {
    score(turn, profile, metric, at);
    let after = turn
        .profile_rows(
            Key::Score(profile, metric.clone(), at.0, at.1),
            Key::Score(profile, metric.clone(), Time::MAX, Cause::LAST),
        )
        .find_map(|(key, row)| {
            let Key::Score(.., time, cause) = key else {
                mismatch(row)
            };
            Some((*time, *cause)).filter(|after| *after > at)
        });
    if let Some(after) = after {
        score(turn, profile, metric, after);
    }
}

type Scored = (Time, Cause);

fn score(turn: &mut Turn<'_, '_>, profile: ProfileId, metric: &Name, at: Scored) {
    let what = SignalKind::ScoreDrop;
    let cause = at.1;
    let about: [&[u8]; 3] = [
        metric.as_str().as_bytes(),
        cause.id.as_bytes(),
        cause.route.as_bytes(),
    ];
    let id = id(what, profile, &about);
    let now = drops(turn, profile, metric, at)
        .then(|| signal::sign(&at_rest(turn, profile, cause), what, id));
    settle(turn, profile, id, now);
}

/// Whether a score is there and fell too far.
fn drops(turn: &Turn<'_, '_>, profile: ProfileId, metric: &Name, at: Scored) -> bool {
    let before = turn
        .profile_rows(
            Key::ScoreBack(profile, metric.clone(), Reverse(at)),
            Key::ScoreBack(profile, metric.clone(), Reverse((Time::MIN, Cause::FIRST))),
        )
        .find_map(|(key, row)| {
            let Key::ScoreBack(.., Reverse(before)) = key else {
                mismatch(row)
            };
            Some(*before).filter(|before| *before < at)
        });
    let share = |at| share(turn, profile, metric, at);
    match (before.and_then(share), share(at)) {
        (Some(before), Some(after)) => turn.rules().profile.drops(before, after),
        (None, _) | (_, None) => false,
    }
}

fn share(turn: &Turn<'_, '_>, profile: ProfileId, metric: &Name, at: Scored) -> Option<f64> {
    match turn.profile_row(Key::Score(profile, metric.clone(), at.0, at.1)) {
        None => None,
        Some(Row::Score(share)) => Some(*share),
        Some(row) => unreachable!("a score is {row:?}"),
    }
}

/// The first complaint about something else while a case was open: told once a case.
pub(super) fn another_complaint(turn: &mut Turn<'_, '_>, profile: ProfileId, case: CaseId) {
    let what = SignalKind::AnotherComplaint;
    let id = id(what, profile, &[case.as_bytes()]);
    let is_sign = turn.rules().profile.signs.another_complaint;
    let now = phase::spells(turn, profile, case)
        .into_iter()
        .filter(|_| is_sign)
        .find_map(|(from, to)| complaint_within(turn, profile, case, from, to))
        .map(|cause| Signal {
            case,
            matter: case.matter(),
            ..signal::sign(&at_rest(turn, profile, cause), what, id)
        });
    settle(turn, profile, id, now);
}

fn complaint_within(
    turn: &Turn<'_, '_>,
    profile: ProfileId,
    case: CaseId,
    from: Time,
    to: Time,
) -> Option<Cause> {
    if to <= from {
        return None;
    }
    turn.profile_rows(
        Key::Complaint(profile, from, Cause::FIRST),
        Key::Complaint(profile, to, Cause::LAST),
    )
    .take(COMPLAINTS_MAX)
    .find_map(|(key, row)| {
        let Key::Complaint(_, time, cause) = key else {
            mismatch(row)
        };
        let matter = at_rest(turn, profile, *cause).matter;
        let is_other = phase::case_of(turn, profile, matter) != case;
        (*time < to && is_other).then_some(*cause)
    })
}

/// The rows of a profile come only from digests that rest there.
fn at_rest(turn: &Turn<'_, '_>, profile: ProfileId, cause: Cause) -> Digest {
    turn.digest(profile, cause).unwrap_or_else(|| {
        unreachable!("a row of {profile} comes from {cause:?}, which is not there")
    })
}
