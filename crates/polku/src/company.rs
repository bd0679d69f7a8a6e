//! `polku company check | apply | show`: what the people who run customer experience decide, and how it reaches the machines.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use event::{
    Class, Company, Name, Partition, Record, SourceId, Time, Topic, case_input::CaseInput,
    config::Config, link::Link, rules::Rules, timeline_input::TimelineInput,
};
use futures::executor::block_on;
use identifier::{Pepper, Vocabulary};
use ingest::{Sources, config::Field};
use service::shutdown::Shutdown;
use stream::{
    Append, Log, Reader, TopicPartition,
    log::{End, SharedLog, TopicSpec},
};

use crate::{exit::Invalid, topics};

/// Reads a company from its file's text.
///
/// # Errors
/// `Invalid` with every fault: what cannot be read by line, what contradicts itself by field.
pub fn read(path: &Path, text: &str) -> anyhow::Result<Company> {
    let company: Company = service::config::parse(path, text)?;
    let mut faults: Vec<String> = alerter::route::check(&company)
        .iter()
        .map(ToString::to_string)
        .collect();
    if company.version != 0 || !company.blocked.is_empty() {
        faults.push("`version` and `blocked` are set by `company apply`; remove them".to_owned());
    }
    let shares = [
        ("cases.praise_from", company.cases.praise_from),
        ("cases.opens_below", company.cases.opens_below),
    ];
    for (field, share) in shares {
        // Not a number is in no range, and could not travel as JSON.
        if !(0.0..=1.0).contains(&share) {
            faults.push(format!(
                "`{field}` is {share}; it is a share of a score's scale, between 0 and 1"
            ));
        }
    }
    if faults.is_empty() {
        return Ok(company);
    }
    Err(Invalid {
        path: path.display().to_string(),
        faults,
    }
    .into())
}

/// What `apply` did.
#[derive(Debug, PartialEq, Eq)]
pub enum Applied {
    Unchanged { version: u64 },
    New { version: u64 },
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Applied::Unchanged { version } => {
                write!(f, "company version {version} is in force already")
            }
            Applied::New { version } => write!(f, "applied company version {version}"),
        }
    }
}

/// Makes the topics the company needs, then tells every machine, then writes down the version in force. Interrupted, it can
/// be repeated: the same text under the same version changes nothing.
///
/// # Errors
/// When the file is invalid, changes the order of strength, or the log refuses.
pub fn apply(
    log: &dyn Log,
    path: &Path,
    text: &str,
    config: &crate::config::Config,
    pepper: &Pepper,
) -> anyhow::Result<Applied> {
    let partitions = config.log.partitions;
    let mut company = read(path, text)?;
    knows_sources(&company, config.sources.keys(), path)?;
    for warning in warnings(&company, &config.sources) {
        tracing::warn!("{warning}");
    }
    let before = latest(log)?;
    if let Some(before) = &before {
        if before.text == text {
            return Ok(Applied::Unchanged {
                version: before.version,
            });
        }
        keeps_strength(&written(before)?, &company, path)?;
    }
    company.version = before.map_or(1, |before| before.version + 1);
    company.blocked =
        Vocabulary::new(&company).blocked_tokens(pepper, &config.spaces(), &config.regions());
    let specs: Vec<TopicSpec> = topics::notices(&company)
        .map(|topic| topics::spec(topic, partitions))
        .collect();
    log.create_topics(&specs)
        .context("making the notice topics")?;

    let version = company.version;
    let mut records = vec![Record::Link(Link::Rules(rules(Partition(0), &company)))];
    for partition in Partition::all(partitions) {
        records.push(Record::TimelineInput(TimelineInput::Rules(rules(
            partition, &company,
        ))));
        records.push(Record::CaseInput(CaseInput::Rules(rules(
            partition, &company,
        ))));
    }
    block_on(
        log.append(
            records
                .iter()
                .map(|record| append(record, partitions))
                .collect(),
        ),
    )
    .context("telling the machines")?;
    let written = Config {
        name: name(),
        version,
        time: Time::from_millis(service::clock::now_ms()),
        text: text.to_owned(),
    };
    block_on(log.append(vec![append(&Record::Config(written), partitions)]))
        .context("writing down the version")?;
    Ok(Applied::New { version })
}

fn rules(partition: Partition, company: &Company) -> Rules {
    Rules {
        partition,
        company: Box::new(company.clone()),
    }
}

fn append(record: &Record, partitions: u32) -> Append {
    Append::keyed(
        record.topic(),
        record.key(),
        Some(wire::encode(record)),
        partitions,
    )
}

fn name() -> Name {
    Name::new("company").expect("`company` is a name")
}

