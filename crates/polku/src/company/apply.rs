//! Brings a company into force.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
    thread,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use event::{
    Class, Company, DecisionId, EventId, Partition, Record, SourceId, Time, Token, Value,
    case_input::CaseInput,
    config::Config as Written,
    link::{Decision, DecisionKind, Link, Set},
    rules::{Rules, TypeOf, TypeRule},
    timeline_input::TimelineInput,
};
use futures::executor::block_on;
use identifier::{Pepper, Vocabulary};
use stream::{Log, log::TopicSpec};

use super::{
    check::{keeps_strength, knows_sources, warnings},
    follow::FOLLOW_WAIT,
    latest, read, written,
};
use crate::{
    binding,
    config::Config,
    identity::values::{self, Changed},
    topics,
};

/// What `apply` did.
#[derive(Debug, PartialEq, Eq)]
pub enum Applied {
    Unchanged {
        version: u64,
    },
    New {
        version: u64,
        /// Values that came in before and name nobody by the new patterns.
        blocked: usize,
        /// Values that came in before and are written otherwise by the new normalisers.
        renamed: usize,
    },
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Applied::Unchanged { version } => {
                write!(f, "company version {version} is in force already")
            }
            Applied::New {
                version,
                blocked,
                renamed,
            } => {
                write!(f, "applied company version {version}")?;
                if *blocked + *renamed > 0 {
                    write!(
                        f,
                        "; of the values that came in before, {blocked} name nobody now and {renamed} are written otherwise"
                    )?;
                }
                Ok(())
            }
        }
    }
}

/// Makes the topics the company needs, then tells every machine, then writes down the version in force. Interrupted, it can
/// be repeated: the same text under the same version changes nothing, and neither does a decision made again.
///
/// Where patterns or normalisers ask for it, every event is read, since only its personal record tells how a value is written;
/// and read again once the doors have changed over, for what came in by the old rules meanwhile.
///
/// # Errors
/// When the file is invalid, changes the order of strength, or the log refuses.
pub fn apply(
    log: &dyn Log,
    path: &Path,
    text: &str,
    config: &Config,
    pepper: &Pepper,
) -> anyhow::Result<Applied> {
    let mut company = read(path, text)?;
    knows_sources(&company, config.sources.keys(), path)?;
    for warning in warnings(&company, &config.sources) {
        tracing::warn!("{warning}");
    }
    let mut before = Company::default();
    if let Some(latest) = latest(log)? {
        if latest.text == text {
            return Ok(Applied::Unchanged {
                version: latest.version,
            });
        }
        before = written(&latest)?;
        keeps_strength(&before, &company, path)?;
    }
    let partitions = config.log.partitions;
    let specs: Vec<TopicSpec> = topics::notices(&company)
        .map(|topic| topics::spec(topic, partitions))
        .collect();
    log.create_topics(&specs)
        .context("making the notice topics")?;

    company.version = before.version;
    let reads = reads_values(&before, &company);
    let mut known: Option<Changed> = None;
    for _ in 0..READINGS_MAX {
        let changed = changed(log, &before, &company, config, pepper)?;
        let blocked = changed.blocked.len();
        ensure!(
            blocked <= BLOCKED_MAX,
            "the patterns match {blocked} values that came in already, and rules can name {BLOCKED_MAX}: make the patterns narrower"
        );
        if known.as_ref().is_some_and(|known| is_same(known, &changed)) {
            break;
        }
        company.version += 1;
        let list =
            Vocabulary::new(&company).blocked_tokens(pepper, &config.spaces(), &config.regions());
        let all: BTreeSet<Token> = list
            .into_iter()
            .chain(changed.blocked.iter().copied())
            .collect();
        company.blocked = all.into_iter().collect();
        tell(log, &company, text, &changed, partitions)?;
        known = Some(changed);
        if !reads {
            break;
        }
        thread::park_timeout(CHANGE_OVER);
    }
    let known = known.unwrap_or_default();
    Ok(Applied::New {
        version: company.version,
        blocked: known.blocked.len(),
        renamed: known.renamed.len(),
    })
}

/// After so many readings what still comes in by old rules comes from a door that does not hear.
const READINGS_MAX: usize = 5;
/// By then every door that can read the log goes by the new rules.
const CHANGE_OVER: Duration = FOLLOW_WAIT.saturating_mul(4);
/// Rules travel as one record, which takes no more than this and much else.
const BLOCKED_MAX: usize = 20_000;

fn is_same(one: &Changed, other: &Changed) -> bool {
    one.blocked == other.blocked && one.renamed == other.renamed
}

