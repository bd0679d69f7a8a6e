//! What must hold.

mod identity;

use std::collections::{BTreeMap, BTreeSet};

use event::{
    CaseId, Event, EventId, MatterId, Perspective, ProfileId, Standing, Time, reject::Reason,
    timeline::Timeline,
};

use super::{
    company::DEPARTMENTS,
    oracle,
    played::Played,
    seen::Seen,
    stage::POISON,
    story::{Mood, Story},
};

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// At every committed moment: each accepted event of a customer is on exactly one page, put together as readers do it: from the
/// profile to its values, and from those to what follows them.
pub(super) fn always(seen: &Seen) -> Result<(), String> {
    let mut values: BTreeMap<ProfileId, BTreeSet<_>> = BTreeMap::new();
    let mut following: BTreeMap<_, Vec<EventId>> = BTreeMap::new();
    for (token, assignment) in seen
        .assignments
        .iter()
        .filter(|(_, assignment)| !assignment.out)
    {
        values.entry(assignment.profile).or_default().insert(*token);
    }
    for event in seen.live() {
        let is_out = |token| {
            seen.assignments
                .get(&token)
                .is_some_and(|assignment| assignment.out)
        };
        let route = event
            .values
            .iter()
            .map(|value| value.token)
            .find(|token| !is_out(*token));
        let route = route.unwrap_or(event.anchor);
        following.entry(route).or_default().push(event.id);
        if seen
            .assignments
            .get(&route)
            .is_none_or(|assignment| assignment.out)
        {
            values
                .entry(ProfileId::new(route))
                .or_default()
                .insert(route);
        }
    }
    let mut on_pages: BTreeMap<EventId, u32> = BTreeMap::new();
    for event in values
        .values()
        .flatten()
        .filter_map(|value| following.get(value))
        .flatten()
    {
        *on_pages.entry(*event).or_default() += 1;
    }
    for event in seen.live() {
        let pages = on_pages.get(&event.id).copied().unwrap_or_default();
        ensure(pages == 1, || {
            format!("event {} is on {pages} pages", event.id)
        })?;
    }
    Ok(())
}

/// When nothing is on its way.
pub(super) fn at_rest(seen: &Seen, now: Time) -> Result<(), String> {
    entries(seen)?;
    cases(seen, now)
}

/// Each event has one entry, at the profile on whose page it is, and that profile is somebody.
fn entries(seen: &Seen) -> Result<(), String> {
    let mut entries: BTreeMap<EventId, Vec<ProfileId>> = BTreeMap::new();
    for row in seen.timeline.values() {
        match row {
            Timeline::Entry(entry) => {
                let event = seen.events.get(&entry.event);
                ensure(
                    event.is_some_and(|event| event.content == entry.content),
                    || format!("an entry of nothing that happened: {entry:?}"),
                )?;
                entries.entry(entry.event).or_default().push(entry.profile);
            }
            Timeline::Step(_) | Timeline::Moved(_) => {}
        }
    }
    for event in seen.events.values() {
        let stands = entries.remove(&event.id).unwrap_or_default();
        let page = seen.page(event);
        let expected = if event.standing != Standing::Withdrawn && oracle::has_profile(event) {
            vec![page]
        } else {
            Vec::new()
        };
        ensure(stands == expected, || {
            format!(
                "event {} has entries at {stands:?} and belongs to {expected:?}",
                event.id
            )
        })?;
        let himself = seen.owner(page.token());
        ensure(himself == page || expected.is_empty(), || {
            format!(
                "event {} is on the page of {page}, who is {himself}",
                event.id
            )
        })?;
    }
    Ok(())
}

/// An open case has one owner, a department, and unless it is dormant a deadline ahead; no two have one matter.
fn cases(seen: &Seen, now: Time) -> Result<(), String> {
    let mut held: BTreeMap<_, CaseId> = BTreeMap::new();
    for state in seen.states.values() {
        let id = state.case;
        let last = seen.steps.get(&(id, state.version));
        let last = last.ok_or_else(|| format!("case {id} has no step {}", state.version))?;
        ensure(last.owner == state.owner, || {
            format!(
                "case {id} is owned by {} and by {}",
                state.owner, last.owner
            )
        })?;
        for step in 1..=state.version {
            ensure(seen.steps.contains_key(&(id, step)), || {
                format!("case {id} has no step {step}")
            })?;
        }
        let own = |owner: &event::DepartmentId| DEPARTMENTS.contains(&owner.as_str());
        ensure(own(&state.owner), || {
            format!("case {id} is owned by {}", state.owner)
        })?;
        if !state.phase.is_open() {
            continue;
        }
        ensure(
            state.dormant || state.deadline.is_some_and(|deadline| deadline > now),
            || {
                format!(
                    "case {id} is open with the deadline {:?} at {now}",
                    state.deadline
                )
            },
        )?;
        ensure(state.absorbed_by.is_none(), || {
            format!("case {id} is open and absorbed")
        })?;
        for matter in &state.matters {
            if let Some(other) = held.insert(*matter, id) {
                return Err(format!("matter {matter} is handled as {other} and as {id}"));
            }
        }
    }
    let beyond = seen.steps.keys().find(|(case, step)| {
        seen.states
            .get(case)
            .is_none_or(|state| state.version < *step)
    });
    ensure(beyond.is_none(), || {
        format!("a step beyond its case: {beyond:?}")
    })
}

