//! Who is who as one slow batch program over plain collections. It shares no code with the machines, and knows no steps but those the
//! sequence itself has: what left by age has left.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    CaseId, Class, Company, DecisionId, MatterId, Millis, ProfileId, Time, Token, Value,
    link::{Decision, DecisionKind, Link, Set},
    rules::{TypeOf, TypeRule},
};
use unifier::identify::Why;

/// All that `identity.link` said so far.
#[derive(Clone)]
pub(crate) struct History {
    now: Time,
    company: Company,
    /// Its types, in order of strength.
    types: Vec<TypeOf>,
    /// Of types that nobody named.
    unnamed: TypeRule,
    /// Versions that came too late change nothing.
    any_rules: bool,
    said: Vec<Said>,
    /// All values that were ever named.
    named: BTreeMap<Token, Value>,
    /// References whose best claim left by age, and whose it was.
    kept: BTreeMap<Token, Token>,
}

/// One thing that was said about values: reported by a source, or decided by a person.
#[derive(Clone)]
enum Said {
    Report(Report),
    Decision(Decision),
}

#[derive(Clone)]
struct Report {
    set: Set,
    gone: BTreeSet<Token>,
    renewed: Time,
}

impl Report {
    fn name(&self) -> (BTreeSet<Token>, bool) {
        name(&self.set)
    }

    fn present(&self) -> impl Iterator<Item = Token> + '_ {
        let tokens = self.set.values.iter().map(|value| value.token);
        tokens.filter(|token| !self.gone.contains(token))
    }
}

fn name(set: &Set) -> (BTreeSet<Token>, bool) {
    (
        set.values.iter().map(|value| value.token).collect(),
        set.trusted,
    )
}

/// Who everybody is.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) people: BTreeMap<Token, Person>,
    /// All that is out, also what nobody named yet.
    pub(crate) out: BTreeSet<Token>,
    pub(crate) cases: BTreeMap<MatterId, CaseId>,
    /// The links that were made and refused, each by the event or decision that said so.
    pub(crate) made: BTreeSet<(Token, Token, Token)>,
    pub(crate) refused: BTreeSet<(Token, Token, Token, Why)>,
    /// The best claims to references: the place of what was said, and the identifier.
    pub(crate) claims: BTreeMap<Token, (usize, Token)>,
    pub(crate) kept: BTreeMap<Token, Token>,
    /// References without an owner that were named with those of two.
    pub(crate) torn: BTreeSet<Token>,
    /// What is said at present, and by which event or decision, also of values that are out.
    said: Vec<(Token, BTreeSet<Token>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) profile: ProfileId,
    pub(crate) out: bool,
}

impl World {
    pub(crate) fn profile(&self, value: Token) -> ProfileId {
        self.people
            .get(&value)
            .map_or(ProfileId::new(value), |person| person.profile)
    }

    pub(crate) fn together(&self, by: Token, values: &[Token]) -> bool {
        let all = |named: &BTreeSet<Token>| values.iter().all(|value| named.contains(value));
        self.said
            .iter()
            .any(|(said_by, named)| *said_by == by && all(named))
    }

    /// Whether anything leads from the one to the other by what was named together, barred or not.
    pub(crate) fn hang_together(&self, one: Token, other: Token) -> bool {
        let mut groups = Vec::new();
        for (_, named) in &self.said {
            merge(&mut groups, named.clone());
        }
        let both = |group: &BTreeSet<Token>| group.contains(&one) && group.contains(&other);
        groups.iter().any(both)
    }
}

impl History {
    pub(crate) fn new() -> History {
        History {
            now: Time::MIN,
            company: Company::default(),
            types: Company::default().types(),
            unnamed: TypeRule::default(),
            any_rules: false,
            said: Vec::new(),
            named: BTreeMap::new(),
            kept: BTreeMap::new(),
        }
    }

    pub(crate) fn hear(&mut self, link: &Link) {
        let time = match link {
            Link::Set(set) => set.time,
            Link::Tick(tick) => tick.time,
            Link::Decision(decision) => decision.time,
            Link::Rules(_) => self.now,
        };
        self.now = self.now.max(time);
        self.age();
        match link {
            Link::Set(set) => self.report(set),
            Link::Decision(decision) => self.decide(decision),
            Link::Rules(rules) => {
                if !self.any_rules || rules.company.version > self.company.version {
                    self.learn(&rules.company);
                }
            }
            Link::Tick(_) => {}
        }
    }

    fn learn(&mut self, company: &Company) {
        self.company = company.clone();
        self.types = company.types();
        self.any_rules = true;
    }

    fn age(&mut self) {
        let mut leaving: Vec<(usize, Token)> = Vec::new();
        for (place, report) in self.reports() {
            for value in report.present() {
                let window = self.window(value);
                if window.is_some_and(|window| report.renewed + window <= self.now) {
                    leaving.push((place, value));
                }
            }
        }
        if leaving.is_empty() {
            return;
        }
        for (reference, claim) in self.world().claims {
            if leaving.contains(&(claim.0, reference)) || leaving.contains(&claim) {
                self.kept.insert(reference, claim.1);
            }
        }
        for (place, value) in leaving {
            let Said::Report(report) = &mut self.said[place] else {
                unreachable!("only reports lose values")
            };
            report.gone.insert(value);
        }
    }

