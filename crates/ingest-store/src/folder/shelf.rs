//! Where files go once they are read.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use event::SourceId;
use ingest::config;

use super::{Error, inbox::Found, metrics::Outcome, send::Sent};

/// The two directories beside an inbox.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    inbox: PathBuf,
    done: PathBuf,
    rejected: PathBuf,
}

impl Shelf {
    /// Makes what is missing.
    ///
    /// # Errors
    /// When a directory cannot be made, or a file could not be moved into it at once.
    pub(super) fn open(folder: &config::Folder) -> Result<Shelf, Error> {
        let beside = |name: &str| {
            folder
                .inbox
                .parent()
                .map_or_else(|| PathBuf::from(name), |up| up.join(name))
        };
        let shelf = Shelf {
            inbox: folder.inbox.clone(),
            done: folder.done.clone().unwrap_or_else(|| beside("done")),
            rejected: folder
                .rejected
                .clone()
                .unwrap_or_else(|| beside("rejected")),
        };
        let make = |path: &PathBuf| {
            let made = fs::create_dir_all(path).and_then(|()| fs::metadata(path));
            made.map_err(|source| Error::Make {
                path: path.clone(),
                source,
            })
        };
        let inbox = make(&shelf.inbox)?.dev();
        for path in [&shelf.done, &shelf.rejected] {
            if make(path)?.dev() != inbox {
                return Err(Error::OtherFileSystem {
                    path: path.clone(),
                    inbox: shelf.inbox.clone(),
                });
            }
        }
        Ok(shelf)
    }

    /// The last step: the file leaves the inbox, its report first where it needs one. None when it is gone or changed.
    ///
    /// # Errors
    /// When the report cannot be written or the file not be moved.
    pub(super) fn put_away(
        &self,
        source: &SourceId,
        file: &Found,
        sent: &Sent,
    ) -> io::Result<Option<Outcome>> {
        if !file.is_same()? {
            return Ok(None);
        }
        let (directory, outcome) = if sent.report.is_good() {
            (&self.done, Outcome::Done)
        } else {
            (&self.rejected, Outcome::Rejected)
        };
        let name = free_name(directory, &tame(&file.path))?;
        if outcome == Outcome::Rejected {
            let report = directory.join(format!("{name}.report.json"));
            write_whole(&report, &sent.report.write(source, &name))?;
        }
        fs::rename(&file.path, directory.join(&name))?;
        sync(directory)?;
        sync(&self.inbox)?;
        Ok(Some(outcome))
    }
}

/// A report is there whole or not at all.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let fresh = path.with_extension("json.tmp");
    let mut file = File::create(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

/// A move survives a loss of power once both directories do.
fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// The name, or the first of `name-2.csv`, `name-3.csv`… that no file has.
fn free_name(directory: &Path, name: &str) -> io::Result<String> {
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
    let mut number = 1_u64;
    loop {
        let tried = match (number, end) {
            (1, _) => name.to_owned(),
            (_, "") => format!("{stem}-{number}"),
            (_, end) => format!("{stem}-{number}.{end}"),
        };
        if !directory.join(&tried).try_exists()? {
            return Ok(tried);
        }
        number += 1;
    }
}

/// Longer names leave no room for a number and a report's ending.
const NAME_BYTES_MAX: usize = 200;

/// The name without what terminals, shells and spreadsheets trip over. Its ending stays.
fn tame(path: &Path) -> String {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy())
        .unwrap_or_default();
    let keep =
        |character: char| character.is_alphanumeric() || matches!(character, '.' | '_' | '-');
    let tame: String = name
        .chars()
        .map(|character| if keep(character) { character } else { '_' })
        .collect();
    let from = tame.ceil_char_boundary(tame.len().saturating_sub(NAME_BYTES_MAX));
    match tame[from..].trim_start_matches(['.', '-']) {
        "" => "file".to_owned(),
        tame => tame.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tamed_and_keep_their_ending() {
        for (name, expected) in [
            ("orders.csv", "orders.csv"),
            ("Tilaukset 3.12 (ä).csv", "Tilaukset_3.12__ä_.csv"),
            ("-rf.csv", "rf.csv"),
            ("..csv", "csv"),
            ("a\u{202e}vsc.exe\n.csv", "a_vsc.exe_.csv"),
            ("=cmd|' calc'!A0.csv", "_cmd___calc__A0.csv"),
        ] {
            assert_eq!(tame(Path::new(name)), expected);
        }
        for long in ["x".repeat(250), "ä".repeat(125)] {
            let tame = tame(Path::new(&format!("{long}.csv")));
            assert!(
                (NAME_BYTES_MAX - 1..=NAME_BYTES_MAX).contains(&tame.len())
                    && tame.ends_with(".csv")
            );
        }
    }

    #[test]
    fn the_same_name_again_is_numbered() {
        let directory = tempfile::tempdir().unwrap();
        let take = |name: &str| {
            let free = free_name(directory.path(), name).unwrap();
            fs::write(directory.path().join(&free), "").unwrap();
            free
        };
        assert_eq!(take("a.csv"), "a.csv");
        assert_eq!(take("a.csv"), "a-2.csv");
        assert_eq!(take("a.csv"), "a-3.csv");
        assert_eq!(take("a"), "a");
        assert_eq!(take("a"), "a-2");
    }
}