/// What the new rules make of the values that came in by those before, where only personal records tell.
///
/// # Errors
/// When the log cannot be read.
pub(crate) fn changed(
    log: &dyn Log,
    before: &Company,
    after: &Company,
    config: &Config,
    pepper: &Pepper,
) -> anyhow::Result<Changed> {
    if !reads_values(before, after) {
        return Ok(Changed::default());
    }
    let mut changed =
        values::changed(log, after, config, pepper).context("reading the values that came in")?;
    changed
        .renamed
        .retain(|(old, _)| is_rewritten(before, after, old));
    Ok(changed)
}

/// Whether only personal records tell what the new rules change. Doors have always kept out what the usual patterns match.
fn reads_values(before: &Company, after: &Company) -> bool {
    let before = before.types();
    let is_new = |of: &TypeOf| {
        let known = before
            .iter()
            .find(|known| known.class == of.class && known.name == of.name);
        known.is_some_and(|known| {
            let usual = TypeRule::default().patterns;
            known.rule.normaliser != of.rule.normaliser
                || [&known.rule.patterns, &of.rule.patterns]
                    .into_iter()
                    .any(|patterns| *patterns != usual)
        })
    };
    after.types().iter().any(is_new)
}

/// Whether the two companies write values of this one's type in different ways.
fn is_rewritten(before: &Company, after: &Company, value: &Value) -> bool {
    let normaliser = |company: &Company| {
        let types = company.types().into_iter();
        let mut known = types.filter(|of| of.class == value.class && of.name == value.kind);
        known.next().map(|of| of.rule.normaliser)
    };
    normaliser(before) != normaliser(after)
}

/// The decider hears of values that are written otherwise right after the rules by which they are.
fn tell(
    log: &dyn Log,
    company: &Company,
    text: &str,
    changed: &Changed,
    partitions: u32,
) -> anyhow::Result<()> {
    let now = Time::from_millis(service::clock::now_ms());
    let rules = |partition| Rules {
        partition,
        company: Box::new(company.clone()),
    };
    let mut records = vec![Record::Link(Link::Rules(rules(Partition(0))))];
    records.extend(
        rewritten(&changed.renamed, now)
            .into_iter()
            .map(Record::Link),
    );
    for partition in Partition::all(partitions) {
        records.push(Record::TimelineInput(TimelineInput::Rules(rules(
            partition,
        ))));
        records.push(Record::CaseInput(CaseInput::Rules(rules(partition))));
    }
    let encode = |record: &Record| binding::encode(record, partitions);
    block_on(log.append(records.iter().map(encode).collect())).context("telling the machines")?;
    let written = Record::Config(Written {
        name: super::name(),
        version: company.version,
        time: now,
        text: text.to_owned(),
    });
    block_on(log.append(vec![encode(&written)])).context("writing down the version")
}

/// No decision names more values than this.
const VALUES_MAX: usize = 100;

/// What makes each value as it is known and as it is written from now on one person's. Several that are written alike now are.
/// A set first says of what type the new value is; references, which unite nobody, are named with the old ones in it.
pub(crate) fn rewritten(renamed: &[(Value, Value)], now: Time) -> Vec<Link> {
    let mut by_new: BTreeMap<&Value, Vec<&Value>> = BTreeMap::new();
    for (old, new) in renamed {
        by_new.entry(new).or_default().push(old);
    }
    let mut links = Vec::new();
    for (new, old) in by_new {
        for old in old.chunks(VALUES_MAX) {
            let parts: Vec<&[u8]> = old
                .iter()
                .chain([&new])
                .map(|value| &value.token.as_bytes()[..])
                .collect();
            let id = Token::hash("rewritten", &parts);
            let named = match new.class {
                Class::Identifier => Vec::new(),
                Class::Reference => old.to_vec(),
            };
            links.push(Link::Set(Set {
                anchor: new.token,
                values: [new].into_iter().chain(named).cloned().collect(),
                trusted: true,
                source: SourceId::new("company").expect("`company` is a source's id"),
                event: EventId::new(id),
                time: now,
                withdrawn: false,
            }));
            if new.is_identifier() {
                links.push(Link::Decision(Decision {
                    id: DecisionId::new(id),
                    what: DecisionKind::Together,
                    one: old.iter().map(|value| value.token).collect(),
                    other: vec![new.token],
                    undoes: None,
                    actor: super::name(),
                    reason: format!("{} is normalised in another way", new.kind),
                    time: now,
                }));
            }
        }
    }
    links
}

#[cfg(test)]
mod tests;
