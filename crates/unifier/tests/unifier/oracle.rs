//! Who is who as one slow batch program over plain collections. It shares no code with the machines, and knows no steps but those the
//! sequence itself has: what left by age has left.
//!
//! - `batch`: everybody's place, computed anew from all that holds at one moment.

mod batch;

use std::collections::{BTreeMap, BTreeSet};

use event::{
    CaseId, Class, Company, DecisionId, MatterId, Millis, ProfileId, Time, Token, Value,
    link::{Decision, DecisionKind, Link, Set},
    rules::{TypeOf, TypeRule},
};
use unifier::identify::Why;

use self::batch::Batch;

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
