//! The grouping of identities as one slow batch program over plain collections. It shares no code with the machines.

use std::collections::{BTreeMap, BTreeSet};

use event::{CaseId, Class, Company, MatterId, Name, ProfileId, Token, Value, link::Set};

/// Who everybody is, after a sequence of sets and under the rules that hold at its end.
pub(crate) struct World {
    pub(crate) people: BTreeMap<Token, Person>,
    pub(crate) cases: BTreeMap<MatterId, CaseId>,
    pub(crate) refusals: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) profile: ProfileId,
    pub(crate) out: bool,
}

impl World {
    pub(crate) fn of(sets: &[Set], company: &Company) -> World {
        let batch = Batch { sets, company };
        let (groups, refusals) = batch.groups();
        World {
            people: batch.people(&groups),
            cases: batch.cases(),
            refusals,
        }
    }

    pub(crate) fn profile(&self, value: Token) -> ProfileId {
        self.people
            .get(&value)
            .map_or(ProfileId::new(value), |person| person.profile)
    }
}

struct Batch<'a> {
    sets: &'a [Set],
    company: &'a Company,
}

type Group = BTreeSet<(usize, Token, Name)>;

impl Batch<'_> {
    fn is_out(&self, token: Token) -> bool {
        self.company.blocked.contains(&token)
    }

    fn place(&self, class: Class, kind: &Name) -> usize {
        let types = self.company.types();
        types
            .iter()
            .position(|of| of.class == class && of.name == *kind)
            .unwrap_or(usize::MAX)
    }

    fn strong(&self, value: &Value) -> (usize, Token, Name) {
        let place = self.place(value.class, &value.kind);
        (place, value.token, value.kind.clone())
    }

    fn of_class<'s>(&'s self, set: &'s Set, class: Class) -> impl Iterator<Item = &'s Value> {
        set.values
            .iter()
            .filter(move |value| value.class == class && !self.is_out(value.token))
    }

    fn groups(&self) -> (Vec<Group>, usize) {
        let types = self.company.types();
        let of_type = |group: &Group, flag: fn(&event::rules::TypeRule) -> bool| {
            group
                .iter()
                .filter(|(.., kind)| {
                    types.iter().any(|of| {
                        of.class == Class::Identifier && of.name == *kind && flag(&of.rule)
                    })
                })
                .map(|(_, token, kind)| (kind.clone(), *token))
                .collect::<Vec<_>>()
        };
        let mut groups: Vec<Group> = Vec::new();
        let mut refusals = 0;
        for set in self.sets {
            let mut named: Vec<_> = self
                .of_class(set, Class::Identifier)
                .map(|value| self.strong(value))
                .collect();
            named.sort();
            for value in &named {
                if !groups.iter().any(|group| group.contains(value)) {
                    groups.push(Group::from([value.clone()]));
                }
            }
            for other in named.iter().skip(1) {
                let one = groups
                    .iter()
                    .position(|group| group.contains(&named[0]))
                    .unwrap();
                let two = groups
                    .iter()
                    .position(|group| group.contains(other))
                    .unwrap();
                if one == two {
                    continue;
                }
                let both: Group = groups[one].union(&groups[two]).cloned().collect();
                let exclusive = of_type(&both, |rule| rule.exclusive);
                let kinds: BTreeSet<_> = exclusive.iter().map(|(kind, _)| kind).collect();
                let known = |group| !of_type(group, |rule| rule.known).is_empty();
                let strangers = !set.trusted && known(&groups[one]) && known(&groups[two]);
                if kinds.len() < exclusive.len() || strangers {
                    refusals += 1;
                    continue;
                }
                groups[one] = both;
                groups.remove(two);
            }
        }
        (groups, refusals)
    }

    fn people(&self, groups: &[Group]) -> BTreeMap<Token, Person> {
        let mut people = BTreeMap::new();
        let mut references = BTreeSet::new();
        for value in self.sets.iter().flat_map(|set| &set.values) {
            let of_value = (value.token, value.class == Class::Reference);
            if of_value.1 && !self.is_out(value.token) {
                references.insert(value.token);
            }
            people.insert(
                value.token,
                Person {
                    profile: ProfileId::new(value.token),
                    out: self.is_out(value.token),
                },
            );
        }
        for group in groups {
            let (_, strongest, _) = group.first().unwrap();
            for (_, token, _) in group {
                people.get_mut(token).unwrap().profile = ProfileId::new(*strongest);
            }
        }
        let named: BTreeMap<Token, ProfileId> = references
            .iter()
            .filter_map(|reference| {
                let owner = self.owner(*reference)?;
                Some((*reference, people[&owner].profile))
            })
            .collect();
        for reference in references {
            let profile = match named.get(&reference) {
                Some(profile) => *profile,
                None => {
                    let owners: BTreeSet<ProfileId> = self
                        .beside(reference)
                        .iter()
                        .filter_map(|other| named.get(other))
                        .copied()
                        .collect();
                    if owners.len() == 1 {
                        *owners.first().unwrap()
                    } else {
                        ProfileId::new(reference)
                    }
                }
            };
            people.get_mut(&reference).unwrap().profile = profile;
        }
        people
    }

    /// The identifier that named a reference best.
    fn owner(&self, reference: Token) -> Option<Token> {
        let mut claims = Vec::new();
        for (place, set) in self.sets.iter().enumerate() {
            if set.values.iter().any(|value| value.token == reference) {
                for by in self.of_class(set, Class::Identifier) {
                    let (strength, token, _) = self.strong(by);
                    claims.push((!set.trusted, strength, place, token));
                }
            }
        }
        claims.into_iter().min().map(|(.., token)| token)
    }

    fn beside(&self, reference: Token) -> BTreeSet<Token> {
        self.sets
            .iter()
            .filter(|set| set.values.iter().any(|value| value.token == reference))
            .flat_map(|set| self.of_class(set, Class::Reference))
            .map(|value| value.token)
            .filter(|token| *token != reference)
            .collect()
    }

    fn cases(&self) -> BTreeMap<MatterId, CaseId> {
        let mut groups: Vec<BTreeSet<MatterId>> = Vec::new();
        for set in self.sets {
            let mut together: BTreeSet<MatterId> = self
                .of_class(set, Class::Reference)
                .map(|value| MatterId::of_reference(value.token))
                .collect();
            if !set.trusted {
                continue;
            }
            groups.retain(|group| {
                let apart = group.is_disjoint(&together);
                if !apart {
                    together.extend(group);
                }
                apart
            });
            groups.push(together);
        }
        let mut cases = BTreeMap::new();
        for group in &groups {
            for matter in group {
                cases.insert(*matter, group.first().unwrap().own_case());
            }
        }
        cases
    }
}
