//! Which files of an inbox are whole.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, File, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// A file that nobody has written to for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) mark: Mark,
}

/// What changes when a file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

/// After so many looks that show the same, a file is whole. Senders who pause for longer write under another name and rename.
const LOOKS_AT_REST: u32 = 3;

/// A directory, and what the last looks showed in it.
pub(super) struct Inbox {
    directory: PathBuf,
    seen: BTreeMap<OsString, (Mark, u32)>,
}

impl Inbox {
    pub(super) fn new(directory: PathBuf) -> Inbox {
        Inbox {
            directory,
            seen: BTreeMap::new(),
        }
    }

    #[cfg(test)]
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The files that are at rest, in the order of their names.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(super) fn look(&mut self) -> io::Result<Vec<Found>> {
        let mut seen = BTreeMap::new();
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            // A link would let whoever may write here have any file of this machine read.
            let Some(mark) = Mark::of_path(&entry.path())? else {
                continue;
            };
            if is_temporary(&name.to_string_lossy()) {
                continue;
            }
            let looks = match self.seen.get(&name) {
                Some((same, looks)) if *same == mark => looks.saturating_add(1),
                Some(_) | None => 1,
            };
            if looks >= LOOKS_AT_REST {
                found.push(Found {
                    path: entry.path(),
                    mark,
                });
            }
            seen.insert(name, (mark, looks));
        }
        self.seen = seen;
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }
}

impl Found {
    /// # Errors
    /// When it cannot be opened. None when it is no longer the file that was found.
    pub(super) fn open(&self) -> io::Result<Option<File>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let same = Mark::of(&file.metadata()?) == self.mark;
        Ok(same.then_some(file))
    }

    /// Whether it still is what was found.
    ///
    /// # Errors
    /// When nobody can tell.
    pub(super) fn is_same(&self) -> io::Result<bool> {
        Ok(Mark::of_path(&self.path)? == Some(self.mark))
    }
}

impl Mark {
    /// None for what is gone, and for what is no plain file.
    fn of_path(path: &Path) -> io::Result<Option<Mark>> {
        match fs::symlink_metadata(path) {
            Ok(metadata) => Ok(metadata.is_file().then(|| Mark::of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn of(metadata: &Metadata) -> Mark {
        Mark {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// Names that senders write under until a file is whole.
fn is_temporary(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let ends = [
        ".part",
        ".partial",
        ".tmp",
        ".temp",
        ".filepart",
        ".crdownload",
        "~",
    ];
    lower.starts_with('.') || ends.iter().any(|end| lower.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_unfinished_files_are_known() {
        for name in [
            ".hidden",
            "a.csv.part",
            "a.CSV.TMP",
            "a.csv~",
            "a.filepart",
            ".",
        ] {
            assert!(is_temporary(name), "{name}");
        }
        for name in ["a.csv", "a.part.csv", "tmp", "part", "ä.csv"] {
            assert!(!is_temporary(name), "{name}");
        }
    }

    #[test]
    fn a_file_is_found_once_it_rests_and_never_a_link_or_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("b.csv"), "1").unwrap();
        fs::write(path("a.csv"), "1").unwrap();
        fs::write(path("c.csv.part"), "1").unwrap();
        fs::create_dir(path("d.csv")).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", path("e.csv")).unwrap();
        let mut inbox = Inbox::new(directory.path().to_owned());
        let mut names = || -> Vec<String> {
            let found = inbox.look().unwrap();
            let name = |found: &Found| {
                found
                    .path
                    .file_name()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            };
            found.iter().map(name).collect()
        };
        assert!(names().is_empty());
        assert!(names().is_empty());
        fs::write(path("b.csv"), "12").unwrap();
        assert_eq!(names(), ["a.csv"]);
        assert_eq!(names(), ["a.csv"]);
        assert_eq!(names(), ["a.csv", "b.csv"]);
    }

    #[test]
    fn a_file_that_was_replaced_is_not_opened() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.csv");
        fs::write(&path, "1").unwrap();
        let found = Found {
            mark: Mark::of_path(&path).unwrap().unwrap(),
            path: path.clone(),
        };
        assert!(found.open().unwrap().is_some() && found.is_same().unwrap());
        fs::write(directory.path().join("other"), "1").unwrap();
        fs::rename(directory.path().join("other"), &path).unwrap();
        assert!(found.open().unwrap().is_none() && !found.is_same().unwrap());
        fs::remove_file(&path).unwrap();
        assert!(found.open().unwrap().is_none() && !found.is_same().unwrap());
    }
}
