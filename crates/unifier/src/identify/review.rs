//! What waits for a person: what the rules would not decide, each with its evidence.

use std::collections::BTreeMap;

use event::{ProfileId, Time, Token};
use machine::State;

use super::{
    explain::{Evidence, evidence},
    graph::Graph,
    read,
    row::{FIRST, Key, LAST, Refusal, Row, Why, Word, mismatch},
};

/// One thing to decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Stays the same as long as the item is there, and when it comes again.
    pub id: Token,
    pub what: What,
    /// Two values whose link was refused, or the one value it is about.
    pub values: Vec<Token>,
    /// The profiles of the values; of a reference, those that lay claim to it.
    pub profiles: Vec<ProfileId>,
    /// The first of those who said so.
    pub evidence: Vec<Evidence>,
    pub since: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// Two values that one customer has one of were named together, perhaps by way of others: a wrong link, or one person.
    Conflict,
    /// A source that is not trusted would join two known customers.
    Suggestion,
    /// A value went out since too many have it.
    Shared,
    /// A profile has as many identifiers or merges as one may have.
    Ceiling,
    /// A reference that nobody claims was named with those of two owners.
    Unowned,
}

impl What {
    pub const ALL: [What; 5] = [
        What::Conflict,
        What::Suggestion,
        What::Shared,
        What::Ceiling,
        What::Unowned,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            What::Conflict => "conflict",
            What::Suggestion => "suggestion",
            What::Shared => "shared",
            What::Ceiling => "ceiling",
            What::Unowned => "unowned",
        }
    }

    /// Nothing waits for the person who decided that two are apart.
    fn of(why: Why) -> Option<What> {
        match why {
            Why::Apart => None,
            Why::Exclusive => Some(What::Conflict),
            Why::Identifiers | Why::Merges => Some(What::Ceiling),
            Why::Untrusted => Some(What::Suggestion),
        }
    }
}

/// So much evidence is given for one item.
const EVIDENCE_MAX: usize = 10;

/// All that waits, the oldest first.
pub fn items(state: &State<Key, Row>) -> Vec<Item> {
    read(state, |graph| {
        let mut items = refused(graph);
        items.extend(shared(graph));
        items.extend(unowned(graph));
        items.sort_by_key(|item| (item.since, item.id));
        items
    })
}

/// Links that were refused and whose ends nothing else brought together.
fn refused(graph: &Graph<'_, '_>) -> Vec<Item> {
    let mut links: BTreeMap<(What, Token, Token), Vec<(Time, Evidence)>> = BTreeMap::new();
    let rows = graph
        .state
        .range(Key::Refused(u64::MIN)..=Key::Refused(u64::MAX));
    for (key, row) in rows {
        let (Key::Refused(place), Row::Refused(refusals)) = (key, row) else {
            mismatch(row)
        };
        let word = &graph.set(*place).word;
        for Refusal { one, other, why } in refusals {
            let united = graph.node(*one).profile == graph.node(*other).profile;
            if let Some(what) = What::of(*why).filter(|_| !united) {
                let link = links.entry((what, *one, *other)).or_default();
                link.push((said(graph, word), evidence(graph, word)));
            }
        }
    }
    links
        .into_iter()
        .map(|((what, one, other), said)| {
            let profiles = [one, other].map(|value| graph.node(value).profile);
            item(what, vec![one, other], profiles.to_vec(), said)
        })
        .collect()
}

fn shared(graph: &Graph<'_, '_>) -> Vec<Item> {
    let rows = graph.state.range(Key::Shared(FIRST)..=Key::Shared(LAST));
    rows.map(|(key, row)| {
        let (Key::Shared(value), Row::Since(since)) = (key, row) else {
            mismatch(row)
        };
        let profile = graph.node(*value).profile;
        let mut item = item(
            What::Shared,
            vec![*value],
            vec![profile],
            named(graph, *value),
        );
        item.since = *since;
        item
    })
    .collect()
}

fn unowned(graph: &Graph<'_, '_>) -> Vec<Item> {
    let rows = graph.state.range(Key::Torn(FIRST)..=Key::Torn(LAST));
    rows.map(|(key, row)| {
        let (Key::Torn(reference), Row::Torn(owners)) = (key, row) else {
            mismatch(row)
        };
        let said = named(graph, *reference);
        item(What::Unowned, vec![*reference], owners.to_vec(), said)
    })
    .collect()
}

fn item(
    what: What,
    values: Vec<Token>,
    profiles: Vec<ProfileId>,
    mut said: Vec<(Time, Evidence)>,
) -> Item {
    let since = said.iter().map(|(time, _)| *time).min();
    said.truncate(EVIDENCE_MAX);
    let names: Vec<&[u8]> = values.iter().map(|value| &value.as_bytes()[..]).collect();
    Item {
        id: Token::hash(what.as_str(), &names),
        what,
        values,
        profiles,
        evidence: said.into_iter().map(|(_, evidence)| evidence).collect(),
        since: since.unwrap_or(Time::MIN),
    }
}

/// Who named a value with others.
fn named(graph: &Graph<'_, '_>, value: Token) -> Vec<(Time, Evidence)> {
    graph
        .places(value)
        .take(EVIDENCE_MAX)
        .map(|place| {
            let word = &graph.set(place).word;
            (said(graph, word), evidence(graph, word))
        })
        .collect()
}

fn said(graph: &Graph<'_, '_>, word: &Word) -> Time {
    match word {
        Word::Source(report) => report.time,
        Word::Person(decision) => graph.decision(*decision).decision.time,
    }
}
