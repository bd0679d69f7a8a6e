//! Why two events are on one timeline, or why they are not.

use std::collections::{BTreeMap, VecDeque};

use event::{Class, DecisionId, EventId, Name, ProfileId, SourceId, Time, Token};
use machine::State;

use super::{
    decision,
    graph::Graph,
    out::{self, Cause},
    read,
    reference::{claim_of, kept_of},
    row::{Key, Refusal, Row, Set, Why, Word, mismatch},
};

/// What the values of two events have to do with each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explanation {
    /// Both follow values of one profile. The chain leads from the one to the other by the fewest links; it is empty when both follow
    /// the same value.
    Together { profile: ProfileId, chain: Vec<Hop> },
    /// They follow values of two profiles, for at least one reason.
    Apart {
        profiles: [ProfileId; 2],
        because: Vec<Barrier>,
    },
}

/// One link of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    pub one: Token,
    pub other: Token,
    pub how: How,
    pub evidence: Evidence,
}

/// How two values belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// Two identifiers were named together.
    Named,
    /// The reference belongs to the identifier that claims it best.
    Adopted,
    /// The reference stays with the identifier it was of when the claim left by age.
    Kept,
    /// Nobody claims the reference; it goes with the other, that it was named with.
    Beside,
}

impl How {
    pub const fn as_str(self) -> &'static str {
        match self {
            How::Named => "named",
            How::Adopted => "adopted",
            How::Kept => "kept",
            How::Beside => "beside",
        }
    }
}

/// Who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The first event that named exactly these values together.
    Event {
        event: EventId,
        source: SourceId,
        time: Time,
        trusted: bool,
    },
    Decision {
        id: DecisionId,
        actor: Name,
        reason: String,
        time: Time,
    },
}

/// What keeps two events apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// A value that would link them, or that one of them would follow, is out.
    Out { value: Token, cause: Cause },
    /// A link was not made.
    Refused {
        one: Token,
        other: Token,
        why: Why,
        evidence: Evidence,
    },
    /// A person decided that two values of theirs are apart.
    Apart {
        one: Token,
        other: Token,
        evidence: Evidence,
    },
    /// Both have to do with this reference; but a reference has one owner, and unites nobody.
    Reference {
        reference: Token,
        owner: Option<ProfileId>,
    },
    /// Nothing that is known links them.
    Unlinked,
}

/// So many values are looked at to find what would link two profiles, and so many sets of each.
const VALUES_MAX: usize = 10_000;
const SETS_MAX: usize = 1_000;

/// Explains two events by their values, each in order of strength.
pub fn explain(state: &State<Key, Row>, a: &[Token], b: &[Token]) -> Explanation {
    read(state, |graph| {
        let (Some(from), Some(to)) = (route(graph, a), route(graph, b)) else {
            return Explanation::Apart {
                profiles: [a, b].map(|values| profile(graph, values)),
                because: vec![Barrier::Unlinked],
            };
        };
        let profiles = [from, to].map(|value| graph.node(value).profile);
        if profiles[0] == profiles[1] {
            Explanation::Together {
                profile: profiles[0],
                chain: chain(graph, from, to),
            }
        } else {
            Explanation::Apart {
                profiles,
                because: barriers(graph, (a, from), (b, to)),
            }
        }
    })
}

/// The value that an event follows, if it is known.
fn route(graph: &Graph<'_, '_>, values: &[Token]) -> Option<Token> {
    let is_in = |value: &&Token| graph.find(**value).is_none_or(|node| !node.out);
    let value = values.iter().find(is_in).or_else(|| values.first())?;
    graph.find(*value).map(|_| *value)
}

/// The profile of what an event follows; nobody's values, or unknown ones, are their own.
fn profile(graph: &Graph<'_, '_>, values: &[Token]) -> ProfileId {
    match route(graph, values) {
        Some(value) => graph.node(value).profile,
        None => ProfileId::new(values.first().copied().unwrap_or_default()),
    }
}