/// When the story is over. Answers how often age took a value out of a set.
pub(super) fn at_the_end(story: &Story, played: &Played) -> Result<u64, String> {
    balance(story, played)?;
    identity::reported(story, &played.seen)?;
    let world = identity::world(story, &played.seen)?;
    if story.mood != Mood::Tangled {
        matters(story, &played.seen)?;
    }
    Ok(world.expired)
}

/// Nothing is lost and nothing counted twice.
fn balance(story: &Story, played: &Played) -> Result<(), String> {
    let Played {
        seen,
        totals,
        poisoned,
        poisoned_events,
        ..
    } = played;
    ensure(totals.inputs == totals.outcomes, || {
        format!("the loops do not balance: {totals:?}")
    })?;
    for id in seen.events.keys().chain(story.events.keys()) {
        let (said, holds) = (story.events.get(id), seen.events.get(id));
        let same = said.zip(holds).is_some_and(|(said, holds)| {
            // The unifier counts what is said again.
            let revision = holds.revision;
            let said = Event {
                revision,
                ..said.clone()
            };
            said == *holds && (revision == 0 || said.standing == Standing::Correctable)
        });
        ensure(same, || {
            format!("of event {id} was said {said:?}, and `event` holds {holds:?}")
        })?;
    }
    // What a correction says otherwise may be taken in the partition of another anchor.
    let (taken, events) = (played.events_taken, seen.events.len());
    let fits = taken == events || (seen.corrections > 0 && taken > events);
    ensure(fits, || format!("unify took {taken} events of {events}"))?;
    ensure(seen.event_records >= seen.events.len() as u64, || {
        "an event is not there".to_owned()
    })?;
    ensure(seen.event_poison == *poisoned_events, || {
        format!(
            "{} records of {poisoned_events} in `event` cannot be read",
            seen.event_poison
        )
    })?;
    ensure(
        seen.reject_records == *poisoned && seen.rejects.len() as u64 == *poisoned,
        || {
            format!(
                "{poisoned} records were poisoned and {} rejected",
                seen.reject_records
            )
        },
    )?;
    for reject in seen.rejects.values() {
        let poison = match reject.reason {
            Reason::Undecodable => reject.bytes == POISON,
            Reason::Assertion => story.asserts && reject.detail.contains("come without gaps"),
            Reason::Unparseable
            | Reason::Schema
            | Reason::NotAllowed
            | Reason::TooLarge
            | Reason::Conflict
            | Reason::Unknown => false,
        };
        ensure(poison, || {
            format!("a record was rejected that is fine: {reject:?}")
        })?;
    }
    Ok(())
}

/// Each group of matters is the case that its signals make, whatever the order in which they came.
fn matters(story: &Story, seen: &Seen) -> Result<(), String> {
    let expected = oracle::cases(story.events.values(), story.mood, |event| seen.page(event));
    // A case also knows matters of which it heard nothing but signs.
    let spoken: BTreeSet<MatterId> = expected
        .values()
        .flat_map(|case| case.matters.clone())
        .collect();
    for (id, expected) in &expected {
        let state = seen
            .states
            .get(id)
            .filter(|state| state.phase != event::case::Phase::Closed);
        ensure(state.is_some() == expected.opens, || {
            format!(
                "whether case {id} is opened: {}, and it is {:?}",
                expected.opens,
                seen.states.get(id)
            )
        })?;
        let Some(state) = state else {
            continue;
        };
        let found = oracle::Expected {
            opens: true,
            matters: state
                .matters
                .iter()
                .copied()
                .filter(|matter| spoken.contains(matter))
                .collect(),
            contacts: state.contacts,
            channels: state.channels.iter().copied().collect(),
            happened: Some(state.happened),
            profiles: state.profiles.iter().copied().collect(),
        };
        ensure(found == *expected, || {
            format!("case {id} is {found:?} and should be {expected:?}")
        })?;
    }
    for state in seen
        .states
        .values()
        .filter(|state| state.phase != event::case::Phase::Closed)
    {
        ensure(expected.contains_key(&state.case), || {
            format!("case {} is of nothing", state.case)
        })?;
    }
    for state in seen
        .states
        .values()
        .filter(|state| state.test && state.phase.is_open())
    {
        let about = story
            .events
            .values()
            .filter(|event| event.perspective == Perspective::Test)
            .count();
        ensure(about > 0, || format!("case {} tests nothing", state.case))?;
    }
    Ok(())
}
