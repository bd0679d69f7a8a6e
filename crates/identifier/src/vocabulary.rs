//! What the company's rules say of the types of identifiers and references.

use std::collections::BTreeSet;

use event::{
    Class, Company, Token, Value,
    rules::{Normaliser, TypeOf},
};

use regex::Regex;

use crate::{Invalid, Pepper, Region, Spaces, normalise, pattern};

/// The types, in order of strength.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    types: Vec<Type>,
}

#[derive(Clone, Debug)]
struct Type {
    of: TypeOf,
    /// Blocked values as people write them, in lower case.
    blocked: BTreeSet<String>,
    /// Blocked values as the normaliser writes them, but for national telephone numbers: those depend on the region.
    blocked_normalised: BTreeSet<String>,
    /// The blocked telephone numbers that each region reads in its own way.
    national: Vec<String>,
    patterns: Vec<Regex>,
}

impl Vocabulary {
    /// A pattern that is no regular expression matches nothing here: `pattern` says what is wrong with it before a company
    /// comes into force.
    pub fn new(company: &Company) -> Self {
        let own = &company.identity.own;
        let types = company.types().into_iter();
        Self {
            types: types.map(|of| Type::new(of, own)).collect(),
        }
    }

    /// The types of one class, the strongest first.
    pub fn types(&self, class: Class) -> impl Iterator<Item = &TypeOf> {
        self.types
            .iter()
            .map(|known| &known.of)
            .filter(move |known| known.class == class)
    }

    /// What travels in place of the value, and the value as it is shown to those who may see it; `None` for one that names
    /// nobody (`-1`, `000000`, `anonymous`). `space` is `Spaces::of` the source; for what is the same everywhere it is left
    /// away.
    ///
    /// # Errors
    /// When the type is unknown or the value cannot be of it.
    pub fn value(
        &self,
        pepper: &Pepper,
        class: Class,
        type_name: &str,
        space: &str,
        region: Region,
        raw: &str,
    ) -> Result<Option<(Value, String)>, Invalid> {
        let known = self.find(class, type_name).ok_or(Invalid::UnknownType)?;
        if known.blocks_raw(raw) {
            return Ok(None);
        }
        let normalised = match normalise(known.of.rule.normaliser, region, raw) {
            Ok(normalised) => normalised,
            // `000-000` is no telephone number, and nobody's.
            Err(_) if known.matches(raw.trim()) => return Ok(None),
            Err(invalid) => return Err(invalid),
        };
        if known.blocks_normalised(region, &normalised) {
            return Ok(None);
        }
        let value = Value {
            token: known.token(pepper, space, &normalised),
            class,
            kind: known.of.name.clone(),
        };
        Ok(Some((value, normalised)))
    }

    fn find(&self, class: Class, type_name: &str) -> Option<&Type> {
        self.types
            .iter()
            .find(|known| known.of.class == class && known.of.name.as_str() == type_name)
    }

    /// Identifiers, then references, each in order of strength, ties by token, none twice. A type that the rules do not
    /// know (any more) is the weakest of its class.
    pub fn sort(&self, values: &mut Vec<Value>) {
        values.sort_by_cached_key(|value| self.rank(value));
        values.dedup();
    }

    /// The strongest of the values, in whatever order they stand.
    pub fn anchor(&self, values: &[Value]) -> Option<Token> {
        values
            .iter()
            .min_by_key(|value| self.rank(value))
            .map(|value| value.token)
    }

    /// The tokens of all blocked values in every space they can lie in, and of blocked telephone numbers as each region
    /// reads them: what the machines know them by.
    pub fn blocked_tokens(
        &self,
        pepper: &Pepper,
        spaces: &Spaces,
        regions: &[Region],
    ) -> Vec<Token> {
        let mut tokens = BTreeSet::new();
        for known in &self.types {
            let spaces = if known.is_the_same_everywhere() {
                BTreeSet::from([""])
            } else {
                spaces.known(known.of.name.as_str())
            };
            let mut values = known.blocked_normalised.clone();
            for region in regions {
                values.extend(known.blocked_in(*region));
            }
            for space in spaces {
                tokens.extend(values.iter().map(|value| known.token(pepper, space, value)));
            }
        }
        tokens.into_iter().collect()
    }

    fn rank(&self, value: &Value) -> (Class, usize, Token) {
        let strength = self
            .types
            .iter()
            .position(|known| known.of.class == value.class && known.of.name == value.kind)
            .unwrap_or(self.types.len());
        (value.class, strength, value.token)
    }
}

impl Type {
    fn new(of: TypeOf, own: &[String]) -> Self {
        let rule = &of.rule;
        let own = match rule.normaliser {
            Normaliser::Email | Normaliser::Phone => own,
            Normaliser::Verbatim | Normaliser::Digits | Normaliser::Upper | Normaliser::Lower => {
                &[]
            }
        };
        let blocked: BTreeSet<String> = rule
            .blocked
            .iter()
            .chain(own)
            .map(|raw| plain(raw))
            .collect();
        let is_phone = rule.normaliser == Normaliser::Phone;
        // Words in the list are not worth an attempt at reading.
        let is_number = |raw: &str| raw.bytes().filter(u8::is_ascii_digit).count() > 2;
        let national = blocked
            .iter()
            .filter(|raw| is_phone && is_number(raw) && !raw.starts_with('+'));
        let national = national.cloned().collect();
        let everywhere = rule
            .blocked
            .iter()
            .chain(own)
            .filter(|raw| !is_phone || raw.trim_start().starts_with('+'));
        let blocked_normalised = everywhere
            .filter_map(|raw| normalise(rule.normaliser, anywhere(), raw).ok())
            .collect();
        let patterns = rule.patterns.iter();
        Self {
            patterns: patterns.filter_map(|text| pattern(text).ok()).collect(),
            of,
            blocked,
            blocked_normalised,
            national,
        }
    }

    /// Nothing names nobody, whatever the rules say.
    fn blocks_raw(&self, raw: &str) -> bool {
        let plain = plain(raw);
        plain.is_empty() || self.blocked.contains(&plain)
    }

    fn blocks_normalised(&self, region: Region, normalised: &str) -> bool {
        self.matches(normalised)
            || self.blocked_normalised.contains(normalised)
            || self.blocked_in(region).any(|blocked| blocked == normalised)
    }

    fn matches(&self, value: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_match(value))
    }

    /// The blocked national telephone numbers as the region reads them.
    fn blocked_in(&self, region: Region) -> impl Iterator<Item = String> {
        let national = self.national.iter();
        national.filter_map(move |raw| normalise(Normaliser::Phone, region, raw).ok())
    }

    fn is_the_same_everywhere(&self) -> bool {
        match self.of.rule.normaliser {
            Normaliser::Email | Normaliser::Phone => true,
            Normaliser::Verbatim | Normaliser::Digits | Normaliser::Upper | Normaliser::Lower => {
                false
            }
        }
    }

    fn token(&self, pepper: &Pepper, space: &str, normalised: &str) -> Token {
        let kind = match self.of.class {
            Class::Identifier => "identifier",
            Class::Reference => "reference",
        };
        let space = if self.is_the_same_everywhere() {
            ""
        } else {
            space
        };
        pepper.token(kind, self.of.name.as_str(), space, normalised)
    }
}

fn plain(raw: &str) -> String {
    raw.trim().to_lowercase()
}

/// For normalisers that do not ask where they are.
fn anywhere() -> Region {
    Region::new("FI").expect("Finland is a country")
}

#[cfg(test)]
mod tests;