/// The company in force.
///
/// # Errors
/// When the log cannot be read.
pub fn latest(log: &dyn Log) -> anyhow::Result<Option<Config>> {
    let at = TopicPartition::new(Topic::Config, Partition(0));
    let end = log.end(&at, End::Committed)?;
    let mut reader = log.read(BTreeMap::from([(at.clone(), log.start(&at)?)]))?;
    let mut latest = None;
    let started = service::clock::instant();
    while reader.position(&at)? < end {
        for value in reader
            .poll(100, FOLLOW_WAIT)?
            .into_iter()
            .filter_map(|read| read.value)
        {
            if let Record::Config(config) = wire::decode(&Topic::Config, &value)? {
                latest = Some(config);
            }
        }
        ensure!(
            started.elapsed() < READ_WITHIN,
            "{at} could not be read to its end {end} in time"
        );
    }
    Ok(latest)
}

/// How long reading the company in force may take.
const READ_WITHIN: Duration = Duration::from_secs(30);

/// Tells whoever wants to know of each company that comes into force.
pub struct Follower {
    reader: Box<dyn Reader>,
}

impl Follower {
    /// # Errors
    /// When the topic cannot be read.
    pub fn new(log: &SharedLog) -> anyhow::Result<Follower> {
        let at = TopicPartition::new(Topic::Config, Partition(0));
        let start = log.start(&at)?;
        Ok(Follower {
            reader: log.read(BTreeMap::from([(at, start)]))?,
        })
    }

    /// Follows until the process stops. What cannot be read is logged, and the rules stay as they are.
    pub fn run(mut self, shutdown: &Shutdown, tell: impl Fn(&Company)) {
        while !shutdown.is_stopping() {
            let reads = match self.reader.poll(100, FOLLOW_WAIT) {
                Ok(reads) => reads,
                Err(error) => {
                    tracing::warn!(%error, "following the company; trying again");
                    thread::park_timeout(FOLLOW_WAIT);
                    Vec::new()
                }
            };
            for value in reads.into_iter().filter_map(|read| read.value) {
                match understand(&value) {
                    Ok(company) => tell(&company),
                    Err(error) => tracing::error!(
                        error = format!("{error:#}"),
                        "the new company cannot be read"
                    ),
                }
            }
        }
    }
}

const FOLLOW_WAIT: Duration = Duration::from_millis(500);

fn understand(value: &[u8]) -> anyhow::Result<Company> {
    let record = wire::decode(&Topic::Config, value)?;
    let Record::Config(config) = record else {
        bail!(
            "a record of {} in the topic of configurations",
            record.topic()
        )
    };
    written(&config)
}

/// A company as `apply` wrote it down.
fn written(config: &Config) -> anyhow::Result<Company> {
    let mut company = read(Path::new("the company in force"), &config.text)?;
    company.version = config.version;
    Ok(company)
}

/// The rules in force; those that hold without any file where none was applied.
///
/// # Errors
/// When the log cannot be read.
pub fn in_force(log: &dyn Log) -> anyhow::Result<Company> {
    match latest(log)? {
        Some(config) => written(&config),
        None => Ok(Company::default()),
    }
}

/// The systems whose word is a department's are sources of `polku.toml`. A process without any source cannot tell.
pub fn knows_sources<'a>(
    company: &Company,
    sources: impl Iterator<Item = &'a SourceId>,
    path: &Path,
) -> anyhow::Result<()> {
    let sources: BTreeSet<&SourceId> = sources.collect();
    let listed: Vec<&str> = sources.iter().map(|source| source.as_str()).collect();
    let mut faults = Vec::new();
    for (id, department) in &company.departments {
        for (index, source) in department.sources.iter().enumerate() {
            if !sources.contains(source) {
                faults.push(format!(
                    "departments.{id}.sources[{index}]: polku.toml has no source `{source}`, only: {}",
                    listed.join(", ")
                ));
            }
        }
    }
    if faults.is_empty() || sources.is_empty() {
        return Ok(());
    }
    Err(Invalid {
        path: path.display().to_string(),
        faults,
    }
    .into())
}

/// Types that a source of `polku.toml` fills and the company does not know: the doors refuse every event that names one.
pub fn warnings(company: &Company, sources: &Sources) -> Vec<String> {
    let types = company.types();
    let mut warnings = Vec::new();
    for (id, source) in sources {
        let fields = source.fields.values().chain(source.defaults.keys());
        let fields = fields.filter_map(|field| match field {
            Field::Identifier(kind) => Some((Class::Identifier, kind)),
            Field::Reference(kind) => Some((Class::Reference, kind)),
            Field::Name(_) | Field::Words(_) => None,
        });
        let mapped = source
            .mapping
            .iter()
            .flat_map(|mapping| mapping.events.values());
        let mapped = mapped.flat_map(|event| {
            let identifiers = event
                .identifiers
                .keys()
                .map(|kind| (Class::Identifier, kind));
            identifiers.chain(event.references.keys().map(|kind| (Class::Reference, kind)))
        });
        let named: BTreeSet<(Class, &Name)> = fields.chain(mapped).collect();
        for (class, kind) in named {
            let known = types.iter().filter(|known| known.class == class);
            if known.clone().any(|known| known.name == *kind) {
                continue;
            }
            let class = match class {
                Class::Identifier => "identifiers",
                Class::Reference => "references",
            };
            let near =
                service::config::nearest(kind.as_str(), known.map(|known| known.name.as_str()));
            let near = near.map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
            warnings.push(format!(
                "`sources.{id}` fills `{class}.{kind}`, which the company does not know{near}: its events will be refused until \
                 `[{class}.{kind}]` is in company.toml"
            ));
        }
    }
    warnings
}

