//! One TOML file over built-in defaults, the environment over both.
//!
//! The file is read twice: first over the defaults alone, so that a fault names its line, then with the environment's values
//! laid over it. A
//! variable `POLKU__STREAM__BATCH_BYTES_MAX` sets `stream.batch_bytes_max`; its value is read as TOML where it parses as such
//! (`true`, `4`, `["a"]`), else as a text.

use std::{
    ffi::OsString,
    fmt, io,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use toml::{
    Table, Value,
    de::{DeTable, DeValue},
};

const PREFIX: &str = "POLKU__";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The text names line, column and what was expected.
    #[error("{path}: {text}")]
    Parse { path: PathBuf, text: String },
    #[error("the environment variable {variable}: {text}")]
    Environment { variable: String, text: String },
}

/// Reads `T` from a TOML text; `path` is for messages.
///
/// # Errors
/// Names the file, line and column, and the nearest known field for an unknown one.
pub fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, Error> {
    toml::from_str(text).map_err(|error| Error::Parse {
        path: path.to_owned(),
        text: explain(&error.to_string()),
    })
}

/// Reads `T` from the built-in defaults, the file (if any) and the environment, the later over the earlier.
///
/// # Errors
/// As `parse`; a fault that the environment brings names the variables.
pub fn load<T: DeserializeOwned>(
    defaults: &str,
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<T, Error> {
    let built_in = Path::new("the built-in defaults");
    let mut table: Table = parse(built_in, defaults)?;
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let own: Table = parse(path, &text)?;
        place_of_fault::<T>(defaults, path, &text)?;
        lay_over(&mut table, own);
    }
    let mut variables = Vec::new();
    for (name, value) in environment {
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
            continue;
        };
        let Some(path) = name.strip_prefix(PREFIX) else {
            continue;
        };
        variables.push(name.to_owned());
        set(&mut table, name, path, value)?;
    }
    T::deserialize(Value::Table(table)).map_err(|error| {
        let text = explain(&error.to_string());
        match file {
            _ if !variables.is_empty() => Error::Environment {
                variable: variables.join(", "),
                text,
            },
            Some(path) => Error::Parse {
                path: path.to_owned(),
                text,
            },
            None => Error::Parse {
                path: built_in.to_owned(),
                text,
            },
        }
    })
}

/// Reads the file over the defaults, both with the places of their parts: what is wrong with the file is told with its line.
fn place_of_fault<T: DeserializeOwned>(
    defaults: &str,
    path: &Path,
    text: &str,
) -> Result<(), Error> {
    let read = |text| DeTable::parse(text).map(toml::Spanned::into_inner);
    let (Ok(mut table), Ok(own)) = (read(defaults), read(text)) else {
        unreachable!("both were read before");
    };
    lay_over_spanned(&mut table, own);
    let whole = toml::Spanned::new(0..text.len(), table);
    let Err(error) = T::deserialize(toml::de::Deserializer::from(whole)) else {
        return Ok(());
    };
    // What is missing has no place, and the environment may bring it.
    let message = explain(error.message());
    let Some(span) = error.span().filter(|_| !message.contains("missing field")) else {
        return Ok(());
    };
    Err(Error::Parse {
        path: path.to_owned(),
        text: format!("{}: {message}", Position::of(text, span.start)),
    })
}

/// A place in a text, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

