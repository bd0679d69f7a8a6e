//! `polku identity plan NEW.toml`: what a changed company would merge or split, before it is applied.
//!
//! The decision maker is run over the log as far as it goes, and then hears what `company apply` would tell it; nothing of it is
//! written anywhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
};

use event::{
    Company, Event, Partition, ProfileId, Record, Time, Token, Topic, Value, link::Link,
    rules::Rules,
};
use identifier::{Pepper, Vocabulary};
use serve::replica::{self, Graph, Moved, Replica};
use stream::Log;

use super::{
    read,
    values::{self, Changed},
};
use crate::{company, config::Config};

/// What would change.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The version in force; 0 is none.
    pub version: u64,
    /// The new rules are those in force.
    pub in_force: bool,
    /// Records of `identity.link`, and events, that were read for it.
    pub links: u64,
    pub events: u64,
    /// Values that name nobody by the new rules, and did by those in force; values that are written otherwise.
    pub blocked: usize,
    pub renamed: usize,
    /// Events that are sealed: of their values nobody knows what becomes of them.
    pub sealed: u64,
    /// Values that belong to another customer, go out, or come back.
    pub moved: usize,
    pub out: usize,
    pub back: usize,
    /// Customers that become another's.
    pub merged: Vec<Example>,
    /// Customers that come out of another.
    pub split: Vec<Example>,
    /// Events that come to another page.
    pub events_moved: u64,
}

/// A customer that would come into another, or out of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The value that bears its name.
    pub value: Token,
    pub from: ProfileId,
    pub to: ProfileId,
    /// Its type and what a mask leaves of it, if an event tells.
    pub shown: Option<String>,
    pub events: u64,
}

/// Examples printed of each kind.
const EXAMPLES_MAX: usize = 10;

/// # Errors
/// When the new company is invalid, or the log cannot be read.
pub fn make(
    log: &dyn Log,
    path: &Path,
    text: &str,
    config: &Config,
    pepper: &Pepper,
) -> anyhow::Result<Plan> {
    let company = company::read(path, text)?;
    company::knows_sources(&company, config.sources.keys(), path)?;
    let before = company::in_force(log)?;
    let latest = company::latest(log)?;
    company::keeps_strength(&before, &company, path)?;
    let mut replica = Replica::default();
    let mut plan = Plan {
        version: before.version,
        in_force: latest.is_some_and(|latest| latest.text == text),
        ..Plan::default()
    };
    read::each(log, &Topic::IdentityLink, |record| {
        if let Record::Link(link) = record {
            replica.apply(link);
            plan.links += 1;
        }
    })?;
    let changed = company::changed(log, &before, &company, config, pepper)?;
    let blocked = changed.blocked.iter();
    plan.blocked = blocked.filter(|value| !replica.blocks(**value)).count();
    plan.renamed = changed.renamed.len();
    plan.sealed = changed.sealed;
    let after = || {
        replica.after(told(
            &before,
            company.clone(),
            &changed,
            config,
            pepper,
            replica.now(),
        ))
    };
    plan.say(replica.moved(after()));
    let pages = Pages::new(&replica, after(), &plan, pepper, config);
    pages.read(log, &mut plan)?;
    Ok(plan)
}

/// What the decision maker would hear.
fn told(
    before: &Company,
    mut company: Company,
    changed: &Changed,
    config: &Config,
    pepper: &Pepper,
    now: Time,
) -> Vec<Link> {
    let list =
        Vocabulary::new(&company).blocked_tokens(pepper, &config.spaces(), &config.regions());
    let all: BTreeSet<Token> = list
        .into_iter()
        .chain(changed.blocked.iter().copied())
        .collect();
    company.blocked = all.into_iter().collect();
    company.version = before.version + 1;
    let rules = Link::Rules(Rules {
        partition: Partition(0),
        company: Box::new(company),
    });
    let rewritten = company::rewritten(&changed.renamed, now);
    std::iter::once(rules).chain(rewritten).collect()
}

impl Plan {
    fn say(&mut self, moved: Vec<Moved>) {
        self.out = moved.iter().filter(|it| it.is_out && !it.was_out).count();
        self.back = moved.iter().filter(|it| it.was_out && !it.is_out).count();
        self.moved = moved.iter().filter(|it| it.from != it.to).count();
        for Moved {
            value, from, to, ..
        } in moved.into_iter().filter(|it| it.from != it.to)
        {
            let example = Example {
                value,
                from,
                to,
                shown: None,
                events: 0,
            };
            let own = ProfileId::new(value);
            if from == own {
                self.merged.push(example);
            } else if to == own {
                self.split.push(example);
            }
        }
    }
}

