//! The compact state of a profile, and what a case is told of it.
//!
//! What rests at a profile is kept a second time in small rows that say what an event or a step means there (`fact`), written as it
//! comes and removed as it leaves. So they are the same in whatever order it came, and an event costs the same however much
//! happened before it. What they mean together is a sign: a third contact, a score that dropped (`sign`), a promise
//! that was not kept in time (`watch`). Signs are told as signals with an id of their own, and taken back when they prove not to be.
//!
//! - `tie`: matters that are one at this profile, since promises are made of an order and kept by a parcel;
//! - `word`: what was said of a promise that somebody made;
//! - `phase`: when the customer's cases were open;
//! - `figures`: what a reader is shown of a profile, from the same facts without the machine.

mod fact;
pub mod figures;
mod phase;
mod rules;
mod sign;
mod state;
mod tie;
mod watch;
mod word;

use std::cmp::Reverse;

use event::{
    CaseId, MatterId, Name, ProfileId, Time,
    timeline_input::{Digest, StepNote},
};
use machine::Overlay;

pub use self::{
    fact::{Cause, End, Ending, Key, Phase, Row, Wait, Watched},
    figures::Profile,
    rules::Rules,
};
use super::{row, signal, turn::Turn};

/// How many timers one step looks at.
const TIMERS_MAX: usize = 1_000;

/// Something that a change may have made true or untrue. It is looked at when the step has done all else, so that what only moves
/// within a profile, or gives way to a later revision, is not taken back first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    Contacts(ProfileId, MatterId),
    Scores(ProfileId, Name, Time, Cause),
    /// Whether the customer complained about something else while this case was open.
    Case(ProfileId, CaseId),
    /// What was told of a wait.
    Wait(ProfileId, Watched),
    /// What was told of all waits of a matter, from this moment on.
    Waits(ProfileId, MatterId, Time),
}

/// A digest came to rest.
pub(super) fn came(turn: &mut Turn<'_, '_>, digest: &Digest) {
    if !digest.withdrawn {
        let is_contact = is_contact(turn, digest);
        add(turn, digest, is_contact);
        cast_doubt(turn, digest, is_contact);
    }
}

/// A digest that rested is not there any more.
pub(super) fn left(turn: &mut Turn<'_, '_>, digest: &Digest) {
    if !digest.withdrawn {
        remove(turn, digest);
        cast_doubt(turn, digest, is_contact(turn, digest));
    }
}

/// A step of a case came to rest, for the first of the values that it comes by.
pub(super) fn step_came(turn: &mut Turn<'_, '_>, note: &StepNote) {
    let profile = note.profile;
    if let Some(opens) = phase::opens(note.what) {
        let row = Phase {
            time: note.time,
            opens,
        };
        phase::change(turn, profile, note.case, |turn| {
            turn.put_profile(Key::Phase(profile, note.case, note.step), Row::Phase(row));
        });
    }
    if phase::is_answer(note.what) {
        let cause = Cause::of_step(note);
        let key = Key::End(profile, note.matter, Ending::Step, note.time, cause);
        turn.put_profile(key, Row::End(End::Step));
        ends(turn, profile, note.matter, note.time);
    }
    tied(turn, tie::of_step(note));
    turn.doubts.insert(Doubt::Case(profile, note.case));
}

/// The last of the values by which a step came has left.
pub(super) fn step_left(turn: &mut Turn<'_, '_>, note: &StepNote) {
    let profile = note.profile;
    if phase::opens(note.what).is_some() {
        phase::change(turn, profile, note.case, |turn| {
            turn.remove_profile(Key::Phase(profile, note.case, note.step));
        });
    }
    untied(
        turn,
        tie::of_step(note).into_iter().map(|(key, _)| key).collect(),
    );
    if phase::is_answer(note.what) {
        let at = (note.time, Cause::of_step(note));
        turn.remove_profile(Key::End(profile, note.matter, Ending::Step, at.0, at.1));
        watch::resume(turn, profile, (note.matter, Ending::Step), at);
    }
    turn.doubts.insert(Doubt::Case(profile, note.case));
}

