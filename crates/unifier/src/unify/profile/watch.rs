//! What has to happen by when: a complaint is answered, a promise is kept.
//!
//! A wait begins with an event and is due some time later. Nothing is done until then: the timer (`Key::Due`) only says when to look,
//! and what it finds decides. What is found to be over in time is remembered under what ended it (`Key::Ended`), so that it is
//! looked at again should that be withdrawn; what was told is found by when it was due (`Key::Told`), so that a late fact from
//! before that takes it back. A promise that somebody made needs neither: what is said of it lies together (`word`). What a look finds
//! depends on what rests at the profile alone, never on the order in which it came.

use event::{
    MatterId, Name, ProfileId, Time, Token,
    case_input::{Signal, SignalKind},
    event::{Promise, PromiseState},
    rules::StandingPromise,
    timeline_input::Digest,
};

use super::{
    super::{signal, turn::Turn},
    fact::{Cause, End, Ending, Key, Row, Wait, Watched, mismatch},
    rules::fits,
    sign, tie, word,
};

/// What a look at a wait finds.
enum Found {
    /// Nothing waits: its event is not here any more, or the rules know no such wait.
    Nothing,
    /// It was over in time, by this in a matter; or by another word, which looks at it again should it go.
    Over(Option<Over>),
    /// It was not over at this moment, of which the signal tells.
    Due(Time, Box<Signal>),
}

/// What ends a wait in a matter, and when it happened.
type Over = (MatterId, Ending, Time, Cause);

impl Wait {
    /// What ends it in its matter. What somebody promised under an id ends by that, in whatever matter.
    const fn ending(&self) -> Option<Ending> {
        match self {
            Wait::Answer => Some(Ending::Step),
            Wait::Standing(_) => Some(Ending::Event),
            Wait::Promise(_) => None,
        }
    }
}

/// The waits that a digest begins, each with what is said if it is not over in time. A promise is warned of before it is broken.
pub(super) fn of(turn: &Turn<'_, '_>, digest: &Digest) -> Vec<Watched> {
    const PROMISED: [SignalKind; 2] = [SignalKind::PromiseDue, SignalKind::PromiseBroken];
    let watched = |wait, what| Watched {
        cause: Cause::of(digest),
        matter: digest.matter,
        wait,
        what,
    };
    let mut waits = Vec::new();
    if digest.kind == event::Kind::Complaint {
        waits.push(watched(Wait::Answer, SignalKind::Silence));
    }
    for (name, promise) in &turn.rules().profile.promises {
        if fits(&promise.starts_on, &digest.name) {
            waits.extend(PROMISED.map(|what| watched(Wait::Standing(name.clone()), what)));
        }
    }
    if let Some(promise) = &digest.promise {
        waits.extend(word::waits(digest, promise.id));
    }
    waits
}

/// Sets the timers of what a digest begins to wait for.
pub(super) fn begin(turn: &mut Turn<'_, '_>, digest: &Digest) {
    let first = |watched: &Watched| watched.what != SignalKind::PromiseBroken;
    for watched in of(turn, digest).into_iter().filter(first) {
        set_timer(turn, digest, watched);
    }
}

/// A promise has one timer at a time: when its keeper was warned, or would have been, it is looked at again when it is due. What is kept
/// before the warning is kept in time too.
pub(super) fn set_timer(turn: &mut Turn<'_, '_>, digest: &Digest, watched: Watched) {
    match due(turn, digest, &watched) {
        Some(due) => {
            let key = Key::Due(due, digest.profile, Box::new(watched));
            turn.put_profile(key, Row::Present);
        }
        None => {
            if let Some(next) = after(watched) {
                set_timer(turn, digest, next);
            }
        }
    }
}

/// What is looked at when a warning is past.
fn after(watched: Watched) -> Option<Watched> {
    (watched.what == SignalKind::PromiseDue).then_some(Watched {
        what: SignalKind::PromiseBroken,
        ..watched
    })
}

/// Looks at what is due. Whatever it finds is of the time at which it was due.
pub(super) fn fire(turn: &mut Turn<'_, '_>, at: Time, profile: ProfileId, watched: Watched) {
    turn.remove_profile(Key::Due(at, profile, Box::new(watched.clone())));
    look(turn, profile, watched, at);
}

fn look(turn: &mut Turn<'_, '_>, profile: ProfileId, watched: Watched, at: Time) {
    match find(turn, profile, &watched) {
        Found::Nothing => next(turn, profile, watched),
        Found::Over(None) => {}
        Found::Over(Some((matter, ending, time, cause))) => {
            let key = Key::Ended(profile, matter, ending, time, cause, Box::new(watched));
            turn.put_profile(key, Row::Present);
        }
        // The rules changed meanwhile.
        Found::Due(due, _) if due > at => {
            turn.put_profile(Key::Due(due, profile, Box::new(watched)), Row::Present);
        }
        Found::Due(due, signal) => {
            let id = sign::id_of(profile, &watched);
            sign::settle(turn, profile, id, Some(*signal));
            if watched.wait.ending().is_some() {
                let key = Key::Told(profile, watched.matter, due, Box::new(watched.clone()));
                turn.put_profile(key, Row::Present);
            }
            next(turn, profile, watched);
        }
    }
}