/// The links from one value of a profile to another.
fn chain(graph: &Graph<'_, '_>, from: Token, to: Token) -> Vec<Hop> {
    if from == to {
        return Vec::new();
    }
    let (start, end) = (ground(graph, from), ground(graph, to));
    let foot = |hops: &[Hop], value| hops.last().map_or(value, |hop: &Hop| hop.other);
    let between = between(graph, foot(&start, from), foot(&end, to));
    let back = end.into_iter().rev().map(|hop| Hop {
        one: hop.other,
        other: hop.one,
        ..hop
    });
    start.into_iter().chain(between).chain(back).collect()
}

/// The links from a reference to the identifier it belongs to; an identifier needs none.
fn ground(graph: &Graph<'_, '_>, value: Token) -> Vec<Hop> {
    let node = graph.node(value);
    if graph.kind(value).class == Class::Identifier || node.profile == ProfileId::new(value) {
        return Vec::new();
    }
    let (by, how, word) = if let Some(claim) = claim_of(graph, value) {
        (claim.by, How::Adopted, &graph.set(claim.set).word)
    } else if let Some(kept) = kept_of(graph, value).filter(|_| node.owned) {
        (kept.by, How::Kept, &kept.word)
    } else {
        return beside(graph, value);
    };
    vec![Hop {
        one: value,
        other: by,
        how,
        evidence: evidence(graph, word),
    }]
}

fn beside(graph: &Graph<'_, '_>, reference: Token) -> Vec<Hop> {
    let profile = graph.node(reference).profile;
    for place in graph.places(reference) {
        let set = graph.set(place);
        let owned = graph
            .taking_part(set, Class::Reference)
            .into_iter()
            .find(|other| {
                let node = graph.node(*other);
                *other != reference && node.owned && node.profile == profile
            });
        if let Some(other) = owned {
            let hop = Hop {
                one: reference,
                other,
                how: How::Beside,
                evidence: evidence(graph, &set.word),
            };
            let mut hops = vec![hop];
            hops.extend(ground(graph, other));
            return hops;
        }
    }
    unreachable!("a reference that belongs to another profile was named with one that does")
}

/// The fewest links that were made between two identifiers of a profile.
fn between(graph: &Graph<'_, '_>, from: Token, to: Token) -> Vec<Hop> {
    let mut came_by: BTreeMap<Token, Option<Hop>> = BTreeMap::from([(from, None)]);
    let mut next = VecDeque::from([from]);
    while let Some(value) = next.pop_front() {
        if value == to {
            break;
        }
        for place in graph.places(value) {
            for (other, word) in links(graph, place, value) {
                came_by.entry(other).or_insert_with(|| {
                    next.push_back(other);
                    Some(Hop {
                        one: value,
                        other,
                        how: How::Named,
                        evidence: evidence(graph, word),
                    })
                });
            }
        }
    }
    let mut hops = Vec::new();
    let mut end = to;
    while let Some(hop) = came_by.get(&end).cloned().flatten() {
        end = hop.one;
        hops.push(hop);
    }
    hops.reverse();
    assert_eq!(
        end, from,
        "the identifiers of a profile hang together by links that were made"
    );
    hops
}

/// The links that a set made from one of its identifiers.
fn links<'g>(
    graph: &'g Graph<'_, '_>,
    place: u64,
    value: Token,
) -> impl Iterator<Item = (Token, &'g Word)> + 'g {
    let set = graph.set(place);
    let refused = refusals(graph, place);
    star(&graph.taking_part(set, Class::Identifier))
        .into_iter()
        .filter(move |link| !refused.iter().any(|no| (no.one, no.other) == *link))
        .filter_map(move |link| across(link, value))
        .map(|other| (other, &set.word))
}

/// A set links its strongest identifier with each other.
fn star(identifiers: &[Token]) -> Vec<(Token, Token)> {
    match identifiers.split_first() {
        None => Vec::new(),
        Some((one, others)) => others.iter().map(|other| (*one, *other)).collect(),
    }
}

fn across((one, other): (Token, Token), value: Token) -> Option<Token> {
    if one == value {
        Some(other)
    } else {
        (other == value).then_some(one)
    }
}

pub(super) fn refusals<'g>(graph: &'g Graph<'_, '_>, place: u64) -> &'g [Refusal] {
    match graph.state.get(&Key::Refused(place)) {
        None => &[],
        Some(Row::Refused(refusals)) => refusals,
        Some(row) => mismatch(row),
    }
}

