//! What was heard, gone through in order.

use std::collections::{BTreeMap, BTreeSet};

use event::{
    Class, Company, DecisionId, Millis, Time, Token, Value,
    link::{Decision, DecisionKind, Link, Set},
    rules::{TypeOf, TypeRule},
};

use super::present::Present;

/// After so long a reference leaves a set, if its type says nothing else.
const REFERENCE_WINDOW: Millis = Millis::from_days(400);

/// Values that were named together.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) place: usize,
    pub(super) values: Vec<Value>,
    /// Those that age took.
    pub(super) gone: BTreeSet<Token>,
    pub(super) word: Word,
    pub(super) renewed: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Trusted,
    Untrusted,
    Person(DecisionId),
}

impl Named {
    pub(super) fn present(&self) -> impl Iterator<Item = &Value> {
        self.values
            .iter()
            .filter(|value| !self.gone.contains(&value.token))
    }

    pub(super) fn names(&self, token: Token) -> bool {
        self.present().any(|value| value.token == token)
    }

    pub(super) fn is_report(&self) -> bool {
        !matches!(self.word, Word::Person(_))
    }
}

/// What was heard, in order.
pub(super) struct History {
    pub(super) now: Time,
    pub(super) company: Company,
    /// Its types, in order of strength.
    pub(super) types: Vec<TypeOf>,
    pub(super) places: usize,
    pub(super) sets: Vec<Named>,
    pub(super) decisions: Vec<Decision>,
    /// Every value that was ever named.
    pub(super) known: BTreeMap<Token, Value>,
    /// Whose a reference was when the claim to it left by age.
    pub(super) kept: BTreeMap<Token, Token>,
    pub(super) expired: u64,
}

impl History {
    pub(super) fn new() -> Self {
        let company = Company::default();
        Self {
            now: Time::MIN,
            types: company.types(),
            company,
            places: 0,
            sets: Vec::new(),
            decisions: Vec::new(),
            known: BTreeMap::new(),
            kept: BTreeMap::new(),
            expired: 0,
        }
    }

    /// The place of a type in the order of strength, and its rule.
    pub(super) fn of(&self, value: &Value) -> (usize, &TypeRule) {
        let mut types = self.types.iter().enumerate();
        let of = types.find(|(_, of)| of.class == value.class && of.name == value.kind);
        let (place, of) = of.expect("stories name values of known types only");
        (place, &of.rule)
    }

    pub(super) fn hear(&mut self, link: &Link) {
        match link {
            Link::Set(set) => {
                self.pass(set.time);
                self.set(set);
            }
            Link::Tick(tick) => self.pass(tick.time),
            Link::Decision(decision) => {
                self.pass(decision.time);
                self.decide(decision);
            }
            // Under new windows what is over leaves with the next record.
            Link::Rules(rules) => {
                self.age();
                if rules.company.version > self.company.version {
                    self.company = (*rules.company).clone();
                    self.types = self.company.types();
                }
            }
        }
    }

    fn pass(&mut self, time: Time) {
        self.now = self.now.max(time);
        self.age();
    }

    fn set(&mut self, set: &Set) {
        let mut values = set.values.clone();
        values.sort();
        values.dedup();
        let word = if set.trusted {
            Word::Trusted
        } else {
            Word::Untrusted
        };
        let known = self.sets.iter().position(|known| {
            let mut others = known.values.clone();
            others.sort();
            known.word == word && others == values
        });
        if set.withdrawn {
            if let Some(known) = known {
                self.sets.remove(known);
            }
            return;
        }
        for value in &set.values {
            self.known.insert(value.token, value.clone());
        }
        match known {
            Some(known) if self.sets[known].gone.is_empty() => {
                let renewed = &mut self.sets[known].renewed;
                *renewed = set.time.max(*renewed);
                return;
            }
            Some(known) => {
                self.sets.remove(known);
            }
            None => {}
        }
        self.add(values, word, set.time);
    }

    fn add(&mut self, values: Vec<Value>, word: Word, renewed: Time) {
        self.sets.push(Named {
            place: self.places,
            values,
            gone: BTreeSet::new(),
            word,
            renewed,
        });
        self.places += 1;
    }

    fn decide(&mut self, decision: &Decision) {
        if self.decisions.iter().any(|known| known.id == decision.id) {
            return;
        }
        if let Some(undone) = decision.undoes
            && !self.decisions.iter().any(|known| known.id == undone)
        {
            return;
        }
        self.decisions.push(decision.clone());
        if decision.what == DecisionKind::Together {
            let both = decision.one.iter().chain(&decision.other);
            let values = both.map(|token| self.known[token].clone()).collect();
            self.add(values, Word::Person(decision.id), Time::MIN);
        } else {
            self.places += 1;
        }
    }

    fn window(&self, value: &Value) -> Option<Millis> {
        let own = self.of(value).1.window;
        own.or_else(|| (value.class == Class::Reference).then_some(REFERENCE_WINDOW))
    }

    /// Values leave the sets in which nobody named them for as long as their window.
    fn age(&mut self) {
        let mut left = Vec::new();
        for (nth, set) in self
            .sets
            .iter()
            .enumerate()
            .filter(|(_, set)| set.is_report())
        {
            let over = |value: &&Value| {
                self.window(value)
                    .is_some_and(|window| set.renewed + window <= self.now)
            };
            let over = set.present().filter(over).map(|value| value.token);
            let over: BTreeSet<Token> = over.collect();
            if !over.is_empty() {
                left.push((nth, over));
            }
        }
        if left.is_empty() {
            return;
        }
        let kept = self.kept_after(&left);
        self.kept.extend(kept);
        for (nth, over) in left {
            self.expired += over.len() as u64;
            self.sets[nth].gone.extend(over);
        }
        // What names nothing together any more is over, and comes again as new.
        self.sets
            .retain(|set| !set.is_report() || set.present().count() > 1 || ties(set));
    }

    /// A reference whose best claim leaves by age stays with whom it is of.
    fn kept_after(&self, left: &[(usize, BTreeSet<Token>)]) -> BTreeMap<Token, Token> {
        let present = Present::of(self);
        let people = present.people();
        let mut kept = BTreeMap::new();
        for (nth, over) in left {
            let set = &self.sets[*nth];
            for reference in set
                .present()
                .filter(|value| value.class == Class::Reference)
            {
                if let Some(claim) = present.claim(reference, &people)
                    && claim.place == set.place
                    && (over.contains(&reference.token) || over.contains(&claim.by))
                {
                    kept.insert(reference.token, claim.by);
                }
            }
        }
        kept
    }
}

/// A set keeps together the matters that it brought together, whatever its age.
fn ties(set: &Named) -> bool {
    let references = set
        .values
        .iter()
        .filter(|value| value.class == Class::Reference);
    set.word != Word::Untrusted && references.count() > 1
}
