//! Who everybody is at one moment, from all that was said and holds.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    CaseId, Class, MatterId, ProfileId, Token,
    link::{Decision, DecisionKind},
};
use unifier::identify::Why;

use super::{History, Person, Said, World, both, merge, name};

/// What somebody's word says now: the values in order of strength, without those that are out.
struct Statement {
    place: usize,
    by: Token,
    /// All it names, also what is out.
    named: BTreeSet<Token>,
    person: bool,
    trusted: bool,
    identifiers: Vec<Token>,
    references: Vec<Token>,
    /// References whose age does not count.
    ties: Vec<Token>,
}

pub(super) struct Batch<'a> {
    history: &'a History,
    out: BTreeSet<Token>,
    statements: Vec<Statement>,
    apart: Vec<&'a Decision>,
    together: Vec<BTreeSet<Token>>,
}

#[derive(Clone, Default)]
struct Group {
    members: BTreeSet<Token>,
    merges: u32,
}

impl<'a> Batch<'a> {
    pub(super) fn of(history: &'a History) -> Self {
        let named = history.named.keys().copied();
        let out: BTreeSet<Token> = named.filter(|value| history.is_out(*value)).collect();
        let mut together: Vec<BTreeSet<Token>> = Vec::new();
        for decision in history.decided(DecisionKind::Together) {
            merge(&mut together, both(decision));
        }
        let mut batch = Batch {
            history,
            out,
            statements: Vec::new(),
            apart: history.decided(DecisionKind::Apart),
            together,
        };
        for (place, said) in history.said.iter().enumerate() {
            batch.statements.extend(batch.statement(place, said));
        }
        batch
    }

    fn statement(&self, place: usize, said: &Said) -> Option<Statement> {
        let (by, person, trusted, all, present) = match said {
            Said::Report(report) => {
                let all = name(&report.set).0;
                let event = report.set.event.token();
                (
                    event,
                    false,
                    report.set.trusted,
                    all,
                    report.present().collect(),
                )
            }
            Said::Decision(decision) => {
                let holds = self.history.holds(decision.id);
                if decision.what != DecisionKind::Together || !holds {
                    return None;
                }
                let all = both(decision);
                (decision.id.token(), true, true, all.clone(), all)
            }
        };
        let of = |class: Class, values: &BTreeSet<Token>| -> Vec<Token> {
            let mut strong: Vec<_> = values
                .iter()
                .filter(|value| self.history.named.contains_key(value))
                .filter(|value| !self.out.contains(value))
                .map(|value| self.history.strong(*value))
                .filter(|((of, _), _)| *of == class)
                .collect();
            strong.sort();
            strong.into_iter().map(|(_, value)| value).collect()
        };
        Some(Statement {
            place,
            by,
            named: present
                .iter()
                .filter(|value| self.history.named.contains_key(value))
                .copied()
                .collect(),
            person,
            trusted,
            identifiers: of(Class::Identifier, &present),
            references: of(Class::Reference, &present),
            ties: of(Class::Reference, &all),
        })
    }

    pub(super) fn world(&self) -> World {
        let mut world = World {
            people: BTreeMap::new(),
            out: self.out.clone(),
            cases: self.cases(),
            made: BTreeSet::new(),
            refused: BTreeSet::new(),
            claims: BTreeMap::new(),
            kept: self.history.kept.clone(),
            torn: BTreeSet::new(),
            said: self
                .statements
                .iter()
                .map(|said| (said.by, said.named.clone()))
                .collect(),
        };
        let blocks = self.history.decided(DecisionKind::Block);
        let blocked = blocks.iter().flat_map(|decision| both(decision));
        world.out.extend(blocked);
        world.out.extend(&self.history.company.blocked);
        let groups = self.groups(&mut world);
        for value in self.history.named.keys() {
            let group = groups.iter().find(|group| group.members.contains(value));
            let strongest = group.and_then(|group| self.strongest(&group.members));
            let person = Person {
                profile: ProfileId::new(strongest.unwrap_or(*value)),
                out: self.out.contains(value),
            };
            world.people.insert(*value, person);
        }
        self.owners(&mut world);
        world
    }

    fn strongest(&self, members: &BTreeSet<Token>) -> Option<Token> {
        let strong = members.iter().map(|value| self.history.strong(*value));
        strong.min().map(|(_, value)| value)
    }

