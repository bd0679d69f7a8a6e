//! What is wrong with a company: alone, beside the sources of `polku.toml`, and after the one in force.

use std::{collections::BTreeSet, path::Path};

use event::{
    Class, Company, Millis, Name, SourceId,
    rules::{Normaliser, TypeRule},
};
use identifier::{Region, normalise, pattern};
use ingest::{Sources, config::Field};

use crate::exit::Invalid;

/// Every fault of a company that could be read, with its place in the text.
pub(super) fn faults(company: &Company, text: &str) -> Vec<String> {
    let mut faults = Faults {
        text,
        found: Vec::new(),
    };
    for fault in alerter::route::check(company) {
        faults.add(&fault.field, &fault.problem);
    }
    if company.version != 0 || !company.blocked.is_empty() {
        let field = if company.version == 0 {
            "blocked"
        } else {
            "version"
        };
        faults.add(
            field,
            "`version` and `blocked` are set by `company apply`; remove them",
        );
    }
    for (field, share) in [
        ("cases.praise_from", company.cases.praise_from),
        ("cases.opens_below", company.cases.opens_below),
    ] {
        // Not a number is in no range, and could not travel as JSON.
        if !(0.0..=1.0).contains(&share) {
            let problem = format!("is {share}; it is a share of a score's scale, between 0 and 1");
            faults.add(field, &problem);
        }
    }
    for (class, types) in [
        ("identifiers", &company.identifiers),
        ("references", &company.references),
    ] {
        for (name, rule) in types {
            faults.rule(&format!("{class}.{name}"), rule);
        }
    }
    faults.identity(company);
    faults.found
}

struct Faults<'t> {
    text: &'t str,
    found: Vec<String>,
}

/// Expiry is looked at every hour.
const WINDOW_MIN: Millis = Millis::from_hours(1);

impl Faults<'_> {
    fn add(&mut self, field: &str, problem: &str) {
        let place = service::config::position(self.text, field);
        let place = place.map_or_else(String::new, |place| format!("{place}: "));
        self.found.push(format!("{place}{field}: {problem}"));
    }

    fn rule(&mut self, table: &str, rule: &TypeRule) {
        if rule.strength == 0 {
            let problem = "is missing: name its place in the order of strength, 1 the strongest, between those of the types it is \
                           stronger and weaker than";
            self.add(&format!("{table}.strength"), problem);
        }
        if rule.limit == Some(0) {
            let problem = "is 0, which would put every value out; name how many stronger values one may be seen with, 5 where absent";
            self.add(&format!("{table}.limit"), problem);
        }
        if rule.window.is_some_and(|window| window < WINDOW_MIN) {
            let problem = "is shorter than an hour; name how long a value links after it was last seen, `400d`";
            self.add(&format!("{table}.window"), problem);
        }
        for (index, text) in rule.patterns.iter().enumerate() {
            if let Err(error) = pattern(text) {
                let problem = format!(
                    "`{text}` is no regular expression: {error}; put \\ before a character that stands for itself, and write the \
                     pattern between single quotes, in which TOML changes nothing"
                );
                self.add(&format!("{table}.patterns[{index}]"), &problem);
            }
        }
    }

    fn identity(&mut self, company: &Company) {
        let identity = &company.identity;
        if identity.identifiers_max < 2 {
            let problem = format!(
                "is {}; no two identifiers could be one customer's",
                identity.identifiers_max
            );
            self.add("identity.identifiers_max", &problem);
        }
        if identity.merges_max == 0 {
            self.add(
                "identity.merges_max",
                "is 0; no two profiles could be joined",
            );
        }
        for (index, own) in identity.own.iter().enumerate() {
            if !is_address_or_number(own) {
                let problem = format!(
                    "`{own}` is neither an e-mail address nor a telephone number; block other values by `blocked` or `patterns` of \
                     their type"
                );
                self.add(&format!("identity.own[{index}]"), &problem);
            }
        }
    }
}

/// How a national number is read is for the doors to say, which know their sources' regions.
fn is_address_or_number(text: &str) -> bool {
    let anywhere = Region::new("FI").expect("Finland is a country");
    if text.contains('@') {
        return normalise(Normaliser::Email, anywhere, text).is_ok();
    }
    if text.trim_start().starts_with('+') {
        return normalise(Normaliser::Phone, anywhere, text).is_ok();
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    digits > 2 && !text.chars().any(char::is_alphabetic)
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

/// What may be meant, and seldom is: built-in types that are read in another way, since a table replaces them whole; types that a
/// source of `polku.toml` fills and the company does not know, so that the doors refuse every event that names one.
pub fn warnings(company: &Company, sources: &Sources) -> Vec<String> {
    let types = company.types();
    let mut warnings = Vec::new();
    for built_in in Company::default().types() {
        let (class, own) = match built_in.class {
            Class::Identifier => ("identifiers", &company.identifiers),
            Class::Reference => ("references", &company.references),
        };
        let (name, usual) = (&built_in.name, label(built_in.rule.normaliser));
        if let Some(rule) = own.get(name)
            && rule.normaliser != built_in.rule.normaliser
        {
            warnings.push(format!(
                "`[{class}.{name}]` replaces the built-in type whole and reads its values `{}`: write `normaliser = \"{usual}\"` to \
                 read them as before",
                label(rule.normaliser)
            ));
        }
    }
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

/// As the file writes it.
const fn label(normaliser: Normaliser) -> &'static str {
    match normaliser {
        Normaliser::Verbatim => "verbatim",
        Normaliser::Email => "email",
        Normaliser::Phone => "phone",
        Normaliser::Digits => "digits",
        Normaliser::Upper => "upper",
        Normaliser::Lower => "lower",
    }
}

/// The order of strength is fixed at first start: ids of profiles are made by it. Weaker types may be added at its end.
pub(crate) fn keeps_strength(before: &Company, after: &Company, path: &Path) -> anyhow::Result<()> {
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
mod tests;
