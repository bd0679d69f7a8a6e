//! What `identify` needs of the company's rules.

use event::{Class, Company, Millis, Name, Token, rules::TypeRule};
use serde::{Deserialize, Serialize};

/// With more distinct values of any one stronger type than this a value is out, if its type says nothing else.
const LIMIT: u32 = 5;

/// After so long a reference leaves, if its type says nothing else.
const REFERENCE_WINDOW: Millis = Millis::from_days(400);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    pub version: u64,
    /// A type keeps its place for ever, since rows refer to it.
    pub kinds: Vec<Kind>,
    /// In order of the tokens.
    pub blocked: Vec<Token>,
    pub identifiers_max: u32,
    pub merges_max: u32,
}

/// A type of identifier or reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kind {
    pub class: Class,
    pub name: Name,
    /// The place in the order of strength, 0 the strongest. A type that no rule names is weaker than all that are named.
    pub rank: u32,
    pub exclusive: bool,
    pub known: bool,
    /// Exclusive types have none: whoever is named with two of them is a conflict, not shared.
    pub limit: Option<u32>,
    pub window: Option<Millis>,
}

impl Kind {
    fn of(class: Class, name: Name, rank: u32, rule: &TypeRule) -> Self {
        let window = match class {
            Class::Identifier => rule.window,
            Class::Reference => rule.window.or(Some(REFERENCE_WINDOW)),
        };
        Self {
            class,
            name,
            rank,
            exclusive: rule.exclusive,
            known: rule.known,
            limit: (!rule.exclusive).then_some(rule.limit.unwrap_or(LIMIT)),
            window,
        }
    }

    fn unnamed(class: Class, name: Name) -> Self {
        Self::of(class, name, u32::MAX, &TypeRule::default())
    }

    /// The order of types, the strongest first.
    pub fn strength(&self) -> (Class, u32) {
        (self.class, self.rank)
    }
}

impl Rules {
    pub fn of(company: &Company) -> Self {
        Self::after(&[], company)
    }

    /// The rules of a company, with the types that are known already at their places.
    pub(super) fn after(known: &[Kind], company: &Company) -> Self {
        let mut kinds: Vec<Kind> = known
            .iter()
            .map(|kind| Kind::unnamed(kind.class, kind.name.clone()))
            .collect();
        for (rank, of) in (0..).zip(company.types()) {
            let kind = Kind::of(of.class, of.name, rank, &of.rule);
            match kinds
                .iter_mut()
                .find(|known| (known.class, &known.name) == (kind.class, &kind.name))
            {
                Some(known) => *known = kind,
                None => kinds.push(kind),
            }
        }
        let mut blocked = company.blocked.clone();
        blocked.sort_unstable();
        blocked.dedup();
        Self {
            version: company.version,
            kinds,
            blocked,
            identifiers_max: company.identity.identifiers_max,
            merges_max: company.identity.merges_max,
        }
    }

    pub fn kind(&self, place: u16) -> &Kind {
        &self.kinds[usize::from(place)]
    }

    pub(super) fn place_of(&self, class: Class, name: &Name) -> Option<u16> {
        let place = self
            .kinds
            .iter()
            .position(|kind| kind.class == class && kind.name == *name)?;
        Some(u16::try_from(place).expect("no company has 65,536 types of values"))
    }

    /// Takes in a type that no rule names, and says its place.
    pub(super) fn admit(&mut self, class: Class, name: &Name) -> u16 {
        self.kinds.push(Kind::unnamed(class, name.clone()));
        let place = self.place_of(class, name);
        place.expect("it was put there")
    }

    pub(super) fn blocks(&self, value: Token) -> bool {
        self.blocked.binary_search(&value).is_ok()
    }

    /// Whether types stand in the same order under both. What only one of them knows has no values yet.
    pub(super) fn orders_as(&self, other: &Rules) -> bool {
        let both: Vec<(&Kind, &Kind)> = self.kinds.iter().zip(&other.kinds).collect();
        both.iter().enumerate().all(|(index, (one, one_other))| {
            both[index + 1..].iter().all(|(two, two_other)| {
                one.strength().cmp(&two.strength())
                    == one_other.strength().cmp(&two_other.strength())
            })
        })
    }

    /// Whether the same links are refused under both, as long as types stand in the same order.
    pub(super) fn refuses_as(&self, other: &Rules) -> bool {
        let ceilings = |rules: &Rules| (rules.identifiers_max, rules.merges_max);
        ceilings(self) == ceilings(other)
            && self
                .kinds
                .iter()
                .zip(&other.kinds)
                .all(|(one, other)| (one.exclusive, one.known) == (other.exclusive, other.known))
    }
}
