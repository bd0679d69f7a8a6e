//! From what a person types to the tokens that it may stand for.

use std::collections::BTreeSet;

use event::{Class, Company, Token};
use identifier::{Invalid, Pepper, Region, Spaces, Vocabulary};

/// How values are written and numbered at the doors.
#[derive(Clone, Debug)]
pub struct Doors {
    pub spaces: Spaces,
    /// The regions of all sources; a number without a country code is looked for in each.
    pub regions: Vec<Region>,
}

/// The tokens of everything that a text can be read as.
pub(crate) fn any(company: &Company, doors: &Doors, pepper: &Pepper, raw: &str) -> BTreeSet<Token> {
    let types = company.types().into_iter();
    types
        .filter_map(|known| tokens(company, doors, pepper, known.name.as_str(), raw).ok())
        .flatten()
        .collect()
}

/// One token for each space and region that a value of the type can have come from. Empty for what names nobody.
///
/// # Errors
/// When the type is unknown or no region can read the value.
pub(crate) fn tokens(
    company: &Company,
    doors: &Doors,
    pepper: &Pepper,
    kind: &str,
    raw: &str,
) -> Result<BTreeSet<Token>, Invalid> {
    let mut spaces = doors.spaces.known(kind);
    // What is the same everywhere has no space, also where there is no source yet.
    spaces.insert("");
    tokens_in(company, doors, pepper, kind, &spaces, raw)
}

/// As `tokens`, by the numbers of these spaces alone.
pub(crate) fn tokens_in(
    company: &Company,
    doors: &Doors,
    pepper: &Pepper,
    kind: &str,
    spaces: &BTreeSet<&str>,
    raw: &str,
) -> Result<BTreeSet<Token>, Invalid> {
    let vocabulary = Vocabulary::new(company);
    let class = [Class::Identifier, Class::Reference]
        .into_iter()
        .find(|class| {
            let mut types = vocabulary.types(*class);
            types.any(|known| known.name.as_str() == kind)
        })
        .ok_or(Invalid::UnknownType)?;
    let mut tokens = BTreeSet::new();
    let mut fault = None;
    let mut read = false;
    for region in &doors.regions {
        for space in spaces {
            match vocabulary.value(pepper, class, kind, space, *region, raw) {
                Ok(value) => {
                    read = true;
                    tokens.extend(value.map(|(value, _)| value.token));
                }
                Err(invalid) => fault = Some(invalid),
            }
        }
    }
    match fault {
        Some(invalid) if !read => Err(invalid),
        Some(_) | None => Ok(tokens),
    }
}
