//! What a number is unique in.

use std::collections::{BTreeMap, BTreeSet};

use event::{Name, SourceId};
use serde::{Deserialize, Serialize};

/// The names of the spaces, as the configuration gives them. Two sources share the numbers of a type only where they
/// have the same name for its space.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Spaces {
    /// Type to space, for every source that says nothing else.
    pub all: BTreeMap<Name, Name>,
    /// Every source, with its own type to space; a source that has none is here with an empty table.
    pub sources: BTreeMap<SourceId, BTreeMap<Name, Name>>,
}

impl Spaces {
    /// The space of a type's values that come from this source: its own, else that for all, else the source itself.
    /// `Vocabulary::value` leaves it away for what is the same everywhere.
    pub fn of<'a>(&'a self, source: &'a SourceId, type_name: &str) -> &'a str {
        self.sources
            .get(source)
            .and_then(|own| find(own, type_name))
            .or_else(|| find(&self.all, type_name))
            .map_or_else(|| source.as_str(), Name::as_str)
    }

    /// Every space that a value of the type can lie in: where to look for a value whose source nobody knows.
    pub fn known(&self, type_name: &str) -> BTreeSet<&str> {
        self.sources
            .keys()
            .map(|source| self.of(source, type_name))
            .chain(find(&self.all, type_name).map(Name::as_str))
            .collect()
    }
}

/// The tables have a handful of rows.
fn find<'a>(spaces: &'a BTreeMap<Name, Name>, type_name: &str) -> Option<&'a Name> {
    spaces
        .iter()
        .find(|(name, _)| name.as_str() == type_name)
        .map(|(_, space)| space)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_is_the_sources_own_else_that_for_all_else_the_source() {
        let spaces: Spaces = serde_json::from_str(
            r#"{"all": {"ticket": "helpdesk"},
                "sources": {"till": {"order": "shop", "ticket": "paper"}, "web": {"order": "shop"}, "desk": {}}}"#,
        )
        .unwrap();
        let source = |text: &str| text.parse::<SourceId>().unwrap();
        for (name, type_name, expected) in [
            ("till", "order", "shop"),
            ("web", "order", "shop"),
            ("desk", "order", "desk"),
            ("till", "ticket", "paper"),
            ("web", "ticket", "helpdesk"),
            ("desk", "device", "desk"),
            ("stranger", "ticket", "helpdesk"),
            ("stranger", "order", "stranger"),
        ] {
            assert_eq!(
                spaces.of(&source(name), type_name),
                expected,
                "{name} {type_name}"
            );
        }
        assert_eq!(spaces.known("order"), BTreeSet::from(["desk", "shop"]));
        assert_eq!(
            spaces.known("ticket"),
            BTreeSet::from(["helpdesk", "paper"])
        );
        assert_eq!(
            spaces.known("device"),
            BTreeSet::from(["desk", "till", "web"])
        );
    }
}