fn next(turn: &mut Turn<'_, '_>, profile: ProfileId, watched: Watched) {
    let Some(watched) = after(watched) else {
        return;
    };
    let digest = turn.digest(profile, watched.cause);
    if let Some(due) = digest.and_then(|digest| due(turn, &digest, &watched)) {
        turn.put_profile(Key::Due(due, profile, Box::new(watched)), Row::Present);
    }
}

/// Whether anything was told of a matter because time passed.
pub(super) fn was_told(turn: &Turn<'_, '_>, profile: ProfileId, matter: MatterId) -> bool {
    let first = Key::Told(profile, matter, Time::MIN, Watched::first());
    let last = Key::Told(profile, matter, Time::MAX, Watched::last());
    turn.profile_rows(first, last).next().is_some()
}

/// Looks again at what was told of a matter because time passed, from this moment on.
pub(super) fn doubt_all(turn: &mut Turn<'_, '_>, profile: ProfileId, matter: MatterId, from: Time) {
    let told: Vec<Watched> = turn
        .profile_rows(
            Key::Told(profile, matter, from, Watched::first()),
            Key::Told(profile, matter, Time::MAX, Watched::last()),
        )
        .map(|(key, row)| {
            let Key::Told(.., watched) = key else {
                mismatch(row)
            };
            (**watched).clone()
        })
        .collect();
    for watched in told {
        doubt(turn, profile, watched);
    }
}

/// Looks again at what was told of one wait.
pub(super) fn doubt(turn: &mut Turn<'_, '_>, profile: ProfileId, watched: Watched) {
    let id = sign::id_of(profile, &watched);
    let Some(time) = sign::told_at(turn, profile, id) else {
        return;
    };
    match find(turn, profile, &watched) {
        Found::Due(due, signal) if due == time => sign::settle(turn, profile, id, Some(*signal)),
        Found::Nothing | Found::Over(..) | Found::Due(..) => {
            let key = Key::Told(profile, watched.matter, time, Box::new(watched.clone()));
            turn.remove_profile(key);
            sign::settle(turn, profile, id, None);
            look(turn, profile, watched, time);
        }
    }
}

/// Looks again, as soon as time allows, at the waits that this has ended.
pub(super) fn resume(
    turn: &mut Turn<'_, '_>,
    profile: ProfileId,
    (matter, ending): (MatterId, Ending),
    (time, cause): (Time, Cause),
) {
    let first = Key::Ended(profile, matter, ending, time, cause, Watched::first());
    let last = Key::Ended(profile, matter, ending, time, cause, Watched::last());
    resume_within(turn, profile, first, last);
}

/// Looks again at all waits that anything in a matter has ended.
pub(super) fn resume_all(turn: &mut Turn<'_, '_>, profile: ProfileId, matter: MatterId) {
    let (ending, time) = (Ending::Step, Time::MIN);
    let first = Key::Ended(
        profile,
        matter,
        ending,
        time,
        Cause::FIRST,
        Watched::first(),
    );
    let (ending, time) = (Ending::Event, Time::MAX);
    let last = Key::Ended(profile, matter, ending, time, Cause::LAST, Watched::last());
    resume_within(turn, profile, first, last);
}

fn resume_within(turn: &mut Turn<'_, '_>, profile: ProfileId, first: Key, last: Key) {
    let ended: Vec<(Key, Watched)> = turn
        .profile_rows(first, last)
        .map(|(key, row)| {
            let Key::Ended(.., watched) = key else {
                mismatch(row)
            };
            (key.clone(), (**watched).clone())
        })
        .collect();
    for (key, watched) in ended {
        turn.remove_profile(key);
        if let Some(digest) = turn.digest(profile, watched.cause) {
            set_timer(turn, &digest, watched);
        }
    }
}

