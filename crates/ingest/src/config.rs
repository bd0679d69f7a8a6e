//! The sources of `polku.toml`: who may send, where they stand, and what their numbers mean.

use std::collections::BTreeMap;

use event::{Channel, Kind, Name, SourceId};
use identifier::Region;
use serde::{Deserialize, Serialize};

use crate::mapping::{Mapping, Plan};

/// `[sources.*]`, keyed by name.
pub type Sources = BTreeMap<SourceId, Source>;

/// The source whose events people at the desk write.
pub const DESK: &str = "desk";

/// One configured sender.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub channel: Channel,
    #[serde(default)]
    pub format: Format,
    /// SHA-256 of each key in hex; two while a key is being changed. Without one, nobody can send over HTTP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_sha256: Vec<String>,
    /// For phone numbers in national form; `[identity] region` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Its word may join two customers who are known to the company.
    #[serde(default)]
    pub trusted: bool,
    /// It may say something again under the same id, and the newer content holds.
    #[serde(default)]
    pub corrects: bool,
    /// It may send `history = true`: the source of an import.
    #[serde(default)]
    pub history: bool,
    /// What it may send; absent: every kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<Kind>>,
    /// Attributes that hold nothing personal and are copied out of the personal part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operational: Vec<String>,
    /// Type of identifier or reference -> the space its values are numbered in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spaces: BTreeMap<Name, Name>,
    /// How rows of a file become events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Mapping>,
}

/// The form a source sends in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Our own JSON form.
    #[default]
    Polku,
}

impl Source {
    /// What each field alone cannot tell: the field, what is wrong, the remedy.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.channel == Channel::Unknown {
            faults.push(
                "`channel` must be `store`, `call_centre`, `web` or `subcontractor`".to_owned(),
            );
        }
        if self.key_sha256.iter().any(|key| key_hash(key).is_none()) {
            faults.push(
                "`key_sha256` holds something else than the SHA-256 of a key, 64 hexadecimal digits; make one with \
                 `printf %s KEY | sha256sum`"
                    .to_owned(),
            );
        }
        let unknown = |kinds: &Vec<Kind>| kinds.contains(&Kind::Unknown);
        if self.kinds.as_ref().is_some_and(unknown) {
            faults.push("`kinds` may hold `feedback`, `complaint` and `service`".to_owned());
        }
        if let Some(mapping) = &self.mapping
            && let Err(error) = Plan::new(mapping)
        {
            faults.push(format!("`mapping`: {error}"));
        }
        faults
    }
}

/// The bytes of a key's hash.
pub(crate) fn key_hash(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).ok().map(|()| hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(text: &str) -> Result<Sources, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_source_reads_as_the_surface_page_writes_it() {
        let sources = sources(
            r#"
            [till]
            channel = "store"
            format = "polku"
            key_sha256 = ["2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"]
            region = "FI"
            trusted = true
            corrects = false
            operational = ["till"]
            kinds = ["service"]
            [till.spaces]
            order = "shop"
            "#,
        )
        .unwrap();
        let till = &sources[&SourceId::new("till").unwrap()];
        assert_eq!(till.faults(), Vec::<String>::new());
        assert_eq!(till.channel, Channel::Store);
        assert_eq!(till.kinds, Some(vec![Kind::Service]));
        assert!(till.trusted && !till.history);
    }

    #[test]
    fn faults_name_the_field_and_the_remedy() {
        let error = sources("[till]\nchannel = 'store'\nkeys = []\n").unwrap_err();
        assert!(
            error.contains("line 3") && error.contains("key_sha256"),
            "{error}"
        );
        let error = sources("[till]\nchannel = 'store'\nformat = 'typeform'\n").unwrap_err();
        assert!(error.contains("polku"), "{error}");
        for line in ["region = 'Finland'", "spaces = {order = 'Shop 1'}"] {
            let error = sources(&format!("[till]\nchannel = 'store'\n{line}\n")).unwrap_err();
            assert!(error.contains("line 3"), "{error}");
        }
        let bad =
            sources("[till]\nchannel = 'unknown'\nkey_sha256 = ['ab']\nkinds = ['unknown']\n")
                .unwrap();
        let faults = bad[&SourceId::new("till").unwrap()].faults();
        let fields = ["`channel`", "`key_sha256`", "`kinds`"];
        assert_eq!(faults.len(), fields.len(), "{faults:?}");
        for (fault, field) in faults.iter().zip(fields) {
            assert!(fault.starts_with(field), "{fault}");
        }
    }
}
