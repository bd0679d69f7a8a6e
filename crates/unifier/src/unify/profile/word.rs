//! What was said of a promise that somebody made under an id: one thing wherever it is named, whatever matter it was said in.
//!
//! Its words lie in the order in which they were said, and each is decided by the one beside it. Who made a promise waits for the next word
//! of it; that it was broken is news, unless the word before tells so by itself. So whatever comes or goes, two others are looked at,
//! however much was said.

use std::cmp::Reverse;

use event::{
    ProfileId, Time, Token,
    case_input::SignalKind,
    event::{Promise, PromiseState},
    timeline_input::Digest,
};

use super::{
    super::turn::Turn,
    Doubt,
    fact::{Cause, Key, Row, Wait, Watched, mismatch},
    watch,
};

/// When something was said, and by what.
type Word = (Time, Cause);

/// Something is said of a promise.
pub(super) fn came(turn: &mut Turn<'_, '_>, digest: &Digest) {
    if let Some(promise) = named(digest) {
        for key in keys(digest, promise) {
            turn.put_profile(key, Row::Present);
        }
        changed(turn, digest, promise);
    }
}

/// It is not said any more.
pub(super) fn left(turn: &mut Turn<'_, '_>, digest: &Digest) {
    if let Some(promise) = named(digest) {
        for key in keys(digest, promise) {
            turn.remove_profile(key);
        }
        changed(turn, digest, promise);
    }
}

/// The promise of which a digest says something that is understood.
fn named(digest: &Digest) -> Option<Token> {
    let promise = digest.promise.as_ref()?;
    (promise.state != PromiseState::Unknown).then_some(promise.id)
}

/// A word is found from the one before it, and from the one after it.
fn keys(digest: &Digest, promise: Token) -> [Key; 2] {
    let (profile, time, cause) = (digest.profile, digest.time, Cause::of(digest));
    [
        Key::Word(profile, promise, time, cause),
        Key::WordBack(profile, promise, Reverse((time, cause))),
    ]
}

/// The two waits of a word: its keeper is warned, and it is broken.
pub(super) fn waits(digest: &Digest, promise: Token) -> [Watched; 2] {
    [SignalKind::PromiseDue, SignalKind::PromiseBroken].map(|what| Watched {
        cause: Cause::of(digest),
        matter: digest.matter,
        wait: Wait::Promise(promise),
        what,
    })
}

/// What was told by a word that came or left is doubtful, and so are those beside it. What proved to be over may not be any more.
fn changed(turn: &mut Turn<'_, '_>, digest: &Digest, promise: Token) {
    doubt(turn, digest, promise);
    let (profile, word) = (digest.profile, (digest.time, Cause::of(digest)));
    let beside = [
        before(turn, profile, promise, word),
        after(turn, profile, promise, word),
    ];
    for (_, cause) in beside.into_iter().flatten() {
        if let Some(digest) = turn.digest(profile, cause) {
            doubt(turn, &digest, promise);
            begin(turn, &digest, promise);
        }
    }
}

fn doubt(turn: &mut Turn<'_, '_>, digest: &Digest, promise: Token) {
    let profile = digest.profile;
    let waits = waits(digest, promise).map(|watched| Doubt::Wait(profile, watched));
    turn.doubts.extend(waits);
}

/// Sets the timer of a word: the warning comes first, and what follows it is looked at then.
fn begin(turn: &mut Turn<'_, '_>, digest: &Digest, promise: Token) {
    let [warned, _] = waits(digest, promise);
    watch::set_timer(turn, digest, warned);
}

/// When a word is due: never before it was said, and at that moment if it says that the promise is broken.
pub(super) fn due(time: Time, promise: &Promise) -> Option<Time> {
    match promise.state {
        PromiseState::Made => promise.due.map(|due| due.max(time)),
        PromiseState::Broken => Some(time),
        PromiseState::Kept | PromiseState::Withdrawn | PromiseState::Unknown => None,
    }
}

/// Whether there is nothing to tell of a word that is due: the next one came in time, or the promise was broken before somebody said so.
pub(super) fn is_over(
    turn: &Turn<'_, '_>,
    digest: &Digest,
    promise: &Promise,
    until: Time,
) -> bool {
    let (profile, word) = (digest.profile, (digest.time, Cause::of(digest)));
    if promise.state == PromiseState::Broken {
        let before = before(turn, profile, promise.id, word);
        let broke = before.and_then(|(_, cause)| broke(turn, profile, cause));
        broke.is_some_and(|broke| broke < digest.time)
    } else {
        let after = after(turn, profile, promise.id, word);
        after.is_some_and(|(time, _)| time <= until)
    }
}

/// When a promise was broken that this made, if nothing came before.
fn broke(turn: &Turn<'_, '_>, profile: ProfileId, cause: Cause) -> Option<Time> {
    let made = turn.digest(profile, cause)?;
    let promise = made.promise.as_ref()?;
    due(made.time, promise).filter(|_| promise.state == PromiseState::Made)
}

fn after(turn: &Turn<'_, '_>, profile: ProfileId, promise: Token, word: Word) -> Option<Word> {
    turn.profile_rows(
        Key::Word(profile, promise, word.0, word.1),
        Key::Word(profile, promise, Time::MAX, Cause::LAST),
    )
    .map(|(key, row)| {
        let Key::Word(.., time, cause) = key else {
            mismatch(row)
        };
        (*time, *cause)
    })
    .find(|other| *other > word)
}

fn before(turn: &Turn<'_, '_>, profile: ProfileId, promise: Token, word: Word) -> Option<Word> {
    turn.profile_rows(
        Key::WordBack(profile, promise, Reverse(word)),
        Key::WordBack(profile, promise, Reverse((Time::MIN, Cause::FIRST))),
    )
    .map(|(key, row)| {
        let Key::WordBack(.., Reverse(other)) = key else {
            mismatch(row)
        };
        *other
    })
    .find(|other| *other < word)
}
