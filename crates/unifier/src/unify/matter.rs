//! What an event is about: computed once, from its own words, never from what came before it.
//!
//! An event that names a reference is about that. Any other is about a subject in a window: a cell of a fixed grid of time.
//! Neighbouring windows of one anchor and subject with events closer than a window's length are one run, and one case: that of
//! the smallest matter in it. Runs only grow together, so each window's case only gets smaller.

use event::{
    Class, Event, MatterId, Millis, Standing, Time, Value, Version, case_input::CaseInput,
    case_input::Regroup,
};
use machine::State;

use super::{
    out,
    queue::{self, Work},
    row::{Key, Place, Row, Window, mismatch},
    rules::Rules,
    turn::Turn,
};

/// The matter of an event.
pub(super) fn of(turn: &mut Turn<'_, '_>, event: &Event) -> MatterId {
    if let Some(reference) = out::reference(turn, &event.values) {
        return MatterId::of_reference(reference);
    }
    let place = Place::of(event, turn.rules());
    let matter = place.matter();
    // What did not happen joins nothing.
    if event.standing != Standing::Withdrawn {
        widen(turn, place, event.time);
    }
    matter
}

/// The windows that an event may be asked for.
pub(super) fn look_ahead(event: &Event, state: &State<Key, Row>, keys: &mut Vec<Key>) {
    let names_one = |value: &Value| value.class == Class::Reference;
    let Some(Row::Rules(rules)) = state.get(&Key::Rules) else {
        return;
    };
    if event.values.iter().any(names_one) {
        return;
    }
    let place = Place::of(event, rules);
    let length = rules.matters.window;
    let (before, after) = (place.start - length, place.start + length);
    keys.extend([before, after].map(|start| Key::Window(place.at(start))));
    keys.push(Key::Window(place));
}

impl Place {
    fn of(event: &Event, rules: &Rules) -> Place {
        Place {
            anchor: event.anchor,
            subject: rules.matters.subject(&event.name),
            start: event.time.floor_to(rules.matters.window),
        }
    }

    fn matter(&self) -> MatterId {
        MatterId::of_window(self.anchor, self.subject.as_str(), self.start)
    }

    fn at(&self, start: Time) -> Place {
        Place {
            start,
            ..self.clone()
        }
    }
}

/// Lets a window hold one more moment, and joins it with the neighbours that this brings close.
fn widen(turn: &mut Turn<'_, '_>, place: Place, time: Time) {
    let known = window(turn, &place);
    let mut here = known.unwrap_or_else(|| Window {
        earliest: time,
        latest: time,
        case: place.matter().own_case(),
        version: Version::ZERO,
    });
    // Nothing comes closer on a side where it did not grow.
    let sides: &[Side] = match known {
        None => &[Side::Before, Side::After],
        Some(known) if time < known.earliest => &[Side::Before],
        Some(known) if time > known.latest => &[Side::After],
        Some(_) => return,
    };
    here.earliest = here.earliest.min(time);
    here.latest = here.latest.max(time);
    turn.state
        .put(Key::Window(place.clone()), Row::Window(Box::new(here)));
    let mut is_near = false;
    for side in sides {
        if let Some((_, there)) = neighbour(turn, &place, here, *side) {
            is_near = true;
            regroup(turn, &place, there);
        }
    }
    if is_near {
        spread(turn, &place);
    }
}

/// Takes the case of a window to all windows of its run that have a greater one.
pub(super) fn spread(turn: &mut Turn<'_, '_>, from: &Place) {
    for side in [Side::Before, Side::After] {
        let mut place = from.clone();
        while let Some(here) = window(turn, &place) {
            let Some((next, there)) = neighbour(turn, &place, here, side) else {
                break;
            };
            if there.case <= here.case {
                break;
            }
            if !turn.has_room() {
                queue::push(turn, Work::Spread(place));
                break;
            }
            regroup(turn, &next, here);
            place = next;
        }
    }
}

/// Puts a window into the case of its neighbour, if that is the smaller one.
fn regroup(turn: &mut Turn<'_, '_>, place: &Place, neighbour: Window) {
    let Some(mut here) = window(turn, place).filter(|here| neighbour.case < here.case) else {
        return;
    };
    let from = here.case;
    here.case = neighbour.case;
    here.version = here.version.next();
    turn.state
        .put(Key::Window(place.clone()), Row::Window(Box::new(here)));
    turn.tell_case(CaseInput::Regroup(Regroup {
        from,
        matter: place.matter(),
        to: here.case,
        version: here.version,
    }));
}

#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

/// The next window on that side, if the two are of one run.
fn neighbour(
    turn: &Turn<'_, '_>,
    place: &Place,
    here: Window,
    side: Side,
) -> Option<(Place, Window)> {
    let length = turn.rules().matters.window;
    let (next, gap): (Place, fn(Window, Window) -> Millis) = match side {
        Side::Before => (place.at(place.start - length), |here, there| {
            here.earliest - there.latest
        }),
        Side::After => (place.at(place.start + length), |here, there| {
            there.earliest - here.latest
        }),
    };
    let there = window(turn, &next)?;
    (gap(here, there) < length).then_some((next, there))
}

fn window(turn: &Turn<'_, '_>, place: &Place) -> Option<Window> {
    match turn.state.get(&Key::Window(place.clone())) {
        None => None,
        Some(Row::Window(window)) => Some(**window),
        Some(row) => mismatch(row),
    }
}