pub(super) fn evidence(graph: &Graph<'_, '_>, word: &Word) -> Evidence {
    match word {
        Word::Source(report) => Evidence::Event {
            event: report.event,
            source: report.source.clone(),
            time: report.time,
            trusted: report.trusted,
        },
        Word::Person(decision) => of_decision(graph, *decision),
    }
}

fn of_decision(graph: &Graph<'_, '_>, id: DecisionId) -> Evidence {
    let decision = &graph.decision(id).decision;
    Evidence::Decision {
        id,
        actor: decision.actor.clone(),
        reason: decision.reason.clone(),
        time: decision.time,
    }
}

/// All that keeps two events apart: what bars the way from the one to the other that has the fewest barriers, values of theirs that
/// nothing follows, and decisions about their profiles.
fn barriers(
    graph: &Graph<'_, '_>,
    (a, from): (&[Token], Token),
    (b, to): (&[Token], Token),
) -> Vec<Barrier> {
    let mut barriers = on_the_way(graph, from, to);
    let is_out = |value: &&Token| graph.find(**value).is_some_and(|node| node.out);
    for value in a.iter().chain(b).filter(is_out) {
        if let Some(cause) = out::cause(graph, *value) {
            barriers.push(Barrier::Out {
                value: *value,
                cause,
            });
        }
    }
    barriers.extend(decided_apart(graph, from, to));
    let mut distinct: Vec<Barrier> = Vec::new();
    for barrier in barriers {
        if !distinct.contains(&barrier) {
            distinct.push(barrier);
        }
    }
    if distinct.is_empty() {
        distinct.push(Barrier::Unlinked);
    }
    distinct
}

/// The decisions that keep the profiles of two values apart.
fn decided_apart(graph: &Graph<'_, '_>, from: Token, to: Token) -> Vec<Barrier> {
    let all = |value: Token| {
        let profile = graph.node(value).profile;
        let mut values = graph.members(profile);
        values.extend([profile.token(), value]);
        values
    };
    let sides = |value: Token| -> Vec<_> {
        let values = all(value).into_iter();
        values
            .flat_map(|value| {
                let sides = graph.sides(value).into_iter();
                sides.map(move |side| (side, value))
            })
            .collect()
    };
    let others = sides(to);
    let mut barriers = Vec::new();
    for (side, one) in sides(from) {
        let opposite = others.iter().find(|(other, _)| *other == side.opposite());
        if let Some((_, other)) = opposite {
            barriers.push(Barrier::Apart {
                one,
                other: *other,
                evidence: of_decision(graph, side.decision),
            });
        }
    }
    barriers
}

/// A value on the way: by how many barriers it was reached, and from which value by which.
struct Reached {
    cost: usize,
    from: Option<(Token, Option<Barrier>)>,
}

