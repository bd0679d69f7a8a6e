//! Who may call: named people and machines, each with a role and departments. Only hashes of keys are held.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use axum::http::{HeaderMap, header};
use event::{Channel, DepartmentId, Name};
use serde::{Deserialize, Deserializer, de};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// `[credentials.NAME]` of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub key_sha256: KeyHash,
    pub role: Role,
    #[serde(default)]
    pub departments: BTreeSet<DepartmentId>,
    /// Units of its one department: then its inbox, its stream and its cases are theirs alone.
    #[serde(default)]
    pub units: BTreeSet<Name>,
    /// Where it meets customers: the channel of what it records at the desk.
    #[serde(default = "call_centre")]
    pub channel: Channel,
}

fn call_centre() -> Channel {
    Channel::CallCentre
}

/// SHA-256 of a key; 64 hexadecimal digits in the configuration.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyHash([u8; 32]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Works on the cases of its departments and reads the customers they concern.
    Advisor,
    /// As an advisor, for whoever leads them.
    Lead,
    /// Meets customers first: reads anybody it names by an exact identifier, and says why.
    FrontLine,
    /// Reads and does everything.
    Admin,
    /// A system: follows and works on the cases of its departments, reads no customer.
    Machine,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("credentials.{name}.departments is empty: the role {role:?} needs at least one")]
    NoDepartment { name: Name, role: Role },
    #[error(
        "credentials.{name} and credentials.{other} have the same key_sha256: give each a key of its own"
    )]
    SameKey { name: Name, other: Name },
    #[error(
        "credentials.{name}.units needs exactly one department in credentials.{name}.departments: a unit is a part of one"
    )]
    UnitsOfNoDepartment { name: Name },
    #[error("credentials.{name}.channel must be `store`, `call_centre`, `web` or `subcontractor`")]
    UnknownChannel { name: Name },
}

/// A caller. The actor of a command is its name.
#[derive(Clone, Debug)]
pub struct Credential {
    pub name: Name,
    pub role: Role,
    pub departments: BTreeSet<DepartmentId>,
    /// Of its one department; empty: all of it.
    pub units: BTreeSet<Name>,
    pub channel: Channel,
}

/// All callers.
#[derive(Clone, Debug)]
pub struct Credentials(Vec<(KeyHash, Arc<Credential>)>);

impl Credentials {
    /// # Errors
    /// When a credential could do nothing, or two have one key.
    pub fn new(configured: &BTreeMap<Name, Config>) -> Result<Self, Error> {
        let mut known: Vec<(KeyHash, Arc<Credential>)> = Vec::new();
        for (name, config) in configured {
            let name = name.clone();
            let role = config.role;
            let needs_department = match role {
                Role::Advisor | Role::Lead | Role::Machine => true,
                Role::FrontLine | Role::Admin => false,
            };
            if needs_department && config.departments.is_empty() {
                return Err(Error::NoDepartment { name, role });
            }
            if let Some((_, other)) = known.iter().find(|(hash, _)| *hash == config.key_sha256) {
                let other = other.name.clone();
                return Err(Error::SameKey { name, other });
            }
            if !config.units.is_empty() && config.departments.len() != 1 {
                return Err(Error::UnitsOfNoDepartment { name });
            }
            if config.channel == Channel::Unknown {
                return Err(Error::UnknownChannel { name });
            }
            let credential = Credential {
                name,
                role,
                departments: config.departments.clone(),
                units: config.units.clone(),
                channel: config.channel,
            };
            known.push((config.key_sha256, Arc::new(credential)));
        }
        Ok(Self(known))
    }

    /// Whose key the request bears.
    pub(crate) fn of(&self, headers: &HeaderMap) -> Option<Arc<Credential>> {
        let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, key) = given.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        self.with_key(key)
    }

    /// The credential of a name, with the hash of its key.
    pub(crate) fn named(&self, name: &Name) -> Option<(KeyHash, Arc<Credential>)> {
        let mut known = self.0.iter();
        let (hash, credential) = known.find(|(_, credential)| credential.name == *name)?;
        Some((*hash, Arc::clone(credential)))
    }

    /// Whose key it is.
    pub(crate) fn with_key(&self, key: &str) -> Option<Arc<Credential>> {
        let hash = KeyHash::of(key.trim());
        // Every hash is compared, and each in constant time, so that the time taken tells nothing.
        let mut found = None;
        for (known, credential) in &self.0 {
            if bool::from(known.0.ct_eq(&hash.0)) {
                found = Some(Arc::clone(credential));
            }
        }
        found
    }
}

impl KeyHash {
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }
}

/// As the configuration has it.
impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key's hash")
    }
}

impl<'de> Deserialize<'de> for KeyHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(text.trim(), &mut hash).map_err(|_| {
            de::Error::custom("key_sha256 is 64 hexadecimal digits: the SHA-256 of the key")
        })?;
        Ok(Self(hash))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn configured(text: &str) -> Result<Credentials, Error> {
        let configured: BTreeMap<Name, Config> = toml::from_str(text).expect("a configuration");
        Credentials::new(&configured)
    }

    fn entry(name: &str, key: &str, rest: &str) -> String {
        let hash = KeyHash::of(key);
        format!("[{name}]\nkey_sha256 = '{hash}'\n{rest}\n")
    }

    #[test]
    fn a_key_is_found_by_its_hash_behind_the_word_bearer() {
        let text = entry(
            "aino",
            "k-1",
            "role = 'advisor'\ndepartments = ['delivery']",
        ) + &entry("root", "k-2", "role = 'admin'");
        let credentials = configured(&text).unwrap();
        for (header, expected) in [
            ("Bearer k-1", Some("aino")),
            ("bearer k-2", Some("root")),
            ("Bearer k-3", None),
            ("Bearer ", None),
            ("Basic k-1", None),
            ("k-1", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(header));
            let found = credentials.of(&headers);
            assert_eq!(
                found.as_ref().map(|found| found.name.as_str()),
                expected,
                "{header}"
            );
        }
        assert!(credentials.of(&HeaderMap::new()).is_none());
    }

    #[test]
    fn what_could_do_nothing_or_be_mistaken_is_refused() {
        let no_department = configured(&entry("aino", "k", "role = 'lead'"));
        assert!(matches!(no_department, Err(Error::NoDepartment { .. })));
        let twice = entry("aino", "k", "role = 'admin'") + &entry("eero", "k", "role = 'admin'");
        assert!(matches!(configured(&twice), Err(Error::SameKey { .. })));
        for (rest, is_good) in [
            ("departments = ['stores']\nunits = ['kamppi']", true),
            (
                "departments = ['stores', 'finance']\nunits = ['kamppi']",
                false,
            ),
            ("departments = ['stores']\nchannel = 'store'", true),
            ("departments = ['stores']\nchannel = 'unknown'", false),
        ] {
            let text = entry("aino", "k", &format!("role = 'advisor'\n{rest}"));
            assert_eq!(configured(&text).is_ok(), is_good, "{rest}");
        }
        let unknown = entry("aino", "k", "role = 'admin'\ncolour = 'red'");
        assert!(toml::from_str::<BTreeMap<Name, Config>>(&unknown).is_err());
    }
}
