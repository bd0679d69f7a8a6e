//! The first start of `polku dev`: a pepper, a company, and keys for its systems and people.

pub mod people;

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use rand::RngCore as _;
use sha2::{Digest as _, Sha256};

use crate::simulate::Keys;

/// The files of a data directory.
#[derive(Clone, Debug)]
pub struct Home {
    directory: PathBuf,
}

impl Home {
    pub fn new(directory: &Path) -> Home {
        Home {
            directory: directory.to_owned(),
        }
    }

    pub fn config(&self) -> PathBuf {
        self.directory.join("polku.toml")
    }

    pub fn company(&self) -> PathBuf {
        self.directory.join("company.toml")
    }

    pub fn keys(&self) -> PathBuf {
        self.directory.join("demo-keys.toml")
    }

    /// Makes what a first start needs. What is there already is left as it is.
    ///
    /// # Errors
    /// When the directory cannot be made or written.
    pub fn prepare(&self) -> anyhow::Result<()> {
        make_directory(&self.directory)?;
        if !self.company().exists() {
            write(&self.company(), COMPANY)?;
        }
        if !self.config().exists() {
            // Whoever starts Polku from elsewhere, or moves about, finds the same files.
            let here = fs::canonicalize(&self.directory)
                .with_context(|| format!("finding {}", self.directory.display()))?;
            let keys = demo_keys(&here);
            for (source, secret) in &keys.secrets {
                let file = secret_file(&here, source);
                if !file.exists() {
                    write(&file, secret)?;
                }
            }
            let canary = canary_file(&here);
            if !canary.exists() {
                write(&canary, &keys.sources[CANARY])?;
            }
            write(&self.keys(), &toml::to_string(&keys)?)?;
            write(&self.config(), &demo_config(&here, &keys)?)?;
        }
        Ok(())
    }
}

fn secret_file(directory: &Path, source: &str) -> PathBuf {
    directory.join(format!("{source}.secret"))
}

fn canary_file(directory: &Path) -> PathBuf {
    directory.join("canary.key")
}

const COMPANY: &str = include_str!("company.toml");

/// A directory, with those it lies in, that only its owner enters.
pub fn make_directory(path: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("making the directory {}", path.display()))
}

/// A file that only its owner reads.
pub fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let writing = || format!("writing {}", path.display());
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(writing)?;
    file.write_all(text.as_bytes()).with_context(writing)?;
    file.sync_all().with_context(writing)
}

/// Random bytes as hex: 32 digits for a key, 64 for a pepper.
pub fn random_hex<const BYTES: usize>() -> String {
    let mut bytes = [0; BYTES];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

/// SHA-256 of a key in hex: what the configuration holds of it.
pub fn hash(key: &str) -> String {
    hex::encode(Sha256::digest(key.as_bytes()))
}

/// The company's systems without what differs from one demo to the next.
const SOURCES: &str = include_str!("sources.toml");

/// How a source shows who it is.
const KEYS: [&str; 5] = ["till", "panel", "web-shop", "courier", CANARY];
const SECRETS: [&str; 4] = ["zendesk", "phone", "survey", "installer"];
const FOLDERS: [&str; 1] = ["pickup-points"];
/// Speaks for Polku itself: does the chain work?
const CANARY: &str = "canary";

fn demo_keys(directory: &Path) -> Keys {
    let key = |name: &str| (name.to_owned(), random_hex::<16>());
    let inbox = |name: &str| (name.to_owned(), directory.join(name).join("inbox"));
    Keys {
        sources: KEYS.map(key).into(),
        credentials: people::PEOPLE
            .iter()
            .map(|person| key(person.name))
            .collect(),
        secrets: SECRETS.map(key).into(),
        inboxes: FOLDERS.map(inbox).into(),
    }
}

fn demo_config(directory: &Path, keys: &Keys) -> anyhow::Result<String> {
    let mut sources: toml::Table = SOURCES.parse().context("the demo's sources")?;
    let table = sources["sources"]
        .as_table_mut()
        .context("the demo's sources are a table")?;
    for (name, source) in table.iter_mut() {
        let source = source
            .as_table_mut()
            .with_context(|| format!("the demo's source {name} is a table"))?;
        if let Some(key) = keys.sources.get(name) {
            source.insert("key_sha256".to_owned(), vec![hash(key)].into());
        }
        if keys.secrets.contains_key(name) {
            let file = secret_file(directory, name).display().to_string();
            source.insert("secret_file".to_owned(), vec![file].into());
        }
        if let Some(inbox) = keys.inboxes.get(name) {
            let inbox = inbox.display().to_string();
            let folder = toml::Table::from_iter([("inbox".to_owned(), inbox.into())]);
            source.insert("folder".to_owned(), folder.into());
        }
    }
    let mut text = String::from(
        "# Made by the first `polku dev`. The keys in clear are in demo-keys.toml beside this file; here are their hashes.\n\n\
         [identity.spaces]\n\
         # The company's systems share their numbers: an order is the same order for all of them.\n\
         customer_number = \"company\"\nloyalty_card = \"company\"\norder = \"company\"\nshipment = \"company\"\n\n",
    );
    text.push_str(&toml::to_string(&sources)?);
    write!(
        text,
        "\n[{CANARY}]\nkey_file = {:?}\n",
        canary_file(directory).display().to_string()
    )?;
    for person in people::PEOPLE {
        let key = hash(&keys.credentials[person.name]);
        write!(
            text,
            "\n[credentials.{}]\nkey_sha256 = \"{key}\"\nrole = \"{}\"\n",
            person.name, person.role
        )?;
        for (field, names) in [("departments", person.departments), ("units", person.units)] {
            if !names.is_empty() {
                writeln!(text, "{field} = {names:?}")?;
            }
        }
        if let Some(channel) = person.channel {
            writeln!(text, "channel = \"{channel}\"")?;
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::config::Config;

    #[test]
    fn a_first_start_makes_what_a_second_one_leaves_alone() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let home = Home::new(directory.path());
        home.prepare().expect("the demo is made");
        let config = Config::read(Some(&home.config())).expect("the configuration is good");
        let secrets = config.secrets().expect("the secrets are readable");
        assert_eq!(secrets.len(), SECRETS.len());
        let keys = Keys::read(&home.keys()).expect("the keys are readable");
        home.prepare().expect("it is there already");
        assert_eq!(
            Keys::read(&home.keys())
                .expect("they are still there")
                .secrets,
            keys.secrets
        );
        let text = fs::read_to_string(home.company()).expect("the company is readable");
        crate::company::read(&home.company(), &text).expect("the company is good");
        for entry in fs::read_dir(directory.path()).expect("the directory is readable") {
            let metadata = entry.and_then(|entry| entry.metadata()).expect("a file");
            let mode = metadata.permissions().mode() & 0o777;
            assert!(metadata.is_dir() || mode == 0o600, "{mode:o}");
        }
    }

    #[test]
    fn every_department_has_somebody_who_works() {
        for department in ["customer-care", "delivery", "products", "stores", "finance"] {
            assert!(!people::of(department).is_empty(), "{department}");
        }
    }
}
