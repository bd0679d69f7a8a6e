//! Keeps out of a calm story what the order of arrival decides.
//!
//! What happens within a phase arrives in any order, and phases one after the other. So nothing may happen twice in a phase of
//! which one excludes the other, or of which the first is told otherwise than the second.

use std::collections::{BTreeMap, BTreeSet};

use event::{Event, MatterId, Token};

use super::{
    cast::Cast,
    draft::Draft,
    oracle::{self, Meaning},
    story::Mood,
};

pub(super) struct Guard {
    /// Who were ever named together.
    people: Groups<usize>,
    /// Different people were: their next links may be refused.
    bridged: BTreeSet<usize>,
    matters: Groups<MatterId>,
    /// By each matter of a group.
    cases: BTreeMap<MatterId, Known>,
    /// The phases in which something happened to a case, and deadlines may have begun.
    touched: BTreeMap<MatterId, BTreeSet<u32>>,
    phase: u32,
    now: Phase,
}

/// What happened in this phase.
#[derive(Default)]
struct Phase {
    /// Of people: whether one of the links may be refused.
    links: BTreeMap<usize, bool>,
    /// Which identifier named a reference.
    claims: BTreeMap<Token, Token>,
    said: BTreeMap<MatterId, Said>,
}

#[derive(Clone, Copy, Default)]
struct Said {
    grouped: bool,
    opened: bool,
    /// Something that opens no case.
    other: bool,
    live: bool,
    history: bool,
    asked: bool,
    commanded: bool,
}

/// What happened in earlier phases, or now.
#[derive(Clone, Copy, Default)]
struct Known {
    opened: bool,
    /// All that was heard is imported history.
    dormant: bool,
    resolved: bool,
}

impl Guard {
    pub(super) fn new() -> Self {
        Self {
            people: Groups::default(),
            bridged: BTreeSet::new(),
            matters: Groups::default(),
            cases: BTreeMap::new(),
            touched: BTreeMap::new(),
            phase: 0,
            now: Phase::default(),
        }
    }

    /// The next phase begins.
    pub(super) fn turn_over(&mut self) {
        self.now = Phase::default();
        self.phase += 1;
    }

    /// Whether it may happen in this phase too; if so, it did.
    pub(super) fn allows(
        &mut self,
        draft: &Draft,
        event: &Event,
        meaning: Option<Meaning>,
        cast: &Cast,
    ) -> bool {
        if !oracle::has_profile(event) {
            return true;
        }
        let fine = self.allows_links(draft, cast)
            && self.allows_claims(draft)
            && self.allows_grouping(draft, meaning)
            && meaning.is_none_or(|meaning| self.allows_signal(event, meaning));
        if fine {
            self.link(draft, cast);
            self.claim(draft);
            self.group(draft);
            if let Some(meaning) = meaning {
                self.hear(event, meaning);
            }
        }
        fine
    }

    fn allows_links(&self, draft: &Draft, cast: &Cast) -> bool {
        let Some((people, delicate)) = self.linked(draft, cast) else {
            return true;
        };
        people
            .iter()
            .flat_map(|person| self.people.of(*person))
            .all(|person| {
                let now = self.now.links.get(&person);
                now.is_none_or(|other_delicate| !delicate && !other_delicate)
            })
    }

    fn link(&mut self, draft: &Draft, cast: &Cast) {
        let Some((people, delicate)) = self.linked(draft, cast) else {
            return;
        };
        let different = people.len() > 1;
        let all = self.people.unite(people);
        for person in all {
            self.now.links.insert(person, delicate);
            if different {
                self.bridged.insert(person);
            }
        }
    }

    /// The people whose identifiers are named together, and whether that may be refused.
    fn linked(&self, draft: &Draft, cast: &Cast) -> Option<(BTreeSet<usize>, bool)> {
        let identifiers: Vec<Token> = draft
            .values
            .iter()
            .filter(|value| value.is_identifier())
            .map(|value| value.token)
            .collect();
        if identifiers.len() < 2 {
            return None;
        }
        let people: BTreeSet<usize> = identifiers.iter().map(|token| cast.whose(*token)).collect();
        let was_bridged = people
            .iter()
            .flat_map(|person| self.people.of(*person))
            .any(|person| self.bridged.contains(&person));
        let delicate = people.len() > 1 || !draft.trusted() || was_bridged;
        Some((people, delicate))
    }

    fn allows_claims(&self, draft: &Draft) -> bool {
        claims(draft).all(|(reference, by)| {
            self.now
                .claims
                .get(&reference)
                .is_none_or(|other| *other == by)
        })
    }

    fn claim(&mut self, draft: &Draft) {
        self.now.claims.extend(claims(draft));
    }

    /// References that become one case must be silent meanwhile.
    fn allows_grouping(&self, draft: &Draft, meaning: Option<Meaning>) -> bool {
        let matters = together(draft);
        let Some(first) = matters.first() else {
            return true;
        };
        let group = self.matters.of(*first);
        let is_old = matters.iter().all(|matter| group.contains(matter));
        let silent = matters
            .iter()
            .flat_map(|matter| self.matters.of(*matter))
            .all(|matter| !self.now.said.contains_key(&matter));
        is_old || (silent && meaning.is_none() && !self.has_twin_deadlines(&matters))
    }

