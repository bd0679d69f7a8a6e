//! Who is who, and on whose timeline what happened is.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    Company, Event, MatterId, ProfileId, Token, Value,
    link::{Decision, Link},
    timeline::Timeline,
};

use super::{
    super::{
        identity::{Owned, World},
        oracle,
        replay::replay,
        seen::Seen,
        story::Story,
    },
    ensure,
};

/// Who is who is the function of what identify heard, in the order in which it heard it; so is every customer's timeline.
pub(super) fn world(story: &Story, seen: &Seen) -> Result<World, String> {
    let world = World::of(&seen.links);
    for (value, owned) in &world.values {
        let assignment = seen.assignments.get(value);
        let assignment = assignment.ok_or_else(|| format!("{value} was never assigned"))?;
        let found = Owned {
            profile: assignment.profile,
            out: assignment.out,
        };
        ensure(found == *owned, || {
            let again = replay(&seen.links, story.partitions).assignments;
            let told = seen.links.iter().filter_map(|link| told(link, *value));
            format!(
                "{value} ({}) should be {owned:?} and is {found:?}, from the log again {:?}; it was told:\n{}",
                assignment.value.kind,
                again.get(value),
                told.collect::<Vec<_>>().join("\n")
            )
        })?;
    }
    let beyond = seen
        .assignments
        .keys()
        .find(|value| !world.values.contains_key(value));
    ensure(beyond.is_none(), || {
        format!("{beyond:?} was assigned and never named")
    })?;
    let mut timelines: BTreeMap<ProfileId, Vec<_>> = BTreeMap::new();
    for event in story
        .events
        .values()
        .filter(|event| oracle::has_profile(event))
    {
        let page = world.page(&event.values, event.anchor);
        let entries = timelines.entry(page).or_default();
        entries.push((event.time, event.id, event.content));
    }
    for entries in timelines.values_mut() {
        entries.sort_unstable();
    }
    let found = seen.timelines();
    for profile in timelines.keys().chain(found.keys()) {
        let (expected, found) = (timelines.get(profile), found.get(profile));
        ensure(expected == found, || {
            format!("the timeline of {profile} should be {expected:?} and is {found:?}")
        })?;
    }
    entries_matters(story, seen)?;
    replayed(story, seen, &world)?;
    Ok(world)
}

/// What a link says that concerns a value, in a line.
fn told(link: &Link, value: Token) -> Option<String> {
    let short = |token: &Token| token.to_string()[..4].to_owned();
    let all = |tokens: &[Token]| tokens.iter().map(short).collect::<Vec<_>>().join(" ");
    match link {
        Link::Set(set) if set.values.iter().any(|named| named.token == value) => {
            let named: Vec<String> = set
                .values
                .iter()
                .map(|named| format!("{} {}", named.kind, short(&named.token)))
                .collect();
            let how = match (set.withdrawn, set.trusted) {
                (true, _) => "withdrawn",
                (false, true) => "trusted",
                (false, false) => "untrusted",
            };
            Some(format!("{} {how} {}", set.time, named.join(", ")))
        }
        Link::Decision(decision) => {
            let Decision {
                id,
                what,
                one,
                other,
                undoes,
                time,
                ..
            } = decision;
            Some(format!(
                "{time} {id} {what:?} {} | {} {undoes:?}",
                all(one),
                all(other)
            ))
        }
        Link::Tick(tick) => Some(format!("{} tick", tick.time)),
        Link::Rules(rules) => {
            let types: Vec<String> = rules
                .company
                .types()
                .into_iter()
                .map(|of| format!("{} {:?} {:?}", of.name, of.rule.limit, of.rule.window))
                .collect();
            let Company {
                version,
                blocked,
                identity,
                ..
            } = &*rules.company;
            Some(format!(
                "rules {version}: {} blocked {} {identity:?}",
                types.join(", "),
                all(blocked)
            ))
        }
        Link::Set(_) => None,
    }
}

/// Identify heard of exactly what events name together, those that were corrected to something else no longer included.
pub(super) fn reported(story: &Story, seen: &Seen) -> Result<(), String> {
    let of = |values: &[Value], trusted| {
        let tokens: BTreeSet<Token> = values.iter().map(|value| value.token).collect();
        (tokens, trusted)
    };
    let mut stands = BTreeMap::new();
    for set in seen.sets() {
        stands.insert(of(&set.values, set.trusted), !set.withdrawn);
    }
    let told: BTreeSet<_> = stands
        .into_iter()
        .filter(|(_, stands)| *stands)
        .map(|(set, _)| set)
        .collect();
    let events = story
        .events
        .values()
        .filter(|event| oracle::has_profile(event));
    let named: BTreeSet<_> = events
        .map(|event| of(&event.values, event.trusted))
        .collect();
    let (missing, beyond) = (
        named.difference(&told).next(),
        told.difference(&named).next(),
    );
    ensure(missing.is_none(), || {
        format!("identify never heard of {missing:?}")
    })?;
    ensure(beyond.is_none(), || {
        format!("nobody names {beyond:?} any more, and identify goes by it")
    })
}

/// A matter is computed once, from the values that were not out then.
fn entries_matters(story: &Story, seen: &Seen) -> Result<(), String> {
    for row in seen.timeline.values() {
        let Timeline::Entry(entry) = row else {
            continue;
        };
        let event = &story.events[&entry.event];
        let references = event.values.iter().filter(|value| !value.is_identifier());
        let ever_out = |token| seen.ever_out.contains(&token);
        let mut allowed = BTreeSet::new();
        let mut all_out = true;
        for reference in references {
            allowed.insert(MatterId::of_reference(reference.token));
            if !ever_out(reference.token) {
                all_out = false;
                break;
            }
        }
        if all_out {
            let unnamed = Event {
                values: Vec::new(),
                ..event.clone()
            };
            allowed.insert(oracle::matter(&unnamed, story.mood));
        }
        ensure(allowed.contains(&entry.matter), || {
            format!(
                "event {} is about {} and may be about {allowed:?}",
                event.id, entry.matter
            )
        })?;
    }
    Ok(())
}

/// The decider comes to the same from the log alone: the same owners at the same versions, and the same cases.
fn replayed(story: &Story, seen: &Seen, world: &World) -> Result<(), String> {
    let replayed = replay(&seen.links, story.partitions);
    for (value, assignment) in &seen.assignments {
        let again = replayed.assignments.get(value);
        ensure(again == Some(assignment), || {
            format!("decided was {assignment:?}, and again from the log {again:?}")
        })?;
    }
    for matter in replayed.cases.keys().chain(world.cases.keys()) {
        let own = matter.own_case();
        let found = replayed.cases.get(matter).unwrap_or(&own);
        let expected = world.cases.get(matter).unwrap_or(&own);
        ensure(found == expected, || {
            format!("matter {matter} is case {found} and should be {expected}")
        })?;
    }
    for (partition, outs) in &replayed.outs {
        for (nth, out) in (1..).zip(outs) {
            ensure(out.number == nth, || {
                format!(
                    "change {nth} of what is out has in partition {partition} the number {}",
                    out.number
                )
            })?;
        }
    }
    Ok(())
}
