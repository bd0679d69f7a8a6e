use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Options, tally::Tally};

/// How far an import has come, in a file under the data directory. Written after the door has acknowledged, so that a crash
/// repeats a batch at worst.
pub(super) struct Checkpoint {
    path: PathBuf,
    pub(super) rows: u64,
    pub(super) tally: Tally,
}

#[derive(Serialize, Deserialize)]
struct Written {
    rows: u64,
    tally: Tally,
}

impl Checkpoint {
    /// The checkpoint of this file and source, where an earlier run left one.
    pub(super) fn open(data: &Path, options: &Options, length: u64) -> anyhow::Result<Checkpoint> {
        let file = fs::canonicalize(&options.file)
            .with_context(|| format!("finding {}", options.file.display()))?;
        let what = format!(
            "{}\n{length}\n{}\n{}",
            file.display(),
            options.source,
            options.history
        );
        let name = hex::encode(&Sha256::digest(what.as_bytes())[..8]);
        let path = data.join("import").join(format!("{name}.toml"));
        let fresh = || Checkpoint {
            path: path.clone(),
            rows: 0,
            tally: Tally::default(),
        };
        if options.from_start {
            return Ok(fresh());
        }
        match fs::read_to_string(&path) {
            Ok(text) => {
                let Written { rows, tally } = service::config::parse(&path, &text)?;
                Ok(Checkpoint { path, rows, tally })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(fresh()),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }

    pub(super) fn save(&mut self, rows: u64, tally: &Tally) -> anyhow::Result<()> {
        let writing = || format!("writing {}", self.path.display());
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory).with_context(writing)?;
        }
        let text = toml::to_string(&Written {
            rows,
            tally: tally.clone(),
        })?;
        let fresh = self.path.with_extension("new");
        fs::write(&fresh, text)
            .and_then(|()| fs::rename(&fresh, &self.path))
            .with_context(writing)?;
        self.rows = rows;
        Ok(())
    }

    pub(super) fn remove(self) -> anyhow::Result<()> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error).with_context(|| format!("removing {}", self.path.display())),
        }
    }
}
