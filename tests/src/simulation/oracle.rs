//! What cases should come out, as slow batch programs over plain collections. They share no code with the machines.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    CaseId, Channel, Event, Kind, MatterId, Millis, Perspective, ProfileId, Time, Token, Value,
};

use super::story::Mood;

/// What an event says to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) opens: bool,
    /// The customer got in touch.
    pub(super) contact: bool,
    /// Somebody has to answer.
    pub(super) asks: bool,
}

pub(super) fn has_profile(event: &Event) -> bool {
    matches!(event.perspective, Perspective::Customer | Perspective::Test)
        && !event.values.is_empty()
}

/// Nothing, if no case hears of it.
pub(super) fn meaning(event: &Event) -> Option<Meaning> {
    if !has_profile(event) {
        return None;
    }
    let share = event.score.as_ref().map(|score| score.value / 10.0);
    let praise =
        event.name.as_str().starts_with("praise") || share.is_some_and(|share| share >= 0.9);
    let (opens, contact, asks) = match event.kind {
        Kind::Complaint => (true, true, true),
        Kind::Feedback if praise => (false, false, false),
        Kind::Feedback => {
            let low = share.is_some_and(|share| share <= 0.3);
            (low, true, low)
        }
        Kind::Service if event.name.as_str().starts_with("call.") => (false, true, true),
        Kind::Service | Kind::Unknown => return None,
    };
    Some(Meaning {
        opens,
        contact,
        asks,
    })
}

fn window(mood: Mood) -> Millis {
    match mood {
        Mood::Calm => Millis::from_days(7),
        Mood::Wild | Mood::Tangled => Millis::from_hours(2),
    }
}

fn subject(event: &Event) -> &str {
    event.name.as_str().split('.').next().unwrap_or_default()
}

pub(super) fn matter(event: &Event, mood: Mood) -> MatterId {
    match references(&event.values).next() {
        Some(reference) => MatterId::of_reference(reference.token),
        None => MatterId::of_window(
            event.anchor,
            subject(event),
            event.time.floor_to(window(mood)),
        ),
    }
}

fn references(values: &[Value]) -> impl Iterator<Item = &Value> {
    values.iter().filter(|value| !value.is_identifier())
}

/// What a case comes to, whatever the order in which it hears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) opens: bool,
    pub(super) matters: BTreeSet<MatterId>,
    pub(super) contacts: u32,
    pub(super) channels: BTreeSet<Channel>,
    pub(super) happened: Option<Time>,
    pub(super) profiles: BTreeSet<ProfileId>,
}

/// All cases that hear of anything.
pub(super) fn cases<'e>(
    events: impl Iterator<Item = &'e Event> + Clone,
    mood: Mood,
    page: impl Fn(&Event) -> ProfileId,
) -> BTreeMap<CaseId, Expected> {
    let groups = groups(events.clone(), mood);
    let mut cases: BTreeMap<CaseId, Expected> = BTreeMap::new();
    for event in events {
        let Some(meaning) = meaning(event) else {
            continue;
        };
        let matter = matter(event, mood);
        let group = groups.iter().find(|group| group.contains(&matter));
        let smallest = group.and_then(|group| group.first()).unwrap_or(&matter);
        let case = cases.entry(smallest.own_case()).or_default();
        case.matters.insert(matter);
        case.profiles.insert(page(event));
        if meaning.contact {
            case.contacts += 1;
            case.channels.insert(event.channel);
        }
        if meaning.opens {
            case.opens = true;
            case.happened = Some(
                case.happened
                    .map_or(event.time, |time| time.min(event.time)),
            );
        }
    }
    cases
}

/// The matters that are one case.
fn groups<'e>(events: impl Iterator<Item = &'e Event>, mood: Mood) -> Vec<BTreeSet<MatterId>> {
    let length = window(mood);
    let mut groups = Vec::new();
    let mut windows: BTreeMap<(Token, &str, Time), (Time, Time)> = BTreeMap::new();
    for event in events.filter(|event| has_profile(event)) {
        let matters: BTreeSet<MatterId> = references(&event.values)
            .map(|reference| MatterId::of_reference(reference.token))
            .collect();
        if matters.is_empty() {
            let start = event.time.floor_to(length);
            let key = (event.anchor, subject(event), start);
            let span = windows.entry(key).or_insert((event.time, event.time));
            *span = (span.0.min(event.time), span.1.max(event.time));
        } else if event.trusted {
            unite(&mut groups, matters);
        }
    }
    for ((anchor, subject, start), (_, latest)) in &windows {
        let next = *start + length;
        if let Some((earliest, _)) = windows.get(&(*anchor, subject, next))
            && *earliest - *latest < length
        {
            let both = [*start, next].map(|start| MatterId::of_window(*anchor, subject, start));
            unite(&mut groups, both.into());
        }
    }
    groups
}

fn unite<T: Copy + Ord>(groups: &mut Vec<BTreeSet<T>>, mut together: BTreeSet<T>) {
    groups.retain(|group| {
        let apart = group.is_disjoint(&together);
        if !apart {
            together.extend(group);
        }
        apart
    });
    groups.push(together);
}
