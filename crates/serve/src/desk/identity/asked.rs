//! What a page about identity is asked for: in the query of an address, or in the fields of a form. A name may stand there several
//! times, as boxes that are ticked do; several ids may stand in one, as in a hidden field.

use std::str::FromStr;

use event::{DecisionId, ProfileId, Token, link::DecisionKind};

use crate::{
    desk::{form::Fields, trouble::Trouble},
    model::decision::Asked,
};

/// The pairs of a query, in their order.
#[derive(Debug, Default)]
pub(super) struct Pairs(Vec<(String, String)>);

/// What a person can ask to decide.
const KINDS: [DecisionKind; 5] = [
    DecisionKind::Apart,
    DecisionKind::Together,
    DecisionKind::Block,
    DecisionKind::Allow,
    DecisionKind::Undo,
];

impl Pairs {
    pub(super) fn of_query(query: Option<&str>) -> Pairs {
        let query = query.unwrap_or_default().as_bytes();
        Pairs(form_urlencoded::parse(query).into_owned().collect())
    }

    /// What stands for a name, of several the first; `None` when that is nothing.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name)?.1.trim();
        (!found.is_empty()).then_some(found)
    }

    /// All ids that stand for a name.
    pub(super) fn ids<T: FromStr>(&self, name: &str) -> Result<Vec<T>, Trouble> {
        let found = self.0.iter().filter(|(known, _)| known == name);
        let mut ids = Vec::new();
        for (_, text) in found {
            ids.extend(self::ids(text)?);
        }
        Ok(ids)
    }
}

fn ids<T: FromStr>(text: &str) -> Result<Vec<T>, Trouble> {
    text.split_ascii_whitespace()
        .map(|id| id.parse().map_err(|_| Trouble::Unreadable))
        .collect()
}

/// Values stand in it by the ids of the customers that they would be alone.
pub(super) fn of_pairs(pairs: &Pairs) -> Result<Asked, Trouble> {
    let tokens = |name: &str| -> Result<Vec<Token>, Trouble> {
        let ids = pairs.ids::<ProfileId>(name)?.into_iter();
        Ok(ids.map(|id| id.token()).collect())
    };
    Ok(Asked {
        what: kind(pairs.get("decision"))?,
        one: tokens("one")?,
        other: tokens("other")?,
        undoes: pairs.ids("undoes")?.into_iter().next(),
    })
}

pub(super) fn of_fields(fields: &Fields) -> Result<Asked, Trouble> {
    let pairs = ["decision", "one", "other", "undoes"].map(|name| {
        let text = fields.get(name).unwrap_or_default();
        (name.to_owned(), text.to_owned())
    });
    of_pairs(&Pairs(pairs.into()))
}

pub(super) fn decision(what: DecisionKind, one: &[Token], other: &[Token]) -> Asked {
    Asked {
        what,
        one: one.to_vec(),
        other: other.to_vec(),
        undoes: None,
    }
}

pub(super) fn undo(id: DecisionId) -> Asked {
    Asked {
        undoes: Some(id),
        ..decision(DecisionKind::Undo, &[], &[])
    }
}

/// The page that shows what a decision would come to.
pub(super) fn address(asked: &Asked) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("decision", asked.what.as_str());
    for (name, tokens) in [("one", &asked.one), ("other", &asked.other)] {
        if !tokens.is_empty() {
            query.append_pair(name, &joined(tokens));
        }
    }
    if let Some(id) = asked.undoes {
        query.append_pair("undoes", &id.to_string());
    }
    format!("/identity/decide?{}", query.finish())
}

/// Values as one field of a form has them.
pub(super) fn joined(tokens: &[Token]) -> String {
    let ids: Vec<String> = tokens
        .iter()
        .map(|token| ProfileId::new(*token).to_string())
        .collect();
    ids.join(" ")
}

fn kind(name: Option<&str>) -> Result<DecisionKind, Trouble> {
    KINDS
        .into_iter()
        .find(|kind| Some(kind.as_str()) == name)
        .ok_or(Trouble::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(seed: u8) -> Token {
        Token::new([seed; 16])
    }

    #[test]
    fn an_address_asks_for_what_it_was_made_of() {
        for asked in [
            decision(DecisionKind::Apart, &[token(1), token(2)], &[token(3)]),
            undo(DecisionId::new(token(4))),
        ] {
            let address = address(&asked);
            let (_, query) = address.split_once('?').unwrap();
            let read = of_pairs(&Pairs::of_query(Some(query)));
            assert_eq!(read.ok(), Some(asked));
        }
    }

    #[test]
    fn boxes_that_are_ticked_are_one_list() {
        let (a, b) = (ProfileId::new(token(1)), ProfileId::new(token(2)));
        let pairs = Pairs::of_query(Some(&format!("leave={a}&x=&leave={b}")));
        assert_eq!(pairs.ids("leave").ok(), Some(vec![a, b]));
        assert!(
            pairs
                .ids::<ProfileId>("stay")
                .is_ok_and(|ids| ids.is_empty())
        );
        assert_eq!(pairs.get("x"), None);
    }

    #[test]
    fn what_no_page_asks_is_refused() {
        for query in [
            "",
            "decision=unknown",
            "decision=apart&one=p_1",
            "decision=x",
        ] {
            let read = of_pairs(&Pairs::of_query(Some(query)));
            assert_eq!(read.err(), Some(Trouble::Unreadable), "{query}");
        }
    }
}
