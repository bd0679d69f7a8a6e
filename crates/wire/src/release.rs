//! The schemas of every release, held against the present ones.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use apache_avro::Schema;

use crate::{catalogue::parse, compatibility::check, schema::schemas};

/// One released schema beside the present one.
#[derive(Debug)]
pub struct Comparison {
    pub version: String,
    pub file: String,
    /// Empty when they read each other.
    pub faults: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
#[error("reading {path}")]
pub struct FolderError {
    path: PathBuf,
    source: io::Error,
}

/// Compares every schema of every version under `released/` with the one beside `released/` that has the same file name.
///
/// # Errors
/// When a folder or a file cannot be read.
pub fn compare(folder: &Path) -> Result<Vec<Comparison>, FolderError> {
    let mut comparisons = Vec::new();
    for version in sorted(&folder.join("released"))? {
        if !version.is_dir() {
            continue;
        }
        for released in sorted(&version)? {
            if released
                .extension()
                .is_none_or(|extension| extension != "avsc")
            {
                continue;
            }
            let file = file_name(&released);
            let present = folder.join(&file);
            let old = read(&released)?;
            let mut faults = Vec::new();
            if present.exists() {
                faults = check_texts(&old, &read(&present)?);
            } else {
                faults.push("the schema was removed; its records are still on the log".to_owned());
            }
            faults.extend(unreadable(&old));
            comparisons.push(Comparison {
                version: file_name(&version),
                file,
                faults,
            });
        }
    }
    Ok(comparisons)
}

fn check_texts(old: &str, new: &str) -> Vec<String> {
    let parse = |text, which: &str| {
        Schema::parse_str(text)
            .map_err(|error| format!("the {which} schema does not parse: {error}"))
    };
    match (parse(old, "released"), parse(new, "present")) {
        (Ok(old), Ok(new)) => check(&old, &new).err().unwrap_or_default(),
        (Err(fault), _) | (_, Err(fault)) => vec![fault],
    }
}

/// A released schema has an id that is on the log, so a row of the table must still hold it.
fn unreadable(released: &str) -> Option<String> {
    let released = parse(released).ok()?;
    let held = schemas()
        .iter()
        .any(|shipped| parse(shipped.avsc).is_ok_and(|schema| schema == released));
    (!held).then(|| {
        "no shipped id stands for it any more: its row in the table takes the released file, the changed one a new row"
            .to_owned()
    })
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let mut paths = fs::read_dir(folder)
        .and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.path()))
                .collect::<io::Result<Vec<_>>>()
        })
        .map_err(|source| FolderError {
            path: folder.to_owned(),
            source,
        })?;
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<String, FolderError> {
    fs::read_to_string(path).map_err(|source| FolderError {
        path: path.to_owned(),
        source,
    })
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas")
    }

    /// A file that no row of the table holds would be read by nobody.
    #[test]
    fn every_file_beside_the_releases_is_shipped() {
        for file in sorted(&folder()).unwrap() {
            if file
                .extension()
                .is_some_and(|extension| extension == "avsc")
            {
                let text = read(&file).unwrap();
                assert!(
                    schemas().iter().any(|shipped| shipped.avsc == text),
                    "{file:?}"
                );
            }
        }
    }

    #[test]
    fn the_present_schemas_read_and_are_read_by_every_release() {
        let comparisons = compare(&folder()).unwrap();
        assert!(!comparisons.is_empty(), "there is no released version");
        for comparison in comparisons {
            assert_eq!(comparison.faults, Vec::<String>::new(), "{comparison:?}");
        }
    }

    #[test]
    fn a_release_whose_schema_was_removed_or_changed_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let released = folder.path().join("released/0.0.9");
        fs::create_dir_all(&released).unwrap();
        let tick = schemas()
            .iter()
            .find(|shipped| shipped.kind == crate::Kind::LinkTick)
            .unwrap();
        fs::write(released.join("gone.avsc"), tick.avsc).unwrap();
        fs::write(released.join("kept.avsc"), tick.avsc).unwrap();
        fs::write(folder.path().join("kept.avsc"), tick.avsc).unwrap();
        fs::write(
            released.join("unknown.avsc"),
            r#"{"type": "fixed", "name": "T", "size": 4}"#,
        )
        .unwrap();
        fs::write(
            folder.path().join("unknown.avsc"),
            r#"{"type": "fixed", "name": "T", "size": 4}"#,
        )
        .unwrap();
        let found: Vec<(String, usize)> = compare(folder.path())
            .unwrap()
            .into_iter()
            .map(|it| (it.file, it.faults.len()))
            .collect();
        let expected = [("gone.avsc", 1), ("kept.avsc", 0), ("unknown.avsc", 1)];
        assert_eq!(
            found,
            expected.map(|(file, count)| (file.to_owned(), count))
        );
    }
}