impl Position {
    fn of(text: &str, byte: usize) -> Position {
        let before = text.get(..byte).unwrap_or_default();
        Position {
            line: before.matches('\n').count() + 1,
            column: before.chars().rev().take_while(|c| *c != '\n').count() + 1,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Where in a TOML text a field stands, `departments.delivery.hours.mon[1]`, or, if it is not there, the innermost table around it
/// that is. Nothing where not even the outermost is.
pub fn position(text: &str, field: &str) -> Option<Position> {
    let table = DeTable::parse(text).ok()?.into_inner();
    let (mut at, mut rest) = inner(&table, field)?;
    loop {
        let found = match at.get_ref() {
            DeValue::Table(table) => rest.strip_prefix('.').and_then(|rest| inner(table, rest)),
            DeValue::Array(array) => rest.strip_prefix('[').and_then(|rest| {
                let (index, rest) = rest.split_once(']')?;
                Some((array.get(index.parse::<usize>().ok()?)?, rest))
            }),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => None,
        };
        match found {
            Some(found) => (at, rest) = found,
            None => return Some(Position::of(text, at.span().start)),
        }
    }
}

/// The value under the key that a path begins with, and the rest of the path. Keys may hold dots themselves.
fn inner<'t, 'i, 'p>(
    table: &'t DeTable<'i>,
    path: &'p str,
) -> Option<(&'t toml::Spanned<DeValue<'i>>, &'p str)> {
    table.iter().find_map(|(key, value)| {
        let rest = path.strip_prefix(key.get_ref().as_ref())?;
        (rest.is_empty() || rest.starts_with(['.', '['])).then_some((value, rest))
    })
}

/// As `lay_over`, where the parts know their places.
fn lay_over_spanned<'i>(under: &mut DeTable<'i>, over: DeTable<'i>) {
    for (key, value) in over {
        let span = value.span();
        let below = under.remove(&key).map(toml::Spanned::into_inner);
        let value = match (below, value.into_inner()) {
            (Some(DeValue::Table(mut below)), DeValue::Table(above)) => {
                lay_over_spanned(&mut below, above);
                DeValue::Table(below)
            }
            (_, value) => value,
        };
        under.insert(key, toml::Spanned::new(span, value));
    }
}

/// Tables are joined, anything else is replaced.
fn lay_over(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

fn set(table: &mut Table, variable: &str, path: &str, value: &str) -> Result<(), Error> {
    let keys: Vec<String> = path.split("__").map(str::to_lowercase).collect();
    let Some((last, parents)) = keys.split_last() else {
        return Ok(());
    };
    let mut at = table;
    for key in parents {
        let inner = at
            .entry(key.clone())
            .or_insert_with(|| Value::Table(Table::new()));
        at = match inner {
            Value::Table(inner) => inner,
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_) => {
                return Err(Error::Environment {
                    variable: variable.to_owned(),
                    text: format!("`{key}` is no table"),
                });
            }
        };
    }
    at.insert(last.clone(), toml_value(value));
    Ok(())
}

fn toml_value(text: &str) -> Value {
    match toml::from_str::<Table>(&format!("value = {text}")) {
        Ok(mut table) => table
            .remove("value")
            .unwrap_or_else(|| Value::String(text.to_owned())),
        Err(_) => Value::String(text.to_owned()),
    }
}

/// Adds the nearest known name to serde's "unknown field `x`, expected one of `a`, `b`".
fn explain(message: &str) -> String {
    let message = message.trim_end();
    let Some((_, rest)) = message
        .split_once("unknown field `")
        .or_else(|| message.split_once("unknown variant `"))
    else {
        return message.to_owned();
    };
    let Some((unknown, rest)) = rest.split_once('`') else {
        return message.to_owned();
    };
    let known = rest.split('`').skip(1).step_by(2);
    match nearest(unknown, known) {
        Some(near) => format!("{message}\ndid you mean `{near}`?"),
        None => message.to_owned(),
    }
}

/// The most similar of the known names, if any is similar enough to be meant.
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(unknown, name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        listen: String,
        stream: Stream,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Stream {
        batch_bytes_max: u32,
        kind: String,
    }

    const DEFAULTS: &str =
        "listen = '127.0.0.1:8700'\n[stream]\nbatch_bytes_max = 1\nkind = 'embedded'\n";

    fn variables(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        pairs
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }

    fn load_text(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let directory = std::env::temp_dir().join(format!(
            "polku-config-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("polku.toml");
        std::fs::write(&path, text).unwrap();
        let loaded =
            load(DEFAULTS, Some(&path), variables(environment)).map_err(|error| error.to_string());
        std::fs::remove_dir_all(&directory).unwrap();
        loaded
    }

    #[test]
    fn the_environment_lies_over_the_file_and_the_file_over_the_defaults() {
        let config = load_text(
            "[stream]\nbatch_bytes_max = 2\n",
            &[("POLKU__STREAM__KIND", "kafka"), ("OTHER", "x")],
        )
        .unwrap();
        assert_eq!(
            config,
            Config {
                listen: "127.0.0.1:8700".to_owned(),
                stream: Stream {
                    batch_bytes_max: 2,
                    kind: "kafka".to_owned()
                }
            }
        );
    }

    #[test]
    fn a_field_is_found_in_its_text() {
        let text = "a = 1\n[b.\"c.d\"]\ne = ['x', 'y']\nf = { g = 2 }\n[[h]]\n[[h]]\ni = 3\n";
        for (field, expected) in [
            ("a", Some((1, 5))),
            ("b.c.d.e[1]", Some((3, 11))),
            ("b.c.d.f.g", Some((4, 11))),
            ("h[1].i", Some((7, 5))),
            // Not there: the innermost that is.
            ("b.c.d.z", Some((2, 1))),
            ("b.c.d.e[7]", Some((3, 5))),
            ("ab", None),
        ] {
            let found = position(text, field).map(|at| (at.line, at.column));
            assert_eq!(found, expected, "{field}");
        }
    }

    #[test]
    fn a_fault_names_line_and_the_name_that_was_meant() {
        let message = load_text("listen = 'x'\n[stream]\nbatch_byte_max = 2\n", &[]).unwrap_err();
        assert!(message.contains("line 3"), "{message}");
        assert!(
            message.contains("did you mean `batch_bytes_max`?"),
            "{message}"
        );
        let message = load_text("[stream]\nbatch_bytes_max = 'many'\n", &[]).unwrap_err();
        assert!(message.contains("line 2"), "{message}");
        // Also where the file leaves to the defaults what comes before the fault.
        let message = load_text("[stream]\nkind = 'kafka'\n[streams]\n", &[]).unwrap_err();
        assert!(message.contains("line 3, column 2"), "{message}");
        let message = load_text("", &[("POLKU__STREAM__BATCH_BYTES_MAX", "many")]).unwrap_err();
        assert!(
            message.contains("POLKU__STREAM__BATCH_BYTES_MAX"),
            "{message}"
        );
    }
}
