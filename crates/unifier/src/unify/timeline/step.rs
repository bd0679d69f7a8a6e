//! Steps of cases, in their place among what happened to a profile.

use event::{
    ProfileId, Record, Token, Version,
    case::StepKind,
    timeline::{Moved, StepEntry, Timeline},
    timeline_input::{StepNote, TimelineInput},
};

use super::{
    super::{
        profile,
        queue::{self, Work},
        row::{Key, LAST, Row, Taken, mismatch},
        turn::Turn,
    },
    Arrival, digest, follow,
};

/// Takes a step to where its route value belongs, as far as this partition knows.
pub(in super::super) fn arrive(turn: &mut Turn<'_, '_>, mut note: Box<StepNote>) -> Arrival {
    (note.profile, note.version) = follow(turn, note.profile, note.route, note.version);
    if turn.holds(note.profile) {
        rest(turn, note)
    } else {
        let input = TimelineInput::Step(*note);
        turn.effects.emit(Record::TimelineInput(input));
        Arrival::SentOn
    }
}

/// A case tells each of a customer's values that it knows, so one step may come by several; it is shown once.
fn rest(turn: &mut Turn<'_, '_>, note: Box<StepNote>) -> Arrival {
    let key = key(&note);
    if let Some(known) = turn.state.get(&key).map(of_row) {
        if known.version < note.version {
            turn.state.put(key, Row::Step(note));
        }
        return Arrival::Repeat;
    }
    let by = shown(turn, note.profile, note.id);
    if by == 0 {
        turn.show(Timeline::Step(entry(&note)));
        profile::step_came(turn, &note);
    }
    turn.state
        .put(Key::Shown(note.profile, note.id), Row::Shown(by + 1));
    learn(turn, &note);
    turn.state.put(key, Row::Step(note));
    Arrival::Rests
}

/// Sends on the steps of a value that a newer move took away.
pub(in super::super) fn send_on(
    turn: &mut Turn<'_, '_>,
    profile: ProfileId,
    value: Token,
    from: Token,
) {
    let Some(forward) = turn.forward(profile, value) else {
        return;
    };
    let mut rows = turn
        .state
        .range(Key::Step(profile, value, from)..=Key::Step(profile, value, LAST))
        .map(|(_, row)| of_row(row))
        .filter(|note| note.version < forward.version);
    let room = turn.effects.room() / 2;
    let stale: Vec<StepNote> = rows.by_ref().take(room).cloned().collect();
    let mut rest = rows.next().map(|note| note.id);
    for mut note in stale {
        if !turn.has_room() {
            rest = Some(note.id);
            break;
        }
        leave(turn, &note, forward.to, forward.version);
        note.profile = forward.to;
        note.version = forward.version;
        arrive(turn, Box::new(note));
    }
    if let Some(from) = rest {
        queue::push(
            turn,
            Work::SendSteps {
                profile,
                value,
                from,
            },
        );
    }
}

/// The step is hidden when the last value that it came by leaves.
fn leave(turn: &mut Turn<'_, '_>, note: &StepNote, to: ProfileId, version: Version) {
    turn.state.remove(key(note));
    unlearn(turn, note);
    let by = shown(turn, note.profile, note.id);
    let shown = Key::Shown(note.profile, note.id);
    if by > 1 {
        turn.state.put(shown, Row::Shown(by - 1));
        return;
    }
    turn.state.remove(shown);
    profile::step_left(turn, note);
    turn.show(Timeline::Moved(Moved {
        profile: note.profile,
        entry: note.id,
        to: Some(to),
        version,
    }));
}

/// Learns which case handles the step's matter: as the latest step says, and at one moment the smaller case, since that is the one
/// that takes the other's matters.
fn learn(turn: &mut Turn<'_, '_>, note: &StepNote) {
    if !names_the_case(note.what) {
        return;
    }
    let known = taken(turn, note);
    let mut now = known.unwrap_or(Taken {
        case: note.case,
        time: note.time,
        by: 0,
    });
    now.by += 1;
    if (note.time, now.case) > (now.time, note.case) {
        now.case = note.case;
        now.time = note.time;
    }
    turn.state
        .put(Key::Case(note.profile, note.matter), Row::Case(now));
    if known.is_none_or(|known| known.case != now.case) {
        digest::show_case_of(turn, note.profile, note.matter);
    }
}

/// A profile knows of a case as long as a step of it rests here. So what it shows does not depend on who passed by.
fn unlearn(turn: &mut Turn<'_, '_>, note: &StepNote) {
    if !names_the_case(note.what) {
        return;
    }
    let key = Key::Case(note.profile, note.matter);
    match taken(turn, note) {
        Some(mut taken) if taken.by > 1 => {
            taken.by -= 1;
            turn.state.put(key, Row::Case(taken));
        }
        Some(_) | None => {
            turn.state.remove(key);
            digest::show_case_of(turn, note.profile, note.matter);
        }
    }
}

fn taken(turn: &Turn<'_, '_>, note: &StepNote) -> Option<Taken> {
    match turn.state.get(&Key::Case(note.profile, note.matter)) {
        None => None,
        Some(Row::Case(taken)) => Some(*taken),
        Some(row) => mismatch(row),
    }
}

/// Whether the case of such a step has the matter after it.
fn names_the_case(what: StepKind) -> bool {
    match what {
        StepKind::Opened
        | StepKind::Heard
        | StepKind::Acknowledged
        | StepKind::Contacted
        | StepKind::Offered
        | StepKind::Accepted
        | StepKind::Declined
        | StepKind::Returned
        | StepKind::Escalated
        | StepKind::Missed
        | StepKind::Resolved
        | StepKind::Reopened
        | StepKind::Joined
        | StepKind::Claimed
        | StepKind::Released
        | StepKind::Noted
        | StepKind::Proposed
        | StepKind::Waiting
        | StepKind::Resumed
        | StepKind::Noticed
        | StepKind::Warned
        | StepKind::Broken => true,
        StepKind::Absorbed | StepKind::Parted | StepKind::OpenedInError | StepKind::Unknown => {
            false
        }
    }
}

fn shown(turn: &Turn<'_, '_>, profile: ProfileId, step: Token) -> u32 {
    match turn.state.get(&Key::Shown(profile, step)) {
        None => 0,
        Some(Row::Shown(by)) => *by,
        Some(row) => mismatch(row),
    }
}

fn of_row(row: &Row) -> &StepNote {
    let Row::Step(note) = row else { mismatch(row) };
    note
}

fn key(note: &StepNote) -> Key {
    Key::Step(note.profile, note.route, note.id)
}

fn entry(note: &StepNote) -> StepEntry {
    StepEntry {
        profile: note.profile,
        id: note.id,
        case: note.case,
        matter: note.matter,
        step: note.step,
        time: note.time,
        what: note.what,
        department: note.department.clone(),
    }
}