    /// Of joined cases the earlier deadline holds. Where both began within a few milliseconds, it is anybody's which that is.
    fn has_twin_deadlines(&self, matters: &BTreeSet<MatterId>) -> bool {
        let groups: BTreeSet<BTreeSet<MatterId>> = matters
            .iter()
            .map(|matter| self.matters.of(*matter))
            .collect();
        let of = |group: &BTreeSet<MatterId>| -> BTreeSet<u32> {
            group
                .iter()
                .filter_map(|matter| self.touched.get(matter))
                .flatten()
                .copied()
                .collect()
        };
        let all: Vec<BTreeSet<u32>> = groups.iter().map(of).collect();
        let different: BTreeSet<u32> = all.iter().flatten().copied().collect();
        different.len() < all.iter().map(BTreeSet::len).sum()
    }

    fn group(&mut self, draft: &Draft) {
        let matters = together(draft);
        let Some(first) = matters.first() else {
            return;
        };
        let group = self.matters.of(*first);
        if matters.iter().all(|matter| group.contains(matter)) {
            return;
        }
        let group = self.matters.unite(matters);
        let known = group.iter().filter_map(|matter| self.cases.get(matter));
        let known = known.fold(None, |all: Option<Known>, one| {
            let all = all.unwrap_or(Known {
                opened: false,
                dormant: true,
                resolved: false,
            });
            Some(Known {
                opened: all.opened || one.opened,
                dormant: all.dormant && one.dormant,
                resolved: all.resolved || one.resolved,
            })
        });
        for matter in group {
            self.now.said.insert(
                matter,
                Said {
                    grouped: true,
                    ..Said::default()
                },
            );
            if let Some(known) = known {
                self.cases.insert(matter, known);
            }
        }
    }

    /// All that opens a case is alike; what is only heard comes before or after; who wakes a dormant one or asks again of a
    /// resolved one is alone.
    fn allows_signal(&self, event: &Event, meaning: Meaning) -> bool {
        let matter = oracle::matter(event, Mood::Calm);
        let said = self.now.said.get(&matter).copied().unwrap_or_default();
        let known = self.cases.get(&matter).copied().unwrap_or_default();
        if said.grouped {
            return false;
        }
        let opens_now = said.opened || !known.opened;
        if opens_now {
            let alike = if event.history {
                !said.live
            } else {
                !said.history
            };
            return alike
                && if meaning.opens {
                    !said.other
                } else {
                    !said.opened
                };
        }
        let is_first = !(said.live || said.history);
        let wakes = known.dormant && !event.history;
        let asks = meaning.asks && !event.history;
        (is_first || !wakes) && !(known.resolved && asks && said.asked)
    }

    fn hear(&mut self, event: &Event, meaning: Meaning) {
        let group = self.matters.of(oracle::matter(event, Mood::Calm));
        for matter in group {
            self.touched.entry(matter).or_default().insert(self.phase);
            let known = self.cases.entry(matter).or_default();
            let said = self.now.said.entry(matter).or_default();
            if meaning.opens && !known.opened {
                said.opened = true;
                known.opened = true;
                known.dormant = event.history;
            } else if known.opened && known.dormant && !event.history {
                known.dormant = false;
                // Nobody else now: what follows would be told of, or not.
                said.grouped = true;
            }
            said.other |= !meaning.opens;
            said.live |= !event.history;
            said.history |= event.history;
            said.asked |= meaning.asks;
        }
    }

    /// Whoever commands in a phase is alone with the case, and asks one id. Whether that wakes a dormant case hangs on whether it is
    /// obeyed, so that the case counts as dormant until something live is heard.
    pub(super) fn allows_commands(&mut self, matter: MatterId) -> bool {
        let group = self.matters.of(matter);
        if group
            .iter()
            .any(|matter| self.now.said.get(matter).is_some_and(|said| said.commanded))
        {
            return false;
        }
        for matter in group {
            self.now.said.entry(matter).or_default().commanded = true;
            self.touched.entry(matter).or_default().insert(self.phase);
        }
        true
    }

    pub(super) fn may_be_resolved(&mut self, matter: MatterId) {
        for matter in self.matters.of(matter) {
            self.cases.entry(matter).or_default().resolved = true;
        }
    }
}

/// Each reference with the identifier that would own it.
fn claims(draft: &Draft) -> impl Iterator<Item = (Token, Token)> {
    let by = draft
        .values
        .first()
        .filter(|value| value.is_identifier())
        .map(|value| value.token);
    let references = draft.values.iter().filter(|value| !value.is_identifier());
    references.filter_map(move |reference| Some((reference.token, by?)))
}

/// The matters that a trusted source names together.
fn together(draft: &Draft) -> BTreeSet<MatterId> {
    let references = draft.values.iter().filter(|value| !value.is_identifier());
    let matters: BTreeSet<MatterId> = references
        .map(|reference| MatterId::of_reference(reference.token))
        .collect();
    if draft.trusted() && matters.len() > 1 {
        matters
    } else {
        BTreeSet::new()
    }
}

/// Things that were put together, in groups.
struct Groups<T>(Vec<BTreeSet<T>>);

impl<T> Default for Groups<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy + Ord> Groups<T> {
    /// All that it was put together with, itself included.
    fn of(&self, thing: T) -> BTreeSet<T> {
        let group = self.0.iter().find(|group| group.contains(&thing));
        group.cloned().unwrap_or_else(|| BTreeSet::from([thing]))
    }

    fn unite(&mut self, mut things: BTreeSet<T>) -> BTreeSet<T> {
        self.0.retain(|group| {
            let apart = group.is_disjoint(&things);
            if !apart {
                things.extend(group);
            }
            apart
        });
        self.0.push(things.clone());
        things
    }
}