/// The order of strength is fixed at first start: ids of profiles are made by it. Weaker types may be added at its end.
fn keeps_strength(before: &Company, after: &Company, path: &Path) -> anyhow::Result<()> {
    for class in [Class::Identifier, Class::Reference] {
        let order = |company: &Company| -> Vec<Name> {
            company
                .types()
                .into_iter()
                .filter(|known| known.class == class)
                .map(|known| known.name)
                .collect()
        };
        let (was, is) = (order(before), order(after));
        if !is.starts_with(&was) {
            let listed = |names: &[Name]| {
                names
                    .iter()
                    .map(Name::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            let fault = format!(
                "the order of strength was `{}` and would become `{}`: it is fixed at first start, new types go to its end",
                listed(&was),
                listed(&is)
            );
            return Err(Invalid {
                path: path.display().to_string(),
                faults: vec![fault],
            }
            .into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> String {
        read(Path::new("company.toml"), text)
            .map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn a_company_that_contradicts_itself_is_told_every_fault() {
        assert_eq!(faults(include_str!("demo/company.toml")), "");
        for (text, expected) in [
            ("[cases]\npraise_from = nan\n", "cases.praise_from"),
            ("version = 3\n", "`version` and `blocked` are set"),
            ("[routes]\nreceiver = 'nobody'\n[departments.a]\n", "nobody"),
            ("[departments.a]\nhour = {}\n", "did you mean `hours`?"),
        ] {
            let said = faults(text);
            assert!(
                said.contains("company.toml") && said.contains(expected),
                "{text}: {said}"
            );
        }
    }

    #[test]
    fn a_department_speaks_by_sources_that_exist() {
        let company = read(
            Path::new("company.toml"),
            "[departments.care]\nsources = ['zendesk', 'help-desk']\n[routes]\nreceiver = 'care'\n",
        )
        .expect("the company is good");
        let source = |id: &str| SourceId::new(id).expect("a source's id");
        let path = Path::new("company.toml");
        let all = [source("zendesk"), source("help-desk")];
        assert!(knows_sources(&company, all.iter(), path).is_ok());
        assert!(knows_sources(&company, [].iter(), path).is_ok());
        let error = knows_sources(&company, all[..1].iter(), path).expect_err("one is missing");
        let said = error.to_string();
        let expected =
            "departments.care.sources[1]: polku.toml has no source `help-desk`, only: zendesk";
        assert!(said.contains(expected), "{said}");
    }

    #[test]
    fn a_type_that_only_a_source_knows_is_named() {
        let company = read(
            Path::new("company.toml"),
            "[references.claim]\nstrength = 70\n",
        )
        .expect("the company is good");
        let sources: Sources = toml::from_str(
            "[survey]\nchannel = 'web'\nformat = 'typeform'\n\
             fields = { a = 'references.claim', b = 'references.clam', c = 'identifiers.email', d = 'place' }\n\
             defaults = { 'identifiers.badge' = 'x' }\n\
             [archive]\nchannel = 'store'\n[archive.mapping.events.sale]\n\
             id = '{id}'\nkind = 'service'\ntime = '{time}'\n\
             identifiers = { emial = '{mail}' }\nreferences = { order = '{order}' }\n",
        )
        .expect("the sources are readable");
        let said = warnings(&company, &sources);
        for (warning, expected) in said.iter().zip([
            "`sources.archive` fills `identifiers.emial`, which the company does not know (did you mean `email`?)",
            "`sources.survey` fills `identifiers.badge`, which the company does not know: ",
            "`sources.survey` fills `references.clam`, which the company does not know (did you mean `claim`?)",
        ]) {
            assert!(warning.starts_with(expected), "{warning}");
        }
        assert_eq!(said.len(), 3, "{said:#?}");
    }

    #[test]
    fn the_order_of_strength_is_fixed_and_may_grow_at_its_end() {
        let company =
            |text: &str| read(Path::new("company.toml"), text).expect("the company is good");
        let before = company("");
        let path = Path::new("company.toml");
        assert!(
            keeps_strength(
                &before,
                &company("[identifiers.badge]\nstrength = 60\n"),
                path
            )
            .is_ok()
        );
        for text in [
            "[identifiers.badge]\nstrength = 5\n",
            "[identifiers.email]\nstrength = 1\n",
        ] {
            let error =
                keeps_strength(&before, &company(text), path).expect_err("it changes the order");
            assert!(error.to_string().contains("order of strength"), "{error}");
        }
    }
}
