//! The first start of `polku dev`: a pepper, a company, and keys for its systems and people.

use std::{
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
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)
            .with_context(|| format!("making the data directory {}", self.directory.display()))?;
        if !self.company().exists() {
            write(&self.company(), COMPANY)?;
        }
        if !self.config().exists() {
            let keys = demo_keys();
            write(&self.keys(), &toml::to_string(&keys)?)?;
            write(&self.config(), &demo_config(&keys))?;
        }
        Ok(())
    }
}

const COMPANY: &str = include_str!("company.toml");

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

struct DemoSource {
    id: &'static str,
    channel: &'static str,
    trusted: bool,
}

const SOURCES: [DemoSource; 5] = [
    DemoSource {
        id: "till",
        channel: "store",
        trusted: true,
    },
    DemoSource {
        id: "call-centre",
        channel: "call_centre",
        trusted: true,
    },
    DemoSource {
        id: "web-shop",
        channel: "web",
        trusted: true,
    },
    DemoSource {
        id: "courier",
        channel: "subcontractor",
        trusted: false,
    },
    DemoSource {
        id: "installer",
        channel: "subcontractor",
        trusted: false,
    },
];

/// One person a department, and an auditor who may see everything.
const DEPARTMENTS: [&str; 5] = ["customer-care", "delivery", "products", "stores", "finance"];
const AUDITOR: &str = "auditor";

fn demo_keys() -> Keys {
    let key = |name: &str| (name.to_owned(), random_hex::<16>());
    Keys {
        sources: SOURCES.iter().map(|source| key(source.id)).collect(),
        credentials: DEPARTMENTS
            .iter()
            .chain([&AUDITOR])
            .map(|name| key(name))
            .collect(),
    }
}

fn demo_config(keys: &Keys) -> String {
    let mut text = String::from(
        "# Made by the first `polku dev`. The keys in clear are in demo-keys.toml beside this file; here are their hashes.\n\n\
         [identity.spaces]\n\
         # The company's systems share their numbers: an order is the same order for all of them.\n\
         customer_number = \"company\"\nloyalty_card = \"company\"\norder = \"company\"\nshipment = \"company\"\n",
    );
    for source in SOURCES {
        text.push_str(&format!(
            "\n[sources.{}]\nchannel = \"{}\"\nkey_sha256 = [\"{}\"]\ntrusted = {}\n",
            source.id,
            source.channel,
            hash(&keys.sources[source.id]),
            source.trusted
        ));
    }
    for department in DEPARTMENTS {
        text.push_str(&format!(
            "\n[credentials.{department}]\nkey_sha256 = \"{}\"\nrole = \"lead\"\ndepartments = [\"{department}\"]\n",
            hash(&keys.credentials[department])
        ));
    }
    text.push_str(&format!(
        "\n[credentials.{AUDITOR}]\nkey_sha256 = \"{}\"\nrole = \"admin\"\n",
        hash(&keys.credentials[AUDITOR])
    ));
    text
}