    fn reports(&self) -> impl Iterator<Item = (usize, &Report)> {
        self.said
            .iter()
            .enumerate()
            .filter_map(|(place, said)| match said {
                Said::Report(report) => Some((place, report)),
                Said::Decision(_) => None,
            })
    }

    fn decisions(&self) -> impl Iterator<Item = &Decision> {
        self.said.iter().filter_map(|said| match said {
            Said::Decision(decision) => Some(decision),
            Said::Report(_) => None,
        })
    }

    fn report(&mut self, set: &Set) {
        let known = self
            .reports()
            .find(|(_, report)| report.name() == name(set));
        if let Some((place, report)) = known {
            if !set.withdrawn && report.gone.is_empty() {
                let Said::Report(report) = &mut self.said[place] else {
                    unreachable!("it was found among the reports")
                };
                report.renewed = report.renewed.max(set.time);
                return;
            }
            self.said.remove(place);
        }
        if set.withdrawn {
            return;
        }
        for value in &set.values {
            self.named.entry(value.token).or_insert(value.clone());
        }
        self.said.push(Said::Report(Report {
            set: set.clone(),
            gone: BTreeSet::new(),
            renewed: set.time,
        }));
    }

    fn decide(&mut self, decision: &Decision) {
        let known = |id: DecisionId| self.decisions().any(|other| other.id == id);
        let means_something = match decision.what {
            DecisionKind::Unknown => false,
            DecisionKind::Undo => decision.undoes.is_some_and(known),
            _ => true,
        };
        if means_something && !known(decision.id) {
            self.said.push(Said::Decision(decision.clone()));
        }
    }

    pub(crate) fn holds(&self, id: DecisionId) -> bool {
        !self.decisions().any(|undo| {
            undo.what == DecisionKind::Undo && undo.undoes == Some(id) && self.holds(undo.id)
        })
    }

    pub(crate) fn decided(&self, what: DecisionKind) -> Vec<&Decision> {
        self.decisions()
            .filter(|decision| decision.what == what && self.holds(decision.id))
            .collect()
    }

    /// The rule of a value's type, and its place in the order of strength.
    fn rule(&self, value: Token) -> ((Class, usize), &TypeRule) {
        let value = &self.named[&value];
        let types = &self.types;
        let place = types
            .iter()
            .position(|of| of.class == value.class && of.name == value.kind);
        match place {
            Some(place) => ((value.class, place), &types[place].rule),
            None => ((value.class, usize::MAX), &self.unnamed),
        }
    }

    fn window(&self, value: Token) -> Option<Millis> {
        let ((class, _), rule) = self.rule(value);
        match class {
            Class::Identifier => rule.window,
            Class::Reference => Some(rule.window.unwrap_or(Millis::from_days(400))),
        }
    }

    fn strong(&self, value: Token) -> ((Class, usize), Token) {
        (self.rule(value).0, value)
    }

    pub(crate) fn is_blocked(&self, value: Token) -> bool {
        let decided = self.decided(DecisionKind::Block);
        self.company.blocked.contains(&value)
            || decided.iter().any(|decision| names(decision, value))
    }

    fn is_out(&self, value: Token) -> bool {
        if self.is_blocked(value) {
            return true;
        }
        let (strength, rule) = self.rule(value);
        let allowed = self.decided(DecisionKind::Allow);
        if rule.exclusive || allowed.iter().any(|decision| names(decision, value)) {
            return false;
        }
        let mut seen: BTreeMap<(Class, event::Name), BTreeSet<Token>> = BTreeMap::new();
        for (_, report) in self.reports() {
            if report.present().any(|other| other == value) {
                for other in report.present() {
                    if self.rule(other).0 < strength {
                        let of = &self.named[&other];
                        let kind = (of.class, of.kind.clone());
                        seen.entry(kind).or_default().insert(other);
                    }
                }
            }
        }
        let limit = rule.limit.unwrap_or(5) as usize;
        seen.values().any(|others| others.len() > limit)
    }

    pub(crate) fn world(&self) -> World {
        Batch::of(self).world()
    }
}

fn names(decision: &Decision, value: Token) -> bool {
    decision.one.contains(&value) || decision.other.contains(&value)
}

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

struct Batch<'a> {
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
    fn of(history: &'a History) -> Self {
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

    fn world(&self) -> World {
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

fn both(decision: &Decision) -> BTreeSet<Token> {
    decision
        .one
        .iter()
        .chain(&decision.other)
        .copied()
        .collect()
}

fn merge(groups: &mut Vec<BTreeSet<Token>>, mut values: BTreeSet<Token>) {
    groups.retain(|group| {
        let disjoint = group.is_disjoint(&values);
        if !disjoint {
            values.extend(group);
        }
        disjoint
    });
    groups.push(values);
}
