//! What other rules make of the values that came in already: only the events' personal records tell how they are written.

use std::collections::BTreeSet;

use event::{
    Class, Company, Event, Record, SourceId, Token, Topic, Value,
    event::{Named, Personal},
};
use identifier::{Pepper, Region, Spaces, Vocabulary};
use stream::Log;

use super::read;
use crate::config::Config;

/// What new rules change of the values known. A stored value is a normalised one: rules that tell more apart than those it came
/// in by cannot part what these made one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Name nobody by the new rules: by their patterns, their lists, or the company's own addresses.
    pub blocked: Vec<Token>,
    /// The value as it is known, and as the new rules write it.
    pub renamed: Vec<(Value, Value)>,
    pub events: u64,
    /// Events whose personal record is sealed, so that nobody knows what became of their values.
    pub sealed: u64,
    /// Values that the new rules would refuse at the door; they stay as they are.
    pub invalid: u64,
}

/// Reads every event. The company in force does not matter to it: a value stands in the event's record as it was normalised, and
/// what it was normalised to is compared with what it would be.
///
/// # Errors
/// When the log cannot be read.
pub fn changed(
    log: &dyn Log,
    new: &Company,
    config: &Config,
    pepper: &Pepper,
) -> anyhow::Result<Changed> {
    let spaces = config.spaces();
    let region = |source: &SourceId| {
        let own = config.sources.get(source).and_then(|source| source.region);
        own.unwrap_or(config.identity.region)
    };
    let mut reading = Reading {
        vocabulary: Vocabulary::new(new),
        pepper,
        spaces: &spaces,
        blocked: BTreeSet::new(),
        renamed: BTreeSet::new(),
        changed: Changed::default(),
    };
    read::each(log, &Topic::Event, |record| {
        if let Record::Event(event) = record {
            reading.event(&event, region(&event.source));
        }
    })?;
    Ok(reading.finish())
}

/// How the event writes one of its values.
pub fn written(
    event: &Event,
    personal: &Personal,
    value: &Value,
    pepper: &Pepper,
    spaces: &Spaces,
) -> Option<String> {
    let named = match value.class {
        Class::Identifier => &personal.identifiers,
        Class::Reference => &personal.references,
    };
    let is_it = |named: &&Named| {
        let found = find(pepper, spaces, event, value.class, named);
        found.is_some_and(|(found, _)| found == value)
    };
    Some(named.iter().find(is_it)?.value.clone())
}

struct Reading<'r> {
    vocabulary: Vocabulary,
    pepper: &'r Pepper,
    spaces: &'r Spaces,
    blocked: BTreeSet<Token>,
    renamed: BTreeSet<(Value, Value)>,
    changed: Changed,
}

impl Reading<'_> {
    fn event(&mut self, event: &Event, region: Region) {
        self.changed.events += 1;
        if event.values.is_empty() {
            return;
        }
        let Ok(personal) = wire::personal::decode(&event.personal) else {
            self.changed.sealed += 1;
            return;
        };
        for (class, named) in [
            (Class::Identifier, &personal.identifiers),
            (Class::Reference, &personal.references),
        ] {
            for named in named {
                self.value(event, class, named, region);
            }
        }
    }

    fn value(&mut self, event: &Event, class: Class, named: &Named, region: Region) {
        let Some((known, space)) = find(self.pepper, self.spaces, event, class, named) else {
            return;
        };
        let kind = named.kind.as_str();
        let is_now = &self.vocabulary;
        match is_now.value(self.pepper, class, kind, space, region, &named.value) {
            Ok(Some((value, _))) if value.token == known.token => {}
            Ok(Some((value, _))) => {
                self.renamed.insert((known.clone(), value));
            }
            Ok(None) => {
                self.blocked.insert(known.token);
            }
            Err(_) => self.changed.invalid += 1,
        }
    }

    fn finish(mut self) -> Changed {
        self.changed.blocked = self.blocked.into_iter().collect();
        self.changed.renamed = self.renamed.into_iter().collect();
        self.changed
    }
}

/// The value of the event that is written so, and the space of its numbers: that of the event's source, or, at the desk, that of
/// whoever the number came from. What was the same everywhere lay in no space, and by new rules may have to lie in the source's.
fn find<'e>(
    pepper: &Pepper,
    spaces: &'e Spaces,
    event: &'e Event,
    class: Class,
    named: &Named,
) -> Option<(&'e Value, &'e str)> {
    let kind = named.kind.as_str();
    let class_name = match class {
        Class::Identifier => "identifier",
        Class::Reference => "reference",
    };
    let of_token = |space: &str| {
        let token = pepper.token(class_name, kind, space, &named.value);
        let mut values = event.values.iter();
        values.find(|value| value.class == class && value.token == token)
    };
    let own = spaces.of(&event.source, kind);
    if let Some(value) = of_token("").or_else(|| of_token(own)) {
        return Some((value, own));
    }
    let others = spaces.known(kind).into_iter();
    others
        .filter_map(|space| Some((of_token(space)?, space)))
        .next()
}
