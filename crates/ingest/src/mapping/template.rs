//! `store:{store_name|slug}`: fixed text, columns in braces, and what is done to their text.

use super::rows::Row;
use crate::format::slug;

/// A compiled template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Column {
        name: String,
        may_be_empty: bool,
        transform: Transform,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transform {
    Trim,
    Slug,
    Lower,
    Upper,
    Digits,
}

const TRANSFORMS: [(&str, Transform); 4] = [
    ("slug", Transform::Slug),
    ("lower", Transform::Lower),
    ("upper", Transform::Upper),
    ("digits", Transform::Digits),
];

impl Template {
    /// # Errors
    /// What is wrong with the text and how to write it.
    pub(super) fn parse(text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut fixed = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            fixed.push_str(&rest[..at]);
            let (brace, behind) = rest[at..].split_at(1);
            if let Some(behind) = behind.strip_prefix(brace) {
                fixed.push_str(brace);
                rest = behind;
                continue;
            }
            let Some((inside, behind)) = behind.split_once('}').filter(|_| brace == "{") else {
                return Err(
                    "has a brace without its pair; write `{column}`, or `{{` for a brace itself"
                        .to_owned(),
                );
            };
            if !fixed.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut fixed)));
            }
            parts.push(column(inside)?);
            rest = behind;
        }
        fixed.push_str(rest);
        if !fixed.is_empty() {
            parts.push(Part::Text(fixed));
        }
        Ok(Template(parts))
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Column { name, .. } => Some(name.as_str()),
        })
    }

    /// The text for a row; `Err` with the name of a column that is empty and may not be.
    pub(super) fn render(&self, row: &Row) -> Result<String, &str> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(fixed) => text.push_str(fixed),
                Part::Column {
                    name,
                    may_be_empty,
                    transform,
                } => {
                    let cell = transform.of(row.get(name));
                    if cell.is_empty() && !may_be_empty {
                        return Err(name);
                    }
                    text.push_str(&cell);
                }
            }
        }
        Ok(text.trim().to_owned())
    }
}

fn column(inside: &str) -> Result<Part, String> {
    let (name, transform) = match inside.split_once('|') {
        None => (inside, Transform::Trim),
        Some((name, wanted)) => {
            let wanted = wanted.trim();
            let known = TRANSFORMS.iter().find(|(known, _)| *known == wanted);
            match known {
                Some((_, transform)) => (name, *transform),
                None => {
                    return Err(format!(
                        "`|{wanted}` is not known; there are slug, lower, upper and digits"
                    ));
                }
            }
        }
    };
    let name = name.trim();
    let (name, may_be_empty) = match name.strip_suffix('?') {
        Some(name) => (name, true),
        None => (name, false),
    };
    if name.is_empty() {
        return Err("has braces without a column in them".to_owned());
    }
    Ok(Part::Column {
        name: name.to_owned(),
        may_be_empty,
        transform,
    })
}

impl Transform {
    fn of(self, cell: &str) -> String {
        match self {
            Transform::Trim => cell.to_owned(),
            Transform::Slug => slug(cell),
            Transform::Lower => cell.to_lowercase(),
            Transform::Upper => cell.to_uppercase(),
            Transform::Digits => cell.chars().filter(char::is_ascii_digit).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row::of(
            1,
            [
                ("id", " 7 "),
                ("hood", "Downtown / Financial District"),
                ("empty", "  "),
                ("phone", "(040) 705-5810"),
                ("paikka", "Töölön tori"),
            ],
        )
    }

    #[test]
    fn columns_stand_where_their_braces_are() {
        for (template, text) in [
            ("{id}", Ok("7")),
            ("order-{id}/placed", Ok("order-7/placed")),
            ("constant", Ok("constant")),
            ("", Ok("")),
            ("{{{id}}}", Ok("{7}")),
            ("place:{hood|slug}", Ok("place:downtown-financial-district")),
            ("{paikka|slug}", Ok("toolon-tori")),
            ("{paikka|upper}", Ok("TÖÖLÖN TORI")),
            ("{phone | digits}", Ok("0407055810")),
            ("{empty}", Err("empty")),
            ("{id}-{empty}", Err("empty")),
            ("{empty?} {id}", Ok("7")),
            ("{absent}", Err("absent")),
            ("{absent?}", Ok("")),
        ] {
            let parsed = Template::parse(template).unwrap();
            assert_eq!(parsed.render(&row()), text.map(str::to_owned), "{template}");
        }
    }

    #[test]
    fn a_template_that_cannot_be_meant_is_refused() {
        for (template, said) in [
            ("{id", "without its pair"),
            ("id}", "without its pair"),
            ("{}", "without a column"),
            ("{id|slugg}", "`|slugg` is not known"),
        ] {
            let error = Template::parse(template).unwrap_err();
            assert!(error.contains(said), "{template}: {error}");
        }
    }

    #[test]
    fn a_slug_is_a_name_whatever_the_text() {
        for text in [
            "ISD_Building (INTERNAL)",
            "  ",
            "Ünïcode – «»",
            &"a b ".repeat(99),
            "-x-",
        ] {
            let slug = slug(text);
            assert!(slug.is_empty() || event::Name::new(&slug).is_ok(), "{slug}");
        }
    }
}
