//! What there is to go by at one moment, and who is who by it.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    CaseId, Class, DecisionId, MatterId, ProfileId, Token, Value,
    link::{Decision, DecisionKind},
};

use super::{
    Owned,
    history::{History, Named, Word},
};

/// What a type allows that names no limit.
const LIMIT: u32 = 5;

/// By whom a reference is named best.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) place: usize,
    pub(super) by: Token,
}

/// What there is to go by, once the history is over.
pub(super) struct Present<'h> {
    history: &'h History,
    out: BTreeSet<Token>,
}

impl<'h> Present<'h> {
    pub(super) fn of(history: &'h History) -> Self {
        let mut present = Present {
            history,
            out: BTreeSet::new(),
        };
        let out = history.known.values().filter(|value| present.is_out(value));
        present.out = out.map(|value| value.token).collect();
        present
    }

    /// A decision holds that no decision undoes which itself holds.
    fn holds(&self, id: DecisionId) -> bool {
        let mut undoers = self
            .history
            .decisions
            .iter()
            .filter(|decision| decision.undoes == Some(id));
        !undoers.any(|undoer| self.holds(undoer.id))
    }

    fn holding(&self, what: DecisionKind) -> impl Iterator<Item = &'h Decision> {
        let decisions = self.history.decisions.iter();
        decisions.filter(move |decision| decision.what == what && self.holds(decision.id))
    }

    /// Identifiers before references.
    fn rank(&self, value: &Value) -> usize {
        self.history.of(value).0
    }

    fn is_out(&self, value: &Value) -> bool {
        let company = &self.history.company;
        let named = |decision: &&Decision| decision.one.contains(&value.token);
        if company.blocked.contains(&value.token)
            || self
                .holding(DecisionKind::Block)
                .any(|decision| named(&decision))
        {
            return true;
        }
        let rule = self.history.of(value).1;
        if rule.exclusive
            || self
                .holding(DecisionKind::Allow)
                .any(|decision| named(&decision))
        {
            return false;
        }
        let mut seen: BTreeMap<usize, BTreeSet<Token>> = BTreeMap::new();
        for set in self
            .history
            .sets
            .iter()
            .filter(|set| set.is_report() && set.names(value.token))
        {
            for other in set
                .present()
                .filter(|other| self.rank(other) < self.rank(value))
            {
                seen.entry(self.rank(other))
                    .or_default()
                    .insert(other.token);
            }
        }
        let limit = rule.limit.unwrap_or(LIMIT);
        seen.values().any(|others| others.len() > limit as usize)
    }

    /// The sets that say anything, in order.
    fn sets(&self) -> impl Iterator<Item = &'h Named> {
        self.history.sets.iter().filter(|set| match set.word {
            Word::Trusted | Word::Untrusted => true,
            Word::Person(id) => self.holds(id),
        })
    }

    /// What of a set takes part, the strongest first.
    fn taking_part(&self, set: &Named, class: Class) -> Vec<Token> {
        let values = set
            .present()
            .filter(|value| value.class == class && !self.out.contains(&value.token));
        let mut values: Vec<_> = values
            .map(|value| (self.rank(value), value.token))
            .collect();
        values.sort_unstable();
        values.into_iter().map(|(_, token)| token).collect()
    }

    /// The identifiers of each customer.
    pub(super) fn people(&self) -> Vec<BTreeSet<Token>> {
        let identifiers = self
            .history
            .known
            .values()
            .filter(|value| value.class == Class::Identifier);
        let mut people: Vec<Person> = identifiers
            .filter(|value| !self.out.contains(&value.token))
            .map(|value| Person {
                values: BTreeSet::from([value.token]),
                merges: 0,
            })
            .collect();
        for set in self.sets() {
            let named = self.taking_part(set, Class::Identifier);
            let Some((first, others)) = named.split_first() else {
                continue;
            };
            for other in others {
                let of = |token: &Token| {
                    people
                        .iter()
                        .position(|person| person.values.contains(token))
                };
                let (Some(one), Some(two)) = (of(first), of(other)) else {
                    unreachable!("every identifier that is not out is somebody's");
                };
                if one == two {
                    continue;
                }
                if !self.may_unite(&people[one], &people[two], set.word) {
                    continue;
                }
                let goes = people.remove(two.max(one));
                let stays = &mut people[one.min(two)];
                stays.merges = stays.merges_with(&goes);
                stays.values.extend(goes.values);
            }
        }
        people.into_iter().map(|person| person.values).collect()
    }

    fn may_unite(&self, one: &Person, two: &Person, word: Word) -> bool {
        if self.are_apart(&one.values, &two.values) {
            return false;
        }
        let company = &self.history.company;
        let rule = |token: &Token| self.history.of(&self.history.known[token]).1;
        for a in one.values.iter().filter(|a| rule(a).exclusive) {
            for b in &two.values {
                let alike = self.history.known[a].kind == self.history.known[b].kind;
                if alike && !self.same_person(*a, *b) {
                    return false;
                }
            }
        }
        let known = |person: &Person| person.values.iter().any(|token| rule(token).known);
        let limits = &company.identity;
        match word {
            Word::Person(_) => true,
            Word::Trusted | Word::Untrusted => {
                one.values.len() + two.values.len() <= limits.identifiers_max as usize
                    && one.merges_with(two) <= limits.merges_max
                    && (word == Word::Trusted || !(known(one) && known(two)))
            }
        }
    }

    fn are_apart(&self, one: &BTreeSet<Token>, two: &BTreeSet<Token>) -> bool {
        self.holding(DecisionKind::Apart).any(|decision| {
            let has = |values: &BTreeSet<Token>, side: &[Token]| {
                side.iter().any(|token| values.contains(token))
            };
            let (left, right) = (&decision.one, &decision.other);
            (has(one, left) && has(two, right)) || (has(one, right) && has(two, left))
        })
    }

    /// Whether people brought two values together, if need be in several decisions.
    fn same_person(&self, one: Token, two: Token) -> bool {
        let mut same = BTreeSet::from([one]);
        loop {
            let before = same.len();
            for decision in self.holding(DecisionKind::Together) {
                let both: BTreeSet<Token> = decision
                    .one
                    .iter()
                    .chain(&decision.other)
                    .copied()
                    .collect();
                if !both.is_disjoint(&same) {
                    same.extend(both);
                }
            }
            if same.len() == before {
                return same.contains(&two);
            }
        }
    }

    /// The smallest matter names the case of all that trusted sources and people named together, whatever its age.
    pub(super) fn cases(&self) -> BTreeMap<MatterId, CaseId> {
        let mut groups: Vec<BTreeSet<Token>> = Vec::new();
        for set in self.sets().filter(|set| set.word != Word::Untrusted) {
            let references = set.values.iter().filter(|value| {
                value.class == Class::Reference && !self.out.contains(&value.token)
            });
            let mut references: Vec<_> = references
                .map(|value| (self.rank(value), value.token))
                .collect();
            references.sort_unstable();
            for (_, reference) in &references {
                if !groups.iter().any(|group| group.contains(reference)) {
                    groups.push(BTreeSet::from([*reference]));
                }
            }
            for (_, other) in references.iter().skip(1) {
                let of = |token: &Token| groups.iter().position(|group| group.contains(token));
                let (Some(one), Some(two)) = (of(&references[0].1), of(other)) else {
                    unreachable!("every reference of the set has a group");
                };
                if one != two && !self.are_apart(&groups[one], &groups[two]) {
                    let goes = groups.remove(one.max(two));
                    groups[one.min(two)].extend(goes);
                }
            }
        }
        let mut cases = BTreeMap::new();
        for group in groups {
            let matters: BTreeSet<MatterId> =
                group.into_iter().map(MatterId::of_reference).collect();
            for matter in &matters {
                let smallest = matters.first().unwrap_or(matter);
                cases.insert(*matter, smallest.own_case());
            }
        }
        cases
    }

    /// The best claim to a reference: a person's, the newest first, then a trusted source's, then the stronger type's, then the
    /// earlier one.
    pub(super) fn claim(&self, reference: &Value, people: &[BTreeSet<Token>]) -> Option<Claim> {
        if self.out.contains(&reference.token) {
            return None;
        }
        let mut claims = Vec::new();
        for set in self.sets().filter(|set| set.names(reference.token)) {
            for by in self.taking_part(set, Class::Identifier) {
                if self.bars(reference.token, by, people) {
                    continue;
                }
                let level = match set.word {
                    Word::Person(_) => (0, usize::MAX - set.place),
                    Word::Trusted => (1, 0),
                    Word::Untrusted => (2, 0),
                };
                let strength = self.rank(&self.history.known[&by]);
                claims.push((level, strength, set.place, by));
            }
        }
        let best = claims.into_iter().min();
        best.map(|(_, _, place, by)| Claim { place, by })
    }

    /// Whether people keep a reference apart from whoever has this identifier.
    fn bars(&self, reference: Token, by: Token, people: &[BTreeSet<Token>]) -> bool {
        let alone = BTreeSet::from([by]);
        let person = people
            .iter()
            .find(|person| person.contains(&by))
            .unwrap_or(&alone);
        self.are_apart(&BTreeSet::from([reference]), person)
    }

    pub(super) fn values(&self, people: &[BTreeSet<Token>]) -> BTreeMap<Token, Owned> {
        let known = &self.history.known;
        let mut values: BTreeMap<Token, Owned> = known
            .keys()
            .map(|token| {
                let owned = Owned {
                    profile: ProfileId::new(*token),
                    out: self.out.contains(token),
                };
                (*token, owned)
            })
            .collect();
        for person in people {
            let strongest = person
                .iter()
                .min_by_key(|token| (self.rank(&known[*token]), **token));
            let profile = ProfileId::new(*strongest.expect("a person has an identifier"));
            for token in person {
                values
                    .entry(*token)
                    .and_modify(|owned| owned.profile = profile);
            }
        }
        let owners = self.owners(people);
        for reference in known
            .values()
            .filter(|value| value.class == Class::Reference)
        {
            let by = owners.get(&reference.token).copied();
            let by = by
                .map(|by| values[&by].profile)
                .or_else(|| self.neighbours_owner(reference, people, &owners, &values));
            if let Some(profile) = by {
                values
                    .entry(reference.token)
                    .and_modify(|owned| owned.profile = profile);
            }
        }
        values
    }

    /// The references that somebody claims, or that stay with whom they were of, each with that identifier.
    fn owners(&self, people: &[BTreeSet<Token>]) -> BTreeMap<Token, Token> {
        let references = self
            .history
            .known
            .values()
            .filter(|value| value.class == Class::Reference);
        let owner = |reference: &Value| {
            if self.out.contains(&reference.token) {
                return None;
            }
            let kept = self.history.kept.get(&reference.token).copied();
            let kept = kept.filter(|by| !self.bars(reference.token, *by, people));
            self.claim(reference, people).map(|claim| claim.by).or(kept)
        };
        references
            .filter_map(|reference| Some((reference.token, owner(reference)?)))
            .collect()
    }

    /// The one owner of the references that are named with one that nobody owns.
    fn neighbours_owner(
        &self,
        reference: &Value,
        people: &[BTreeSet<Token>],
        owners: &BTreeMap<Token, Token>,
        values: &BTreeMap<Token, Owned>,
    ) -> Option<ProfileId> {
        if self.out.contains(&reference.token) {
            return None;
        }
        let sets = self.sets().filter(|set| set.names(reference.token));
        let beside = sets.flat_map(|set| self.taking_part(set, Class::Reference));
        let owners: BTreeSet<ProfileId> = beside
            .filter_map(|other| owners.get(&other))
            .filter(|by| !self.bars(reference.token, **by, people))
            .map(|by| values[by].profile)
            .collect();
        if owners.len() == 1 {
            owners.first().copied()
        } else {
            None
        }
    }
}

/// Identifiers that are one customer's.
struct Person {
    values: BTreeSet<Token>,
    /// How often two groups of more than one became one in it.
    merges: u32,
}

impl Person {
    fn merges_with(&self, other: &Person) -> u32 {
        let merge = self.values.len() > 1 && other.values.len() > 1;
        self.merges + other.merges + u32::from(merge)
    }
}