    fn groups(&self, world: &mut World) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for statement in &self.statements {
            for value in &statement.identifiers {
                if !groups.iter().any(|group| group.members.contains(value)) {
                    groups.push(Group {
                        members: BTreeSet::from([*value]),
                        merges: 0,
                    });
                }
            }
            let Some((one, others)) = statement.identifiers.split_first() else {
                continue;
            };
            for other in others {
                let at = |value| {
                    groups
                        .iter()
                        .position(|g| g.members.contains(value))
                        .unwrap()
                };
                let (left, right) = (at(one), at(other));
                let link = (statement.by, *one, *other);
                if left != right {
                    match self.unite(&groups[left], &groups[right], statement) {
                        Err(why) => {
                            world.refused.insert((link.0, link.1, link.2, why));
                            continue;
                        }
                        Ok(united) => {
                            groups[left] = united;
                            groups.remove(right);
                        }
                    }
                }
                world.made.insert(link);
            }
        }
        groups
    }

    fn unite(&self, one: &Group, other: &Group, statement: &Statement) -> Result<Group, Why> {
        if self.are_apart(&one.members, &other.members) {
            return Err(Why::Apart);
        }
        for a in &one.members {
            for b in &other.members {
                let (rank, rule) = self.history.rule(*a);
                let same_type = rank == self.history.rule(*b).0
                    && self.history.named[a].kind == self.history.named[b].kind;
                let one_person = self
                    .together
                    .iter()
                    .any(|values| values.contains(a) && values.contains(b));
                if same_type && rule.exclusive && !one_person {
                    return Err(Why::Exclusive);
                }
            }
        }
        let members: BTreeSet<Token> = one.members.union(&other.members).copied().collect();
        let both_many = one.members.len() > 1 && other.members.len() > 1;
        let merges = one.merges + other.merges + u32::from(both_many);
        let ceilings = &self.history.company.identity;
        if !statement.person {
            if members.len() > ceilings.identifiers_max as usize {
                return Err(Why::Identifiers);
            }
            if merges > ceilings.merges_max {
                return Err(Why::Merges);
            }
        }
        let known = |group: &Group| {
            let mut members = group.members.iter();
            members.any(|value| self.history.rule(*value).1.known)
        };
        if !statement.trusted && known(one) && known(other) {
            return Err(Why::Untrusted);
        }
        Ok(Group { members, merges })
    }

    fn are_apart(&self, one: &BTreeSet<Token>, other: &BTreeSet<Token>) -> bool {
        let any = |values: &BTreeSet<Token>, named: &[Token]| {
            named.iter().any(|value| values.contains(value))
        };
        self.apart.iter().any(|decision| {
            (any(one, &decision.one) && any(other, &decision.other))
                || (any(one, &decision.other) && any(other, &decision.one))
        })
    }

    /// Whether a person keeps a reference apart from whoever a profile is of.
    fn is_barred(&self, world: &World, reference: Token, profile: ProfileId) -> bool {
        let all = world.people.iter();
        let theirs: BTreeSet<Token> = all
            .filter(|(value, person)| {
                person.profile == profile && self.history.named[value].class == Class::Identifier
            })
            .map(|(value, _)| *value)
            .collect();
        self.are_apart(&BTreeSet::from([reference]), &theirs)
    }

    fn owners(&self, world: &mut World) {
        let references: Vec<Token> = self
            .history
            .named
            .values()
            .filter(|value| value.class == Class::Reference && !self.out.contains(&value.token))
            .map(|value| value.token)
            .collect();
        let mut owned: BTreeMap<Token, ProfileId> = BTreeMap::new();
        for reference in &references {
            let best = self
                .statements
                .iter()
                .filter(|said| said.references.contains(reference))
                .flat_map(|said| said.identifiers.iter().map(move |by| (said, *by)))
                .filter(|(_, by)| !self.is_barred(world, *reference, world.profile(*by)))
                .min_by_key(|(said, by)| {
                    let level = match (said.person, said.trusted) {
                        (true, _) => 0,
                        (false, true) => 1,
                        (false, false) => 2,
                    };
                    let newest = if said.person {
                        usize::MAX - said.place
                    } else {
                        0
                    };
                    (level, newest, self.history.rule(*by).0, said.place, *by)
                });
            if let Some((said, by)) = best {
                world.claims.insert(*reference, (said.place, by));
                owned.insert(*reference, world.profile(by));
            } else if let Some(by) = world.kept.get(reference) {
                let profile = world.profile(*by);
                if !self.is_barred(world, *reference, profile) {
                    owned.insert(*reference, profile);
                }
            }
        }
        let mut belongs = owned.clone();
        for reference in references {
            if owned.contains_key(&reference) {
                continue;
            }
            let owners: BTreeSet<ProfileId> = self
                .statements
                .iter()
                .filter(|said| said.references.contains(&reference))
                .flat_map(|said| &said.references)
                .filter_map(|other| owned.get(other))
                .filter(|owner| !self.is_barred(world, reference, **owner))
                .copied()
                .collect();
            match owners.len() {
                0 => {}
                1 => {
                    belongs.insert(reference, *owners.first().unwrap());
                }
                _ => {
                    world.torn.insert(reference);
                }
            }
        }
        for (reference, profile) in belongs {
            world.people.get_mut(&reference).unwrap().profile = profile;
        }
    }

    fn cases(&self) -> BTreeMap<MatterId, CaseId> {
        let mut groups: Vec<BTreeSet<Token>> = Vec::new();
        for statement in self.statements.iter().filter(|said| said.trusted) {
            for value in &statement.ties {
                if !groups.iter().any(|group| group.contains(value)) {
                    groups.push(BTreeSet::from([*value]));
                }
            }
            for other in statement.ties.iter().skip(1) {
                let at = |value| {
                    groups
                        .iter()
                        .position(|group| group.contains(value))
                        .unwrap()
                };
                let (one, other) = (at(&statement.ties[0]), at(other));
                if one != other && !self.are_apart(&groups[one], &groups[other]) {
                    let united = groups[one].union(&groups[other]).copied().collect();
                    groups[one] = united;
                    groups.remove(other);
                }
            }
        }
        let mut cases = BTreeMap::new();
        for group in &groups {
            let matters: BTreeSet<MatterId> = group
                .iter()
                .map(|reference| MatterId::of_reference(*reference))
                .collect();
            for matter in &matters {
                cases.insert(*matter, matters.first().unwrap().own_case());
            }
        }
        cases
    }
}
