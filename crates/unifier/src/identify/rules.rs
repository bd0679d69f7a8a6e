//! What `identify` needs of the company's rules.

use event::{Class, Company, Name, ProfileId, Token, Value};
use serde::{Deserialize, Serialize};

use super::row::{Group, Node};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    pub version: u64,
    /// In order of strength, identifiers first. A type's rank is its place here.
    pub types: Vec<TypeOf>,
    /// In order of the tokens.
    pub blocked: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeOf {
    pub class: Class,
    pub name: Name,
    pub exclusive: bool,
    pub known: bool,
}

impl Rules {
    pub fn of(company: &Company) -> Self {
        let types = company
            .types()
            .into_iter()
            .map(|of| TypeOf {
                class: of.class,
                name: of.name,
                exclusive: of.rule.exclusive,
                known: of.rule.known,
            })
            .collect();
        let mut blocked = company.blocked.clone();
        blocked.sort_unstable();
        blocked.dedup();
        Self {
            version: company.version,
            types,
            blocked,
        }
    }

    /// Whether the grouping of all sets is the same under both.
    pub(super) fn decides_as(&self, other: &Rules) -> bool {
        self.types == other.types && self.blocked == other.blocked
    }

    /// How a value enters the graph: alone.
    pub(super) fn node(&self, value: &Value) -> (Node, Group) {
        let rank = self.rank(value.class, &value.kind);
        let of = self.types.get(rank);
        let node = Node {
            class: value.class,
            kind: value.kind.clone(),
            rank: u32::try_from(rank).unwrap_or(u32::MAX),
            out: self.blocked.binary_search(&value.token).is_ok(),
            profile: ProfileId::new(value.token),
            claim: None,
        };
        let group = Group {
            exclusive: of
                .filter(|of| of.exclusive)
                .map(|_| node.rank)
                .into_iter()
                .collect(),
            known: of.is_some_and(|of| of.known),
        };
        (node, group)
    }

    /// A type that no rule names any more is weaker than all that are named.
    fn rank(&self, class: Class, kind: &Name) -> usize {
        self.types
            .iter()
            .position(|of| of.class == class && of.name == *kind)
            .unwrap_or(usize::MAX)
    }
}