/// Looks at all that became doubtful in this step.
pub(super) fn settle(turn: &mut Turn<'_, '_>) {
    for doubt in std::mem::take(&mut turn.doubts) {
        match doubt {
            Doubt::Contacts(profile, matter) => sign::contacts(turn, profile, matter),
            Doubt::Scores(profile, metric, time, cause) => {
                sign::scores(turn, profile, &metric, (time, cause));
            }
            Doubt::Case(profile, case) => sign::another_complaint(turn, profile, case),
            Doubt::Wait(profile, watched) => watch::doubt(turn, profile, watched),
            Doubt::Waits(profile, matter, from) => watch::doubt_all(turn, profile, matter, from),
        }
    }
}

/// Fires what is due, each at its own time.
pub(super) fn tick(turn: &mut Turn<'_, '_>, due: Time) {
    let mut room = TIMERS_MAX;
    while room > 0 {
        // Some at once: one that has fired leaves its mark in the batch, and whoever looked for the first again would pass over all
        // of them each time. What they set themselves comes in the next round.
        let some: Vec<_> = timers(turn.state)
            .take_while(|(at, ..)| *at <= due)
            .take(room)
            .collect();
        if some.is_empty() {
            return;
        }
        room -= some.len();
        for (at, profile, watched) in some {
            watch::fire(turn, at, profile, watched);
        }
    }
}

pub(super) fn next_due(state: &Overlay<'_, row::Key, row::Row>) -> Option<Time> {
    timers(state).next().map(|(due, ..)| due)
}

/// From the first that is due.
fn timers(
    state: &Overlay<'_, row::Key, row::Row>,
) -> impl Iterator<Item = (Time, ProfileId, Watched)> {
    let first = Key::Due(Time::MIN, ProfileId::new(row::FIRST), Watched::first());
    let last = Key::Due(Time::MAX, ProfileId::new(row::LAST), Watched::last());
    let range = row::Key::profile(first)..=row::Key::profile(last);
    state.range(range).map(|(key, row)| {
        let row::Key::Profile(key) = key else {
            row::mismatch(row)
        };
        let Key::Due(at, profile, watched) = &**key else {
            row::mismatch(row)
        };
        (*at, *profile, (**watched).clone())
    })
}

/// When a profile heard of a complaint: imported history heard of it when it happened.
fn heard(digest: &Digest) -> Time {
    if digest.history {
        digest.time
    } else {
        digest.received
    }
}

fn is_contact(turn: &Turn<'_, '_>, digest: &Digest) -> bool {
    let share = signal::share(digest);
    let rules = &turn.rules().cases;
    signal::kind(
        digest.kind,
        &digest.name,
        share,
        digest.party.as_ref(),
        rules,
    )
    .is_some_and(signal::is_contact)
}

/// The rows that a digest may have, but for the ends of waits and the ties of matters.
struct Keys {
    contact: Key,
    complaint: Option<Key>,
    scores: Option<(Key, Key)>,
}

impl Keys {
    fn of(digest: &Digest) -> Keys {
        let (profile, time, cause) = (digest.profile, digest.time, Cause::of(digest));
        let is_complaint = digest.kind == event::Kind::Complaint;
        Keys {
            contact: Key::Contact(profile, digest.matter, digest.channel, time, cause),
            complaint: is_complaint.then(|| Key::Complaint(profile, heard(digest), cause)),
            scores: digest.score.as_ref().map(|score| {
                let metric = &score.metric;
                (
                    Key::Score(profile, metric.clone(), time, cause),
                    Key::ScoreBack(profile, metric.clone(), Reverse((time, cause))),
                )
            }),
        }
    }
}