/// Which page each event is on, and would be on.
struct Pages<'p> {
    now: Graph<'p>,
    then: Graph<'p>,
    pepper: &'p Pepper,
    config: &'p Config,
    /// What is still to be shown of examples.
    wanted: BTreeMap<Token, Option<String>>,
    events_of: BTreeMap<Token, u64>,
    read: u64,
    moved: u64,
}

impl<'p> Pages<'p> {
    fn new(
        replica: &'p Replica,
        then: Graph<'p>,
        plan: &Plan,
        pepper: &'p Pepper,
        config: &'p Config,
    ) -> Self {
        let examples = plan.merged.iter().take(EXAMPLES_MAX);
        let examples = examples.chain(plan.split.iter().take(EXAMPLES_MAX));
        Pages {
            now: replica.after(std::iter::empty()),
            then,
            pepper,
            config,
            wanted: examples.map(|example| (example.value, None)).collect(),
            events_of: BTreeMap::new(),
            read: 0,
            moved: 0,
        }
    }

    fn read(mut self, log: &dyn Log, plan: &mut Plan) -> anyhow::Result<()> {
        let spaces = self.config.spaces();
        read::each(log, &Topic::Event, |record| {
            if let Record::Event(event) = record {
                self.event(&event, &spaces);
            }
        })?;
        (plan.events, plan.events_moved) = (self.read, self.moved);
        for example in plan.merged.iter_mut().chain(&mut plan.split) {
            example.shown = self.wanted.get(&example.value).cloned().flatten();
            example.events = self
                .events_of
                .get(&example.value)
                .copied()
                .unwrap_or_default();
        }
        Ok(())
    }

    fn event(&mut self, event: &Event, spaces: &identifier::Spaces) {
        self.read += 1;
        let page = |graph: &Graph<'_>| {
            let owned = event
                .values
                .iter()
                .map(|value| replica::owner(graph, value.token));
            owned
                .flatten()
                .find(|(_, out)| !out)
                .map(|(owner, _)| owner)
        };
        let (now, then) = (page(&self.now), page(&self.then));
        let Some((now, then)) = now.zip(then).filter(|(now, then)| now != then) else {
            return;
        };
        self.moved += 1;
        for profile in [now, then] {
            if let Some(shown) = self.wanted.get_mut(&profile.token()) {
                *self.events_of.entry(profile.token()).or_default() += 1;
                if shown.is_none() {
                    let mut values = event.values.iter();
                    let value = values.find(|value| value.token == profile.token());
                    *shown = value.and_then(|value| masked(event, value, self.pepper, spaces));
                }
            }
        }
    }
}

/// The type and a mask of a value, as the event writes it.
fn masked(
    event: &Event,
    value: &Value,
    pepper: &Pepper,
    spaces: &identifier::Spaces,
) -> Option<String> {
    let personal = wire::personal::decode(&event.personal).ok()?;
    let written = values::written(event, &personal, value, pepper, spaces)?;
    Some(format!("{} {}", value.kind, serve::mask(&written)))
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "against version {}, by {} records of identity.link and {} events",
            self.version, self.links, self.events
        )?;
        for (count, what) in [
            (self.merged.len(), "customers become another's"),
            (self.split.len(), "customers come out of another"),
            (self.moved, "values change their customer"),
            (self.out, "values go out: they connect nobody any more"),
            (self.back, "values come back"),
            (
                self.blocked,
                "values that came in before name nobody by the new rules",
            ),
            (
                self.renamed,
                "values that came in before are written otherwise",
            ),
        ] {
            writeln!(f, "{count:>9} {what}")?;
        }
        writeln!(f, "{:>9} events come to another page", self.events_moved)?;
        if self.sealed > 0 {
            writeln!(
                f,
                "{:>9} events are sealed, and their values not looked at",
                self.sealed
            )?;
        }
        for (examples, into) in [(&self.merged, "into"), (&self.split, "out of")] {
            for example in examples.iter().take(EXAMPLES_MAX) {
                let (whose, other) = match into {
                    "into" => (example.from, example.to),
                    _ => (example.to, example.from),
                };
                let shown = example.shown.as_deref();
                let shown = shown.map_or_else(String::new, |shown| format!(" ({shown})"));
                writeln!(
                    f,
                    "{whose}{shown} {into} {other}; events: {}",
                    example.events
                )?;
            }
        }
        Ok(())
    }
}
