//! The company that scenarios and process tests use: a plain one, with an archive beside it whose rows are history; or the demo's.

use std::{
    fs,
    path::{Path, PathBuf},
};

use polku::{
    config::Config,
    demo::{self, Home},
    simulate::Keys,
};

use super::plain;

/// The key of the archive, in clear.
const ARCHIVE_KEY: &str = "the key of the archive";
/// SHA-256 of it.
const ARCHIVE_KEY_SHA256: &str = "f5d5ace636e96157c70e600504da266975407156f88454efac35130b6cb81cf8";

/// A directory with configuration, company, pepper and keys.
pub struct Company {
    directory: tempfile::TempDir,
    pub keys: Keys,
}

impl Company {
    /// `more` is appended to the configuration.
    pub fn new(more: &str) -> Company {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let home = Home::new(directory.path());
        plain::prepare(&home);
        let mut keys = Keys::read(&home.keys()).expect("the keys are readable");
        let config = fs::read_to_string(home.config()).expect("the configuration is readable");
        let archive = format!(
            "\n[sources.archive]\nchannel = \"store\"\nkey_sha256 = [\"{ARCHIVE_KEY_SHA256}\"]\ntrusted = true\nhistory = true\n"
        );
        // Tables of their own come first in `more`, so that top-level keys stay at the top.
        fs::write(home.config(), format!("{more}\n{config}{archive}"))
            .expect("the configuration is writable");
        keys.sources
            .insert("archive".to_owned(), ARCHIVE_KEY.to_owned());
        fs::write(home.keys(), toml::to_string(&keys).expect("keys are TOML"))
            .expect("the keys are writable");
        demo::write(&directory.path().join("pepper"), &"5a".repeat(32))
            .expect("the pepper is writable");
        Company { directory, keys }
    }

    /// The demo's company, whose things have names in three languages.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn of_the_demo() -> Company {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let home = Home::new(directory.path());
        home.prepare().expect("the demo is made");
        let keys = Keys::read(&home.keys()).expect("the keys are readable");
        Company { directory, keys }
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn config_file(&self) -> PathBuf {
        Home::new(self.directory()).config()
    }

    pub fn keys_file(&self) -> PathBuf {
        Home::new(self.directory()).keys()
    }

    pub fn company_file(&self) -> PathBuf {
        Home::new(self.directory()).company()
    }

    pub fn config(&self) -> Config {
        let mut config =
            Config::read(Some(&self.config_file())).expect("the configuration is good");
        config.data = self.directory().to_owned();
        config
    }
}