/// When a wait is due, if it is one.
fn due(turn: &Turn<'_, '_>, digest: &Digest, watched: &Watched) -> Option<Time> {
    let rules = &turn.rules().profile;
    match &watched.wait {
        Wait::Answer => Some(digest.time + rules.silence()?),
        Wait::Standing(name) => {
            let promise = rules
                .promises
                .get(name)
                .filter(|promise| fits(&promise.starts_on, &digest.name))?;
            let calendar = rules.calendar(Some(&promise.keeper));
            let due = calendar.add(digest.time, promise.within);
            if watched.what != SignalKind::PromiseDue {
                Some(due)
            } else if promise.warn_before > event::Millis::ZERO {
                Some(calendar.back(due, promise.warn_before).max(digest.time))
            } else {
                None
            }
        }
        Wait::Promise(id) => {
            let promise = promised(digest, *id)?;
            let due = word::due(digest.time, promise)?;
            if watched.what != SignalKind::PromiseDue {
                Some(due)
            } else if promise.state == PromiseState::Made {
                let calendar = rules.calendar(promise.keeper.as_ref());
                Some(calendar.back(due, rules.warn_before).max(digest.time))
            } else {
                None
            }
        }
    }
}

fn promised(digest: &Digest, id: Token) -> Option<&Promise> {
    digest.promise.as_ref().filter(|promise| promise.id == id)
}

fn find(turn: &Turn<'_, '_>, profile: ProfileId, watched: &Watched) -> Found {
    let Some(digest) = turn.digest(profile, watched.cause) else {
        return Found::Nothing;
    };
    if digest.matter != watched.matter {
        return Found::Nothing;
    }
    let Some(due) = due(turn, &digest, watched) else {
        return Found::Nothing;
    };
    match &watched.wait {
        Wait::Answer | Wait::Standing(_) => {
            let end = end(turn, &digest, watched).filter(|(_, _, time, _)| *time <= due);
            if end.is_some() {
                return Found::Over(end);
            }
        }
        Wait::Promise(id) => {
            let promise = promised(&digest, *id);
            if promise.is_some_and(|promise| word::is_over(turn, &digest, promise, due)) {
                return Found::Over(None);
            }
        }
    }
    Found::Due(due, Box::new(told(turn, &digest, watched, due)))
}

/// The first thing that ends a wait, in any of the matters that are one with its own.
fn end(turn: &Turn<'_, '_>, digest: &Digest, watched: &Watched) -> Option<Over> {
    let profile = digest.profile;
    let begun = (digest.time, watched.cause);
    let ending = watched.wait.ending()?;
    let ends = |row: &Row| match (&watched.wait, row) {
        (Wait::Answer, Row::End(End::Step)) => true,
        (Wait::Standing(name), Row::End(End::Event(event))) => {
            let promise = turn.rules().profile.promises.get(name);
            promise.is_some_and(|promise| fits(&promise.kept_by, event))
        }
        _ => false,
    };
    tie::group(turn, profile, watched.matter)
        .into_iter()
        .filter_map(|matter| {
            turn.profile_rows(
                Key::End(profile, matter, ending, begun.0, Cause::FIRST),
                Key::End(profile, matter, ending, Time::MAX, Cause::LAST),
            )
            .find_map(|(key, row)| {
                let Key::End(.., time, cause) = key else {
                    mismatch(row)
                };
                let after = (*time, *cause) > begun && ends(row);
                after.then_some((*time, *cause, matter))
            })
        })
        .min()
        .map(|(time, cause, matter)| (matter, ending, time, cause))
}

fn told(turn: &Turn<'_, '_>, digest: &Digest, watched: &Watched, due: Time) -> Signal {
    let id = sign::id_of(digest.profile, watched);
    let mut signal = signal::sign(digest, watched.what, id);
    signal.time = due;
    signal.received = due;
    let rules = &turn.rules().profile;
    match &watched.wait {
        Wait::Answer => {}
        Wait::Standing(name) => {
            if let Some(standing) = rules.promises.get(name) {
                about_promise(&mut signal, standing_promise(turn, digest, name, standing));
            }
        }
        Wait::Promise(id) => {
            if let Some(promise) = promised(digest, *id) {
                about_promise(&mut signal, promise.clone());
            }
        }
    }
    signal
}

/// A case is opened and routed by what was promised, as an event of that type would be.
fn about_promise(signal: &mut Signal, promise: Promise) {
    signal.kind = event::Kind::Service;
    let name = Name::new(&format!("promise.{}", promise.what));
    signal.name = name.unwrap_or_else(|_| promise.what.clone());
    signal.score = None;
    signal.due = promise.due;
    signal.department = promise.keeper.clone();
    signal.promise = Some(promise);
}

fn standing_promise(
    turn: &Turn<'_, '_>,
    digest: &Digest,
    name: &Name,
    standing: &StandingPromise,
) -> Promise {
    let calendar = turn.rules().profile.calendar(Some(&standing.keeper));
    Promise {
        id: Token::hash(
            "promise",
            &[name.as_str().as_bytes(), digest.event.as_bytes()],
        ),
        what: name.clone(),
        due: Some(calendar.add(digest.time, standing.within)),
        by: None,
        keeper: Some(standing.keeper.clone()),
        state: PromiseState::Made,
    }
}