/// The barriers of the way between two values that has the fewest. Nothing where there is no way among what is looked at.
fn on_the_way(graph: &Graph<'_, '_>, from: Token, to: Token) -> Vec<Barrier> {
    let ends: Vec<Token> = ground(graph, to)
        .iter()
        .map(|hop| hop.other)
        .chain([to])
        .collect();
    let start = Reached {
        cost: 0,
        from: None,
    };
    let mut came_by = BTreeMap::from([(from, start)]);
    let mut next = VecDeque::from([(from, 0)]);
    for hop in ground(graph, from) {
        let reached = Reached {
            cost: 0,
            from: Some((hop.one, None)),
        };
        came_by.insert(hop.other, reached);
        next.push_back((hop.other, 0));
    }
    let mut end = None;
    while let Some((value, cost)) = next.pop_front() {
        if came_by[&value].cost < cost {
            continue;
        }
        if ends.contains(&value) {
            end = Some(value);
            break;
        }
        if came_by.len() > VALUES_MAX {
            break;
        }
        for (other, barrier) in ways(graph, value) {
            let cost = cost + usize::from(barrier.is_some());
            if came_by.get(&other).is_none_or(|known| cost < known.cost) {
                if barrier.is_some() {
                    next.push_back((other, cost));
                } else {
                    next.push_front((other, cost));
                }
                let from = Some((value, barrier));
                came_by.insert(other, Reached { cost, from });
            }
        }
    }
    let mut barriers = Vec::new();
    while let Some((value, barrier)) = end.and_then(|end| came_by.remove(&end)?.from) {
        barriers.extend(barrier);
        end = Some(value);
    }
    barriers.reverse();
    barriers
}

/// Whatever was named together with a value, and what bars the way there, if anything does.
fn ways(graph: &Graph<'_, '_>, value: Token) -> Vec<(Token, Option<Barrier>)> {
    let mut ways = Vec::new();
    for place in graph.places(value).take(SETS_MAX) {
        let set = graph.set(place);
        let identifiers = graph.taking_part(set, Class::Identifier);
        let references = graph.taking_part(set, Class::Reference);
        let refused = refusals(graph, place);
        for link in star(&identifiers) {
            let barrier = refused
                .iter()
                .find(|no| (no.one, no.other) == link)
                .map(|no| Barrier::Refused {
                    one: no.one,
                    other: no.other,
                    why: no.why,
                    evidence: evidence(graph, &set.word),
                });
            ways.extend(across(link, value).map(|other| (other, barrier)));
        }
        ways.extend(past_references(graph, &identifiers, &references, value));
        ways.extend(past_out(graph, set, value));
    }
    ways
}

/// A reference leads to its owner, and from a reference that nobody claims to the one it goes with; else it bars the way.
fn past_references(
    graph: &Graph<'_, '_>,
    identifiers: &[Token],
    references: &[Token],
    value: Token,
) -> Vec<(Token, Option<Barrier>)> {
    let mut ways = Vec::new();
    for (index, reference) in references.iter().enumerate() {
        let node = graph.node(*reference);
        let barrier = Barrier::Reference {
            reference: *reference,
            owner: (node.profile.token() != *reference).then_some(node.profile),
        };
        let owner = claim_of(graph, *reference).map(|claim| claim.by);
        for identifier in identifiers {
            let is_owner = owner == Some(*identifier);
            let barrier = (!is_owner).then(|| barrier.clone());
            let other = across((*reference, *identifier), value);
            ways.extend(other.map(|other| (other, barrier)));
        }
        for other in &references[index + 1..] {
            let beside = graph.node(*other);
            let together = node.profile == beside.profile && !(node.owned && beside.owned);
            let barrier = (!together).then(|| barrier.clone());
            let other = across((*reference, *other), value);
            ways.extend(other.map(|other| (other, barrier)));
        }
    }
    ways
}

/// A value that is out bars the way to all that were named with it.
fn past_out(graph: &Graph<'_, '_>, set: &Set, value: Token) -> Vec<(Token, Option<Barrier>)> {
    if let Word::Person(decision) = &set.word
        && !decision::holds(graph, *decision)
    {
        return Vec::new();
    }
    let named = |value: &Token| graph.find(*value).copied();
    let mut ways = Vec::new();
    for other in set.present().filter(|other| *other != value) {
        let (Some(node), Some(other_node)) = (named(&value), named(&other)) else {
            continue;
        };
        let is_out = [(value, node), (other, other_node)]
            .into_iter()
            .find(|(_, node)| node.out);
        if let Some((value, _)) = is_out
            && let Some(cause) = out::cause(graph, value)
        {
            ways.push((other, Some(Barrier::Out { value, cause })));
        }
    }
    ways
}