fn add(turn: &mut Turn<'_, '_>, digest: &Digest, is_contact: bool) {
    let (profile, matter, time) = (digest.profile, digest.matter, digest.time);
    let cause = Cause::of(digest);
    let keys = Keys::of(digest);
    if is_contact {
        turn.put_profile(keys.contact, Row::Present);
    }
    if let Some(key) = keys.complaint {
        turn.put_profile(key, Row::Present);
    }
    if let (Some((key, back)), Some(share)) = (keys.scores, signal::share(digest)) {
        turn.put_profile(key, Row::Score(share));
        turn.put_profile(back, Row::Present);
    }
    tied(turn, tie::of_digest(turn, digest));
    if turn.rules().profile.keeps(&digest.name) {
        let key = Key::End(profile, matter, Ending::Event, time, cause);
        turn.put_profile(key, Row::End(End::Event(digest.name.clone())));
        ends(turn, profile, matter, time);
    }
    word::came(turn, digest);
    watch::begin(turn, digest);
}

/// Whatever the rules were when it came, nothing of it is left.
fn remove(turn: &mut Turn<'_, '_>, digest: &Digest) {
    let (profile, matter) = (digest.profile, digest.matter);
    let keys = Keys::of(digest);
    turn.remove_profile(keys.contact);
    if let Some(key) = keys.complaint {
        turn.remove_profile(key);
    }
    if let Some((key, back)) = keys.scores {
        turn.remove_profile(key);
        turn.remove_profile(back);
    }
    untied(turn, tie::all_of_digest(digest));
    let at = (digest.time, Cause::of(digest));
    let key = Key::End(profile, matter, Ending::Event, at.0, at.1);
    if turn.profile_row(key.clone()).is_some() {
        turn.remove_profile(key);
        watch::resume(turn, profile, (matter, Ending::Event), at);
    }
    word::left(turn, digest);
}

/// What a digest that came or left makes doubtful.
fn cast_doubt(turn: &mut Turn<'_, '_>, digest: &Digest, is_contact: bool) {
    let profile = digest.profile;
    if is_contact {
        turn.doubts.insert(Doubt::Contacts(profile, digest.matter));
    }
    if let Some(score) = &digest.score {
        let (metric, cause) = (score.metric.clone(), Cause::of(digest));
        let doubt = Doubt::Scores(profile, metric, digest.time, cause);
        turn.doubts.insert(doubt);
    }
    if digest.kind == event::Kind::Complaint {
        let cases = phase::open_after(turn, profile, heard(digest));
        let doubts = cases.into_iter().map(|case| Doubt::Case(profile, case));
        turn.doubts.extend(doubts);
    }
    let waits = watch::of(turn, digest);
    if !waits.is_empty() && watch::was_told(turn, profile, digest.matter) {
        let doubts = waits.into_iter().map(|wait| Doubt::Wait(profile, wait));
        turn.doubts.extend(doubts);
    }
}

/// Something that may end waits happened at this time: what was told since then is doubtful.
fn ends(turn: &mut Turn<'_, '_>, profile: ProfileId, matter: MatterId, time: Time) {
    for matter in tie::group(turn, profile, matter) {
        turn.doubts.insert(Doubt::Waits(profile, matter, time));
    }
}

/// Matters prove to be one: what one waits for may have happened in the other.
fn tied(turn: &mut Turn<'_, '_>, ties: Vec<tie::Tie>) {
    for (key, row) in ties {
        let Key::Tie(profile, one, other, _) = key else {
            unreachable!("a tie lies at {key:?}");
        };
        let is_new = !tie::are_tied(turn, profile, one, other);
        turn.put_profile(key, row);
        if is_new {
            ends(turn, profile, one, Time::MIN);
            turn.doubts.insert(Doubt::Contacts(profile, one));
        }
    }
}

/// Matters prove not to be one: what was over in one by what happened in the other is looked at again.
fn untied(turn: &mut Turn<'_, '_>, ties: Vec<Key>) {
    for key in ties {
        let Key::Tie(profile, one, other, _) = key else {
            unreachable!("a tie lies at {key:?}");
        };
        if turn.profile_row(key.clone()).is_none() {
            continue;
        }
        let group = tie::group(turn, profile, one);
        turn.remove_profile(key);
        if !tie::are_tied(turn, profile, one, other) {
            for matter in group {
                watch::resume_all(turn, profile, matter);
                turn.doubts.insert(Doubt::Contacts(profile, matter));
            }
        }
    }
}
